"""What pydantic found wrong, said in the file's own terms: line, keys, what stands there, what is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import BaseModel

from nvr.config.alerts import Alerts
from nvr.config.detect import Detect
from nvr.config.document import Document, Place, Problem
from nvr.config.echo import shown
from nvr.config.modelfile import ModelFile
from nvr.config.tree import Camera, CameraRetention, Config, Recording, Retention
from nvr.config.web import Web
from nvr.config.zone import Filter, Line, Zone

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_WANT = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "model_type": "keys with values below it",
    "dict_type": "keys with values below it",
    "tuple_type": "a list such as [person, car]",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "string_pattern_mismatch": "a name of small letters, digits and hyphens, at most 32, such as front-door",
    "string_too_short": "text that is not empty",
    "too_short": "at least one",
    "too_long": "at most {max_length}",
}
_MISSING: dict[str | int, str] = {
    "path": "want the path of an ONNX model",
    "cameras": "name at least one camera",
    "points": "want points such as [[0.1, 0.5], [0.9, 0.5], [0.5, 1]]",
}


def complaints(error: ValidationError, document: Document) -> Iterator[Problem]:
    """Each error once, a wrong value in ``defaults`` only there and not again at every camera."""
    seen: set[str] = set()
    for one in error.errors(include_url=False):
        place = _origin(tuple(part for part in one["loc"] if part != "[key]"), document)
        problem = Problem(document.line(place), place, _text(one, place))
        if str(problem) not in seen:
            seen.add(str(problem))
            yield problem


def _origin(place: Place, document: Document) -> Place:
    """Where the value stands: at the camera, in ``defaults``, or at the word that was short for a mapping."""
    own = _cut(place, document)
    if document.holds(own) or place[:1] != ("cameras",):
        return own
    shared = _cut(("defaults", *place[2:]), document)
    return shared if len(place) > 2 and document.holds(shared) else own


def _cut(place: Place, document: Document) -> Place:
    """``detect: motoin`` is an error of ``detect.mode``, but what the file has is ``detect``."""
    nearest = document.nearest(place)
    value = document.at(nearest)
    return place if value is None or isinstance(value, dict | list) else nearest


def _text(one: ErrorDetails, place: Place) -> str:
    name, context = one["type"], one.get("ctx", {})
    if name == "missing":
        return f"is missing: {_MISSING[place[-1]]}"
    if name == "extra_forbidden":
        return _unknown(place)
    if name == "value_error":
        return str(context["error"])
    if name == "misfit":
        return one["msg"]
    if name == "literal_error":
        want = str(context["expected"]).replace("'", "")
    else:
        want = _WANT[name].format_map(context) if name in _WANT else one["msg"]
    hint = ": put it in quotes" if name == "string_type" and isinstance(one["input"], int | float) else ""
    return f"got {shown(one['input'])}, want {want}{hint}"


def _unknown(place: Place) -> str:
    around = _keys_at(place[:-1])
    known = list(around.model_fields)
    near = get_close_matches(str(place[-1]).lower().replace("-", "_"), known, n=1)
    if near:
        return f"unknown key, did you mean {near[0]}?"
    if around is CameraRetention and place[-1] in Retention.model_fields:
        return "holds for all cameras: it belongs into retention at the top of the file"
    if place[-1] in Config.model_fields:
        return "stands too deep: it belongs at the top of the file"
    return f"unknown key, want one of {', '.join(known)}"


def _keys_at(place: Place) -> type[BaseModel]:
    match place:
        case ("cameras", _, "detect") | ("defaults", "detect"):
            return Detect
        case ("cameras", _, "detect", "zones", _) | ("defaults", "detect", "zones", _):
            return Zone
        case ("cameras", _, "detect", "lines", _) | ("defaults", "detect", "lines", _):
            return Line
        case ("cameras", _, "detect", "filters", _) | ("defaults", "detect", "filters", _):
            return Filter
        case ("cameras", _, "detect", "model") | ("defaults", "detect", "model"):
            return ModelFile
        case ("cameras", _, "alerts") | ("defaults", "alerts"):
            return Alerts
        case ("cameras", _, "retention") | ("defaults", "retention"):
            return CameraRetention
        case ("cameras", _) | ("defaults",):
            return Camera
        case ("recording",):
            return Recording
        case ("retention",):
            return Retention
        case ("web",):
            return Web
    return Config

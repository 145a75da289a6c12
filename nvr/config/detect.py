"""What is looked for in the pictures of a camera: the keys of ``detect``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from nvr.config.echo import shown
from nvr.config.keys import Keys, key
from nvr.config.modelfile import AnyModel
from nvr.config.value import Name, Text, Texts
from nvr.config.zone import MOST, Filter, Hours, Line, Names, Polygons, Zone

Mode = Literal["off", "motion", "objects", "camera"]


class Detect(Keys):
    """What is looked for in the pictures of a camera."""

    mode: Mode = key(
        "objects",
        "What makes an event: nothing, motion, objects that the detector knows, or what the camera reports alone.",
    )
    labels: Texts = key(["person", "car"], "Objects that make an event, as the model names them.", min_length=1)
    fps: float = key(5, "Most pictures looked at in a second, at most 30.", gt=0, le=30, allow_inf_nan=False)
    min_score: float = key(0.5, "Least score of an object, 0 to 1.", ge=0, le=1, allow_inf_nan=False)
    stream: Literal["auto", "main", "sub"] = key("auto", "Stream that is looked at; auto is sub where there is one.")
    frames: Literal["all", "key"] = key("all", "Frames that are decoded; key costs less and sees about one a second.")
    filters: dict[Text, Filter] = key({}, "By label, how sure and how large an object of it has to be.")
    masks: Polygons = key([], "Polygons in which neither motion nor objects count, at most 32.")
    zones: dict[Name, Zone] = key({}, "Places in the picture by name, at most 32.", max_length=MOST)
    lines: dict[Name, Line] = key({}, "Lines in the picture by name that objects cross, at most 32.", max_length=MOST)
    required: Names = key([], "Zones and lines: an object makes an event once it was in one or crossed one.")
    schedule: Hours | None = key(None, "Hours of the week in which there are events; always if not given.")
    model: AnyModel | None = key(None, "An ONNX model in place of the one that comes with nvr: its path, or its keys.")


def spelled_out(given: object) -> object:
    """``detect: motion`` is short for ``detect: {mode: motion}``."""
    if isinstance(given, str):
        return {"mode": given}
    if isinstance(given, Mapping | Detect):
        return given
    raise ValueError(f"got {shown(given)}, want off, motion, objects, camera, or keys such as labels and fps")

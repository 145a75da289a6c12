"""A detector model of the user's own: the keys of ``detect.model``, or its path alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, TypeAdapter, ValidationError, ValidationInfo, WithJsonSchema

from nvr.analysis.choice import Channels, LayoutName, ModelChoice, Resize
from nvr.config.echo import shown
from nvr.config.keys import Keys, key
from nvr.config.value import ExistingFile

_SMALLEST, _LARGEST = 32, 4096
_FILE: TypeAdapter[Path] = TypeAdapter(ExistingFile)


def _size(given: object) -> object:
    sides = list(given) if isinstance(given, list | tuple) else [given, given]
    if len(sides) != 2 or not all(type(side) is int and _SMALLEST <= side <= _LARGEST for side in sides):
        raise ValueError(
            f"got {shown(given)}, want width and height such as [640, 384], or one number for both, "
            f"{_SMALLEST} to {_LARGEST}"
        )
    return tuple(sides)


def _three(given: object) -> object:
    listed = given if isinstance(given, list | tuple) else [given] * 3
    numbers = [float(each) for each in listed if isinstance(each, int | float) and not isinstance(each, bool)]
    if not len(numbers) == len(listed) == 3 or not all(map(isfinite, numbers)):
        raise ValueError(
            f"got {shown(given)}, want three numbers, one a channel, such as [0.485, 0.456, 0.406], or one for all"
        )
    return tuple(numbers)


def _not_zero(numbers: tuple[float, float, float]) -> tuple[float, float, float]:
    if min(numbers) <= 0:
        raise ValueError("want more than 0, as values are divided by it")
    return numbers


def _classes(given: object, info: ValidationInfo) -> object:
    match given:
        case "coco":
            return "coco"
        case str() | Path():
            try:
                return _FILE.validate_python(given, context=info.context)
            except ValidationError as error:
                raise error.errors()[0]["ctx"]["error"] from None  # as it was before pydantic wrapped it
        case [*names] if names and all(isinstance(name, str) and name for name in names):
            return tuple(names)
    raise ValueError(f"got {shown(given)}, want names such as [person, car], a file with one a line, or coco")


_Three = Annotated[
    tuple[float, float, float],
    BeforeValidator(_three),
    WithJsonSchema(
        {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}]}
    ),
]
_Size = Annotated[
    tuple[int, int],
    BeforeValidator(_size),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": _SMALLEST, "maximum": _LARGEST},
                {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]
_Classes = Annotated[
    tuple[str, ...] | Path | Literal["coco"],
    BeforeValidator(_classes),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


class ModelFile(Keys):
    """An ONNX model, and what it does not say of itself."""

    path: ExistingFile = key(..., "Path of the ONNX model.")
    layout: LayoutName | None = key(None, "How its outputs are laid out, where nvr does not recognise it.")
    size: _Size | None = key(None, "Width and height of its input, where the file leaves them open.")
    resize: Resize | None = key(None, "How a picture is brought to that size.")
    channels: Channels | None = key(None, "Order of the colours.")
    scale: Literal[1, 255] | None = key(None, "What white is before mean and deviation: 1 or 255.")
    mean: _Three | None = key(None, "What is taken off each channel.")
    deviation: Annotated[_Three, AfterValidator(_not_zero)] | None = key(None, "What each channel is divided by.")
    classes: _Classes | None = key(None, "Names of its classes in their order, a file with one a line, or coco.")
    min_score: float | None = key(
        None, "Least score of an object where detect does not say it.", ge=0, le=1, allow_inf_nan=False
    )

    @property
    def choice(self) -> ModelChoice:
        """The same without pydantic, for the analyzer."""
        return ModelChoice(**{field.name: getattr(self, field.name) for field in fields(ModelChoice)})


def _spelled(given: Any) -> Any:
    """``model: mine.onnx`` is short for ``model: {path: mine.onnx}``."""
    if isinstance(given, str | Path):
        return {"path": given}
    if isinstance(given, Mapping | ModelFile):
        return given
    raise ValueError(f"got {shown(given)}, want a path, or keys such as path and layout")


AnyModel = Annotated[ModelFile, BeforeValidator(_spelled)]
"""Keys, or the path alone."""

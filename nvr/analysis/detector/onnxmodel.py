"""A model that can be asked: a loaded file, its layout, its names, and how it wants pictures."""

from __future__ import annotations

import ast
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from nvr.analysis.choice import Channels, ModelChoice, Resize
from nvr.analysis.detector import labels
from nvr.analysis.detector.canvas import Preparation
from nvr.analysis.detector.finding import Ask, Found
from nvr.analysis.detector.form import Form, dtype_of, examine, run
from nvr.analysis.detector.recognition import Recognised, recognise
from nvr.analysis.detector.session import Session
from nvr.errors import ModelError

if TYPE_CHECKING:
    from nvr.analysis.detector.finding import Outputs

_MODELS = Path(__file__).parents[1] / "models"
SQUARE_MODEL = _MODELS / "nanodet-g-416.onnx"
WIDE_MODEL = _MODELS / "nanodet-g-416x256.onnx"
"""The same weights for 16:9 pictures, which fill hardly more than half of the square: 38 % less work."""
_STATED = ("resize", "channels", "scale", "mean", "deviation")
"""How pictures are prepared, where the configuration or a file's own metadata says it."""


def default_model(width: int, height: int) -> Path:
    """The shipped model that wastes least on pictures of this size."""
    return WIDE_MODEL if width * 256 >= height * 416 else SQUARE_MODEL


class OnnxModel:
    """A loaded ONNX file; one serves any number of ``OnnxDetector``. About 200 ms and 30 MB to load.

    Raises ModelError where the file is missing, is not ONNX, its layout is not known, or its classes have no names.
    """

    def __init__(self, choice: ModelChoice | Path = SQUARE_MODEL) -> None:
        choice = choice if isinstance(choice, ModelChoice) else ModelChoice(choice)
        self.path = choice.path
        self.session = Session(choice.path)
        given = labels.known(choice, self.session.metadata)
        self.form = examine(self.session, choice, len(given) if isinstance(given, tuple) else None)
        self.recognised = recognise(self.session, self.form, choice)
        layout, count = self.recognised.layout, self.recognised.count
        self.by_number = labels.by_number(choice.path, given, count, layout.first, spare=layout.spare)
        """Name of each class number, empty where a number is no class."""
        self.preparation = _prepared(self.form, self.recognised, choice)
        self._decode = layout.decoder(self.form)
        self._try_out()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes, in their order."""
        return tuple(name for name in self.by_number if name)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the input."""
        return self.form.size

    def infer(self, blob: Any) -> Outputs:
        """Raw outputs for a picture as ``Canvas.fill`` makes it."""
        return run(self.session, self.form.picture, self.form.sides, self.form.size, blob)

    def decode(self, outputs: Outputs, ask: Ask) -> Found:
        """What raw outputs tell. Boxes may overlap, lie outside, be empty, or be no numbers at all."""
        with np.errstate(all="ignore"):
            return self._decode(outputs, ask)

    def _try_out(self) -> None:
        """Read what the test picture gave, so that a file that is not as it seems is refused now and not at night."""
        try:
            self.decode(self.form.outputs, Ask(np.arange(len(self.by_number)), 0.0))
        except (IndexError, ValueError, TypeError) as error:
            raise ModelError(
                f"{self.path}: its outputs cannot be read as layout {self.recognised.layout.name} ({error}); name "
                "another in the configuration: model: {path: …, layout: …}"
            ) from error


def _prepared(form: Form, recognised: Recognised, choice: ModelChoice) -> Preparation:
    """What the layout usually wants, changed by what the file's own metadata and the configuration say."""
    usual = replace(
        recognised.layout.preparation, size=form.size, channels_last=form.channels_last, dtype=dtype_of(form.picture)
    )
    if usual.dtype == "uint8":
        usual = replace(usual, scale=255.0, mean=(0.0,) * 3, deviation=(1.0,) * 3)
    stated = _own(form.metadata) if recognised.rule == "own metadata" else {}
    stated |= {name: getattr(choice, name) for name in _STATED if getattr(choice, name) is not None}
    if recognised.layout.name == "tf-ssd" and usual.dtype != "uint8" and "scale" not in stated:
        raise ModelError(
            f"{choice.path}: its input {form.picture} does not say what white is; write it into the configuration: "
            "model: {path: …, scale: 1} or scale: 255, with mean and deviation where it wants -1 to 1 (0.5 and 0.5)"
        )
    return replace(usual, **stated)


def _own(metadata: dict[str, str]) -> dict[str, Any]:
    """What a file that names its layout says of its pictures."""
    stated: dict[str, Any] = {}
    for name, words in (("resize", get_args(Resize)), ("channels", get_args(Channels))):
        if metadata.get(name) in words:
            stated[name] = metadata[name]
    for name in ("scale", "mean", "deviation"):
        try:
            value = ast.literal_eval(metadata.get(name, ""))
        except (ValueError, SyntaxError):
            continue
        numbers = tuple(value) if isinstance(value, list | tuple) else (value,)
        usable = all(isinstance(each, int | float) and math.isfinite(each) for each in numbers)
        if usable and len(numbers) == (1 if name == "scale" else 3) and (name == "mean" or all(numbers)):
            stated[name] = numbers[0] if name == "scale" else numbers
    return stated

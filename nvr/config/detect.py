"""What is looked for in the pictures of a camera: the keys of ``detect``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from nvr.config.echo import shown
from nvr.config.keys import Keys, key
from nvr.config.value import ExistingFile, Texts

Mode = Literal["off", "motion", "objects"]


class Detect(Keys):
    """What is looked for in the pictures of a camera."""

    mode: Mode = key("objects", "What makes an event: nothing, motion, or objects that the detector knows.")
    labels: Texts = key(["person", "car"], "Objects that make an event, as the model names them.", min_length=1)
    fps: float = key(5, "Most pictures looked at in a second, at most 30.", gt=0, le=30, allow_inf_nan=False)
    min_score: float = key(0.45, "Least score of an object, 0 to 1.", ge=0, le=1, allow_inf_nan=False)
    stream: Literal["auto", "main", "sub"] = key("auto", "Stream that is looked at; auto is sub where there is one.")
    frames: Literal["all", "key"] = key("all", "Frames that are decoded; key costs less and sees about one a second.")
    model: ExistingFile | None = key(None, "Path of an ONNX model to use in place of the one that comes with nvr.")


def spelled_out(given: object) -> object:
    """``detect: motion`` is short for ``detect: {mode: motion}``."""
    if isinstance(given, str):
        return {"mode": given}
    if isinstance(given, Mapping | Detect):
        return given
    raise ValueError(f"got {shown(given)}, want off, motion, objects, or keys such as labels and fps")

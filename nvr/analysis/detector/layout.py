"""What a layout is: how a model's outputs are recognised and read, and what it usually wants a picture to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvr.analysis.choice import LayoutName
from nvr.analysis.detector.canvas import Preparation

if TYPE_CHECKING:
    from nvr.analysis.detector.finding import Decode
    from nvr.analysis.detector.form import Form

YOLO = Preparation()
STRETCHED = Preparation(resize="stretch", border=None)
MMDET_MEAN, MMDET_DEVIATION = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
"""Blue, green, red: what NanoDet and RTMDet are trained with."""
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Red, green, blue of 0..1."""
_COCO = 80
_PARTS = (32, 51)
"""Channels after the classes that are known: the coefficients of masks, and 17 points of a body."""


@dataclass(frozen=True)
class Layout:
    """One way in which models lay out what they found."""

    name: LayoutName
    outputs: str
    """Names and shapes, as a refusal and the documentation show them."""
    slots: Callable[[Form], int | None]
    """How many class numbers the outputs tell of, 0 where they do not tell; None where this is not the layout."""
    decoder: Callable[[Form], Decode]
    """Makes what reads the outputs of a model that has this layout."""
    preparation: Preparation = YOLO
    named: Callable[[Form], bool] = lambda form: False
    """Whether the names of inputs and outputs give it away."""
    evident: Callable[[Form], bool] = lambda form: True
    """Whether the values of the test picture's outputs may be of this layout."""
    first: int = 0
    """Number of the first class: 1 where 0 is the background."""
    spare: bool = False
    """Whether there may be one number more than classes, the last, for the background."""
    sorted_out: bool = False
    """Whether the model itself leaves one box an object."""


def counted(channels: int, form: Form) -> int | None:
    """How many of the channels after a box are classes: all, or as many as there are names and known parts after.

    None where there are fewer channels than names, or more that are no known part.
    """
    masks = _PARTS[0] if form.metadata.get("task") == "segment" else 0
    if form.labelled is None:
        return _COCO if channels - _COCO in _PARTS else channels - masks
    more = channels - form.labelled
    if more == 0 or more in _PARTS or (more > 0 and form.metadata.get("task") in ("segment", "pose")):
        return form.labelled
    return None

"""Which model looks at a camera's pictures, and what its user says of it: plain values that pickle.

Pure, and below the configuration, which spells the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LayoutName = Literal[
    "nanodet-boxes",
    "yolov8",
    "yolo-end2end",
    "yolov5",
    "yolov6",
    "yolov7-end2end",
    "yolov3-heads",
    "yolov5-heads",
    "yolov7-heads",
    "yolov3-scores",
    "yolov3-nms",
    "yolox",
    "yolox-decoded",
    "nanodet",
    "nanodet-plus",
    "tf-ssd",
    "torchvision",
    "rtmdet",
    "d-fine",
    "hf-detr",
    "rf-detr",
    "ultralytics-rtdetr",
    "rtdetr-scores",
]
"""How a model's outputs are laid out; docs/models.md says what each is."""
Resize = Literal["letterbox", "letterbox-topleft", "stretch"]
Channels = Literal["rgb", "bgr"]
Three = tuple[float, float, float]
"""One number a channel, in the order of the channels."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model file. What is None is read from the file, or is what its layout usually wants."""

    path: Path
    layout: LayoutName | None = None
    size: tuple[int, int] | None = None
    """Width and height of the input, for a file that leaves them open."""
    resize: Resize | None = None
    channels: Channels | None = None
    scale: float | None = None
    """What white is before mean and deviation: 1 or 255."""
    mean: Three | None = None
    deviation: Three | None = None
    classes: tuple[str, ...] | Path | Literal["coco"] | None = None
    """Names in the order of the model's classes, a file with one a line, or COCO's 80."""

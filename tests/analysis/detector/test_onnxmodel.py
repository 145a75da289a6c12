"""A loaded model: how it wants pictures, and what it is refused for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from nvr.analysis.detector import SQUARE_MODEL, WIDE_MODEL, OnnxModel, default_model
from nvr.analysis.detector.canvas import Preparation
from nvr.analysis.detector.recognition import LAYOUTS
from nvr.errors import ModelError
from tests.analysis.detector import graphs
from tests.analysis.detector.graphs import HEIGHT, WIDTH, Input, made, yolov8

SIZE = (WIDTH, HEIGHT)
MMDET = {"channels": "bgr", "scale": 255, "mean": (103.53, 116.28, 123.675), "deviation": (57.375, 57.12, 58.395)}
IMAGENET = {"mean": (0.485, 0.456, 0.406), "deviation": (0.229, 0.224, 0.225)}
YOLOS = (
    *("yolov8", "yolo-end2end", "yolov5", "yolov6", "yolov7-end2end"),
    *("yolov3-heads", "yolov5-heads", "yolov7-heads", "yolov3-scores", "yolov3-nms"),
)


@pytest.mark.parametrize(
    ("layouts", "want"),
    [
        (YOLOS, {"resize": "letterbox", "channels": "rgb", "scale": 1, "border": 114}),
        (("yolox", "yolox-decoded"), {"resize": "letterbox-topleft", "channels": "bgr", "scale": 255, "border": 114}),
        (("nanodet-boxes",), {"resize": "letterbox", "border": None, **MMDET}),
        (("nanodet", "nanodet-plus"), {"resize": "stretch", "border": None, **MMDET}),
        (("rtmdet",), {"resize": "letterbox-topleft", "border": 114, **MMDET}),
        (("tf-ssd",), {"resize": "stretch", "channels": "rgb", "scale": 255, "border": None}),
        (("rf-detr",), {"resize": "stretch", "channels": "rgb", "scale": 1, "border": None, **IMAGENET}),
        (
            ("torchvision", "d-fine", "hf-detr", "ultralytics-rtdetr", "rtdetr-scores"),
            {"resize": "stretch", "channels": "rgb", "scale": 1, "border": None},
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_each_layout_has_its_picture(layouts: tuple[str, ...], want: dict[str, Any]) -> None:
    assert {LAYOUTS[name].preparation for name in layouts} == {Preparation(**want)}


def test_the_configuration_overrides_how_a_picture_is_prepared(tmp_path: Path) -> None:
    choice = {"resize": "stretch", "channels": "bgr", "scale": 255.0, "mean": (1.0, 2.0, 3.0), "deviation": (4.0,) * 3}
    metadata = {"layout": "yolov8", "resize": "letterbox-topleft", "channels": "rgb", "scale": "1"}
    model = made(tmp_path / "m.onnx", yolov8(), {"metadata": metadata}, **choice)
    assert model.preparation == Preparation(SIZE, **choice)  # type: ignore[arg-type]  # a table of keyword arguments


def test_a_file_that_names_its_layout_may_say_how_it_wants_pictures(tmp_path: Path) -> None:
    stated = {"resize": "stretch", "channels": "bgr", "scale": "255", "mean": "[1, 2, 3]", "deviation": "(4, 5, 6)"}
    model = made(tmp_path / "m.onnx", yolov8(), {"metadata": {"layout": "yolov8", **stated}})
    assert model.preparation == Preparation(SIZE, "stretch", "bgr", 255, (1, 2, 3), (4, 5, 6))
    odd = {"resize": "bilinear", "channels": "3", "scale": "0", "mean": "[1]", "deviation": "[0, 1, 1]"}
    model = made(tmp_path / "m.onnx", yolov8(), {"metadata": {"layout": "yolov8", **odd}})
    assert model.preparation == Preparation(SIZE)
    # Ultralytics writes channels too, and means their number; without a layout of its own a file says nothing.
    assert made(tmp_path / "m.onnx", yolov8(), {"metadata": stated}).preparation == Preparation(SIZE)


def test_bytes_are_given_as_they_are(tmp_path: Path) -> None:
    inputs: tuple[Input, ...] = (("images", [1, HEIGHT, WIDTH, 3], TensorProto.UINT8),)
    model = made(tmp_path / "m.onnx", graphs.queries("dets", "labels"), {"inputs": inputs})
    assert model.preparation == Preparation(SIZE, "stretch", "rgb", 255, border=None, channels_last=True, dtype="uint8")


def test_the_shipped_models_are_for_square_and_wide_pictures() -> None:
    assert [default_model(*size) for size in ((640, 480), (768, 576), (640, 360), (1920, 1080))] == [
        SQUARE_MODEL, SQUARE_MODEL, WIDE_MODEL, WIDE_MODEL
    ]  # fmt: skip
    model = OnnxModel(WIDE_MODEL)
    assert (model.size, model.recognised.layout.name) == ((416, 256), "nanodet-boxes")


def test_outputs_that_cannot_be_read_after_all_are_refused_at_once(tmp_path: Path) -> None:
    outputs = graphs.v3_nms()
    kept = np.array([[0, 2, 400]], np.int32)  # a box that is not there
    inputs: tuple[Input, ...] = (graphs.PICTURE, ("image_shape", [1, 2], TensorProto.FLOAT))
    with pytest.raises(ModelError, match=r"m\.onnx: its outputs cannot be read as layout yolov3-nms \(index 400"):
        made(tmp_path / "m.onnx", {**outputs, "kept": kept}, {"inputs": inputs})

"""SSD of TensorFlow and torchvision, and RTMDet, to the box."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto

from nvr.errors import ModelError
from tests.analysis.detector import graphs
from tests.analysis.detector.graphs import BOX, HEIGHT, WIDTH, Input, made, seen

BYTES: tuple[Input, ...] = (("input_tensor", [1, None, None, 3], TensorProto.UINT8),)
SMALL: dict[str, Any] = {"inputs": BYTES, "classes": ("a", "b", "c")}


def test_only_so_many_boxes_as_are_counted_are_looked_at(tmp_path: Path) -> None:
    outputs = graphs.tensorflow()
    size = (WIDTH, HEIGHT)
    assert seen(made(tmp_path / "m.onnx", outputs, SMALL, size=size)) == [("c", 0.75, pytest.approx(BOX))]
    outputs["num_detections"][0] = 0
    assert seen(made(tmp_path / "m.onnx", outputs, SMALL, size=size)) == []
    del outputs["num_detections"]  # as many as there are
    outputs["detection_boxes"][0, 1] = 0, 0, 0.5, 0.25
    found = seen(made(tmp_path / "m.onnx", outputs, SMALL, size=size))
    assert [(label, box) for label, _, box in found] == [("a", (0, 0, 24, 32)), ("c", pytest.approx(BOX))]


def test_bare_names_are_not_taken_for_tensorflows(tmp_path: Path) -> None:
    outputs = graphs.tensorflow(prefix="")
    with pytest.raises(ModelError, match="layout is not known"):
        made(tmp_path / "m.onnx", outputs, SMALL, size=(WIDTH, HEIGHT))
    model = made(tmp_path / "m.onnx", outputs, SMALL, size=(WIDTH, HEIGHT), layout="tf-ssd")
    assert [label for label, _, _ in seen(model)] == ["c"]


def test_label_zero_is_the_background_of_torchvision(tmp_path: Path) -> None:
    outputs = graphs.labelled(1, square=False, batch=False)
    outputs["scores"][1] = 0.9  # of label 0
    assert seen(made(tmp_path / "m.onnx", outputs, {"classes": ("a", "b")})) == [("a", 0.75, BOX)]


def test_label_zero_is_a_class_of_rtmdet_and_below_it_is_nothing(tmp_path: Path) -> None:
    outputs = graphs.rtmdet()
    outputs["labels"][0, 0] = 0
    outputs["dets"][0, 1] = 0, 0, 8, 8, 0.9  # its label is -1
    assert seen(made(tmp_path / "m.onnx", outputs, {"classes": ("a", "b")})) == [("a", 0.75, BOX)]

"""YOLO's outputs, to the box. That each layout finds its box at all is tested with its recognition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.analysis.detector.graphs import BOX, NAMES, end2end, made, named, objectness, seen, v7_end2end, yolov8

NAMED = {"metadata": {"names": named()}}


def test_what_follows_the_classes_is_none(tmp_path: Path) -> None:
    # The 32 coefficients of a mask are all surer than any class.
    assert seen(made(tmp_path / "m.onnx", yolov8(3, 32), NAMED)) == [("truck", 0.75, BOX)]


def test_boxes_of_one_object_are_one(tmp_path: Path) -> None:
    outputs = yolov8(3)
    outputs["output0"][0, :, 6] = outputs["output0"][0, :, 5] + (1, 0, 0, 0, 0, 0, 0.125)
    assert [score for _, score, _ in seen(made(tmp_path / "m.onnx", outputs, NAMED))] == [0.875]


def test_objectness_counts(tmp_path: Path) -> None:
    outputs = objectness(3)
    rows = outputs["output"][0]
    rows[20] = 10, 10, 8, 8, 0.5, 0, 0.8, 0  # an object, but of no class that is sure enough together
    rows[21] = 80, 40, 8, 8, 0.44, 1, 1, 1
    rows[22] = 80, 20, 8, 8, 0.8, 0, 0.75, 0
    found = seen(made(tmp_path / "m.onnx", outputs, NAMED))
    assert [(label, round(score, 4)) for label, score, _ in found] == [("truck", 0.75), ("car", 0.6)]
    assert found[1][2] == pytest.approx((76, 16, 84, 24))


def test_end_to_end_rows_are_taken_as_they_are(tmp_path: Path) -> None:
    outputs = end2end()
    outputs["output0"][0, 2] = *BOX, 0.7, 2  # the model would have left it out, were it the same
    outputs["output0"][0, 3] = *BOX, 0.9, 7  # no such class
    found = seen(made(tmp_path / "m.onnx", outputs, {"classes": NAMES}, layout="yolo-end2end"))
    assert [(label, round(score, 4)) for label, score, _ in found] == [("truck", 0.75), ("truck", 0.7)]


def test_rows_of_version_seven_have_class_before_score(tmp_path: Path) -> None:
    rows = np.concatenate([v7_end2end()["output"], [[0, 0, 0, 8, 8, 1, 0.5]]]).astype(np.float32)
    found = seen(made(tmp_path / "m.onnx", {"output": rows}, NAMED))
    assert [(label, box) for label, _, box in found] == [("truck", BOX), ("car", (0, 0, 8, 8))]

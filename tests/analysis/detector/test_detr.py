"""The DETR family, to the box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from nvr.errors import ModelError
from tests.analysis.detector import graphs
from tests.analysis.detector.graphs import BOX, HEIGHT, WIDTH, Input, made, named, queries, seen

SIZES: tuple[Input, ...] = (graphs.PICTURE, ("orig_target_sizes", [1, 2], TensorProto.INT64))


def test_boxes_come_back_from_the_square_that_was_told(tmp_path: Path) -> None:
    outputs = graphs.labelled(square=True, batch=True)
    assert outputs["boxes"][0, 0, 3] == BOX[3] * WIDTH / HEIGHT
    given = {"inputs": SIZES, "metadata": {"names": named()}}
    assert seen(made(tmp_path / "m.onnx", outputs, given)) == [("truck", 0.75, pytest.approx(BOX))]


def test_logits_become_scores_and_overlapping_boxes_stay(tmp_path: Path) -> None:
    outputs = queries("pred_boxes", "logits", 3)
    outputs["pred_boxes"][0, 5], outputs["logits"][0, 5, 2] = outputs["pred_boxes"][0, 4], 0
    found = seen(made(tmp_path / "m.onnx", outputs, {"metadata": {"names": named()}}))
    assert [(label, round(score, 4)) for label, score, _ in found] == [("truck", 0.75), ("truck", 0.5)]


def test_the_background_of_rf_detr_is_no_label(tmp_path: Path) -> None:
    outputs = queries("dets", "labels", 4)
    outputs["labels"][0, 6, 3] = 9
    model = made(tmp_path / "m.onnx", outputs, {"classes": ("a", "b", "c")})
    assert model.names == ("a", "b", "c")
    assert [label for label, _, _ in seen(model)] == ["c"]


def test_cocos_original_numbers_are_known_to_rf_detr(tmp_path: Path) -> None:
    outputs = queries("dets", "labels", 91, 90)
    outputs["labels"][0, 6, 12] = 9  # a number that COCO does not use
    assert [label for label, _, _ in seen(made(tmp_path / "m.onnx", outputs))] == ["toothbrush"]


def test_names_and_logits_have_to_agree(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has 4 classes, but 3 names"):
        made(tmp_path / "m.onnx", queries("pred_boxes", "logits", 4), {"metadata": {"names": named()}})


def test_rows_in_fractions_are_scaled(tmp_path: Path) -> None:
    outputs = graphs.rtdetr_rows()
    outputs["output0"][0, 9] = 0.5, 0.5, 0.25, 0.5, 0.6, 0
    given = {"metadata": {"names": named(), "head": "RTDETRDecoder"}}
    found = seen(made(tmp_path / "m.onnx", outputs, given))
    assert [box for _, _, box in found] == [pytest.approx(BOX), pytest.approx((36, 16, 60, 48))]


def test_two_classes_and_six_numbers_are_told_by_the_values(tmp_path: Path) -> None:
    outputs = graphs.rtdetr_scores(2)
    outputs["output0"][0, :, 4:] = 0.125, 0.25
    outputs["output0"][0, 4, 4:] = 0.5, 0.25
    model = made(tmp_path / "m.onnx", outputs, {"classes": ("a", "b")})
    assert model.recognised.layout.name == "rtdetr-scores"
    assert [(label, score) for label, score, _ in seen(model)] == [("a", 0.5)]
    assert np.shape(outputs["output0"])[2] == 6

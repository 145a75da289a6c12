"""YOLO's heads and YOLOv3's other forms, to the box."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from nvr.errors import ModelError
from tests.analysis.detector.graphs import (
    HEIGHT,
    SCORE,
    WIDTH,
    Array,
    Input,
    heads,
    logit,
    made,
    seen,
    v3_nms,
    v3_scores,
)


def one_box(strides: tuple[int, ...], at: tuple[int, int, int, int], count: int = 80) -> dict[str, Array]:
    """Heads that see one thing in stride, anchor, row and column: in the middle of it, as large as its anchor."""
    made = {f"o{stride}": np.full((1, 3, HEIGHT // stride, WIDTH // stride, 5 + count), -12.0) for stride in strides}
    stride, anchor, row, column = at
    made[f"o{stride}"][0, anchor, row, column, :6] = 0, 0, 0, 0, 12, logit(SCORE)
    return {name: head.astype(np.float32) for name, head in made.items()}


@pytest.mark.parametrize(
    ("layout", "strides", "at", "size"),
    [
        ("yolov3-heads", (32, 16, 8), (8, 0, 3, 5), (10, 13)),
        ("yolov3-heads", (8, 16, 32), (8, 2, 3, 5), (33, 23)),
        ("yolov5-heads", (8, 16, 32), (16, 0, 1, 2), (30, 61)),
        ("yolov5-heads", (8, 16, 32), (8, 1, 3, 5), (16, 30)),
        ("yolov7-heads", (8, 16, 32), (8, 0, 3, 5), (12, 16)),
        ("yolov7-heads", (8, 16, 32), (8, 2, 3, 5), (40, 28)),
        ("yolov3-heads", (32, 16), (16, 0, 1, 2), (10, 14)),
        ("yolov3-heads", (32, 16), (16, 2, 1, 2), (37, 58)),
    ],
)
def test_a_box_is_as_large_as_its_anchor_in_the_middle_of_its_cell(
    tmp_path: Path, layout: Any, strides: tuple[int, ...], at: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    ((label, score, box),) = seen(made(tmp_path / "m.onnx", one_box(strides, at), layout=layout))
    x, y = (at[3] + 0.5) * at[0], (at[2] + 0.5) * at[0]
    want = x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2
    assert box == pytest.approx(np.clip(want, 0, (WIDTH, HEIGHT, WIDTH, HEIGHT)), abs=0.01)
    assert (label, score) == ("person", pytest.approx(SCORE, abs=1e-4))


def test_heads_of_other_scales_are_none(tmp_path: Path) -> None:
    outputs = heads(exponential=True)
    del outputs["o16"]
    with pytest.raises(ModelError, match="the configuration says layout yolov3-heads"):
        made(tmp_path / "m.onnx", outputs, layout="yolov3-heads")


def test_scores_and_boxes_in_fractions_are_joined(tmp_path: Path) -> None:
    outputs = v3_scores()
    outputs["classes"][20, 0], outputs["boxes"][20] = 0.5, (0.25, 0.25, 0.25, 0.5)
    found = seen(made(tmp_path / "m.onnx", outputs))
    assert [label for label, _, _ in found] == ["car", "person"]
    assert found[1][2] == pytest.approx((12, 0, 36, 32))


def test_of_the_model_zoos_boxes_only_the_kept_count(tmp_path: Path) -> None:
    outputs = v3_nms()
    outputs["yolonms_layer_1/ExpandDims_3:0"][0, 5, 100] = 0.99
    inputs: tuple[Input, ...] = (
        ("input_1", [None, 3, None, None], TensorProto.FLOAT),
        ("image_shape", [1, 2], TensorProto.FLOAT),
    )
    model = made(tmp_path / "m.onnx", outputs, {"inputs": inputs}, size=(WIDTH, HEIGHT))
    assert [label for label, _, _ in seen(model)] == ["car"]

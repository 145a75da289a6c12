"""YOLOX and NanoDet, to the box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.analysis.detector.graphs import STRIDES, cells, logit, made, named, objectness, seen, yolox

NAMED = {"metadata": {"names": named()}}


def test_a_raw_box_lies_in_its_cell(tmp_path: Path) -> None:
    outputs = yolox(3)
    place = cells().index((32, 1, 0))
    outputs["output"][0, place] = 0.25, 0.5, np.log(0.5), np.log(0.25), 1, 0.5, 0, 0
    found = seen(made(tmp_path / "m.onnx", outputs, NAMED))
    assert found[1][2] == pytest.approx((40 - 8, 16 - 4, 40 + 8, 16 + 4), abs=1e-3)
    assert [(label, round(score, 4)) for label, score, _ in found] == [("truck", 0.75), ("person", 0.5)]


def test_huge_sizes_do_no_harm(tmp_path: Path) -> None:
    outputs = yolox(3)
    outputs["output"][0, 0] = 0, 0, 800, 800, 1, 0.5, 0, 0
    assert [label for label, _, _ in seen(made(tmp_path / "m.onnx", outputs, NAMED))] == ["truck"]


@pytest.mark.parametrize(
    ("sure", "layout"), [(1.0, "yolov6"), (0.9, "yolox-decoded")], ids=["objectness 1", "other objectness"]
)
def test_what_is_decoded_is_told_by_its_values(tmp_path: Path, sure: float, layout: str) -> None:
    model = made(tmp_path / "m.onnx", objectness(3, 1, sure), NAMED)
    assert model.recognised.layout.name == layout
    # The same picture for the one is as for YOLO, for the other as YOLOX wants it.
    assert (model.preparation.channels, model.preparation.scale) == (("rgb", 1) if sure == 1 else ("bgr", 255))


@pytest.mark.parametrize(("plus", "middle"), [(False, 8 * 5.5), (True, 8 * 5.0)])
@pytest.mark.parametrize("side", [8, 11])
def test_a_side_is_the_expectation_of_its_distances(tmp_path: Path, plus: bool, middle: float, side: int) -> None:
    places = cells((*STRIDES, 64) if plus else STRIDES)
    output = np.zeros((1, len(places), 3 + 4 * side), np.float32)
    row = output[0, places.index((8, 5, 3))]
    row[:3] = 0.1, 0.8, 0.1
    row[3:] = -80
    # To the left one stride and three, three to one; to the other sides two.
    row[3 + 1], row[3 + 3] = np.log(0.75), np.log(0.25)
    for edge in (1, 2, 3):
        row[3 + edge * side + 2] = logit(0.5)
    ((label, _, box),) = seen(made(tmp_path / "m.onnx", {"output": output}, NAMED))
    down = middle - 16  # three rows down where it was five columns across
    assert label == "car"
    assert box == pytest.approx((middle - 8 * 1.5, down - 16, middle + 16, down + 16), abs=1e-3)

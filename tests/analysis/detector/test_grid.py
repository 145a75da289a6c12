"""Cells of strides."""

from __future__ import annotations

import pytest

from nvr.analysis.detector import grid


@pytest.mark.parametrize(
    ("size", "cells", "strides"),
    [
        ((640, 640), 8400, (8, 16, 32)),
        ((416, 416), 3549, (8, 16, 32)),
        ((416, 416), 3598, (8, 16, 32, 64)),
        ((416, 256), 2184, (8, 16, 32)),
        ((640, 640), 34000, (4, 8, 16, 32)),
        ((416, 416), 845, (16, 32)),
        ((640, 640), 300, None),
    ],
)
def test_the_number_of_cells_tells_the_strides(
    size: tuple[int, int], cells: int, strides: tuple[int, ...] | None
) -> None:
    assert grid.strides_of(size, cells) == strides


def test_cells_go_row_by_row_and_stride_by_stride() -> None:
    places, widths = grid.cells((32, 16), (8, 16))
    assert places.tolist() == [[0, 0], [1, 0], [2, 0], [3, 0], [0, 1], [1, 1], [2, 1], [3, 1], [0, 0], [1, 0]]
    assert widths.ravel().tolist() == [8] * 8 + [16] * 2

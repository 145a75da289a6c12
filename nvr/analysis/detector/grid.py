"""The cells of a model's output: an output of stride 8 has a cell for each 8 x 8 pixels of the input. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Strides = tuple[int, ...]
USUAL: Strides = (8, 16, 32)
SETS: tuple[Strides, ...] = (USUAL, (8, 16, 32, 64), (4, 8, 16, 32), (16, 32))
"""As they occur: the usual, those for large inputs, for small objects, and of tiny models."""


def across(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """Columns and rows of cells of an input of width and height."""
    return -(-size[0] // stride), -(-size[1] // stride)


def count(size: tuple[int, int], strides: Strides) -> int:
    """Cells of all strides together."""
    return sum(columns * rows for columns, rows in (across(size, stride) for stride in strides))


def strides_of(size: tuple[int, int], cells: int) -> Strides | None:
    """The strides whose cells are that many; None where it is none of the usual sets."""
    return next((strides for strides in SETS if count(size, strides) == cells), None)


def cells(size: tuple[int, int], strides: Strides) -> tuple[NDArray[Any], NDArray[Any]]:
    """Column and row of each cell (n, 2), and its stride (n, 1), stride by stride and row by row; float32."""
    places, widths = [], []
    for stride in strides:
        columns, rows = across(size, stride)
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        places.append(np.stack([x.ravel(), y.ravel()], axis=1))
        widths.append(np.full((columns * rows, 1), stride))
    return np.concatenate(places).astype(np.float32), np.concatenate(widths).astype(np.float32)

"""Appearance: the colours of what is in a box, coarse enough to stay what they are while somebody walks.

Tells apart people whose boxes cross; not meant to recognise anybody. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from nvr.model import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ACROSS, _DOWN = (0.2, 0.8), (0.15, 0.75)
"""The part of a box that shows the object itself rather than what is behind it: shoulders to knees of a person."""
_CELLS = (2, 6)
_CHROMA_WEIGHT = 2.0
"""Colours differ by fewer levels than brightness does, and keep better in the shade."""


def appearance(i420: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
    """What a box (fractions) of a picture (``nvr.model.Frame.i420``) looks like, float32 of shape (36,): brightness and
    both colours of 2 by 6 cells. Some 40 µs."""
    rows, width = i420.shape
    height = rows * 2 // 3
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    luma = _cells(i420[:height], box)
    return np.concatenate([luma, *(_cells(plane, box) * np.float32(_CHROMA_WEIGHT) for plane in chroma)])


def difference(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean difference in grey levels, for appearances in the last axis."""
    return np.asarray(np.abs(some - others).mean(axis=-1), np.float32)


def _cells(plane: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
    height, width = plane.shape
    left, right = (box.left + (box.right - box.left) * part for part in _ACROSS)
    top, bottom = (box.top + (box.bottom - box.top) * part for part in _DOWN)
    x, y = (min(max(int(at * length), 0), length - 1) for at, length in ((left, width), (top, height)))
    part = plane[y : max(int(bottom * height), y) + 1, x : max(int(right * width), x) + 1]
    return np.asarray(cv2.resize(part, _CELLS, interpolation=cv2.INTER_AREA), np.float32).reshape(-1)

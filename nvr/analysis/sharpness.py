"""Sharpness of a part of a picture: how much its brightness changes from pixel to pixel. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from nvr.model import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEIGHT = 128
"""Pixels to which a larger part is brought down first: what is compared is what a person sees."""


def sharpness(luma: NDArray[np.uint8], box: Box) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al., ICPR 2000) of what is in a box; 0 where there is nothing."""
    height, width = luma.shape
    left, right = (min(max(round(x * width), 0), width) for x in (box.left, box.right))
    top, bottom = (min(max(round(y * height), 0), height) for y in (box.top, box.bottom))
    part = luma[top:bottom, left:right]
    if part.size == 0:
        return 0.0
    if part.shape[0] > _HEIGHT:
        size = max(1, round(part.shape[1] * _HEIGHT / part.shape[0])), _HEIGHT
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    return float(cv2.Laplacian(part, cv2.CV_32F).var())

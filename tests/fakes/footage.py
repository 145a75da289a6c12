"""The number that every frame of the test footage carries in its picture, and where the footage is from.

Sixteen black or white blocks, two rows of eight, one block away from the top left corner; a block is an eightieth of
the picture's width, so the number survives scaling. The bits, from the left and the upper row first: twelve of the
number in Gray code, four to check. ``scripts/footage`` draws them into footage, ``draw_number`` into generated clips.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FPS = 25
FRAMES = 1950
"""Frames of the footage's loop, 78 s."""
_BLOCKS_PER_WIDTH = 80
_DARK, _BRIGHT = 96, 160


def frame_number(luma: NDArray[np.uint8]) -> int | None:
    """The number in a picture's brightness plane, uint8 of shape (height, width); None where there is none."""
    block = luma.shape[1] / _BLOCKS_PER_WIDTH
    bits = 0
    for place in range(16):
        top, left = (1 + place // 8) * block, (1 + place % 8) * block
        # The middle of the block: its edges are blurred by scaling and coding.
        rows = slice(int(top + 0.3 * block), int(top + 0.7 * block) + 1)
        columns = slice(int(left + 0.3 * block), int(left + 0.7 * block) + 1)
        mean = float(luma[rows, columns].mean())
        if _DARK < mean < _BRIGHT:
            return None
        bits = bits << 1 | (mean >= _BRIGHT)
    number = bits >> 4
    for shift in (1, 2, 4, 8):
        number ^= number >> shift
    return number if _bits(number) == bits else None


def draw_number(luma: NDArray[np.uint8], number: int) -> None:
    """Write a number below 4096 into a picture whose width is a multiple of 80."""
    block = luma.shape[1] // _BLOCKS_PER_WIDTH
    for place in range(16):
        top, left = (1 + place // 8) * block, (1 + place % 8) * block
        luma[top : top + block, left : left + block] = 235 if _bits(number) >> (15 - place) & 1 else 16


def source_frame(number: int) -> int:
    """Which frame of vtest.avi (10 fps, from 0) a frame of the footage shows."""
    return number * 2 // 5


def _bits(number: int) -> int:
    gray = number ^ number >> 1
    return gray << 4 | ((gray ^ gray >> 4 ^ gray >> 8) & 15 ^ 0b1010)

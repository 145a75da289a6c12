"""Pictures into a slot, as a recorder's decoder writes them."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from nvr.clock import to_us
from nvr.frameslot import SlotWriter
from tests.fakes.clip import pictures


def scene(frames: int) -> list[NDArray[np.uint8]]:
    """Pictures 320x180, I420 of shape (270, 320): a still texture and a bright square that moves 20 px a picture."""
    return [np.asarray(frame.to_ndarray(), np.uint8) for frame in list(pictures(frames * 5))[::5]]


def put(writer: SlotWriter, i420: NDArray[np.uint8], at: datetime) -> None:
    """Publish a picture with its instant of capture."""
    width, height = i420.shape[1], i420.shape[0] * 2 // 3
    luma, chroma = i420[:height].reshape(-1), i420[height:].reshape(2, -1)
    half = width // 2
    planes = [
        (memoryview(plane.copy()), line) for plane, line in zip((luma, *chroma), (width, half, half), strict=True)
    ]
    writer.write(planes, width, height, to_us(at), 0)

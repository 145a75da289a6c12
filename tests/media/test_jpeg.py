"""A JPEG shows what the picture did, in its own size or a smaller one."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nvr.media.jpeg import encode
from tests.fakes.station import ROOT

LEFT, RIGHT = (200, 60, 20), (10, 120, 240)


def picture(width: int = 320, height: int = 180) -> NDArray[np.uint8]:
    """Two colours side by side, I420 of limited range."""
    bgr = np.empty((height, width, 3), np.uint8)
    bgr[:, : width // 2], bgr[:, width // 2 :] = LEFT, RIGHT
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)


def decode(jpeg: bytes) -> NDArray[np.uint8]:
    assert jpeg.startswith(b"\xff\xd8")
    assert jpeg.endswith(b"\xff\xd9")
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    return np.asarray(shown, np.uint8)


@pytest.mark.parametrize(
    ("widest", "size"), [(None, (180, 320)), (320, (180, 320)), (5000, (180, 320)), (160, (90, 160)), (101, (56, 100))]
)
def test_a_jpeg_shows_what_the_picture_did_and_is_at_most_as_wide_as_wanted(
    widest: int | None, size: tuple[int, int]
) -> None:
    shown = decode(encode(picture(), widest))
    assert shown.shape == (*size, 3)
    for place, colour in ((1, LEFT), (7, RIGHT)):
        found = shown[size[0] // 2, size[1] * place // 8].astype(int)
        assert np.abs(found - colour).max() <= 6


def test_a_worse_quality_takes_fewer_bytes() -> None:
    noisy = picture()
    noisy[:180] = np.random.default_rng(1).integers(16, 235, (180, 320))
    best, middling, worst = (encode(noisy, quality=quality) for quality in (2, 5, 31))
    assert len(best) > len(middling) > len(worst)
    assert encode(noisy) == best


def test_black_and_white_of_limited_range_are_black_and_white() -> None:
    i420 = np.full((24, 16), 128, np.uint8)
    i420[:16, :8], i420[:16, 8:] = 16, 235
    shown = decode(encode(i420))
    assert shown[:, :8].max() <= 2
    assert shown[:, 8:].min() >= 253


@pytest.mark.parametrize("shape", [(0, 0), (3, 0)])
def test_what_has_no_size_is_no_picture(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="could not encode"):
        encode(np.zeros(shape, np.uint8))


def test_it_does_without_opencv() -> None:
    command = "import sys, nvr.media.jpeg; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], cwd=ROOT, timeout=30, check=False).returncode == 0

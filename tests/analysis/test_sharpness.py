from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nvr.analysis.geometry import WHOLE
from nvr.analysis.sharpness import sharpness
from nvr.model import Box

Picture = NDArray[np.uint8]


def detailed(width: int = 320, height: int = 180) -> Picture:
    return np.random.default_rng(4).integers(0, 256, (height, width), np.uint8)


def blurred(picture: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def test_the_more_it_is_blurred_the_less_sharp_it_is() -> None:
    measured = [sharpness(blurred(detailed(), sigma), WHOLE) for sigma in (0.5, 1, 2, 4)]
    assert measured == sorted(measured, reverse=True)
    assert measured[0] > 10 * measured[-1] > 0


def test_a_picture_that_moved_while_it_was_taken_is_less_sharp() -> None:
    moved = np.asarray(cv2.blur(detailed(), (9, 1)), np.uint8)
    assert sharpness(moved, WHOLE) < 0.5 * sharpness(detailed(), WHOLE)


def test_what_is_plain_is_not_sharp() -> None:
    assert sharpness(np.full((180, 320), 90, np.uint8), WHOLE) == 0


def test_brightness_alone_changes_nothing() -> None:
    picture = detailed() // 2
    assert sharpness(picture + np.uint8(60), WHOLE) == pytest.approx(sharpness(picture, WHOLE), rel=0.001)


def test_only_what_is_in_the_box_counts() -> None:
    picture = np.full((180, 320), 90, np.uint8)
    picture[:, :160] = detailed()[:, :160]
    assert sharpness(picture, Box(0.6, 0.1, 0.9, 0.9)) == 0
    assert sharpness(picture, Box(0.1, 0.1, 0.4, 0.9)) > 100


def test_a_large_part_is_compared_as_it_looks_small() -> None:
    """Twice the pixels of the same, smooth between them, are as sharp."""
    small = blurred(detailed(160, 128), 1)
    large = np.asarray(cv2.resize(small, (640, 512), interpolation=cv2.INTER_NEAREST), np.uint8)
    assert sharpness(large, WHOLE) == pytest.approx(sharpness(small, WHOLE), rel=0.05)


@pytest.mark.parametrize(
    "box", [Box(0.5, 0.5, 0.5, 0.5), Box(0.6, 0.6, 0.4, 0.4), Box(-0.5, -0.5, -0.1, -0.1), Box(1.1, 0, 1.2, 1)]
)
def test_where_there_is_nothing_it_is_zero(box: Box) -> None:
    assert sharpness(detailed(), box) == 0


@settings(max_examples=60, deadline=None)
@given(*[st.floats(-0.5, 1.5)] * 4)
def test_any_box_has_a_number(left: float, top: float, right: float, bottom: float) -> None:
    measured = sharpness(detailed(64, 300), Box(left, top, right, bottom))
    assert np.isfinite(measured)
    assert measured >= 0


def test_it_leaves_the_picture_as_it_is() -> None:
    picture = detailed(640, 480)
    sharpness(picture, WHOLE)
    assert (picture == detailed(640, 480)).all()

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nvr.analysis.appearance import appearance, difference
from nvr.analysis.geometry import WHOLE
from nvr.model import Box

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 320, 180
RED, GREEN, BLUE, WHITE, BLACK = (40, 40, 200), (60, 170, 60), (200, 60, 40), (235, 235, 235), (20, 20, 20)
ALIKE, OTHER = 15, 25
"""Grey levels: below and above what the tracker takes for the same and for somebody else."""


def street() -> Picture:
    """Blue, green, red: (height, width, 3)."""
    random = np.random.default_rng(6)
    blocks = random.integers(90, 150, (HEIGHT // 20, WIDTH // 20, 3), np.uint8)
    return np.asarray(cv2.resize(blocks, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST), np.uint8)


def with_person(
    picture: Picture, x: int, shirt: tuple[int, int, int], trousers: tuple[int, int, int], y: int = 60
) -> tuple[Picture, Box]:
    """Somebody of 30 by 90 pixels, and his box."""
    picture = picture.copy()
    picture[y : y + 14, x + 9 : x + 21] = (130, 160, 200)
    picture[y + 14 : y + 48, x + 3 : x + 27] = shirt
    picture[y + 48 : y + 90, x + 5 : x + 25] = trousers
    return picture, Box(x / WIDTH, y / HEIGHT, (x + 30) / WIDTH, (y + 90) / HEIGHT)


def i420(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)


def look_of(x: int, shirt: tuple[int, int, int], trousers: tuple[int, int, int], y: int = 60) -> NDArray[np.float32]:
    picture, box = with_person(street(), x, shirt, trousers, y)
    return appearance(i420(picture), box)


def test_it_is_36_numbers() -> None:
    looks = appearance(i420(street()), WHOLE)
    assert looks.shape == (36,)
    assert looks.dtype == np.float32


def test_the_same_person_elsewhere_looks_alike() -> None:
    assert difference(look_of(40, RED, BLACK), look_of(223, RED, BLACK, 71)) < ALIKE


@pytest.mark.parametrize(
    ("shirt", "trousers"), [(GREEN, BLACK), (BLUE, BLACK), (WHITE, BLACK), (RED, WHITE), (WHITE, WHITE)]
)
def test_somebody_in_other_colours_does_not(shirt: tuple[int, int, int], trousers: tuple[int, int, int]) -> None:
    apart = difference(look_of(40, RED, BLACK), look_of(40, shirt, trousers))
    assert apart > 1.2 * difference(look_of(40, RED, BLACK), look_of(223, RED, BLACK, 71))
    assert apart > ALIKE


def test_colours_tell_apart_what_is_as_bright() -> None:
    """Red and green of the same luma."""
    red, green = (60, 60, 200), (60, 132, 60)
    grey = [cv2.cvtColor(np.full((1, 1, 3), colour, np.uint8), cv2.COLOR_BGR2GRAY)[0, 0] for colour in (red, green)]
    assert abs(int(grey[0]) - int(grey[1])) < 5
    assert difference(look_of(40, red, red), look_of(40, green, green)) > OTHER


def test_upside_down_is_somebody_else() -> None:
    assert difference(look_of(40, WHITE, BLACK), look_of(40, BLACK, WHITE)) > OTHER


def test_what_is_behind_him_hardly_counts() -> None:
    picture, box = with_person(street(), 100, RED, BLACK)
    inverted, _ = with_person(np.asarray(255 - street(), np.uint8), 100, RED, BLACK)
    assert difference(appearance(i420(picture), box), appearance(i420(inverted), box)) < ALIKE


def test_a_box_that_trembles_looks_alike() -> None:
    picture, box = with_person(street(), 100, RED, BLACK)
    off = Box(box.left + 0.006, box.top - 0.02, box.right + 0.006, box.bottom - 0.02)
    assert difference(appearance(i420(picture), box), appearance(i420(picture), off)) < ALIKE


def test_differences_are_of_each_with_each() -> None:
    some, others = np.zeros((3, 36), np.float32), np.full((2, 36), 7, np.float32)
    apart = difference(some[:, None], others[None])
    assert apart.shape == (3, 2)
    assert (apart == 7).all()


def test_of_itself_it_differs_by_nothing() -> None:
    assert difference(look_of(40, RED, BLACK), look_of(40, RED, BLACK)) == 0


@pytest.mark.parametrize(("width", "height"), [(2, 2), (16, 2), (322, 182), (64, 300)])
@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.floats(-0.5, 1.5)] * 4))
def test_any_box_of_any_picture_has_one(width: int, height: int, corners: tuple[float, float, float, float]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (height * 3 // 2, width), np.uint8)
    looks = appearance(picture, Box(*corners))
    assert looks.shape == (36,)
    assert np.isfinite(looks).all()

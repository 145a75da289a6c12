"""A picture, or a part of it, as a model wants it; and boxes back."""

from __future__ import annotations

from typing import Any, get_args

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nvr.analysis.choice import Resize
from nvr.analysis.detector.canvas import Canvas, Crop, Preparation, aligned, crop_of
from nvr.model import Box

BLACK, WHITE = 16, 235


def grey(width: int, height: int, level: int = BLACK) -> NDArray[np.uint8]:
    picture = np.full((height * 3 // 2, width), 128, np.uint8)
    picture[:height] = level
    return picture


def coloured(width: int, height: int, bgr: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(np.full((height, width, 3), bgr, np.uint8), cv2.COLOR_BGR2YUV_I420), np.uint8)


def lengths(least: int, most: int) -> st.SearchStrategy[int]:
    return st.integers(least // 2, most // 2).map(lambda half: half * 2)


@settings(max_examples=200, deadline=None)
@given(
    data=st.data(),
    resize=st.sampled_from(get_args(Resize)),
    size=st.tuples(lengths(32, 160), lengths(32, 160)),
    width=lengths(48, 320),
    height=lengths(48, 320),
    part=st.booleans(),
)
def test_what_is_seen_at_a_place_of_the_input_is_told_at_its_place_in_the_picture(
    data: Any, resize: Resize, size: tuple[int, int], width: int, height: int, part: bool
) -> None:
    region = Box(0.2, 0.1, 0.9, 0.8) if part else None
    crop = crop_of(region, width, height)
    left, top = (data.draw(st.integers(0, each - 12), name) for each, name in ((crop.width, "x"), (crop.height, "y")))
    right, bottom = data.draw(st.integers(left + 10, crop.width)), data.draw(st.integers(top + 10, crop.height))
    picture = grey(width, height)
    picture[crop.top + top : crop.top + bottom, crop.left + left : crop.left + right] = WHITE
    canvas = Canvas(Preparation(size, resize=resize, border=0))
    seen = np.asarray(canvas.fill(picture, width, height, region))[0, 0] >= 0.5
    across, down = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    if not across.size:  # smaller than half a pixel of the input
        return
    corners = np.array([[across[0], down[0], across[-1] + 1, down[-1] + 1]], np.float32)
    told = canvas.undo(corners)[0] * (width, height, width, height)
    want = (crop.left + left, crop.top + top, crop.left + right, crop.top + bottom)
    # Within a pixel, of the input or of the picture, whichever is larger.
    step = max(1.0, crop.width / (size[0] - 2), crop.height / (size[1] - 2), max(crop.width, crop.height) / min(size))
    assert told == pytest.approx(want, abs=1.05 * step)


@pytest.mark.parametrize(
    ("resize", "inside", "outside"),
    [
        ("letterbox", [(7, 0), (24, 31)], [(6, 16), (25, 16)]),
        ("letterbox-topleft", [(0, 0), (17, 31)], [(18, 16), (31, 0)]),
        ("stretch", [(0, 0), (31, 31)], []),
    ],
)
def test_where_a_picture_lies_and_what_is_around_it(
    resize: Resize, inside: list[tuple[int, int]], outside: list[tuple[int, int]]
) -> None:
    blob = Canvas(Preparation((32, 32), resize=resize, scale=255)).fill(grey(64, 36, WHITE), 64, 36)
    assert all(blob[0, 0, y, x] == pytest.approx(255, abs=1) for y, x in inside)
    assert all(blob[0, 0, y, x] == pytest.approx(114, abs=1e-3) for y, x in outside)


def test_the_border_may_be_the_mean_colour() -> None:
    wanted = Preparation((32, 32), scale=255, mean=(10, 20, 30), deviation=(2, 4, 5), border=None)
    assert not np.asarray(Canvas(wanted).fill(grey(64, 36, WHITE), 64, 36))[0, :, 0].any()


@pytest.mark.parametrize(("channels", "order"), [("rgb", (200, 120, 40)), ("bgr", (40, 120, 200))])
def test_channels_are_in_order_scaled_and_normalised(channels: Any, order: tuple[int, int, int]) -> None:
    wanted = Preparation((32, 32), "stretch", channels, mean=(0.1, 0.2, 0.3), deviation=(0.5, 0.25, 2))
    values = np.asarray(Canvas(wanted).fill(coloured(64, 64, (40, 120, 200)), 64, 64))[0, :, 16, 16]
    expected = [(value / 255 - mean) / by for value, mean, by in zip(order, wanted.mean, wanted.deviation, strict=True)]
    assert values == pytest.approx(expected, abs=0.05)


def test_channels_may_come_last_and_be_bytes() -> None:
    canvas = Canvas(Preparation((32, 16), "stretch", scale=255, channels_last=True, dtype="uint8"))
    blob = np.asarray(canvas.fill(coloured(64, 64, (40, 120, 200)), 64, 64))
    assert (blob.shape, str(blob.dtype)) == ((1, 16, 32, 3), "uint8")
    assert blob[0, 8, 8].astype(int).tolist() == pytest.approx([200, 120, 40], abs=3)


def test_an_input_of_odd_size_is_filled() -> None:
    canvas = Canvas(Preparation((33, 31), "stretch"))
    assert canvas.fill(grey(64, 64), 64, 64).shape == (1, 3, 31, 33)
    assert canvas.undo(np.array([[0, 0, 32, 30]], np.float32)).tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("region", "crop"),
    [
        (None, Crop(0, 0, 100, 60)),
        (Box(0, 0, 1, 1), Crop(0, 0, 100, 60)),
        (Box(0.11, 0.11, 0.5, 0.5), Crop(10, 6, 40, 24)),
        (Box(0.999, 0.999, 1, 1), Crop(98, 58, 2, 2)),
        (Box(0.5, 0.5, 0.5, 0.5), Crop(50, 30, 2, 2)),
        (Box(-0.2, -0.1, 1.3, 1.1), Crop(0, 0, 100, 60)),
    ],
)
def test_a_crop_is_on_even_pixels_and_holds_its_region(region: Box | None, crop: Crop) -> None:
    assert crop_of(region, 100, 60) == crop


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(2, 4000), st.integers(2, 3000))
def test_an_aligned_region_stays_as_it_is(a: float, b: float, c: float, d: float, width: int, height: int) -> None:
    region = Box(min(a, b), min(c, d), max(a, b), max(c, d))
    crop, once = crop_of(region, width, height), aligned(region, width, height)
    assert aligned(once, width, height) == once
    assert crop.left % 2 == crop.top % 2 == 0
    assert 0 <= crop.left < crop.left + crop.width <= width
    assert 0 <= crop.top < crop.top + crop.height <= height
    assert crop.left <= region.left * width + 1e-5
    assert crop.left + crop.width >= region.right * width - 1e-5

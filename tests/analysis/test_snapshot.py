from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nvr.analysis.snapshot import THUMBNAIL, render, thumbnail
from nvr.model import Box, Frame

AT = datetime(2026, 11, 22, 13, 5, 12, 640000, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def frame(width: int, height: int, luma: int = 128) -> Frame:
    i420 = np.full((height * 3 // 2, width), 128, np.uint8)
    i420[:height] = luma
    return Frame(i420, width, height, AT, 0, 1, 1)


def decode(jpeg: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def shot(picture: Frame, box: Box | None = None, label: str = "person", camera: str = "hik1") -> NDArray[np.uint8]:
    return decode(render(picture, box, label, 0.87, AT, camera, BERLIN))


def contrast(part: NDArray[np.uint8]) -> int:
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
    return int(grey.max()) - int(grey.min())


def test_it_is_a_jpeg_of_the_frame() -> None:
    assert render(frame(640, 360), None, "person", 0.5, AT, "hik1", BERLIN)[:3] == b"\xff\xd8\xff"
    assert shot(frame(640, 360)).shape == (360, 640, 3)


def test_colours_are_those_of_the_frame() -> None:
    red = cv2.cvtColor(np.full((360, 640, 3), (20, 30, 200), np.uint8), cv2.COLOR_BGR2YUV_I420)
    picture = shot(Frame(np.asarray(red, np.uint8), 640, 360, AT, 0, 1, 1))
    assert picture[100, 320].tolist() == pytest.approx([20, 30, 200], abs=6)


def test_the_box_is_drawn_where_it_is() -> None:
    plain, picture = shot(frame(640, 360)), shot(frame(640, 360), Box(0.25, 0.25, 0.75, 0.75))
    changed = np.abs(plain.astype(int) - picture).max(axis=2) > 40
    assert changed[90:270, 158:163].any(axis=1).all()
    assert changed[90:270, 477:482].any(axis=1).all()
    assert changed[267:272, 160:480].any(axis=0).all()
    assert not changed[110:250, 180:460].any()
    assert not changed[:, 500:].any()


@pytest.mark.parametrize("luma", [16, 128, 235])
def test_box_and_texts_are_seen_on_any_background(luma: int) -> None:
    picture = shot(frame(640, 360, luma), Box(0.25, 0.25, 0.75, 0.75))
    assert contrast(picture[180:182, 150:170]) > 100  # the box's left side
    assert contrast(picture[72:88, 162:230]) > 100  # label and score above it
    assert contrast(picture[342:358, 2:180]) > 150  # camera and time


def test_label_camera_and_time_change_the_picture() -> None:
    box = Box(0.25, 0.25, 0.75, 0.75)
    texts = [
        render(frame(640, 360), box, label, score, AT, camera, zone)
        for label, score, camera, zone in [
            ("person", 0.87, "hik1", BERLIN),
            ("car", 0.87, "hik1", BERLIN),
            ("person", 0.88, "hik1", BERLIN),
            ("person", 0.87, "hik2", BERLIN),
            ("person", 0.87, "hik1", UTC),
            ("person", 0.87, "hik1", timezone(timedelta(hours=1), "elsewhere")),
        ]
    ]
    assert len(set(texts)) == 5
    assert texts[0] == texts[5]  # the same offset is the same text


def test_the_frame_itself_is_left_alone() -> None:
    picture = frame(640, 360)
    before = picture.i420.copy()
    shot(picture, Box(0.1, 0.1, 0.9, 0.9))
    assert np.array_equal(picture.i420, before)


@pytest.mark.parametrize(
    "box", [Box(0, 0, 0.1, 0.1), Box(0.9, 0.9, 1, 1), Box(0, 0, 1, 1), Box(0.5, 0, 0.5, 1), Box(-0.2, -0.2, 1.2, 1.2)]
)
@pytest.mark.parametrize("size", [(640, 360), (161, 121), (64, 48), (15, 9), (3, 2), (2, 2)], ids=str)
def test_any_box_and_any_size_are_taken(size: tuple[int, int], box: Box) -> None:
    width, height = size
    assert shot(frame(width, height), box).shape == (height // 2 * 2, width // 2 * 2, 3)


def test_an_odd_size_keeps_its_picture() -> None:
    luma = np.tile(np.arange(121, dtype=np.uint8) + 60, (81, 1))
    i420 = np.full((81 * 3 // 2, 121), 128, np.uint8)
    i420[:81] = luma
    picture = shot(Frame(i420, 121, 81, AT, 0, 1, 1))
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    assert grey[:40].std(axis=0).max() < 3  # every row the same: nothing slanted


def test_a_picture_too_small_for_legible_text_gets_none() -> None:
    assert contrast(shot(frame(100, 80))) < 5
    assert contrast(shot(frame(240, 80))) > 100


def test_the_label_stays_in_the_picture_at_its_upper_border() -> None:
    picture = shot(frame(640, 360, 16), Box(0.3, 0.0, 0.6, 0.5))
    assert contrast(picture[182:198, 195:260]) > 100


def test_letters_of_any_script_are_drawn() -> None:
    box = Box(0.25, 0.25, 0.75, 0.75)
    assert not np.array_equal(shot(frame(640, 360), box, label="Tür"), shot(frame(640, 360), box, label="Tor"))


def small(picture: Frame, box: Box) -> NDArray[np.uint8]:
    return decode(thumbnail(picture, box))


def ramp(width: int, height: int) -> Frame:
    """Darker on the left and at the top: each place has a brightness of its own."""
    luma = np.add.outer(np.linspace(30, 120, height), np.linspace(0, 100, width)).astype(np.uint8)
    i420 = np.full((height * 3 // 2, width), 128, np.uint8)
    i420[:height] = luma
    return Frame(i420, width, height, AT, 0, 1, 1)


def test_a_thumbnail_shows_the_box_and_a_little_around_it() -> None:
    picture = small(frame(640, 400), Box(0.25, 0.25, 0.5, 0.5))
    assert picture.shape[:2] == (130, 208), "160x100 and 15 % on each side"


def test_a_thumbnail_is_that_part_of_the_picture_and_nothing_is_drawn_on_it() -> None:
    whole = decode(render(ramp(640, 400), None, "", 0, AT, "", BERLIN))
    picture = small(ramp(640, 400), Box(0.25, 0.25, 0.5, 0.5))
    part = whole[100 - 15 : 200 + 15, 160 - 24 : 320 + 24]
    assert np.abs(picture.astype(int) - part).max() <= 6


def test_colours_of_a_thumbnail_are_those_of_the_frame() -> None:
    red = cv2.cvtColor(np.full((360, 640, 3), (20, 30, 200), np.uint8), cv2.COLOR_BGR2YUV_I420)
    picture = small(Frame(np.asarray(red, np.uint8), 640, 360, AT, 0, 1, 1), Box(0.25, 0.25, 0.5, 0.5))
    assert picture.reshape(-1, 3).mean(axis=0).tolist() == pytest.approx([20, 30, 200], abs=6)


def test_a_large_thumbnail_is_made_smaller_in_its_own_shape() -> None:
    picture = small(frame(3840, 2160), Box(0.2, 0.1, 0.4, 0.9))
    height, width = picture.shape[:2]
    assert max(height, width) == THUMBNAIL
    assert width / height == pytest.approx(3840 * 0.2 * 1.3 / 2160, abs=0.02)  # the border cuts what is around it


def test_a_small_thumbnail_is_not_made_larger() -> None:
    assert small(frame(640, 360), Box(0.5, 0.5, 0.53, 0.55)).shape[0] < 30


def test_the_frame_is_left_alone_by_its_thumbnail() -> None:
    picture = ramp(640, 360)
    before = picture.i420.copy()
    small(picture, Box(0.1, 0.1, 0.9, 0.9))
    assert np.array_equal(picture.i420, before)


@pytest.mark.parametrize(
    "box",
    [
        Box(0, 0, 0.1, 0.1),
        Box(0.9, 0.9, 1, 1),
        Box(0, 0, 1, 1),
        Box(0.5, 0, 0.5, 1),
        Box(-0.2, -0.2, 1.2, 1.2),
        Box(1.1, 1.1, 1.3, 1.2),
        Box(-3, 0.2, -2, 0.2),
        Box(0.8, 0.8, 0.2, 0.2),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [(640, 360), (161, 121), (15, 9), (3, 2), (2, 2), (4000, 2)], ids=str)
def test_any_box_and_any_size_have_a_thumbnail(size: tuple[int, int], box: Box) -> None:
    height, width = small(frame(*size), box).shape[:2]
    assert 1 <= width <= min(THUMBNAIL, size[0])
    assert 1 <= height <= min(THUMBNAIL, size[1])

"""What is placed in a picture is seen in it."""

from __future__ import annotations

from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nvr.analysis.overlay import draw, render
from nvr.analysis.zones import Line, Rules, Zone
from nvr.model import Frame

ZONE = Zone("yard", ((0.1, 0.1), (0.4, 0.1), (0.4, 0.4), (0.1, 0.4)))
OTHER = Zone("road", ((0.1, 0.5), (0.4, 0.5), (0.4, 0.9), (0.1, 0.9)))
MASK = ((0.6, 0.1), (0.9, 0.1), (0.9, 0.4), (0.6, 0.4))
GATE = Line("gate", ((0.5, 0.7), (0.9, 0.7)))
ALL = Rules(zones=(ZONE, OTHER), lines=(GATE,), masks=(MASK,))
WIDTH, HEIGHT = 640, 360


def plain(grey: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    return np.full((height, width, 3), grey, np.uint8)


def at(picture: NDArray[np.uint8], x: float, y: float) -> list[int]:
    found: list[int] = picture[round(y * HEIGHT), round(x * WIDTH)].tolist()
    return found


def frame(width: int = WIDTH, height: int = HEIGHT) -> Frame:
    i420 = np.full((height * 3 // 2, width), 128, np.uint8)
    return Frame(i420, width, height, datetime(2026, 11, 24, tzinfo=UTC), 0, 1, 1)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_zones_are_coloured_each_its_own_and_the_picture_shows_through(grey: int) -> None:
    picture = plain(grey)
    draw(picture, ALL)
    inside, other = at(picture, 0.15, 0.15), at(picture, 0.15, 0.85)
    assert len({tuple(inside), tuple(other), (grey, grey, grey)}) == 3
    assert max(abs(value - grey) for value in inside) < 80, "half transparent"
    assert at(picture, 0.5, 0.3) == [grey] * 3, "outside all is as it was"


def test_a_mask_is_darkened_and_hatched() -> None:
    picture = plain(200)
    draw(picture, ALL)
    inside = picture[round(0.3 * HEIGHT) : round(0.38 * HEIGHT), round(0.62 * WIDTH) : round(0.88 * WIDTH)]
    assert np.median(inside) == 90
    assert inside.max() > 120


@pytest.mark.parametrize(("line", "above"), [(GATE, False), (Line("gate", GATE.points[::-1]), True)])
def test_the_arrow_of_a_line_points_to_its_right(line: Line, above: bool) -> None:
    picture = plain(0)
    draw(picture, Rules(lines=(line,)))
    middle = picture[:, round(0.7 * WIDTH)].max(axis=1) > 100
    drawn = np.flatnonzero(middle) / HEIGHT - 0.7
    assert (drawn < -0.05).any() == above
    assert (drawn > 0.05).any() != above


def test_names_do_not_cover_each_other() -> None:
    one, two = (Rules(zones=tuple(Zone(name, ZONE.points) for name in names)) for names in (["yard"], ["yard", "yard"]))
    pictures = plain(255), plain(255)
    for picture, rules in zip(pictures, (one, two), strict=True):
        draw(picture, rules)
    plates = [int((picture == 0).all(axis=2).sum()) for picture in pictures]
    assert plates[1] - plates[0] > 400, "a second plate beside the first"


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (20, 20), (2, 600), (600, 2)])
def test_a_picture_that_is_too_small_for_names_is_no_error(height: int, width: int) -> None:
    picture = plain(0, height, width)
    draw(picture, ALL)
    assert picture.shape == (height, width, 3)


def test_without_rules_the_picture_is_the_frame() -> None:
    decoded = cv2.imdecode(np.frombuffer(render(frame()), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (HEIGHT, WIDTH, 3)
    assert np.ptp(decoded) <= 2


def test_with_rules_they_are_on_it() -> None:
    decoded = cv2.imdecode(np.frombuffer(render(frame(), ALL), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert np.ptp(decoded) > 150

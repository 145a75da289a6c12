"""One object as it is followed: a fifth of a second between looks where nothing else is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvr.analysis.geometry import overlap
from nvr.analysis.target import Sighting, Target, corners, enlarged, overlaps
from nvr.model import Box, Detection

T0 = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
STILL_AFTER, LIMIT = timedelta(seconds=10), timedelta(seconds=2)
HOME = Box(0.4, 0.4, 0.45, 0.55)
RATES = (2, 5, 10, 25)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def right_by(shift: float, box: Box = HOME) -> Box:
    return Box(box.left + shift, box.top, box.right + shift, box.bottom)


def target(box: Box = HOME, *, moving: bool = True) -> Target:
    return Target(1, T0, Sighting(Detection(box, "person", 0.7), moving), STILL_AFTER)


def see(known: Target, seconds: float, box: Box, *, moving: bool = True, label: str = "person") -> None:
    known.expect(after(seconds), LIMIT)
    known.see(after(seconds), Detection(box, label, 0.7), moving=moving, appearance=None)


def walk(known: Target, until: float, rate: float = 5, speed: float = 0.08) -> None:
    for number in range(1, int(until * rate) + 1):
        see(known, number / rate, right_by(speed * number / rate))


@pytest.mark.parametrize("rate", RATES)
def test_who_walks_evenly_is_expected_where_he_will_be(rate: float) -> None:
    walk(known := target(), 4, rate)
    known.expect(after(5), LIMIT)
    assert known.expected == pytest.approx(corners(right_by(0.4)), abs=0.004)


def test_nobody_is_expected_further_than_he_gets_in_the_limit() -> None:
    walk(known := target(), 4)
    for seconds in (6, 60, 7200):
        known.expect(after(seconds), LIMIT)
        assert known.expected == pytest.approx(corners(right_by(0.48)), abs=0.004)


def test_in_a_clock_set_back_he_is_expected_where_he_was() -> None:
    walk(known := target(), 4)
    known.expect(after(-100), LIMIT)
    assert known.expected == pytest.approx(known.corners)


@pytest.mark.parametrize("rate", RATES)
def test_who_stops_is_soon_expected_to_stay(rate: float) -> None:
    walk(known := target(), 4, rate)
    for number in range(1, int(2 * rate) + 1):
        see(known, 4 + number / rate, right_by(0.32))
    known.expect(after(7), LIMIT)
    assert known.expected == pytest.approx(corners(right_by(0.32)), abs=0.006)


@pytest.mark.parametrize("part", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_a_side_that_is_hidden_is_where_it_was(side: str, part: float) -> None:
    known = target()
    width, height = (HOME.right - HOME.left) * part, (HOME.bottom - HOME.top) * part
    hidden = {
        "left": Box(HOME.right - width, HOME.top, HOME.right, HOME.bottom),
        "top": Box(HOME.left, HOME.bottom - height, HOME.right, HOME.bottom),
        "right": Box(HOME.left, HOME.top, HOME.left + width, HOME.bottom),
        "bottom": Box(HOME.left, HOME.top, HOME.right, HOME.top + height),
    }[side]
    for seconds in (0.2, 0.4, 0.6):
        see(known, seconds, hidden)
    assert overlap(known.box, HOME) > 0.8
    assert overlap(known.box, HOME) > overlap(hidden, HOME)


def test_who_grows_or_shrinks_evenly_is_followed() -> None:
    known = target()
    for number in range(1, 41):
        grown = 0.001 * number
        box = Box(HOME.left - grown, HOME.top - grown, HOME.right + grown, HOME.bottom + grown)
        see(known, number / 5, box)
    assert overlap(known.box, box) > 0.9


def test_the_box_is_cut_at_the_picture_though_he_goes_on() -> None:
    known = target(Box(0.96, 0.4, 1.01, 0.55))
    assert known.box == Box(0.96, 0.4, 1.0, 0.55)
    assert known.corners[2] == 1.01


def test_the_label_is_what_the_scores_say() -> None:
    known = target()
    for seconds, label in ((0.2, "dog"), (0.4, "dog")):
        see(known, seconds, HOME, label=label)
    assert known.label == "dog"


def test_what_is_known_of_colours_changes_slowly_and_begins_at_once() -> None:
    known = target()
    for seconds, level in ((0.2, None), (0.4, 100), (0.6, 200)):
        colours = None if level is None else np.full(36, level, np.float32)
        known.expect(after(seconds), LIMIT)
        known.see(after(seconds), Detection(HOME, "person", 0.7), moving=True, appearance=colours)
    assert known.appearance is not None
    assert known.appearance == pytest.approx(np.full(36, 120))


def test_time_in_which_it_is_missed_adds_up_until_it_is_seen() -> None:
    known = target()
    known.miss(timedelta(seconds=1))
    known.miss(timedelta(0))
    assert timedelta(seconds=1) < known.missed < timedelta(seconds=1.1)
    see(known, 3, HOME)
    assert known.missed == timedelta(0)


def test_who_has_left_his_place_in_two_looks_has_moved_and_has_a_new_one() -> None:
    known = target()
    moved = []
    for number in range(1, 8):
        see(known, number / 5, right_by(0.02 * number))
        moved.append(known.moved)
    assert moved[0] is False
    assert moved[-1] is True
    assert known.placed > T0


def test_what_stands_since_long_is_still_and_from_its_place_on() -> None:
    known = target()
    for number in range(1, 51):
        see(known, number / 5, HOME)
    assert [known.is_still(after(9.9)), known.is_still(after(10))] == [False, True]
    assert known.placed == T0


@pytest.mark.parametrize(
    ("moving", "want"),
    [
        ([False], False),
        ([False] * 3, True),
        ([True] * 3, False),
        ([False] * 10 + [True] * 5, True),
        ([False] * 3 + [True] * 5, False),
        ([True, False, False, False], True),
    ],
)
def test_where_hardly_anything_ever_moved_it_stands(moving: list[bool], want: bool) -> None:
    known = target(moving=moving[0])
    for number, moves in enumerate(moving[1:], 1):
        see(known, number / 5, HOME, moving=moves)
    assert known.is_still(after(len(moving) / 5)) is want


def test_who_has_walked_stands_only_after_long() -> None:
    walk(known := target(), 2)
    for number in range(1, 40):
        see(known, 2 + number / 5, right_by(0.16), moving=False)
    assert not known.is_still(after(10))


def test_what_was_seen_before_the_clock_was_set_back_began_then() -> None:
    known = target()
    see(known, -3600, HOME)
    assert known.first_seen == known.placed == known.last_seen == after(-3600)


def test_overlaps_are_of_each_with_each_as_geometry_has_it() -> None:
    boxes = [HOME, right_by(0.02), right_by(0.3), Box(0.4, 0.4, 0.4, 0.4), Box(0, 0, 1, 1)]
    every = np.stack([corners(box) for box in boxes])
    assert overlaps(every[:, None], every[None]) == pytest.approx(
        np.array([[overlap(one, other) for other in boxes] for one in boxes])
    )


def test_boxes_are_enlarged_by_a_share_of_their_own_on_each_side() -> None:
    assert enlarged(corners(Box(0.4, 0.4, 0.5, 0.6)), 0.5) == pytest.approx([0.35, 0.3, 0.55, 0.7])


edges = st.floats(-0.1, 1.0)
lengths = st.floats(0, 0.6)
boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), edges, edges, lengths, lengths)


@settings(max_examples=100, deadline=None)
@given(boxes, st.lists(st.tuples(st.floats(-5, 30), boxes, st.booleans()), max_size=20))
def test_whatever_it_is_matched_with_it_is_a_box_in_the_picture(
    first: Box, looks: list[tuple[float, Box, bool]]
) -> None:
    known, seconds = target(first), 0.0
    for step, box, moving in looks:
        seconds += step
        see(known, seconds, box, moving=moving)
        assert np.isfinite(known.corners).all()
        assert np.isfinite(known.expected).all()
        assert 0 <= known.box.left <= known.box.right <= 1
        assert 0 <= known.box.top <= known.box.bottom <= 1
        assert known.first_seen <= known.last_seen
        assert known.placed <= known.last_seen

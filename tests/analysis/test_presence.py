"""Where one object has been: zones entered and left, lines crossed, in spite of boxes that tremble."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvr.analysis.presence import Crossed, Entered, Happening, Left, Presence
from nvr.analysis.zones import Line, Point, Rules, Zone
from nvr.model import Box
from nvr.schedule import parse

T0 = datetime(2026, 11, 24, 12, tzinfo=UTC)
STEP = timedelta(seconds=0.2)
YARD = Zone("yard", ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)))
ROAD = Zone("road", ((0.0, 0.0), (1.0, 0.0), (1.0, 0.2), (0.0, 0.2)))
GATE = Line("gate", ((0.2, 0.5), (0.8, 0.5)))
STRIP = 0.02
"""Half the strip along a border, downwards, of the boxes used here: 0.2 in height."""


def box(point: Point) -> Box:
    """A box that stands there."""
    x, y = point
    return Box(x - 0.05, y - 0.2, x + 0.05, y)


def second(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def walk(
    presence: Presence, heights: Sequence[float], x: float = 0.5, label: str = "person", begin: datetime = T0
) -> list[Happening]:
    """Looks five times a second at somebody who stands at these heights, one after the other."""
    return [
        happening
        for number, y in enumerate(heights)
        for happening in presence.update(begin + number * STEP, box((x, y)), label)
    ]


def test_who_walks_in_and_out_has_entered_and_left() -> None:
    presence = Presence(Rules(zones=(YARD, ROAD)))
    assert walk(presence, [0.3, 0.4, 0.6, 0.7, 0.6, 0.4, 0.3]) == [
        Entered("yard", T0 + 2 * STEP),
        Left("yard", T0 + 6 * STEP),
    ]
    assert presence.zones == ("yard",)
    assert presence.inside == ()


def test_zones_are_told_in_the_order_they_were_entered_each_once() -> None:
    presence = Presence(Rules(zones=(YARD, ROAD)))
    walk(presence, [0.1, 0.1, 0.4, 0.4, 0.7, 0.7, 0.4, 0.4, 0.1])
    assert presence.zones == ("road", "yard")
    assert presence.inside == ("road",)


def test_one_box_elsewhere_does_not_leave() -> None:
    presence = Presence(Rules(zones=(YARD,)))
    assert walk(presence, [0.7, 0.7, 0.2, 0.7, 0.7]) == [Entered("yard", T0)]


def test_who_trembles_on_the_edge_enters_once_and_crosses_nothing() -> None:
    presence = Presence(Rules(zones=(YARD,), lines=(GATE,)))
    heights = [0.5 + STRIP * 0.9 * sign for sign in [-1, 1, -1, 1, 1, -1, -1, -1, 1, 1, 1, -1] * 20]
    assert walk(presence, heights) == [Entered("yard", T0 + 4 * STEP)]


def test_one_look_in_the_strip_is_not_inside() -> None:
    assert walk(Presence(Rules(zones=(YARD,))), [0.4, 0.5 + STRIP / 2, 0.4, 0.5 + STRIP / 2, 0.4]) == []


def test_a_dwell_has_to_be_stayed_for() -> None:
    zone = Zone("yard", YARD.points, dwell=timedelta(seconds=3))
    presence = Presence(Rules(zones=(zone,)))
    assert walk(presence, [0.7] * 15 + [0.2] * 5) == [], "2.8 s are not 3"
    assert presence.update(second(10), box((0.5, 0.7)), "person") == ()
    assert presence.update(second(12.9), box((0.5, 0.7)), "person") == (), "the time before he left does not count"
    assert presence.update(second(13), box((0.5, 0.7)), "person") == (Entered("yard", second(13)),)
    assert presence.reason == "stayed 3 s in yard"


def test_the_hours_of_a_zone_end_a_stay_and_begin_one() -> None:
    zone = Zone("yard", YARD.points, schedule=parse({"mon-sun": ["11:00-12:01", "12:02-13:00"]}, UTC))
    presence = Presence(Rules(zones=(zone,)))
    told = [each for minute in range(4) for each in presence.update(second(60 * minute), box((0.5, 0.7)), "person")]
    assert told == [Entered("yard", T0), Left("yard", second(60)), Entered("yard", second(120))]


def test_a_zone_is_for_its_labels() -> None:
    zone = Zone("yard", YARD.points, ("person",))
    assert walk(Presence(Rules(zones=(zone,))), [0.7] * 5, label="car") == []
    presence = Presence(Rules(zones=(zone,)))
    assert presence.update(T0, box((0.5, 0.7)), "person") == (Entered("yard", T0),)
    assert walk(presence, [0.7] * 5, label="dog", begin=second(1)) == [], "he does not leave by another name"
    assert walk(presence, [0.2] * 5, label="dog", begin=second(2)) == [Left("yard", second(2.2))]


def test_a_dwell_begun_under_another_name_is_not_entered() -> None:
    zone = Zone("yard", YARD.points, ("person",), dwell=timedelta(seconds=1))
    presence = Presence(Rules(zones=(zone,)))
    walk(presence, [0.7] * 2)
    assert walk(presence, [0.7] * 50, label="car", begin=second(0.4)) == []


@pytest.mark.parametrize(
    ("heights", "direction"), [([0.3, 0.4, 0.6], "in"), ([0.7, 0.6, 0.4], "out"), ([0.3, 0.9], "in")]
)
def test_a_line_is_crossed_once_beyond_it(heights: list[float], direction: str) -> None:
    presence = Presence(Rules(lines=(GATE,)))
    (crossed,) = walk(presence, heights)
    assert isinstance(crossed, Crossed)
    assert (crossed.line, crossed.direction, crossed.at) == ("gate", direction, T0 + (len(heights) - 1) * STEP)
    assert presence.reason == f"crossed gate {direction}wards"


def test_who_stops_right_behind_a_line_has_crossed_it_after_three_seconds() -> None:
    heights = [0.4] + [0.5 + STRIP / 2] * 30
    assert walk(Presence(Rules(lines=(GATE,))), heights) == [Crossed("gate", "in", second(3.2))]


def test_who_goes_over_a_line_and_back_has_not_crossed_it() -> None:
    assert walk(Presence(Rules(lines=(GATE,))), [0.4, 0.51, 0.51, 0.4, 0.3]) == []


def test_who_goes_round_the_end_of_a_line_has_not_crossed_it() -> None:
    presence = Presence(Rules(lines=(GATE,)))
    route = [(0.75, 0.45), (0.79, 0.49), (0.81, 0.5), (0.79, 0.51), (0.75, 0.55), (0.7, 0.7)]
    assert [e for number, at in enumerate(route) for e in presence.update(T0 + number * STEP, box(at), "car")] == []


def test_a_line_tells_the_direction_and_the_labels_it_asks_for() -> None:
    inwards = Line("gate", GATE.points, "in", ("person",))
    assert walk(Presence(Rules(lines=(inwards,))), [0.4, 0.6, 0.4]) == [Crossed("gate", "in", second(0.2))]
    assert walk(Presence(Rules(lines=(inwards,))), [0.4, 0.6], label="car") == []


def test_anywhere_counts_where_nothing_is_required() -> None:
    presence = Presence(Rules())
    assert presence.counts
    assert presence.update(T0, box((0.5, 0.5)), "person") == ()
    assert presence.reason == ""


def test_what_is_required_counts_from_then_on() -> None:
    presence = Presence(Rules(zones=(YARD, ROAD), lines=(GATE,), required=("road", "gate")))
    said = [(presence.counts, presence.reason)]
    for begin, heights in enumerate([[0.9, 0.9], [0.9, 0.4, 0.3], [0.1, 0.1]]):
        walk(presence, heights, begin=second(begin))
        said.append((presence.counts, presence.reason))
    assert said == [(False, ""), (False, ""), (True, "crossed gate outwards"), (True, "crossed gate outwards")]


def test_the_first_thing_is_the_reason_where_nothing_is_required() -> None:
    presence = Presence(Rules(zones=(YARD, ROAD)))
    walk(presence, [0.1, 0.4, 0.4, 0.7])
    assert presence.reason == "entered road"


@pytest.mark.parametrize(("dwell", "words"), [(1.5, "1.5 s"), (90, "90 s"), (120, "2 min")])
def test_a_dwell_is_spelt_for_people(dwell: float, words: str) -> None:
    presence = Presence(Rules(zones=(Zone("yard", YARD.points, dwell=timedelta(seconds=dwell)),)))
    presence.update(T0, box((0.5, 0.7)), "person")
    presence.update(second(dwell), box((0.5, 0.7)), "person")
    assert presence.reason == f"stayed {words} in yard"


def test_a_clock_that_is_set_back_takes_no_time_away_and_adds_none() -> None:
    zone = Zone("yard", YARD.points, dwell=timedelta(seconds=3))
    presence = Presence(Rules(zones=(zone,)))
    told = [
        each
        for seconds in (0, 2, -3600, -3599.5, -3599)
        for each in presence.update(second(seconds), box((0.5, 0.7)), "person")
    ]
    assert told == [Entered("yard", second(-3599))]


def test_a_box_without_a_size_is_no_error() -> None:
    presence = Presence(Rules(zones=(YARD,), lines=(GATE,)))
    told = [each for y in (0.4, 0.6) for each in presence.update(T0, Box(0.5, y, 0.5, y), "person")]
    assert told == [Entered("yard", T0), Crossed("gate", "in", T0)]


looks = st.lists(
    st.tuples(st.floats(-1, 30), st.floats(0, 1), st.floats(0, 1), st.sampled_from(["person", "car"])), max_size=60
)


@settings(deadline=None)
@given(looks, st.sampled_from([0, 1, 20]))
def test_nobody_enters_twice_without_leaving_between(
    looks: list[tuple[float, float, float, str]], dwell: float
) -> None:
    hours = parse({"mon-sun": ["11:00-12:01", "12:02-24:00"]}, UTC)
    yard = Zone("yard", YARD.points, ("person",), timedelta(seconds=dwell), hours)
    presence, at = Presence(Rules(zones=(yard, ROAD))), T0
    inside: set[str] = set()
    for passed, x, y, label in looks:
        at += timedelta(seconds=passed)
        for each in presence.update(at, box((x, y)), label):
            if isinstance(each, Entered):
                assert each.zone not in inside
                inside.add(each.zone)
            elif isinstance(each, Left):
                assert each.zone in inside
                inside.remove(each.zone)
        assert set(presence.inside) == inside <= set(presence.zones)


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 1.0), max_size=60))
def test_a_straight_line_is_crossed_in_turns(heights: list[float]) -> None:
    line = Line("gate", ((0.0, 0.5), (1.0, 0.5)))
    told = [each.direction for each in walk(Presence(Rules(lines=(line,))), heights) if isinstance(each, Crossed)]
    assert all(before != after for before, after in pairwise(told))

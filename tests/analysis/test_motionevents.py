from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from nvr.analysis.actions import Action, Better, Closed, Opened, Seen
from nvr.analysis.motion import Motion
from nvr.analysis.motionevents import MotionEvents
from nvr.analysis.zones import Rules
from nvr.model import Box, Event, EventKind, Waypoint
from nvr.schedule import parse

T0 = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
HERE = Box(0.4, 0.4, 0.5, 0.6)
STILL = Motion()
BEAT = 0.2
"""Seconds between two looks."""


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def moving(box: Box = HERE, area: float = 0.02) -> Motion:
    return Motion(area, (box,))


def watch(events: MotionEvents, start: float, stop: float, motion: Callable[[float], Motion]) -> list[Action]:
    """What looks at ``start``, ``BEAT`` later and so on lead to."""
    actions: list[Action] = []
    for n in range(round((stop - start) / BEAT)):
        seconds = round(start + n * BEAT, 3)
        actions += events.look(after(seconds), motion(seconds))
    return actions


def opened(actions: list[Action]) -> list[Opened]:
    return [action for action in actions if isinstance(action, Opened)]


def closed(actions: list[Action]) -> list[tuple[int, datetime, str]]:
    return [(action.key, action.end, action.ended) for action in actions if isinstance(action, Closed)]


def left_open(id: int = 7, label: str = "motion", seen: float = 0) -> Event:
    kind: EventKind = "motion" if label == "motion" else "object"
    return Event("hik1", kind, label, after(-10), after(seen), score=0.05, box=HERE, id=id)


@pytest.mark.parametrize(
    ("looks", "opens_at"),
    [("mmm", 2), ("mm..m", 4), ("m.m.m", 4), ("mm....m", None), ("m...m..m..m", None), ("..mmm", 4)],
)
def test_one_opens_after_motion_in_three_of_five_looks(looks: str, opens_at: int | None) -> None:
    events = MotionEvents()
    found = [
        bool(opened([*events.look(after(n * BEAT), moving() if look == "m" else STILL)]))
        for n, look in enumerate(looks)
    ]
    assert [n for n, yes in enumerate(found) if yes] == ([] if opens_at is None else [opens_at])


def test_it_begins_with_the_first_look_that_moved_and_ends_with_the_last() -> None:
    actions = watch(MotionEvents(), 0, 20, lambda seconds: moving() if 2 <= seconds < 6 else STILL)
    assert opened(actions) == [Opened(1, "motion", "motion", after(2), after(2.4), 0.02, HERE, "something moved")]
    assert closed(actions) == [(1, after(5.8), "nothing moved any more")]


def test_it_closes_five_seconds_after_the_last_motion() -> None:
    events = MotionEvents()
    watch(events, 0, 0.6, lambda seconds: moving())
    assert events.look(after(5.2), STILL) == ()
    assert closed([*events.look(after(5.4), STILL)]) == [(1, after(0.4), "nothing moved any more")]


def test_a_pause_does_not_split_it() -> None:
    actions = watch(MotionEvents(), 0, 20, lambda seconds: STILL if 4 <= seconds < 8 else moving())
    assert (len(opened(actions)), closed(actions)) == (1, [])


def test_the_next_has_another_key() -> None:
    actions = watch(MotionEvents(), 0, 20, lambda seconds: STILL if 4 <= seconds < 12 else moving())
    assert [event.key for event in opened(actions)] == [1, 2]


def test_looks_long_ago_do_not_count() -> None:
    events = MotionEvents()
    actions = [*watch(events, 0, 0.4, lambda seconds: moving()), *events.look(after(60), moving())]
    assert opened(actions) == []


def test_a_larger_motion_is_a_better_picture() -> None:
    areas = dict(zip((0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2), (0.02, 0.02, 0.02, 0.021, 0.024, 0.03, 0.03), strict=True))
    actions = watch(MotionEvents(), 0, 1.4, lambda seconds: moving(area=areas[seconds]))
    better = [action for action in actions if isinstance(action, Better)]
    assert better == [Better(1, after(1.0), "motion", 0.03, HERE)]


def test_where_it_moves_is_told_once_a_second() -> None:
    def box(seconds: float) -> Box:
        return Box(0.1 + seconds / 10, 0.4, 0.2 + seconds / 10, 0.6)

    actions = watch(MotionEvents(), 0, 3, lambda seconds: moving(box(seconds)))
    told = [action for action in actions if isinstance(action, Seen)]
    assert [action.at for action in told] == [after(1.4), after(2.4)]
    assert told[0].path == tuple(Waypoint(after(seconds), box(seconds)) for seconds in (0.6, 0.8, 1.0, 1.2, 1.4))


def test_there_are_none_at_hours_that_are_not_scheduled() -> None:
    events = MotionEvents(Rules(schedule=parse({"mon-sun": ["13:06-13:07"]}, UTC)))
    actions = watch(events, 0, 130, lambda seconds: moving())
    assert [event.start for event in opened(actions)] == [after(60)]
    assert closed(actions) == [(1, after(119.8), "nothing moved any more")]


def test_the_detector_sleeps() -> None:
    assert MotionEvents().wants_detector(T0, moving()) is False
    assert MotionEvents().wants_detector(T0, Motion(blind=True)) is False


def test_flush_closes_it_with_the_last_motion() -> None:
    events = MotionEvents()
    watch(events, 0, 2, lambda seconds: moving())
    assert closed([*events.flush("nvr stopped")]) == [(1, after(1.8), "nvr stopped")]
    assert events.flush("nvr stopped") == ()


@pytest.mark.parametrize(("back", "closes"), [(0.5, False), (3600, True)])
def test_a_clock_that_is_set_far_back_closes_it(back: float, closes: bool) -> None:
    events = MotionEvents()
    watch(events, 0, 0.6, lambda seconds: moving())
    actions = [*events.look(after(0.4 - back), STILL)]
    assert closed(actions) == ([(1, after(0.4), "nothing moved any more")] if closes else [])


def test_one_does_not_begin_after_it_was_seen_where_the_clock_was_set_back_a_little() -> None:
    events, actions = MotionEvents(), list[Action]()
    for seconds in (1.0, 1.2, 0.7, 0.9, 1.1):
        actions += events.look(after(seconds), moving())
    assert [(event.start, event.seen) for event in opened(actions)] == [(after(0.7), after(1.1))]


class TestOneLeftOpenByAKilledAnalyzer:
    def test_goes_on_with_the_next_motion(self) -> None:
        events = MotionEvents(resumed=[left_open()])
        actions = watch(events, 15, 22, lambda seconds: moving() if seconds < 17 else STILL)
        assert opened(actions) == []
        assert closed(actions) == [(-7, after(16.8), "nothing moved any more")]

    def test_closes_where_nothing_moves_for_long_enough(self) -> None:
        events = MotionEvents(resumed=[left_open()])
        actions = [(seconds, action) for seconds in range(3, 40) for action in events.look(after(seconds), STILL)]
        assert actions == [(20, Closed(-7, after(0), "nothing moved any more"))]

    def test_is_closed_where_it_was_of_an_object_that_is_not_looked_for_any_more(self) -> None:
        events = MotionEvents(resumed=[left_open(3, "person"), left_open(4), left_open(5), left_open(6, "car")])
        actions = closed([*events.look(after(1), moving())])
        assert actions == [(-id, after(0), "not found again after a restart") for id in (3, 4, 6)]
        assert [action[0] for action in closed([*events.flush("nvr stopped")])] == [-5]

    def test_is_closed_though_no_look_follows(self) -> None:
        events = MotionEvents(resumed=[left_open(3, "person"), left_open(4)])
        assert {action[0] for action in closed([*events.flush("nvr stopped")])} == {-3, -4}

"""What of a camera's video is around events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.model import Event, EventKind, Segment
from nvr.retention.cover import NOBODY_LOOKED, Cover

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
ROLLS = timedelta(seconds=10), timedelta(seconds=20)
NOW = BEGIN + timedelta(days=9)


def second(number: float) -> datetime:
    return BEGIN + timedelta(seconds=number)


def video(begin: float, end: float) -> Segment:
    return Segment("hik1", "run", Path(f"{begin}.mp4"), second(begin), second(end), 1, 1, "h264", 1, 1)


def event(begin: float, end: float | None, *, locked: bool = False) -> Event:
    start = second(begin)
    return Event("hik1", "object", "person", start, start, None if end is None else second(end), locked=locked)


def cover(*events: Event) -> Cover:
    def overlapping(since: datetime, until: datetime) -> Iterable[Event]:
        return [one for one in events if one.start < until and (one.end is None or one.end > since)]

    return Cover(overlapping, ROLLS, NOW)


@pytest.mark.parametrize(
    ("begin", "end", "near"),
    [(0, 60, False), (0, 89, False), (0, 90, True), (95, 97, True), (130, 190, True), (131, 190, False)],
)
def test_video_from_the_pre_roll_to_the_post_roll_is_near(begin: float, end: float, near: bool) -> None:
    assert cover(event(100, 110)).has_event(video(begin, end)) is near


def test_an_event_that_lasts_is_near_up_to_now() -> None:
    lasting = cover(event(100, None))
    assert lasting.has_event(video(500_000, 500_060))
    assert not lasting.has_event(video(0, 60))


@pytest.mark.parametrize("kind", ["object", "motion", "camera", "health"])
@pytest.mark.parametrize("end", [110, None])
def test_an_event_of_any_kind_has_its_rolls_while_it_lasts_and_later(kind: EventKind, end: float | None) -> None:
    near = cover(replace(event(100, end), kind=kind, label=NOBODY_LOOKED if kind == "health" else "person"))
    found = [near.has_event(video(begin, begin + 1)) for begin in (88, 89, 105, 130, 131)]
    assert found == [False, True, True, True, end is None]


def test_an_event_that_a_person_denied_protects_nothing_unless_it_is_locked() -> None:
    denied = replace(event(100, 110), false=True)
    assert not cover(denied).has_event(video(95, 105))
    assert cover(denied, event(111, 112)).has_event(video(95, 105)), "another one does"
    locked = cover(replace(denied, locked=True))
    assert locked.has_event(video(95, 105))
    assert locked.has_lock(video(95, 105))


def test_only_a_locked_event_locks() -> None:
    both = cover(event(100, 110), event(1000, 1010, locked=True))
    assert not both.has_lock(video(95, 105))
    assert both.has_lock(video(995, 1005))
    assert both.has_event(video(995, 1005))


@given(
    st.lists(st.tuples(st.integers(0, 500_000), st.integers(0, 5000), st.booleans()), max_size=12),
    st.lists(st.tuples(st.integers(0, 500_000), st.integers(1, 3600)), min_size=1, max_size=20),
)
def test_it_says_what_comparing_each_with_each_says(
    happened: list[tuple[int, int, bool]], recorded: list[tuple[int, int]]
) -> None:
    events = [event(begin, begin + lasted, locked=locked) for begin, lasted, locked in happened]
    asked = cover(*events)
    for begin, lasted in sorted(recorded):
        near = [one for one in happened if begin <= one[0] + one[1] + 20 and begin + lasted >= one[0] - 10]
        segment = video(begin, begin + lasted)
        assert asked.has_event(segment) is bool(near)
        assert asked.has_lock(segment) is any(locked for _, _, locked in near)


def test_a_trouble_protects_nothing_but_where_nobody_looked() -> None:
    trouble = replace(event(100, None), kind="health", label="alerts down")
    assert not cover(trouble).has_event(video(95, 105)), "it may last for weeks"
    assert cover(replace(trouble, label=NOBODY_LOOKED)).has_event(video(95, 105))
    assert cover(replace(trouble, locked=True)).has_event(video(95, 105))

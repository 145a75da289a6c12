"""An event as the API tells it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nvr.model import Box, Event
from nvr.web.happening import as_told

AT = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
EVENT = Event(
    "hik1", "object", "person", AT, AT, AT + timedelta(seconds=2), score=0.81234567, box=Box(0.1, 0.2, 0.3, 0.4), id=7
)


def test_it_is_told_in_utc_with_fractions_and_a_rounded_score() -> None:
    told = as_told(EVENT, (8, 9))
    assert (told.id, told.start, told.end) == (7, "2026-11-22T13:05:00.000000Z", "2026-11-22T13:05:02.000000Z")
    assert (told.box, told.score, told.also) == ([0.1, 0.2, 0.3, 0.4], 0.8123, [8, 9])
    assert (told.snapshot, told.thumbnail) == (None, None)


def test_a_picture_has_an_address_of_its_own_below_the_event() -> None:
    one, other = (as_told(replace(EVENT, snapshot=Path(name)), ()).snapshot for name in ("a/1.jpg", "a/2.jpg"))
    assert one is not None
    assert other is not None
    assert one.startswith("events/7/snapshot.jpg?of=")
    assert one != other
    assert one == as_told(replace(EVENT, snapshot=Path("a/1.jpg")), ()).snapshot

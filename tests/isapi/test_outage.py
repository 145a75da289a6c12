"""When alerts could not be heard, and that a short time of it is no event."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count

from nvr.isapi.outage import Outage
from nvr.isapi.report import Report
from nvr.model import Event

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Scene:
    """An outage and what is known of its events."""

    def __init__(self) -> None:
        self.outage = Outage("hik1", count(), NOON, 0)
        self.events: dict[int, Event] = {}
        self.reports = 0

    def take(self, reports: Iterable[Report]) -> None:
        for report in reports:
            self.events[report.number] = report.event
            self.reports += 1

    def look(self, *seconds: int) -> None:
        for each in range(*seconds):
            self.take(self.outage.look(at(each), each * 1_000_000))

    def down(self, why: str, seconds: float) -> None:
        self.outage.down(why, at(seconds), round(seconds * 1e6))

    def up(self, seconds: float) -> None:
        self.take(self.outage.up(at(seconds)))


def test_a_stream_that_comes_back_within_seconds_is_no_event() -> None:
    scene = Scene()
    scene.up(3)
    for minute in range(1, 10):
        scene.down("the device closed the stream", minute * 40)
        scene.look(minute * 40, minute * 40 + 10)
        scene.up(minute * 40 + 10)
    assert scene.events == {}


def test_one_that_stays_away_is_an_event_until_it_is_back() -> None:
    scene = Scene()
    scene.up(1)
    scene.down("refused", 100)
    scene.look(100, 111)
    assert scene.events == {}
    scene.look(111, 140)
    (event,) = scene.events.values()
    assert (event.kind, event.label, event.detail) == ("health", "alerts down", "refused")
    assert (event.start, event.end) == (at(100), None)
    scene.up(140)
    (event,) = scene.events.values()
    assert (event.end, event.seen) == (at(140), at(140))


def test_the_newest_cause_is_told_and_rows_are_few() -> None:
    scene = Scene()
    scene.down("unreachable", 2)
    scene.look(0, 60)
    scene.down("refused", 60)
    scene.look(60, 1000)
    (event,) = scene.events.values()
    assert (event.start, event.detail) == (NOON, "refused")
    assert scene.reports < 1000 / 9


def test_a_silence_counts_from_its_beginning() -> None:
    scene = Scene()
    scene.up(1)
    scene.look(1, 160)
    scene.down("nothing came any more", 100)
    scene.look(160, 162)
    scene.up(162)
    (event,) = scene.events.values()
    assert (event.start, event.end) == (at(100), at(162))


def test_an_outage_outlives_a_kill() -> None:
    old = Event("hik1", "health", "alerts down", at(-50), at(-5), id=7)
    older = Event("hik1", "health", "alerts down", at(-90), at(-80), id=6)
    scene = Scene()
    scene.take(scene.outage.resume([old, older]))
    assert [(event.id, event.end) for event in scene.events.values()] == [(6, at(-80))]
    scene.up(2)
    assert [(event.id, event.start, event.end) for event in scene.events.values()][1:] == [(7, at(-50), at(2))]


def test_the_end_of_nvr_ends_it() -> None:
    scene = Scene()
    scene.look(0, 20)
    scene.take(scene.outage.close(at(20)))
    (event,) = scene.events.values()
    assert (event.end, event.ended) == (at(20), "nvr ended")


def test_a_clock_that_is_set_back_makes_no_event_that_ends_before_it_begins() -> None:
    scene = Scene()
    scene.look(0, 20)
    scene.up(-3600)
    (event,) = scene.events.values()
    assert event.end is not None
    assert event.end >= event.start


def test_a_device_that_comes_and_goes_makes_one_event() -> None:
    scene = Scene()
    for turn in range(20):
        scene.down("the device closed the stream", turn * 60)
        scene.look(turn * 60, turn * 60 + 30)
        scene.up(turn * 60 + 30)
    (event,) = scene.events.values()
    assert (event.start, event.end, event.ended) == (NOON, at(19 * 60 + 30), "heard again")


def test_an_outage_long_after_the_last_is_another() -> None:
    scene = Scene()
    for begin in (0, 400):
        scene.down("unreachable", begin)
        scene.look(begin, begin + 60)
        scene.up(begin + 60)
    assert [(event.start, event.end) for event in scene.events.values()] == [(NOON, at(60)), (at(400), at(460))]

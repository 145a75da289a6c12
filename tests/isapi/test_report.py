"""What cameras say, as a table of what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from nvr.isapi.alert import Alert, Region
from nvr.isapi.report import OPEN, Report, Reporter
from nvr.model import Box, Event

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOLD = timedelta(seconds=5)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def alert(kind: str = "VMD", active: bool = True, *regions: Region, description: str = "", late: bool = False) -> Alert:
    return Alert(kind, 1, active, None, "", description, regions, late)


class Desk:
    """A reporter, a time, and what is known of each event."""

    def __init__(self, types: Sequence[str] = ()) -> None:
        self.reporter = Reporter("hik1", HOLD, types, count())
        self.reports: list[Report] = []
        self.events: dict[int, Event] = {}

    def take(self, reports: Iterable[Report]) -> None:
        for report in reports:
            self.reports.append(report)
            self.events[report.number] = report.event

    def hear(self, seconds: float, told: Alert, lag: float = 0) -> None:
        now_us = round((seconds + lag) * 1e6)
        self.take(self.reporter.expire(now_us))
        self.take(self.reporter.hear(told, at(seconds), at(seconds + lag), now_us))

    def wait(self, seconds: float) -> None:
        self.take(self.reporter.expire(round(seconds * 1e6)))

    @property
    def spans(self) -> list[tuple[str, float, float | None]]:
        """Label, start and end of each event, seconds after noon."""
        return [
            (
                event.label,
                (event.start - NOON).total_seconds(),
                None if event.end is None else (event.end - NOON).total_seconds(),
            )
            for event in self.events.values()
        ]


ON, OFF = alert(), alert(active=False)
PERSON = alert("fielddetection", True, Region("1", "human"))
Heard = Sequence[tuple[float, Alert]]
Spans = Sequence[tuple[str, float, float | None]]


@pytest.mark.parametrize(
    ("heard", "until", "spans"),
    [
        pytest.param([(0, ON)], 1, [("motion", 0, None)], id="it begins"),
        pytest.param([(0, ON), (1, ON), (2, OFF)], 2, [("motion", 0, 2)], id="it ends as told"),
        pytest.param([(0, ON), (1, ON), (4, ON)], 9, [("motion", 0, None)], id="it lasts while it is repeated"),
        pytest.param([(0, ON), (1, ON)], 6.01, [("motion", 0, 1)], id="it ends where it was repeated last"),
        pytest.param([(0, ON), (6, ON)], 7, [("motion", 0, 0), ("motion", 6, None)], id="then another begins"),
        pytest.param([(0, OFF), (1, OFF)], 9, [], id="an end without a beginning"),
        pytest.param([(0, ON), (1, OFF), (2, OFF)], 9, [("motion", 0, 1)], id="an end that is repeated"),
        pytest.param(
            [(0, ON), (1, PERSON), (2, OFF)],
            2,
            [("motion", 0, 2), ("person", 1, None)],
            id="types last by themselves",
        ),
        pytest.param([(0, alert("videoloss", False))] * 9, 9, [], id="heartbeats"),
        pytest.param([(0, alert("other", description="Heartbeat"))], 9, [], id="a heartbeat of a door station"),
        pytest.param([(0, alert("duration"))], 9, [], id="durations"),
        pytest.param(
            [(0, alert("videoloss")), (9, alert("videoloss", False))], 4, [("videoloss", 0, 0)], id="no video"
        ),
        pytest.param(
            [(0, alert("shelteralarm")), (1, alert("shelteralarm", False))], 1, [("tamper", 0, 1)], id="covered"
        ),
        pytest.param([(0, alert("diskerror"))], 1, [("diskerror", 0, None)], id="its disk"),
        pytest.param(
            [
                (0, alert("some Thing/New")),
            ],
            1,
            [("some-thing-new", 0, None)],
            id="what nobody knows yet",
        ),
        pytest.param([(0, alert("LineDetection", True, Region("2", "vehicle")))], 1, [("vehicle", 0, None)], id="car"),
        pytest.param([(0, ON), (3, alert("vmd"))], 4, [("motion", 0, None)], id="case does not matter"),
    ],
)
def test_what_is_heard_becomes_events(heard: Heard, until: float, spans: Spans) -> None:
    desk = Desk()
    for seconds, told in heard:
        desk.hear(seconds, told)
    desk.wait(until)
    assert desk.spans == spans


def test_each_region_and_target_is_an_event_of_its_own() -> None:
    desk = Desk()
    desk.hear(0, alert("fielddetection", True, Region("1", "human"), Region("2", "human")))
    desk.hear(1, alert("fielddetection", True, Region("1", "vehicle")))
    desk.hear(2, alert("fielddetection", False, Region("1")))
    found = {(event.label, event.zones): event.end for event in desk.events.values()}
    assert found == {
        ("person", ("region-1",)): at(2),
        ("person", ("region-2",)): None,
        ("vehicle", ("region-1",)): at(2),
    }
    desk.hear(3, alert("fielddetection", False))
    assert all(event.end is not None for event in desk.events.values())


def test_an_event_without_region_is_ended_by_any() -> None:
    desk = Desk()
    desk.hear(0, ON)
    desk.hear(1, alert("VMD", False, Region("1")))
    assert desk.spans == [("motion", 0, 1)]


def test_a_region_without_number_ends_them_all() -> None:
    desk = Desk()
    desk.hear(0, PERSON)
    desk.hear(1, alert("fielddetection", False, Region("")))
    assert desk.spans == [("person", 0, 1)]


def test_what_is_told_stands_in_the_event() -> None:
    desk = Desk()
    box = Box(0.1, 0.1, 0.2, 0.2)
    told = Alert(
        "fielddetection",
        1,
        True,
        at(-3600),
        "2026-11-22T12:00:00+01:00",
        "Intrusion; alarm",
        (Region("7", "human", box),),
    )
    desk.hear(0, told, lag=0.5)
    (event,) = desk.events.values()
    assert event == Event(
        camera="hik1",
        kind="camera",
        label="person",
        start=at(0),
        seen=at(0),
        box=box,
        zones=("region-7",),
        began="told by the camera",
        received=at(0.5),
        detail="fielddetection: Intrusion; alarm; region 7; camera time 2026-11-22T12:00:00+01:00",
    )


def test_only_the_wanted_types_make_events() -> None:
    desk = Desk(["FieldDetection"])
    desk.hear(0, ON)
    desk.hear(0, PERSON)
    assert desk.spans == [("person", 0, None)]


def test_that_it_goes_on_is_reported_once_a_second() -> None:
    desk = Desk()
    for tenth in range(100):
        desk.hear(tenth / 10, ON)
    assert len(desk.reports) == 10
    assert desk.reports[-1].event.seen == at(9)
    desk.hear(10, OFF)
    assert desk.reports[-1].event.end == at(10)


def test_times_that_go_back_shorten_nothing() -> None:
    desk = Desk()
    desk.hear(5, ON)
    desk.hear(3, ON, lag=3)
    desk.hear(4, OFF, lag=3)
    assert desk.spans == [("motion", 5, 5)]


def test_events_that_nobody_ends_are_bounded() -> None:
    desk = Desk()
    for number in range(1000):
        desk.hear(1, alert(f"type{number}"))
    assert len(desk.events) == OPEN
    desk.wait(10)
    desk.hear(11, ON)
    assert desk.spans[-1] == ("motion", 11, None)


def test_an_end_says_why() -> None:
    desk = Desk()
    desk.hear(0, ON)
    desk.hear(0, PERSON)
    desk.hear(0, alert("IO"))
    desk.hear(1, OFF)
    desk.hear(4, alert("IO"))
    desk.wait(5.5)
    desk.take(desk.reporter.close())
    assert [event.ended for event in desk.events.values()] == [
        "the camera said so",
        "not repeated for 5.0s",
        "nvr ended",
    ]
    assert desk.spans[2] == ("IO".lower(), 0, 4)


def reopened(events: Iterable[Event], now: float) -> Desk:
    desk = Desk()
    desk.take(desk.reporter.resume(events, at(now), round(now * 1e6)))
    return desk


def test_what_was_open_goes_on_after_a_kill() -> None:
    before = Desk()
    before.hear(0, PERSON)
    before.hear(0, alert("fielddetection", description="Some: thing; else"))
    desk = reopened(before.events.values(), 3)
    assert desk.reports == []
    desk.hear(4, PERSON)
    desk.hear(4, alert("fielddetection", description="Some: thing; else"))
    assert desk.spans == [("person", 0, None), ("fielddetection", 0, None)]
    desk.hear(5, alert("fielddetection", False))
    assert desk.spans == [("person", 0, 5), ("fielddetection", 0, 5)]


def test_what_is_not_heard_of_again_ends_where_it_was_told_last() -> None:
    before = Desk()
    before.hear(0, ON)
    before.hear(2, ON)
    desk = reopened(before.events.values(), 4)
    desk.wait(9.1)
    assert desk.spans == [("motion", 0, 2)]


def test_what_was_open_long_ago_ends_there() -> None:
    before = Desk()
    before.hear(0, ON)
    desk = reopened(before.events.values(), 61)
    desk.hear(61, ON)
    assert desk.spans == [("motion", 0, 0), ("motion", 61, None)]
    assert desk.events[0].ended == "nvr was killed"

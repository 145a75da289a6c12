"""One device: its messages → what its cameras' events, outages and state are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from nvr.clock import from_us
from nvr.isapi.alert import Alert
from nvr.isapi.device import Patience
from nvr.isapi.line import Line, by_device
from nvr.isapi.subscription import Down, Heard, Up
from nvr.isapi.task import Ear, Place
from nvr.model import Address, Event
from tests.fakes.clock import FakeClock

EAR = Ear("hik1", Place("192.0.2.1", username="viewer"), 1, Address("rtsp://192.0.2.1"), timedelta(seconds=5))
OTHER = replace(EAR, camera="hik2", channel=2)


@contextmanager
def enter(_: Callable[[], bool]) -> Iterator[None]:
    yield


class Scene:
    """A line that is never started, its clock, and the events by their numbers."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.line = Line([EAR, OTHER], enter, count(), self.clock, lambda line, message: None, Patience())
        self.events: dict[int, Event] = {}

    def take(self, message: Up | Down | Heard) -> None:
        self.events.update((report.number, report.event) for report in self.line.take(message))

    def down(self, why: str) -> None:
        self.take(Down(why, from_us(self.clock.now_us()), self.clock.monotonic_us()))

    def hear(self, kind: str, channel: int) -> None:
        now = from_us(self.clock.now_us())
        self.take(Heard(Alert(kind, channel, True, None), now, self.clock.monotonic_us()))

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            self.events.update((report.number, report.event) for report in self.line.look())

    @property
    def told(self) -> list[tuple[str, str, bool]]:
        """Camera, label, and whether it is over."""
        return [(event.camera, event.label, event.end is not None) for event in self.events.values()]


def test_each_camera_of_a_device_has_its_own_events() -> None:
    scene = Scene()
    scene.take(Up())
    scene.hear("VMD", 1)
    scene.hear("linedetection", 2)
    assert scene.told == [("hik1", "motion", False), ("hik2", "linedetection", False)]
    scene.wait(6)
    assert scene.told == [("hik1", "motion", True), ("hik2", "linedetection", True)]


def test_an_outage_is_one_of_every_camera() -> None:
    scene = Scene()
    scene.take(Up())
    assert (scene.line.state, scene.line.deaf_since) == ("listening", None)
    scene.down("unreachable")
    since = scene.line.deaf_since
    scene.wait(12)
    scene.down("refused")
    assert (scene.line.state, scene.line.error, scene.line.deaf_since) == ("waiting", "refused", since)
    assert scene.told == [("hik1", "alerts down", False), ("hik2", "alerts down", False)]
    scene.take(Up())
    assert scene.told == [("hik1", "alerts down", True), ("hik2", "alerts down", True)]
    assert {event.start for event in scene.events.values()} == {since}


def test_what_a_kill_left_goes_on_where_it_belongs() -> None:
    scene = Scene()
    now = from_us(scene.clock.now_us())
    motion = Event("hik1", "camera", "motion", now, now, id=1, detail="VMD")
    outage = Event("hik1", "health", "alerts down", now, now, id=2)
    foreign = Event("hik1", "health", "not analysed", now, now, id=3)
    assert list(scene.line.resume({"hik1": [motion, outage, foreign]})) == []
    scene.take(Up())
    scene.hear("VMD", 1)
    scene.wait(8)
    assert {(event.id, event.end is not None) for event in scene.events.values()} == {(1, True), (2, True)}


def test_the_end_ends_everything() -> None:
    scene = Scene()
    scene.hear("VMD", 1)
    scene.wait(11)
    scene.hear("VMD", 1)
    scene.events.update((report.number, report.event) for report in scene.line.close())
    assert all(over for _, _, over in scene.told)


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ({}, 1),
        ({"host": "192.0.2.2"}, 2),
        ({"port": 8080}, 2),
        ({"username": "other"}, 2),
        ({"verify": False}, 1),
    ],
)
def test_cameras_of_one_device_and_user_share_a_line(change: dict[str, object], lines: int) -> None:
    other = replace(OTHER, place=replace(OTHER.place, **change))  # type: ignore[arg-type]
    assert len(by_device([EAR, other, replace(EAR, camera="hik3", channel=3)])) == lines

"""The slot is fed; whoever offers never waits."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from nvr import frameslot
from nvr.clock import SystemClock
from nvr.frameslot import SlotReader
from nvr.media.source import StreamInfo, open_source
from nvr.model import Address
from nvr.recording.broadcast import Broadcast
from nvr.recording.feeder import QUEUED_PACKETS, Feeder
from nvr.recording.task import Watch
from tests.fakes.clip import Clip
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.fakes.station import wait_for


def later_us() -> int:
    """An instant in an hour: a picture of then is not late, however slow the machine is."""
    return SystemClock().now_us() + 3_600_000_000


@pytest.fixture
def slot(tmp_path: Path) -> Path:
    path = tmp_path / "cam.slot"
    frameslot.create(path)
    return path


def make(slot: Path, stop: threading.Event) -> Feeder:
    clock = SystemClock()
    return Feeder(
        "cam",
        Watch("sub", "all", slot),
        clock,
        stop,
        lambda address: open_source(address, clock, audio=False),
        Broadcast("cam", None),
    )


def test_the_newest_picture_of_a_connection_is_in_the_slot(slot: Path, h264: Clip) -> None:
    stop = threading.Event()
    feeder = make(slot, stop)
    with ScriptedCamera(Script(h264, loops=100, speed=1)) as camera, SlotReader(slot) as reader:
        feeder.start_connected(Address(camera.url))
        wait_for(lambda: feeder.frames > 20, "pictures")
        frame, frame_at_us = reader.read(), feeder.frame_at_us
        stop.set()
        feeder.join()
    assert frame is not None
    assert (frame.width, frame.height) == (320, 180)
    assert abs(frame.at.timestamp() * 1e6 - frame_at_us) < 2_000_000


def test_an_offer_to_a_feeder_that_is_behind_is_dropped_and_counted(slot: Path) -> None:
    feeder = make(slot, threading.Event())  # its thread does not run: nobody takes anything
    for number in range(QUEUED_PACKETS + 10):
        feeder.offer(b"", number, 0, key=False, info=None)
    assert feeder.dropped == 10


def test_offered_packets_are_decoded(slot: Path, h264: Clip) -> None:
    stop = threading.Event()
    feeder = make(slot, stop)
    feeder.start_offered()
    extradata = b"".join(b"\0\0\0\1" + nal for nal in (h264.sps, h264.pps))
    info: StreamInfo | None = StreamInfo("h264", 320, 180, 25.0, extradata, None)
    for unit in h264.units[:20]:
        data = b"".join(b"\0\0\0\1" + nal for nal in unit.nals)
        feeder.offer(data, unit.number * 40_000, later_us(), key=unit.key, info=info)
        info = None
    wait_for(lambda: feeder.frames == 20, "20 pictures")
    stop.set()
    feeder.join()
    assert (feeder.dropped, feeder.skipped, feeder.error) == (0, 0, "")


def test_what_keeps_pictures_away_is_said(slot: Path) -> None:
    stop = threading.Event()
    feeder = make(slot, stop)
    feeder.start_connected(Address("/nowhere/clip.mp4"))
    wait_for(lambda: feeder.error, "an error")
    assert "no such video file" in feeder.error
    stop.set()
    feeder.join()


class HeldClock(SystemClock):
    """Holds whoever asks it for the time, once it is told to."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.asked = threading.Event()

    def now_us(self) -> int:
        self.asked.set()
        assert self.free.wait(60)
        return super().now_us()


class Stuck:
    """A feeder that was stuck while ``QUEUED_PACKETS`` and 20 more were offered, and is free again."""

    def __init__(self, slot: Path, h264: Clip) -> None:
        self._stop, clock = threading.Event(), HeldClock()
        watch, nothing = Watch("main", "all", slot), Broadcast("cam", None)
        self.feeder = Feeder("cam", watch, clock, self._stop, lambda *_: pytest.fail("it connects"), nothing)
        self._pictures = [(b"".join(b"\0\0\0\1" + nal for nal in unit.nals), unit.key) for unit in h264.units]
        extradata = b"".join(b"\0\0\0\1" + nal for nal in (h264.sps, h264.pps))
        self._info = StreamInfo("h264", 320, 180, 25.0, extradata, None)
        clock.free.clear()
        self.feeder.start_offered()
        self.offer(0)
        assert clock.asked.wait(30)
        self.next = QUEUED_PACKETS + 21
        for number in range(1, self.next):
            self.offer(number)
        self.stuck_frames, self.stuck_dropped = self.feeder.frames, self.feeder.dropped
        clock.free.set()
        # the picture in hand, and those that waited
        wait_for(lambda: self.feeder.frames == 1 + QUEUED_PACKETS, "the queue's pictures")

    def offer(self, number: int) -> None:
        data, key = self._pictures[number % len(self._pictures)]
        self.feeder.offer(data, number * 40_000, later_us(), key=key, info=None if number else self._info)

    def end(self) -> None:
        wait_for(lambda: self.feeder._offers.empty(), "an empty queue")
        self._stop.set()
        thread = self.feeder._thread
        assert thread is not None
        wait_for(lambda: not thread.is_alive(), "the last picture")


def test_a_stuck_decoder_holds_nobody_up_and_goes_on_afterwards(slot: Path, h264: Clip) -> None:
    stuck = Stuck(slot, h264)
    assert (stuck.stuck_frames, stuck.stuck_dropped) == (0, 20)
    before = stuck.feeder.frames
    for number in range(100, 150):
        stuck.offer(number)
    stuck.end()
    assert (stuck.feeder.frames - before, stuck.feeder.dropped, stuck.feeder.error) == (50, 20, "")


def test_no_picture_is_shown_that_refers_to_a_dropped_one(slot: Path, h264: Clip) -> None:
    stuck = Stuck(slot, h264)
    before = stuck.feeder.frames
    for number in range(stuck.next, 110):  # the next key frame is number 100
        stuck.offer(number)
    stuck.end()
    assert stuck.feeder.frames - before == 10


def test_a_refused_login_is_not_tried_again(slot: Path, h264: Clip) -> None:
    stop = threading.Event()
    feeder = make(slot, stop)
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera:
        feeder.start_connected(Address(camera.url, "viewer", "wrong"))
        wait_for(lambda: feeder.error, "an error")
        assert not stop.wait(1.5)  # a try after a failure of any other kind comes within a second
        assert sum(request.is_refused_login for request in camera.requests) == 1
        stop.set()
        thread = feeder._thread
        assert thread is not None
        wait_for(lambda: not thread.is_alive(), "its end")
    assert "refused the login" in feeder.error


def test_a_connection_that_breaks_off_is_made_again(slot: Path, h264: Clip) -> None:
    stop = threading.Event()
    feeder = make(slot, stop)
    with ScriptedCamera(Script(h264, drop_after=20), Script(h264, loops=100, speed=1)) as camera:
        feeder.start_connected(Address(camera.url))
        wait_for(lambda: len(camera.sessions) == 2 and feeder.frames > 30, "pictures of a second connection")
        stop.set()
        feeder.join()
    assert feeder.error == ""

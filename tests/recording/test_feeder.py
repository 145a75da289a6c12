"""The slot is fed; whoever offers never waits."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from nvr import frameslot
from nvr.clock import SystemClock
from nvr.frameslot import SlotReader
from nvr.media.source import StreamInfo
from nvr.model import Address
from nvr.recording.feeder import QUEUED_PACKETS, Feeder
from nvr.recording.task import Watch
from tests.fakes.clip import Clip
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.fakes.station import wait_for


@pytest.fixture
def slot(tmp_path: Path) -> Path:
    path = tmp_path / "cam.slot"
    frameslot.create(path)
    return path


def make(slot: Path, stop: threading.Event) -> Feeder:
    return Feeder("cam", Watch("sub", "all", slot), SystemClock(), stop)


def test_the_newest_picture_of_a_connection_is_in_the_slot(slot: Path, h264: Clip) -> None:
    stop = threading.Event()
    feeder = make(slot, stop)
    with ScriptedCamera(Script(h264, loops=100, speed=1)) as camera, SlotReader(slot) as reader:
        feeder.start_connected(Address(camera.url))
        wait_for(lambda: feeder.frames > 20, "pictures")
        frame = reader.read()
        stop.set()
        feeder.join()
    assert frame is not None
    assert (frame.width, frame.height) == (320, 180)
    assert abs(frame.at.timestamp() * 1e6 - feeder.frame_at_us) < 2_000_000


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
        feeder.offer(data, unit.number * 40_000, SystemClock().now_us(), key=unit.key, info=info)
        info = None
    wait_for(lambda: feeder.frames == 20, "20 pictures")
    stop.set()
    feeder.join()


def test_what_keeps_pictures_away_is_said(slot: Path) -> None:
    stop = threading.Event()
    feeder = make(slot, stop)
    feeder.start_connected(Address("/nowhere/clip.mp4"))
    wait_for(lambda: feeder.error, "an error")
    assert "no such video file" in feeder.error
    stop.set()
    feeder.join()

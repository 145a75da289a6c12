"""What a recorder shows of itself."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from nvr import pulse
from nvr.errors import StorageError
from nvr.model import Address, Gap, Run
from nvr.pulse import Pulse
from nvr.reason import Reason
from nvr.recording.gaps import Gaps
from nvr.recording.monitor import KEY_FRAME_US, Monitor
from nvr.recording.outbox import Message, Outbox
from tests.fakes.clock import FakeClock
from tests.fakes.recorder import task


class NoOutbox(Outbox):
    def __init__(self) -> None:
        self.dropped = 0
        self.posted: list[Message] = []

    def post(self, message: Message) -> None:
        self.posted.append(message)


@dataclass
class Disk:
    error: StorageError | None = None
    lost: int = 0
    waiting_bytes: int = 0


@dataclass
class Source:
    clock_offset_us: int | None = None


@dataclass
class Session:
    """As much of a run as is shown of it."""

    run: Run
    begun_us: int
    dropped: int = 0
    segments: int = 0
    writing: bool = True
    steps: list[int] = field(default_factory=list)

    def clock_stepped(self) -> None:
        self.steps.append(1)


class Scene:
    def __init__(self, folder: Path) -> None:
        self.clock, self.outbox, self.disk, self.source = FakeClock(), NoOutbox(), Disk(), Source()
        self.task = task(folder, Address("rtsp://127.0.0.1/x"))
        gaps = Gaps("cam", self.outbox, None, None)
        self.monitor = Monitor(self.task, cast("Any", self.disk), gaps, self.outbox, self.clock)
        self.monitor.beat()
        run = Run("r", "cam", "main", datetime(2026, 11, 22, tzinfo=UTC))
        self.session = Session(run, self.clock.monotonic_us())

    def begin(self) -> None:
        self.monitor.begin(cast("Any", self.session), cast("Any", self.source))

    def beat(self) -> Pulse:
        self.monitor.beat()
        seen = pulse.read(self.task.pulse)
        assert seen is not None
        return seen

    @property
    def reasons(self) -> list[Reason]:
        return [message.reason for message in self.outbox.posted if isinstance(message, Gap)]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_it_beats_about_once_a_second(scene: Scene) -> None:
    assert not scene.monitor.beat_if_due()
    scene.clock.advance(1)
    assert scene.monitor.beat_if_due()
    assert not scene.monitor.beat_if_due()


def test_counters_go_on_over_runs(scene: Scene) -> None:
    scene.begin()
    scene.session.dropped, scene.session.segments, scene.disk.lost = 2, 5, 1
    beat = scene.beat()
    assert (beat.state, beat.dropped, beat.segments, beat.run) == ("recording", 3, 5, "r")
    scene.monitor.end()
    beat = scene.beat()
    assert (beat.dropped, beat.segments, beat.run) == (3, 5, None)


def test_the_disk_comes_before_the_camera_in_what_is_wrong(scene: Scene) -> None:
    scene.monitor.error = "the camera is gone"
    scene.disk.error, scene.disk.waiting_bytes = StorageError("the disk is full"), 12_345
    beat = scene.beat()
    assert (beat.last_error, beat.buffered) == ("the disk is full", 12_345)
    scene.disk.error = None
    assert scene.beat().last_error == "the camera is gone"
    scene.begin()
    assert scene.beat().last_error is None


def test_a_clock_that_is_set_reaches_the_run_once(scene: Scene) -> None:
    scene.begin()
    for _ in range(3):
        scene.clock.advance(1)
        scene.beat()
    assert scene.session.steps == []
    scene.clock.step(3600)
    for _ in range(3):
        scene.clock.advance(1)
        scene.beat()
    assert scene.session.steps == [1]


def test_a_run_without_a_key_frame_is_a_gap_of_its_own(scene: Scene) -> None:
    scene.session.writing = False
    scene.begin()
    scene.clock.advance(KEY_FRAME_US / 1e6)
    scene.beat()
    assert scene.reasons == []
    scene.clock.advance(0.001)
    scene.beat()
    assert scene.reasons == [Reason.NO_KEY_FRAME]


def test_a_camera_clock_that_is_far_off_is_told_once_and_shown(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.begin()
    scene.source.clock_offset_us = -7_200_000_000
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert scene.beat().clock_offset_us == -7_200_000_000
    assert [message for message in caplog.messages if "-7200.0 s off" in message] == caplog.messages[:1]
    assert len(caplog.messages) == 1

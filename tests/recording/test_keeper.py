"""The thread that waits for the disk and for signals, so that recording does not."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nvr.model import Segment
from nvr.recording import keeper as module
from nvr.recording.keeper import SYNC_US, Keeper
from nvr.recording.outbox import Outbox, read_message
from tests.fakes.clip import write
from tests.fakes.clock import FakeClock
from tests.fakes.segments import PATH, fill
from tests.fakes.station import wait_for


class Watched(Keeper):
    """A keeper, the supervisor's end of its channel, and its clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.supervisor, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.supervisor.setblocking(False)
        super().__init__(Outbox(theirs), self.clock, lambda: None)

    def told(self) -> list[Segment]:
        found = []
        while isinstance(message := read_message(self.supervisor), Segment):
            found.append(message)
        return found

    def close(self) -> None:
        self.finish()
        for each in (self._wake_read, self._wake_write, self._outbox.channel, self.supervisor):
            each.close()


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(module, "TICK_S", 0.01)
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    made = Watched()
    made.start()
    yield made
    signal.set_wakeup_fd(-1)
    made.close()
    for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
        signal.signal(number, handler)


def path_of(number: int) -> Path:
    return PATH.with_name(f"14-0{number}-00.000+0000.mp4")


def test_closed_segments_are_sealed_and_told_in_their_order(keeper: Watched, tmp_path: Path) -> None:
    video = write(tmp_path / "clip.mp4", frames=25)
    for number in range(5):
        writer = fill(tmp_path, video, path=path_of(number))
        writer.finish()
        keeper.seal(writer, writer.origin.start_us + writer.end_media_us)
    keeper.finish()
    told = keeper.told()
    assert [segment.path for segment in told] == [path_of(number) for number in range(5)]
    assert all((tmp_path / segment.path).stat().st_size == segment.bytes for segment in told)
    assert not list(tmp_path.rglob("*.part"))


def test_a_segment_that_cannot_be_sealed_is_not_told_and_holds_nothing_up(
    keeper: Watched, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    video = write(tmp_path / "clip.mp4", frames=25)
    lost, kept = (fill(tmp_path, video, path=path_of(number)) for number in range(2))
    for writer in (lost, kept):
        writer.finish()
    lost.part.unlink()
    for writer in (lost, kept):
        keeper.seal(writer, 0)
    keeper.finish()
    assert [segment.path for segment in keeper.told()] == [kept.path]
    assert f"hik1: cannot keep {lost.part}" in caplog.text


def test_the_open_segment_is_synced_every_five_seconds(
    keeper: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("nvr.recording.keeper.os.fdatasync", synced.append)
    writer = fill(tmp_path, write(tmp_path / "clip.mp4", frames=25))
    keeper.watch(writer)
    for number in range(3):
        keeper.clock.advance(SYNC_US / 1e6 + 0.001)
        wait_for(lambda: len(synced) > number, "a sync")  # noqa: B023  # called in this turn alone
    keeper.watch(None)
    assert set(synced) == {writer.descriptor}
    assert len(synced) == 3
    writer.finish()
    os.close(writer.descriptor)


def test_sigterm_is_seen_and_sigint_is_the_supervisors(keeper: Watched) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    assert not keeper.stop.wait(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
    assert keeper.stop.wait(5)


def test_the_supervisors_end_is_a_stop(keeper: Watched, caplog: pytest.LogCaptureFixture) -> None:
    keeper.supervisor.close()
    assert keeper.stop.wait(5)
    assert "the supervisor is gone" in caplog.text


def test_its_end_waits_for_what_was_handed_over(keeper: Watched, tmp_path: Path) -> None:
    writer = fill(tmp_path, write(tmp_path / "clip.mp4", frames=25))
    writer.finish()
    keeper.seal(writer, 0)
    keeper.finish()
    assert (tmp_path / PATH).is_file()
    assert not any(thread.name == "keeper" and thread.is_alive() for thread in threading.enumerate())

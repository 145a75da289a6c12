"""The thread that hears signals and the supervisor's end, also while the first one is inside FFmpeg."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator

import pytest

from nvr.recording import keeper as module
from nvr.recording.keeper import Keeper
from nvr.recording.outbox import Outbox, Room, read_message
from tests.fakes.clock import FakeClock
from tests.fakes.station import wait_for


class Watched(Keeper):
    """A keeper, the supervisor's end of its channel, and its clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.supervisor, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.supervisor.setblocking(False)
        self.outbox = Outbox(theirs)
        super().__init__(self.outbox, self.clock, lambda: None)

    def close(self) -> None:
        self.finish()
        for each in (self._wake_read, self._wake_write, self.outbox.channel, self.supervisor):
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


def test_sigterm_is_seen_and_sigint_is_the_supervisors(keeper: Watched) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    assert not keeper.stop.wait(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
    assert keeper.stop.wait(5)


def test_the_supervisors_end_is_a_stop(keeper: Watched, caplog: pytest.LogCaptureFixture) -> None:
    keeper.supervisor.close()
    assert keeper.stop.wait(5)
    assert "the supervisor is gone" in caplog.text


def test_what_the_supervisor_had_no_room_for_is_sent_on(keeper: Watched) -> None:
    for _ in range(500):
        keeper.outbox.post(Room())
    received = 0

    def all_received() -> bool:
        nonlocal received
        while read_message(keeper.supervisor) is not None:
            received += 1
        return received == 500

    wait_for(all_received, "all messages")

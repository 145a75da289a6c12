"""Telling the supervisor without ever waiting for it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from nvr.model import Run, Segment
from nvr.recording import outbox
from nvr.recording.outbox import Outbox, read_message


def run(number: int) -> Run:
    return Run(str(number), "cam", "main", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def pair() -> Iterator[tuple[Outbox, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    with ours, theirs:
        yield Outbox(theirs), ours


def read_all(channel: socket.socket) -> list[str]:
    found = []
    while (message := read_message(channel)) is not None:
        assert isinstance(message, Run | Segment)
        found.append(message.run if isinstance(message, Segment) else message.id)
    return found


def test_messages_arrive_in_order(pair: tuple[Outbox, socket.socket]) -> None:
    box, supervisor = pair
    for number in range(3):
        box.post(run(number))
    assert read_all(supervisor) == ["0", "1", "2"]


def test_a_supervisor_that_does_not_read_never_blocks_and_the_newest_are_kept(
    pair: tuple[Outbox, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, supervisor = pair
    monkeypatch.setattr(outbox, "LIMIT", 10)
    for number in range(5_000):
        box.post(run(number))
    assert box.dropped > 0
    first = read_all(supervisor)
    box.flush()
    assert read_all(supervisor) == [str(number) for number in range(4_990, 5_000)]
    assert len(first) + 10 + box.dropped == 5_000


def test_the_end_of_the_other_side_is_seen(pair: tuple[Outbox, socket.socket]) -> None:
    box, supervisor = pair
    box.channel.close()
    with pytest.raises(EOFError):
        read_message(supervisor)


def test_a_gone_supervisor_is_no_error(pair: tuple[Outbox, socket.socket]) -> None:
    box, supervisor = pair
    supervisor.close()
    box.post(run(1))
    box.flush()
    assert box.dropped == 0


def test_a_thousand_messages_are_kept(pair: tuple[Outbox, socket.socket]) -> None:
    box, supervisor = pair
    for number in range(4_000):
        box.post(run(number))
    before = len(read_all(supervisor))
    kept: list[str] = []
    while True:
        box.flush()
        found = read_all(supervisor)
        if not found:
            break
        kept += found
    assert kept == [str(number) for number in range(3_000, 4_000)]
    assert box.dropped == 4_000 - 1_000 - before

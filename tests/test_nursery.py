"""Forking on request, and word of every end."""

from __future__ import annotations

import os
import select
import signal
import socket
from pathlib import Path

import pytest

from nvr.nursery import Exit, Nursery
from tests.fakes.station import wait_for


def next_exit(nursery: Nursery) -> Exit:
    found: list[Exit] = []

    def look() -> bool:
        assert nursery.channel is not None
        select.select([nursery.channel], [], [], 1)
        found.extend(nursery.exits())
        return bool(found)

    wait_for(look, "a worker's end")
    return found[0]


def spawn(nursery: Nursery, target: str, *arguments: object) -> tuple[int, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        pid, _ = nursery.spawn(target, arguments, theirs)
    return pid, ours


@pytest.fixture
def nursery() -> Nursery:
    return Nursery(["tests.fakes.station"])


def test_a_worker_has_its_arguments_and_its_end_of_the_channel(nursery: Nursery) -> None:
    pid, channel = spawn(nursery, "tests.test_nursery:echo", b"hello")
    with channel:
        channel.settimeout(10)
        assert channel.recv(100) == b"hello"
    assert next_exit(nursery) == Exit(pid, 0)
    nursery.close()


def test_a_signal_and_an_unknown_target_are_told_apart(nursery: Nursery) -> None:
    pid, channel = spawn(nursery, "tests.test_nursery:wait")
    with channel:
        os.kill(pid, signal.SIGKILL)
        assert next_exit(nursery) == Exit(pid, -signal.SIGKILL)
    pid, channel = spawn(nursery, "tests.test_nursery:nothing")
    with channel:
        assert next_exit(nursery) == Exit(pid, 1)
    nursery.close()


def test_the_end_of_the_nursery_is_seen_and_it_can_be_started_again(nursery: Nursery) -> None:
    nursery.start()
    os.kill(nursery.pid, signal.SIGKILL)
    assert nursery.channel is not None
    select.select([nursery.channel], [], [], 10)
    with pytest.raises(EOFError):
        nursery.exits()
    pid, channel = spawn(nursery, "tests.test_nursery:echo", b"again")
    with channel:
        channel.settimeout(10)
        assert channel.recv(100) == b"again"
    assert next_exit(nursery) == Exit(pid, 0)
    nursery.close()
    nursery.close()


def echo(text: bytes, channel: socket.socket) -> None:
    channel.send(text)


def wait(channel: socket.socket) -> None:
    channel.settimeout(30)
    channel.recv(1)


def test_a_worker_that_is_stuck_does_not_outlive_the_supervisor(
    nursery: Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nvr.nursery.ORPHANS_S", 0.3)
    pid, channel = spawn(nursery, "tests.fakes.workers:stay", tmp_path / "a.pulse", 0)
    with channel:
        channel.settimeout(10)
        assert channel.recv(100) == str(pid).encode()
        os.kill(pid, signal.SIGSTOP)
        assert nursery.channel is not None
        nursery.channel.close()  # as the kernel does for a supervisor that was killed
        nursery.channel = None
        os.waitpid(nursery.pid, 0)
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), "its end")

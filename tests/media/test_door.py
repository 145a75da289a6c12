"""Logins at one device: one at a time over all processes, and none after a refusal."""

from __future__ import annotations

import multiprocessing
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from nvr.clock import Clock, SystemClock
from nvr.errors import LoginError, SourceError
from nvr.media.door import REFUSED_US, TOGETHER_US, Door
from nvr.model import Address
from nvr.reason import Reason
from tests.fakes.clock import FakeClock

Start = Callable[..., BaseProcess]
SPAWN = multiprocessing.get_context("spawn")


def address(channel: int = 1, password: str = "hunter2", username: str | None = "viewer", port: int = 554) -> Address:
    return Address(f"rtsp://127.0.0.1:{port}/Streaming/Channels/{channel}01", username, password)


def refused(folder: Path, clock: Clock, where: Address) -> None:
    """One try that the camera refuses."""
    with pytest.raises(LoginError, match="by the camera"), Door(folder, where, clock).try_login():
        raise LoginError("refused by the camera")


def may_try(folder: Path, clock: Clock, where: Address) -> bool:
    """Whether a try's body runs; it ends with something that says nothing of the login."""
    ran = []
    with suppress(LoginError, ConnectionError), Door(folder, where, clock).try_login():
        ran.append(True)
        raise ConnectionError
    return bool(ran)


def test_after_a_refusal_no_channel_tries_for_half_an_hour(tmp_path: Path) -> None:
    clock = FakeClock()
    refused(tmp_path, clock, address())
    with pytest.raises(LoginError, match=r"/Channels/201: not tried: .* viewer") as raised:  # noqa: SIM117  # the body
        with Door(tmp_path, address(channel=2), clock).try_login():
            pytest.fail("a login was tried")
    assert "hunter2" not in str(raised.value)
    assert raised.value.reason is Reason.REFUSED
    clock.advance(REFUSED_US / 1e6 - 1)
    assert not may_try(tmp_path, clock, address())
    clock.advance(1)
    assert may_try(tmp_path, clock, address())


def test_a_refusal_says_when_the_next_try_is_and_says_the_same_until_then(tmp_path: Path) -> None:
    clock = FakeClock()
    refused(tmp_path, clock, address())
    texts = set()
    for _ in range(3):
        with pytest.raises(LoginError) as raised, Door(tmp_path, address(), clock).try_login():
            pass
        texts.add(str(raised.value))
        clock.advance(30)
    (text,) = texts
    assert "the next try is at 2026-11-2" in text


def test_a_wall_clock_that_is_set_changes_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    refused(tmp_path, clock, address())
    clock.step(86_400)
    assert not may_try(tmp_path, clock, address())


@pytest.mark.parametrize(
    "other",
    [address(username="admin"), address(port=10554), Address("rtsp://127.0.0.2/x", "viewer", "hunter2")],
    ids=["user", "port", "host"],
)
def test_another_device_or_user_has_its_own_door(tmp_path: Path, other: Address) -> None:
    clock = FakeClock()
    refused(tmp_path, clock, address())
    assert may_try(tmp_path, clock, other)


def test_the_same_device_spelt_differently_has_the_same_door(tmp_path: Path) -> None:
    clock = FakeClock()
    refused(tmp_path, clock, Address("rtsp://Camera.lan/x", "viewer", "hunter2"))
    assert not may_try(tmp_path, clock, Address("rtsp://camera.lan:554/y", "viewer", "hunter2"))


def test_a_corrected_password_may_be_tried_at_once_and_the_wrong_one_stays_refused(tmp_path: Path) -> None:
    clock = FakeClock()
    refused(tmp_path, clock, address(password="wrong"))
    with Door(tmp_path, address(password="right"), clock).try_login():
        pass
    assert may_try(tmp_path, clock, address(password="right"))
    assert not may_try(tmp_path, clock, address(password="wrong"))


def test_another_error_leaves_what_was_known(tmp_path: Path) -> None:
    clock = FakeClock()
    assert may_try(tmp_path, clock, address())
    assert may_try(tmp_path, clock, address())
    refused(tmp_path, clock, address())
    clock.advance(REFUSED_US / 1e6)
    assert may_try(tmp_path, clock, address())


def test_neither_password_nor_user_is_readable_and_nobody_else_may_look(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    refused(folder, FakeClock(), address())
    (file,) = folder.iterdir()
    assert b"hunter2" not in file.read_bytes()
    assert b"viewer" not in file.read_bytes() + file.name.encode()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]\n", b'{"salt": 1, "outcomes": 2}\n', b"\xff" * 100])
def test_a_file_that_says_nothing_useful_is_one_that_nobody_wrote(tmp_path: Path, content: bytes) -> None:
    clock = FakeClock()
    refused(tmp_path, clock, address())
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    refused(tmp_path, clock, address())
    assert not may_try(tmp_path, clock, address())


def test_the_file_does_not_grow(tmp_path: Path) -> None:
    clock = FakeClock()
    for number in range(12):
        refused(tmp_path, clock, address(password=f"wrong {number}"))
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size < 1024
    assert not may_try(tmp_path, clock, address(password="wrong 11"))


@pytest.mark.parametrize("where", [Address("clip.mp4", "viewer"), address(username=None), address(username="")])
def test_what_needs_no_login_passes_no_door(tmp_path: Path, where: Address) -> None:
    for _ in range(2):
        refused(tmp_path / "run", FakeClock(), where)
    assert not (tmp_path / "run").exists()


def test_without_a_place_to_note_it_no_login_is_tried(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(SourceError, match="no login is tried") as raised:  # noqa: SIM117
        with Door(tmp_path / "run", address(), FakeClock()).try_login():
            pytest.fail("a login was tried")
    assert not isinstance(raised.value, LoginError)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process that runs a function of this file."""
    started: list[BaseProcess] = []

    def begin(target: Callable[..., None], *arguments: object) -> BaseProcess:
        process = SPAWN.Process(target=target, args=arguments)
        process.start()
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.join(10)


def knock_with(wrong: bool, folder: Path, gate: Path, channel: int) -> None:
    """Wait until all are ready, then try to log in for half a second; leave a mark for each body that runs."""
    (folder / f"ready-{channel}").touch()
    while not gate.exists():
        time.sleep(0.005)
    door = Door(folder / "run", address(channel), SystemClock())
    with suppress(LoginError), door.try_login():
        (folder / f"begun-{channel}").touch()
        (folder / f"most-{len(list(folder.glob('begun-*'))) - len(list(folder.glob('done-*')))}").touch()
        time.sleep(0.5)
        (folder / f"done-{channel}").touch()
        if wrong:
            raise LoginError("refused by the camera")


def race(start: Start, folder: Path, *, wrong: bool, count: int = 10) -> int:
    """Let processes race; how many bodies ran."""
    gate = folder / "gate"
    racers = [start(knock_with, wrong, folder, gate, channel) for channel in range(count)]
    wait_for(lambda: len(list(folder.glob("ready-*"))) == count)
    gate.touch()
    for racer in racers:
        racer.join(30)
    assert [racer.exitcode for racer in racers] == [0] * count
    return len(list(folder.glob("begun-*")))


def wait_for(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_ten_processes_with_a_wrong_password_are_one_login(tmp_path: Path, start: Start) -> None:
    assert race(start, tmp_path, wrong=True) == 1


def test_ten_processes_with_a_right_password_open_one_and_then_all_together(tmp_path: Path, start: Start) -> None:
    assert race(start, tmp_path, wrong=False) == 10
    assert max(int(mark.name.removeprefix("most-")) for mark in tmp_path.glob("most-*")) > 1
    assert len(list(tmp_path.glob("begun-*"))) == len(list(tmp_path.glob("done-*")))


def test_together_lasts_ten_seconds(tmp_path: Path) -> None:
    clock = FakeClock()
    with Door(tmp_path, address(), clock).try_login():
        pass
    clock.advance(TOGETHER_US / 1e6 - 1)
    with Door(tmp_path, address(), clock).try_login(), Door(tmp_path, address(2), clock).try_login(lambda: False):
        pass
    clock.advance(1)
    with Door(tmp_path, address(), clock).try_login(), pytest.raises(SourceError, match="given up"):  # noqa: SIM117
        with Door(tmp_path, address(2), clock).try_login(lambda: False):
            pytest.fail("two at a time")


def test_a_refusal_while_together_is_noted(tmp_path: Path) -> None:
    clock = FakeClock()
    with Door(tmp_path, address(), clock).try_login():
        pass
    refused(tmp_path, clock, address(2))
    assert not may_try(tmp_path, clock, address())


def test_who_waits_is_asked_whether_to_go_on(tmp_path: Path) -> None:
    clock = FakeClock()
    asked: list[None] = []

    def idle() -> bool:
        asked.append(None)
        return len(asked) < 3

    with Door(tmp_path, address(), clock).try_login(), pytest.raises(SourceError) as raised:  # noqa: SIM117
        with Door(tmp_path, address(2), clock).try_login(idle):
            pytest.fail("two at a time")
    assert not isinstance(raised.value, LoginError)
    assert len(asked) == 3


def hold(folder: Path, held: Path) -> None:
    """Take the door and keep it."""
    with Door(folder, address(), SystemClock()).try_login():
        held.touch()
        time.sleep(60)


def test_a_killed_process_leaves_the_door_open(tmp_path: Path, start: Start) -> None:
    held = tmp_path / "held"
    holder = start(hold, tmp_path / "run", held)
    wait_for(held.exists)
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(10)
    with Door(tmp_path / "run", address(2), SystemClock()).try_login(lambda: False):
        pass

"""Starts processes, watches them, restarts them, ends them.

Generic: a worker is a name, a function and its arguments. Lives in the process of ``nvr start`` and knows nothing of
cameras or the catalogue; what workers send is handed to ``on_message``.

Processes come from the nursery (``nursery.py``). A worker that dies is started again: at once if it had been healthy,
else with back-off, and once it has used up its budget of such starts, every five minutes. One whose pulse stands still
is killed first. No worker outlives the supervisor: its channel's end tells it, and the nursery sees to it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from nvr import pulse
from nvr.backoff import Backoff
from nvr.clock import Clock
from nvr.nursery import Nursery

log = logging.getLogger(__name__)
HANG_US = 30_000_000
HEALTHY_US = 5_000_000
"""A worker that lived for so long began well."""
BUDGET = 20
"""Starts in a row that did not begin well, before they become rare."""
OVERDRAWN_US = 300_000_000
STOP_US = 8_000_000
"""From the stop to the kill; everything is over within 10 s."""
CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL}
TICK_S = 1.0
MESSAGES_A_TURN = 64


@dataclass(frozen=True, slots=True)
class Worker:
    """What to run: ``target(*arguments(restarts), channel)``; the arguments are asked for anew at each start.

    ``target`` is ``package.module:function``, imported in the child alone: the supervisor needs none of its libraries.
    """

    name: str
    target: str
    arguments: Callable[[int], tuple[Any, ...]]
    pulse: Path


class End(Enum):
    """How a worker ended."""

    LEFT = "left"
    CRASHED = "crashed"
    KILLED = "killed"
    HUNG = "hung"


class _Child:
    """A worker's process, over its restarts."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.pid = 0
        """0 while it does not run."""
        self.orphaned = False
        """Its nursery was killed: nobody reports its end, it is looked for."""
        self.hung = False
        self.renewed = False
        """It was told to end, to be started again."""
        self.channel: socket.socket | None = None
        self.backoff = Backoff(healthy_us=HEALTHY_US)
        self.failures = 0
        self.started_us = 0
        self.due_us = 0
        self.restarts = -1


class Supervisor:
    """``run`` until ``stop`` is called (by a signal handler) and everything has ended."""

    def __init__(
        self,
        workers: Sequence[Worker],
        clock: Clock,
        nursery: Nursery,
        on_message: Callable[[socket.socket], bool],
        on_tick: Callable[[], None],
        on_end: Callable[[str, End, str], None],
    ) -> None:
        """``on_message`` reads one message from a channel, False where there is none, EOFError at its end; ``on_tick``
        is called about once a second; ``on_end`` with a worker's name, how it ended, and that in words. All are the
        supervisor's own thread and must not take long."""
        self._children = [_Child(worker) for worker in workers]
        self._clock = clock
        self._on_message = on_message
        self._on_tick = on_tick
        self._on_end = on_end
        self._nursery = nursery
        self._stopping_us: int | None = None
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)

    def run(self) -> None:
        """Start everything and keep it running; returns when all have ended after a stop."""
        self._catch_signals()
        while self._stopping_us is None or any(child.pid for child in self._children):
            for child in self._children:
                self._look_after(child)
            self._listen()
            self._on_tick()
        self._nursery.close()

    def tell(self, name: str, message: bytes) -> bool:
        """Send a message to a worker; False where it does not run or does not listen. Never waits."""
        for child in self._children:
            if child.worker.name == name and child.channel is not None:
                with contextlib.suppress(OSError):
                    child.channel.send(message)
                    return True
        return False

    def restart(self, name: str) -> None:
        """End a worker in order and start it again at once, with arguments asked for anew."""
        for child in self._children:
            if child.worker.name == name and child.pid:
                child.renewed = True
                _kill(child.pid, signal.SIGTERM)

    @property
    def stopping(self) -> bool:
        """Whether everything is being ended."""
        return self._stopping_us is not None

    def _catch_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP, and means it
                signal.signal(number, self._on_signal)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)

    def _on_signal(self, number: int, _frame: object) -> None:
        if self._stopping_us is None:
            log.info("ending: closing every file (again Ctrl-C ends at once)")
            self._stopping_us = self._clock.monotonic_us()
            self._signal_all(signal.SIGTERM)
        elif number == signal.SIGINT:
            self._signal_all(signal.SIGKILL)
            self._stopping_us -= STOP_US  # what has ended by now and is not reported never will be

    def _signal_all(self, number: int) -> None:
        for child in self._children:
            if child.pid:
                _kill(child.pid, number)

    def _look_after(self, child: _Child) -> None:
        now_us = self._clock.monotonic_us()
        if not child.pid:
            if self._stopping_us is None and now_us >= child.due_us:
                self._start(child)
        elif (child.orphaned or child.hung) and not _lives(child.pid):  # a nursery that is stuck tells of no end
            self._bury(child.pid, -signal.SIGKILL)
        elif self._stopping_us is not None:
            if now_us - self._stopping_us > STOP_US:
                self._end_overdue(child)
        elif not child.hung and now_us - max(child.started_us, self._beat_us(child)) > HANG_US:
            log.error("%s shows no life for %d s: killed", child.worker.name, HANG_US // 1_000_000)
            child.hung = True
            _kill(child.pid, signal.SIGKILL)

    def _end_overdue(self, child: _Child) -> None:
        """Kill what does not end; what has ended without word of it had a nursery that is stuck itself."""
        if _lives(child.pid):
            log.error("%s does not end: killed", child.worker.name)
            _kill(child.pid, signal.SIGKILL)
        else:
            self._bury(child.pid, -signal.SIGKILL)

    def _beat_us(self, child: _Child) -> int:
        beat = pulse.read(child.worker.pulse)
        return beat.beat_monotonic_us if beat is not None and beat.pid == child.pid else 0

    def _start(self, child: _Child) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        child.restarts += 1
        child.started_us = self._clock.monotonic_us()
        worker = child.worker
        try:
            child.pid, exits = self._nursery.spawn(worker.target, worker.arguments(child.restarts), theirs)
        except (OSError, EOFError) as error:
            ours.close()
            self._lose_nursery(error)
            return
        finally:
            theirs.close()
        child.channel = ours
        for exit in exits:
            self._bury(exit.pid, exit.code)

    def _listen(self) -> None:
        """Wait for messages, exits and signals, at most a tick."""
        channels = {child.channel: child for child in self._children if child.channel is not None}
        nursery = [self._nursery.channel] if self._nursery.channel is not None else []
        ready, _, _ = select.select([*channels, *nursery, self._wake_read], [], [], TICK_S)
        if self._wake_read in ready:
            self._wake_read.recv(4096)
        for channel in ready:
            if channel in channels:
                self._drain(channels[channel])
        try:
            for exit in self._nursery.exits():
                self._bury(exit.pid, exit.code)
        except EOFError as error:
            self._lose_nursery(error)

    def _drain(self, child: _Child) -> None:
        channel = child.channel
        if channel is None:
            return
        try:
            for _ in range(MESSAGES_A_TURN):
                if not self._on_message(channel):
                    return
        except EOFError:
            channel.close()
            child.channel = None

    def _bury(self, pid: int, code: int) -> None:
        """A worker has ended: take its last messages, say so, and put its restart off."""
        child = next((child for child in self._children if child.pid == pid), None)
        if child is None:
            return
        while child.channel is not None and select.select([child.channel], [], [], 0)[0]:
            self._drain(child)
        if child.channel is not None:
            child.channel.close()
            child.channel = None
        how, end = _how(child, code)
        child.pid, child.orphaned, child.hung = 0, False, False
        if self._stopping_us is not None:
            if end is not End.LEFT:
                self._on_end(child.worker.name, end, how)
            return
        now_us = self._clock.monotonic_us()
        if child.renewed:
            child.renewed, child.due_us, child.restarts = False, now_us, child.restarts - 1
            return
        delay_us = self._delay_us(child, now_us - child.started_us)
        child.due_us = now_us + delay_us
        log.error("%s ended (%s); restart in %.1f s", child.worker.name, how, delay_us / 1e6)
        self._on_end(child.worker.name, end, how)

    def _delay_us(self, child: _Child, lived_us: int) -> int:
        """How long to wait with the next start of a worker that lived for so long."""
        child.failures = 0 if lived_us >= HEALTHY_US else child.failures + 1
        if child.failures == BUDGET:
            log.error("%s does not come up; from now on it is tried every 5 minutes", child.worker.name)
        delay_us = child.backoff.failed(lived_us)
        return delay_us if child.failures < BUDGET else OVERDRAWN_US

    def _lose_nursery(self, error: Exception) -> None:
        """The nursery is gone, and with it all word of its workers: end them, start them anew from a new one."""
        log.error("the nursery ended (%s); every worker is started again", type(error).__name__)
        self._nursery.close()
        for child in self._children:
            if child.pid:
                child.orphaned = True
                _kill(child.pid, signal.SIGTERM)


def _lives(pid: int) -> bool:
    """Whether a process that is not our child still runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended, and word of it is on its way
        os.kill(pid, number)


def _how(child: _Child, code: int) -> tuple[str, End]:
    if child.hung:
        return "it hung", End.HUNG
    if child.orphaned:
        return "its nursery ended", End.KILLED
    if code < 0:
        return f"signal {signal.Signals(-code).name}", End.CRASHED if -code in CRASHES else End.KILLED
    return f"exit code {code}", End.CRASHED if code else End.LEFT

"""Starts processes, watches them, restarts them, ends them.

Generic: a worker is a name, a function and its arguments. Lives in the process of ``nvr start`` and knows nothing of
cameras or the catalogue; what workers send is handed to ``on_message``.

Processes come from a forkserver that has imported what they need and opened nothing: quicker than a fresh interpreter,
its pages are shared by all, and no process with threads is ever forked. A worker that dies is started again with
back-off; one whose pulse stands still is killed first. No worker outlives the supervisor: its channel's end tells it.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import multiprocessing
import multiprocessing.connection
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from nvr import pulse
from nvr.backoff import Backoff
from nvr.clock import Clock
from nvr.errors import NvrError

log = logging.getLogger(__name__)
HANG_US = 30_000_000
STOP_US = 8_000_000
"""From the stop to the kill; everything is over within 10 s."""
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
    ready: Callable[[], bool] = field(default=lambda: True)
    """Asked before the first start: False puts it off to the next tick."""


class _Child:
    """A worker's process, over its restarts."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.process: ForkServerProcess | None = None
        self.channel: socket.socket | None = None
        self.backoff = Backoff()
        self.started_us = 0
        self.due_us = 0
        self.restarts = -1


class Supervisor:
    """``run`` until ``stop`` is called (by a signal handler) and everything has ended."""

    def __init__(
        self,
        workers: Sequence[Worker],
        clock: Clock,
        preload: Sequence[str],
        on_message: Callable[[socket.socket], bool],
        on_tick: Callable[[], None],
    ) -> None:
        """``on_message`` reads one message from a channel, False where there is none, EOFError at its end; ``on_tick``
        is called about once a second. Both are the supervisor's own thread and must not take long."""
        self._children = [_Child(worker) for worker in workers]
        self._clock = clock
        self._on_message = on_message
        self._on_tick = on_tick
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        self._stopping_us: int | None = None
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)

    def run(self) -> None:
        """Start everything and keep it running; returns when all have ended after a stop."""
        self._catch_signals()
        while self._stopping_us is None or any(child.process for child in self._children):
            for child in self._children:
                self._look_after(child)
            self._listen()
            self._on_tick()

    def _catch_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)

    def _on_signal(self, number: int, _frame: object) -> None:
        if self._stopping_us is None:
            log.info("ending: closing every file (again Ctrl-C ends at once)")
            self._stopping_us = self._clock.monotonic_us()
            for child in self._children:
                if child.process is not None:
                    child.process.terminate()
        elif number == signal.SIGINT:
            for child in self._children:
                if child.process is not None:
                    child.process.kill()

    def _look_after(self, child: _Child) -> None:
        now_us = self._clock.monotonic_us()
        if child.process is None:
            if self._stopping_us is None and now_us >= child.due_us and child.worker.ready():
                self._start(child)
        elif not child.process.is_alive():
            self._bury(child)
        elif self._stopping_us is not None:
            if now_us - self._stopping_us > STOP_US:
                log.error("%s does not end: killed", child.worker.name)
                child.process.kill()
        elif now_us - max(child.started_us, self._beat_us(child)) > HANG_US:
            log.error("%s shows no life for %d s: killed", child.worker.name, HANG_US // 1_000_000)
            child.process.kill()

    def _beat_us(self, child: _Child) -> int:
        beat = pulse.read(child.worker.pulse)
        return beat.beat_monotonic_us if beat is not None else 0

    def _start(self, child: _Child) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        child.channel = ours
        child.restarts += 1
        worker = child.worker
        child.process = self._context.Process(
            target=_enter,
            args=(worker.target, *worker.arguments(child.restarts), theirs),
            name=worker.name,
            daemon=True,
        )
        with _no_main_module():
            child.process.start()
        theirs.close()
        child.started_us = self._clock.monotonic_us()

    def _bury(self, child: _Child) -> None:
        process, now_us = child.process, self._clock.monotonic_us()
        assert process is not None
        self._drain(child)
        process.join(timeout=1)
        code = process.exitcode
        process.close()
        child.process = None
        if child.channel is not None:
            child.channel.close()
            child.channel = None
        if self._stopping_us is None:
            delay_us = child.backoff.failed(now_us - child.started_us)
            child.due_us = now_us + delay_us
            log.error("%s ended (%s); restart in %.0f s", child.worker.name, _how(code), delay_us / 1e6)

    def _listen(self) -> None:
        """Wait for messages, deaths and signals, at most a tick."""
        channels = {child.channel: child for child in self._children if child.channel is not None}
        sentinels = [child.process.sentinel for child in self._children if child.process is not None]
        ready = multiprocessing.connection.wait([*channels, *sentinels, self._wake_read], timeout=TICK_S)
        if self._wake_read in ready:
            self._wake_read.recv(4096)
        for channel in ready:
            if channel in channels:
                self._drain(channels[channel])

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


def _enter(target: str, *arguments: object) -> None:
    """A child's first function. What goes wrong is said in one line; a bug's traceback is for ``--log-level debug``."""
    module, _, function = target.partition(":")
    try:
        getattr(importlib.import_module(module), function)(*arguments)
    except NvrError as error:
        log.error("%s", error)
        sys.exit(1)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.critical("bug in %s: %s: %s (%s:%s)", target, type(error).__name__, error, place.filename, place.lineno)
        log.debug("traceback", exc_info=True)
        sys.exit(1)


@contextlib.contextmanager
def _no_main_module():  # type: ignore[no-untyped-def]
    """Keep a child from importing this process's main script: a recorder has no use for the command line's imports."""
    main = sys.modules["__main__"]
    kept = {name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)}
    main.__spec__ = None
    with contextlib.suppress(AttributeError):
        del main.__file__
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(main, name, value)


def _how(code: int | None) -> str:
    if code is None:
        return "no exit code"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

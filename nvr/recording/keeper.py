"""The recorder's ears: hears SIGTERM and the supervisor's end, even while the first thread is inside FFmpeg.

A thread of its own. When the first one does not come back in time after a stop, the keeper closes the open segment in
its place and ends the process. It also sends on what the supervisor had no room for.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import threading
from collections.abc import Callable

from nvr.clock import Clock
from nvr.recording.outbox import Outbox

log = logging.getLogger(__name__)
TICK_S = 1.0
GRACE_US = 2_500_000
"""How long after a stop the first thread may take to come back from FFmpeg before its file is closed for it."""


class Keeper:
    """Start it once. ``stop`` is set when the process is to end."""

    def __init__(self, outbox: Outbox, clock: Clock, abandon: Callable[[], None]) -> None:
        """``abandon`` closes the open segment in the recording thread's place, and waits for the disk a while."""
        self.stop = threading.Event()
        self._outbox = outbox
        self._clock = clock
        self._abandon = abandon
        self._stopped_us: int | None = None
        self._done = threading.Event()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_write.setblocking(False)
        self._wake_read.setblocking(False)
        self._sources = [self._wake_read, outbox.channel]
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin, and let signals wake this thread while the first one is inside FFmpeg. From the main thread."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches us, too; the supervisor decides
        signal.signal(signal.SIGTERM, lambda *_: self.stop.set())
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        self._thread.start()

    def finish(self) -> None:
        """End the thread; for the recorder's orderly end."""
        self._done.set()
        with contextlib.suppress(BlockingIOError):
            self._wake_write.send(b"\0")
        self._thread.join(timeout=2 * TICK_S)

    def _run(self) -> None:
        while not self._done.is_set():
            readable, _, _ = select.select(self._sources, [], [], TICK_S)
            if self._wake_read in readable and any(self._wake_read.recv(4096)):
                self.stop.set()  # a signal's number; our own wake-up is a zero
            if self._outbox.channel in readable and not self._supervisor_lives():
                log.warning("the supervisor is gone: ending")
                self._sources.remove(self._outbox.channel)
                self.stop.set()
            self._outbox.flush()
            if self.stop.is_set() and not self._done.is_set():
                self._end_if_overdue()

    def _end_if_overdue(self) -> None:
        now_us = self._clock.monotonic_us()
        self._stopped_us = self._stopped_us or now_us
        if now_us - self._stopped_us > GRACE_US:
            self._abandon()
            self._outbox.flush()
            os._exit(0)

    def _supervisor_lives(self) -> bool:
        try:
            return bool(self._outbox.channel.recv(1))
        except BlockingIOError:
            return True
        except OSError:
            return False

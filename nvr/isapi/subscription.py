"""Listening to one device: a thread that subscribes to its alerts, reads them, and subscribes again, for ever.

One connection serves all channels of a device. Whatever the device does ends a connection, never the thread. Any byte
is a sign of life; a stream of bytes without an alert is none.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import datetime

from nvr.backoff import Backoff
from nvr.clock import Clock, from_us
from nvr.errors import LoginError, SourceError
from nvr.isapi.alert import Alert, read
from nvr.isapi.device import Device
from nvr.isapi.multipart import Splitter
from nvr.reason import Reason

log = logging.getLogger(__name__)
HEALTHY_US = 5_000_000
"""A connection that lasted so long is followed by the next one at once: some cameras close theirs every 40 s."""
WATCHDOG_US = 300_000_000
"""Bytes that are no alert for so long: subscribe anew."""
REFUSED_S = 60.0
"""How often the door is asked after a refusal; nothing is sent while it says no."""
BUSY_FACTOR = 2
"""A device that has too many listeners is asked up to every 60 s, not every 30."""


@dataclass(frozen=True, slots=True)
class Up:
    """The device lets us hear its alerts."""


@dataclass(frozen=True, slots=True)
class Down:
    """It does not, or not any more, since then: wall clock (UTC) and monotonic. ``why`` is for people."""

    why: str
    since: datetime
    since_us: int


@dataclass(frozen=True, slots=True)
class Heard:
    """An alert, and when it came: wall clock (UTC) and monotonic."""

    alert: Alert
    received: datetime
    now_us: int


Message = Up | Down | Heard
EnterDoor = Callable[[Callable[[], bool]], AbstractContextManager[None]]


class Subscription:
    """``start`` it once; ``stop`` from any thread. The counters may be read from any."""

    def __init__(
        self,
        device: Device,
        enter: EnterDoor,
        clock: Clock,
        tell: Callable[[Message], None],
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """``enter`` holds the device's door while the body logs in, and raises LoginError where none may: see
        ``nvr.media.door``. ``tell`` is called in the thread and may wait. ``pause`` waits for seconds between two
        connections, at most until ``stop``."""
        self.device = device
        self.parts = 0
        """Alerts that were read, heartbeats included."""
        self.bad = 0
        """Parts that could not be read."""
        self.heard_us = 0
        """Wall clock of the last byte, microseconds since 1970 UTC; 0 before the first."""
        self._enter = enter
        self._clock = clock
        self._tell = tell
        self._heard_monotonic_us = 0
        self._up_us: int | None = None
        """Monotonic: since when this connection is let in; None before that."""
        self._part_us = 0
        self._heartbeats = 0
        """Of this connection."""
        self._stopped = threading.Event()
        self._pause = pause or self._stopped.wait
        self._thread = threading.Thread(target=self._run, name=f"alerts {device.place.host}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Have the thread end, also in the middle of a read; does not wait."""
        self._stopped.set()
        self.device.interrupt()

    def join(self, seconds: float) -> None:
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        backoff = Backoff(healthy_us=HEALTHY_US)
        while not self._stopped.is_set():
            self._up_us = None
            error = self._listen()
            if self._stopped.is_set():
                break
            self._tell(self._down(error))
            lasted_us = 0 if self._up_us is None else self._clock.monotonic_us() - self._up_us
            delay_us = backoff.failed(lasted_us)
            factor = BUSY_FACTOR if error.reason in (Reason.BUSY, Reason.FORBIDDEN) else 1
            self._pause(REFUSED_S if isinstance(error, LoginError) else factor * delay_us / 1e6)
        self.device.close()

    def _listen(self) -> SourceError:
        """One connection, from the door to its end; why it ended."""
        try:
            with ExitStack() as connection:
                with self._enter(lambda: not self._stopped.is_set()):
                    chunks = connection.enter_context(self.device.alerts())
                self._tell(Up())
                self._up_us = self._part_us = self._clock.monotonic_us()
                self._heartbeats = 0
                splitter = Splitter()
                while not self._stopped.is_set() and (chunk := next(chunks, None)) is not None:
                    self._take(splitter, chunk)
        except SourceError as error:
            return error
        return SourceError(f"{self.device.place.url}: the device closed the stream", Reason.CLOSED)

    def _take(self, splitter: Splitter, chunk: bytes) -> None:
        """Read what a chunk completes. Raises SourceError where bytes come, but no alerts."""
        now_us = self._heard_monotonic_us = self._clock.monotonic_us()
        self.heard_us = self._clock.now_us()
        bad = splitter.bad
        for part in splitter.feed(chunk):
            self._part_us = now_us
            try:
                alert = read(part)
            except ValueError as error:
                self._count_bad(str(error))
                continue
            if alert is not None:
                self.parts += 1
                self._heartbeats += alert.heartbeat
                self._tell(Heard(alert, from_us(self.heard_us), now_us))
        for _ in range(splitter.bad - bad):
            self._count_bad("it has no end, or is too large")
        if now_us - self._part_us > WATCHDOG_US:
            raise SourceError(f"{self.device.place.url}: sends, but no alerts", Reason.STALLED)

    def _count_bad(self, why: str) -> None:
        """One bad part costs one part; only the first is worth a line."""
        self.bad += 1
        level = logging.WARNING if self.bad == 1 else logging.DEBUG
        log.log(level, "%s: an alert could not be read: %s; others are counted", self.device.place.url, why)

    def _down(self, error: SourceError) -> Down:
        """Where heartbeats came and then nothing, that was so from the last byte on. Some devices send but one."""
        if error.reason is Reason.STALLED and self._heartbeats > 1:
            return Down(str(error), from_us(self.heard_us), self._heard_monotonic_us)
        return Down(str(error), from_us(self._clock.now_us()), self._clock.monotonic_us())

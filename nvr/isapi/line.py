"""The line to one device: who listens to it, and what its cameras' events are by that.

``take``, ``look`` and ``close`` belong to the listener's first thread; the device is read in the subscription's own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Literal

from nvr.clock import Clock, duration_us, from_us
from nvr.isapi.desk import Desk
from nvr.isapi.device import Device, Patience
from nvr.isapi.outage import LABEL, Outage
from nvr.isapi.report import Report, Reporter
from nvr.isapi.subscription import Down, EnterDoor, Heard, Message, Subscription
from nvr.isapi.task import Ear
from nvr.model import Event

log = logging.getLogger(__name__)


class Line:
    """One connection, shared by all cameras of a device."""

    def __init__(
        self,
        ears: Sequence[Ear],
        enter: EnterDoor,
        numbers: Iterator[int],
        clock: Clock,
        tell: Callable[[Line, Message], None],
        patience: Patience,
    ) -> None:
        """``ears`` are the cameras of one device; ``tell`` is called in the thread that reads it."""
        self.ears = ears
        self.state: Literal["connecting", "listening", "waiting"] = "connecting"
        self.error = ""
        """Why it waits."""
        self.deaf_since: datetime | None = from_us(clock.now_us())
        """Since when nothing is heard; None while it is."""
        now_us = clock.monotonic_us()
        now = from_us(clock.now_us())
        self._clock = clock
        self._reporters = {ear.camera: Reporter(ear.camera, ear.hold, ear.types, numbers) for ear in ears}
        self._outages = {ear.camera: Outage(ear.camera, numbers, now, now_us) for ear in ears}
        self._url = ears[0].place.url
        self._desk = Desk(self._url, {ear.channel: self._reporters[ear.camera] for ear in ears})
        device = Device(ears[0].place, patience)
        self.subscription = Subscription(device, enter, clock, lambda message: tell(self, message))

    def resume(self, events: Mapping[str, Sequence[Event]]) -> Iterator[Report]:
        """Take on what a killed process left open, by camera."""
        now, now_us = from_us(self._clock.now_us()), self._clock.monotonic_us()
        for camera, left in events.items():
            yield from self._reporters[camera].resume([e for e in left if e.kind == "camera"], now, now_us)
            outages = [e for e in left if e.kind == "health" and e.label == LABEL]
            yield from self._outages[camera].resume(outages)

    def take(self, message: Message) -> Iterator[Report]:
        """What a message of the device changes."""
        if isinstance(message, Heard):
            yield from self._desk.hear(message.alert, message.received, message.now_us)
        elif isinstance(message, Down):
            if message.why != self.error:
                log.warning("%s; it is tried again", message.why)
            self.state, self.error = "waiting", message.why
            self.deaf_since = self.deaf_since or message.since
            for outage in self._outages.values():
                outage.down(message.why, message.since, message.since_us)
        else:
            log.info("%s: alerts are heard", self._url)
            self.state, self.error, self.deaf_since = "listening", "", None
            now, now_us = from_us(self._clock.now_us()), self._clock.monotonic_us()
            for outage in self._outages.values():
                yield from outage.look(now, now_us)  # it may have been down for long without anybody looking
                yield from outage.up(now)

    def look(self) -> Iterator[Report]:
        """What time changes: events that were not repeated, outages that last."""
        now, now_us = from_us(self._clock.now_us()), self._clock.monotonic_us()
        for reporter in self._reporters.values():
            yield from reporter.expire(now_us)
        for outage in self._outages.values():
            yield from outage.look(now, now_us)

    def close(self) -> Iterator[Report]:
        """Hang up, and end what is open."""
        self.subscription.stop()
        for reporter in self._reporters.values():
            yield from reporter.close()
        for outage in self._outages.values():
            yield from outage.close(from_us(self._clock.now_us()))

    @property
    def offset_us(self) -> int | None:
        """How far the device's clock is ahead of ours, microseconds; None before it told a time."""
        offset = self._desk.placement.offset
        return None if offset is None else duration_us(offset)


def by_device(ears: Iterable[Ear]) -> list[list[Ear]]:
    """The cameras that share a connection: those with one address and one user."""

    def device(ear: Ear) -> tuple[str, int, str]:
        return ear.place.host.lower(), ear.place.port, ear.place.username or ""

    return [list(group) for _, group in groupby(sorted(ears, key=device), key=device)]

"""The time in which a camera's alerts could not be heard, as an event of kind ``health``. Pure; one per camera."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from nvr.clock import duration_us
from nvr.isapi.report import Report
from nvr.model import Event

LABEL = "alerts down"
NOTE = timedelta(seconds=10)
"""A shorter outage is no event: some cameras close their stream every 40 s."""
AGAIN = timedelta(minutes=5)
"""One that begins so soon after the last one ended is the same: a device that comes and goes is one event."""


class Outage:
    """Down from the start on, until ``up``. Instants are UTC by nvr's clock, ``*_us`` monotonic."""

    def __init__(self, camera: str, numbers: Iterator[int], now: datetime, now_us: int) -> None:
        self._camera = camera
        self._numbers = numbers
        self._since: datetime | None = now
        self._since_us = now_us
        self._why = "nvr starts to listen"
        self._report: Report | None = None
        """The event of this outage, from ``NOTE`` on, or of the last one."""

    def resume(self, events: Iterable[Event]) -> Iterator[Report]:
        """Take on the newest of those that a killed process left open; the others end where they were last seen."""
        for event in events:
            report = Report(next(self._numbers), event)
            if self._report is None:
                self._report = report
            else:
                yield replace(report, event=replace(event, end=event.seen))

    def down(self, why: str, since: datetime, since_us: int) -> None:
        """It cannot be heard since then, or still not: ``why`` is for people."""
        if self._since is None:
            self._since, self._since_us = since, since_us
        self._why = why

    def up(self, now: datetime) -> Iterator[Report]:
        """It is heard."""
        self._since = None
        if self._report is not None and self._report.event.end is None:
            yield self._changed(end=now, ended="heard again")

    def look(self, now: datetime, now_us: int) -> Iterator[Report]:
        """What there is to note at this moment; to be called about once a second."""
        if self._since is None:
            return
        event = None if self._report is None else self._report.event
        if event is None or event.end is not None:
            if now_us - self._since_us <= duration_us(NOTE):
                return
            if event is None or event.end is None or self._since - event.end > AGAIN:
                event = Event(self._camera, "health", LABEL, self._since, max(now, self._since), detail=self._why)
                self._report = Report(next(self._numbers), event)
                yield self._report
                return
        elif now - event.seen < NOTE and event.detail == self._why:
            return
        yield self._changed(seen=now)

    def close(self, now: datetime) -> Iterator[Report]:
        """Nobody listens any more, and nobody wants to."""
        if self._report is not None and self._report.event.end is None:
            yield self._changed(end=now, ended="nvr ended")

    def _changed(self, *, seen: datetime | None = None, end: datetime | None = None, ended: str = "") -> Report:
        assert self._report is not None
        event = self._report.event
        at = max(event.start, end or seen or event.seen)
        event = replace(event, seen=at, end=None if end is None else at, ended=ended, detail=self._why)
        self._report = replace(self._report, event=event)
        return self._report

"""The camera's current gap: why nothing is being recorded, told to the supervisor when it begins, changes and ends.

Lives in the recorder process, used by its first thread, and by the keeper when that one is stuck. A cause that follows
another within seconds replaces it: the connection closed, then the camera could not be reached, is one gap.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from nvr.clock import from_us, to_us
from nvr.model import Gap
from nvr.reason import Reason
from nvr.recording.outbox import Outbox
from nvr.schedule import Schedule

PROVISIONAL_US = 5_000_000
"""A cause younger than this gives way to the next one, but for what somebody wanted."""
MOST_SPANS = 500
"""Of a schedule that are told of one gap: half a year of working days."""
_WANTED = {Reason.STOPPED, Reason.SCHEDULE, Reason.OFF}


class Gaps:
    """At most one open gap. Instants are microseconds since 1970 UTC."""

    def __init__(self, camera: str, outbox: Outbox, schedule: Schedule | None, current: Gap | None) -> None:
        """``current`` is the gap that was open before this process, to be ended by its first picture."""
        self._camera = camera
        self._outbox = outbox
        self._schedule = schedule
        self._current = current
        self._cause = (current.reason, current.detail) if current is not None else (Reason.STARTING, "")

    def resume(self, now_us: int) -> None:
        """Of the gap that was open before this process, what lies outside of the schedule was not missing."""
        if self._current is None or self._schedule is None:
            return
        at_us = to_us(self._current.start)
        for _ in range(MOST_SPANS):
            if at_us >= now_us:
                return
            until_us = min(self._schedule.change_us(at_us), now_us)
            if not self._schedule.covers(at_us):
                self.closed(at_us + 1, until_us, Reason.SCHEDULE)  # of two rows the one that begins later counts
            at_us = until_us

    @property
    def open(self) -> bool:
        return self._current is not None

    def begin(self, at_us: int, reason: Reason, detail: str = "") -> None:
        """From ``at_us`` on there is no video, or there still is none, because of ``reason``."""
        self._cause = (reason, detail)
        self._note(at_us, *self._effective(at_us))

    def tick(self, at_us: int) -> None:
        """While a gap lasts: the schedule may begin or end within it."""
        if self._current is not None:
            self._note(at_us, *self._effective(at_us))

    def end(self, at_us: int) -> None:
        """Video again from ``at_us`` on."""
        current, self._current = self._current, None
        if current is not None:
            self._post(replace(current, end=max(from_us(at_us), current.start)))

    def closed(self, begin_us: int, end_us: int, reason: Reason, detail: str = "") -> None:
        """A gap that is over when it is noticed."""
        self._post(Gap(uuid.uuid4().hex, self._camera, from_us(begin_us), reason, detail, from_us(end_us)))

    def _effective(self, at_us: int) -> tuple[Reason, str]:
        on_duty = self._schedule is None or self._schedule.covers(at_us)
        return self._cause if on_duty else (Reason.SCHEDULE, "")

    def _note(self, at_us: int, reason: Reason, detail: str) -> None:
        current = self._current
        if current is not None and current.reason is reason:
            return
        young = current is not None and 0 <= at_us - to_us(current.start) < PROVISIONAL_US
        if current is not None and young and reason not in _WANTED and current.reason not in _WANTED:
            self._current = replace(current, reason=reason, detail=detail)
        else:
            self.end(at_us)
            self._current = Gap(uuid.uuid4().hex, self._camera, from_us(at_us), reason, detail)
        self._post(self._current)

    def _post(self, gap: Gap) -> None:
        self._outbox.post(gap)

"""Who looked at which footage: noted at once in memory, stored soon after, and never waited for.

A player asks for a few seconds of video at a time. What goes on from what the same person just looked at, within
``JOINED``, is one entry, which is stored once nothing has been added to it for ``JOINED``, or after ``LONGEST``.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import datetime, timedelta

from nvr.clock import Clock, from_us
from nvr.errors import CatalogueError
from nvr.model import Access
from nvr.web.state import State

log = logging.getLogger(__name__)
JOINED = timedelta(seconds=30)
LONGEST = timedelta(minutes=10)
MOST = 10_000
"""Entries that wait for a database that cannot be written; the oldest go."""


class Audit:
    """``note`` from any thread; ``store`` from one."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._clock: Clock = state.clock
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str, str, str | None], tuple[Access, datetime]] = {}
        self._done: list[Access] = []
        self.lost = 0

    def note(
        self,
        user: str,
        address: str,
        action: str,
        camera: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> None:
        """Somebody does or looks at something now."""
        now = from_us(self._clock.now_us())
        key = user, address, action, camera
        with self._lock:
            before = self._open.pop(key, None)
            access = Access(now, user, address, action, camera, start, end)
            if before is not None:
                if _goes_on(before[0], before[1], access):
                    access = replace(before[0], start=_least(before[0].start, start), end=_most(before[0].end, end))
                else:
                    self._done.append(before[0])
            self._open[key] = access, now
            if len(self._open) > MOST:
                self._done.append(self._open.pop(next(iter(self._open)))[0])

    def store(self, *, everything: bool = False) -> None:
        """Store what is complete; what cannot be stored waits."""
        now = from_us(self._clock.now_us())
        with self._lock:
            for key, (access, last) in list(self._open.items()):
                if everything or now - last > JOINED or now - access.at > LONGEST:
                    self._done.append(self._open.pop(key)[0])
            waiting, self._done = sorted(self._done, key=lambda access: access.at), []
        if not waiting:
            return
        try:
            with self._state.changing() as catalogue:
                catalogue.note_accesses(waiting)
        except CatalogueError as error:
            log.warning("who looked at footage could not be stored yet: %s", error)
            with self._lock:
                self._done = [*waiting, *self._done]
                self.lost += max(0, len(self._done) - MOST)
                del self._done[:-MOST]


def _goes_on(before: Access, last: datetime, access: Access) -> bool:
    if access.at - last > JOINED or access.at - before.at > LONGEST:
        return False
    if before.start is None or before.end is None or access.start is None or access.end is None:
        return (before.start, before.end) == (access.start, access.end)
    return access.start <= before.end + JOINED and before.start <= access.end + JOINED


def _least(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _most(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)

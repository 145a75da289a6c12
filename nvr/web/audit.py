"""Who looked at which footage: noted at once in memory, stored within seconds, and never waited for.

A player asks for a few seconds of video at a time. What goes on from what the same person just looked at, within
``JOINED``, is one entry, whose row is kept up to date while it goes on.
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
MOST = 10_000
"""Entries that wait for a database that cannot be written; the oldest go."""


_Look = tuple[str, str, str, str | None]
"""Who, from where, does what, at which camera."""


class Audit:
    """``note`` from any thread; ``store`` from one."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._clock: Clock = state.clock
        self._lock = threading.Lock()
        self._open: dict[_Look, tuple[Access, datetime, bool]] = {}
        """Going on: the entry, when it was added to last, whether its row is behind."""
        self._done: list[Access] = []
        """Over, with rows that are missing or behind."""
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
        access = Access(now, user, address, action, camera, start, end)
        with self._lock:
            found = self._open.pop(key, None)
            if found is not None:
                before, last, behind = found
                if _goes_on(before, last, access):
                    access = replace(before, start=_least(before.start, start), end=_most(before.end, end))
                    self._open[key] = access, now, behind or access != before
                    return
                if behind:
                    self._done.append(before)
            self._open[key] = access, now, True
            if len(self._open) > MOST:
                self._done.append(self._open.pop(next(iter(self._open)))[0])

    def store(self) -> None:
        """Bring the rows up to date; what cannot be stored waits."""
        now = from_us(self._clock.now_us())
        with self._lock:
            going = {key: access for key, (access, _, behind) in self._open.items() if behind}
            done, self._done = self._done, []
            for key, (_, last, _) in list(self._open.items()):
                if now - last > JOINED:
                    self._open.pop(key)
                    if key in going:
                        done.append(going.pop(key))
        try:
            with self._state.changing() as catalogue:
                stored = catalogue.note_accesses(sorted([*done, *going.values()], key=lambda access: access.at))
        except CatalogueError as error:
            log.warning("who looked at footage could not be stored yet: %s", error)
            with self._lock:
                self._done = [*done, *self._done]
                self.lost += max(0, len(self._done) - MOST)
                del self._done[:-MOST]
            return
        numbers = {(one.at, one.user, one.address, one.action, one.camera): one.number for one in stored}
        with self._lock:
            for key, was in going.items():
                if key in self._open and self._open[key][0].at == was.at:
                    access, last, _ = self._open[key]
                    behind = replace(access, number=None) != replace(was, number=None)
                    self._open[key] = replace(access, number=numbers[was.at, *key]), last, behind


def _goes_on(before: Access, last: datetime, access: Access) -> bool:
    if access.at - last > JOINED:
        return False
    if before.start is None or before.end is None or access.start is None or access.end is None:
        return (before.start, before.end) == (access.start, access.end)
    return access.start <= before.end + JOINED and before.start <= access.end + JOINED


def _least(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _most(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)

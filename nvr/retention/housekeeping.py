"""What the janitor does and when: room every second, sizes every minute, ages every five.

Thin: the plan says what goes, the remover deletes it. Runs in the janitor process.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TypeVar

from nvr.catalogue.custody import CameraUsage
from nvr.catalogue.store import Catalogue
from nvr.clock import Clock, duration_us, from_us
from nvr.errors import StorageError
from nvr.model import Event, Segment
from nvr.retention.plan import Deletion, Disk, Plan
from nvr.retention.policy import spell_size
from nvr.retention.removal import Remover, Reserve, alone
from nvr.retention.task import Task
from nvr.retention.vigil import Vigil

log = logging.getLogger(__name__)
ROOM_US = 1_000_000
SIZES_US = 60_000_000
AGES_US = 300_000_000
ALL_US = 6 * 3_600_000_000
"""How often every row is looked at, and not only those that have become old since the last look."""
SHORT_US = 10_000_000
"""When room is looked for again after there was nothing to delete for it."""
JUMP_US = duration_us(timedelta(days=1))
HOLD_US = 3_600_000_000
"""How long nothing is deleted by age after the clock was set forward by more than a day: it may be wrong."""
ROOM_SEGMENTS = 3
"""How many of its newest segments each camera gets room for when a recorder met a full disk."""
ROWS_A_BREATH = 500
Row = TypeVar("Row")


class Housekeeping:
    """Retention of one storage folder. ``turn`` is to be called about once a second."""

    def __init__(self, task: Task, catalogue: Catalogue, clock: Clock, breathe: Callable[[], bool]) -> None:
        """``breathe`` is called at least every few hundred rows or files. It may raise to end the work there, and says
        whether a recorder has met a full disk meanwhile."""
        self._policy = task.policy
        self._storage = task.storage
        self._catalogue = catalogue
        self._rows = _Rows(catalogue, self._breath)
        self._clock = clock
        self._breathe = breathe
        self._remover = Remover(task.storage, catalogue, clock, Reserve(task.database))
        only_events = [camera for camera, limits in task.policy.cameras.items() if limits.only_events]
        told = {camera for camera, limits in task.policy.cameras.items() if limits.told}
        self._vigil = Vigil(only_events, task.folder, catalogue, clock, told)
        self._short = ""
        self._making_room = False
        self._room_looked_us = 0
        self._due_us = dict.fromkeys(("room", "sizes", "ages", "all"), 0)
        self._looked: datetime | None = None
        self._offset_us = clock.now_us() - clock.monotonic_us()

    @property
    def error(self) -> str:
        """What is wrong, in words; empty where nothing is."""
        return self._short or self._remover.error

    def turn(self, room: bool) -> None:
        """Do what is due; ``room``: a recorder met a full disk, whatever the file system says.

        Raises CatalogueError and StorageError; what was not done is done at a later turn.
        """
        self._vigil.look()
        self._remover.require_volume()
        with alone(self._storage):
            self._remover.finish()
            if self._remover.allowance:
                self._make_room(room)
                self._keep_sizes()
                self._keep_ages()

    def _breath(self) -> None:
        """In the middle of long work: room does not wait for the end of it."""
        asked = self._breathe()
        due = self._clock.monotonic_us() - self._room_looked_us >= ROOM_US
        if (asked or due) and not self._making_room:
            self._make_room(asked)

    def _make_room(self, asked: bool) -> None:
        self._making_room = True
        try:
            self._look_for_room(asked)
        finally:
            self._making_room = False
            self._room_looked_us = self._clock.monotonic_us()

    def _look_for_room(self, asked: bool) -> None:
        disk = look_at_disk(self._storage)
        space, files = disk.shortage(self._policy.min_free)
        if not (asked or space > 0 or files > 0):
            self._short = ""
            return
        if not self._is_due("room"):
            return
        plan = self._plan()
        if asked:
            log.warning("a recorder met a full disk: making room")
            wanted = max(space, ROOM_SEGMENTS * self._newest_bytes())
            self._remove(plan.oldest(wanted, files, "disk full", "a recorder met a full disk"))
        else:
            self._remove(plan.by_disk(disk))
        self._tell_shortage(plan, disk)

    def _tell_shortage(self, plan: Plan, disk: Disk) -> None:
        """Say it, once and loudly, when there is nothing to delete although room is needed."""
        before, self._short = self._short, ""
        if plan.short:
            self._put_off("room", SHORT_US)
            self._short = (
                f"the disk of {self._storage} has {spell_size(disk.free_bytes)} free, and no video may be deleted for "
                "more: it is locked, newest or younger than min_kept; free some space, or recording stops"
            )
            if not before:
                log.critical("%s", self._short)

    def _newest_bytes(self) -> int:
        """Size of the newest segment of each camera, in all."""
        newest = (
            self._catalogue.segment_at(one.camera, one.newest - timedelta(microseconds=1))
            for one in self._catalogue.usage()
        )
        return sum(segment.bytes for segment in newest if segment is not None)

    def _keep_sizes(self) -> None:
        if self._is_due("sizes") and self._remove(self._plan().by_size()):
            self._put_off("sizes", SIZES_US)

    def _keep_ages(self) -> None:
        if not self._is_due("ages") or self._clock_is_doubtful():
            return
        since = None if self._is_due("all") else self._looked
        now, plan = from_us(self._clock.now_us()), self._plan()
        if not self._remove(plan.by_age(since)):
            return
        self._remover.forget(plan.expired(since))
        tidy(self._storage, now)
        self._looked = now
        self._put_off("ages", AGES_US)
        if since is None:
            self._put_off("all", ALL_US)

    def _clock_is_doubtful(self) -> bool:
        """Whether the clock was set far forward: all video would look old, and be gone before somebody sees to it."""
        before_us, self._offset_us = self._offset_us, self._clock.now_us() - self._clock.monotonic_us()
        if self._offset_us - before_us > JUMP_US:
            days = (self._offset_us - before_us) / JUMP_US
            log.error("the clock was set forward by %.1f days: for an hour no video is deleted for its age", days)
            self._put_off("ages", HOLD_US)
            return True
        return False

    def _remove(self, deletions: Iterator[Deletion]) -> bool:
        """Delete as planned, in batches; False where the disk refuses and the rest has to wait."""
        while batch := list(islice(deletions, self._remover.allowance)):
            done = self._remover.remove(batch)
            log.debug("deleted %d files (%s)", done, ", ".join(dict.fromkeys(one.rule for one in batch)))
            self._breath()
        return self._remover.allowance > 0

    def _plan(self) -> Plan:
        return Plan(self._rows, self._policy, from_us(self._clock.now_us()), self._vigil.watched)

    def _is_due(self, job: str) -> bool:
        return self._clock.monotonic_us() >= self._due_us[job]

    def _put_off(self, job: str, by_us: int) -> None:
        self._due_us[job] = self._clock.monotonic_us() + by_us


class _Rows:
    """The catalogue as a plan reads it, with a breath every few hundred rows."""

    def __init__(self, catalogue: Catalogue, breathe: Callable[[], None]) -> None:
        self._catalogue = catalogue
        self._breathe = breathe

    def segments(self, since: datetime, until: datetime | None = None, camera: str | None = None) -> Iterator[Segment]:
        return self._breathing(self._catalogue.segments(since, until, camera))

    def events(self, since: datetime, until: datetime | None = None, camera: str | None = None) -> Iterator[Event]:
        return self._breathing(self._catalogue.events(since, until, camera))

    def usage(self) -> Sequence[CameraUsage]:
        return self._catalogue.usage()

    def _breathing(self, rows: Iterable[Row]) -> Iterator[Row]:
        for number, row in enumerate(rows):
            if number % ROWS_A_BREATH == 0:
                self._breathe()
            yield row


def look_at_disk(storage: Path) -> Disk:
    """What is free where the recordings are. Raises StorageError."""
    try:
        found = os.statvfs(storage)
    except OSError as error:
        raise StorageError(f"cannot look at the disk of {storage}: {error.strerror}") from error
    return Disk(found.f_bavail * found.f_frsize, found.f_favail, found.f_files, found.f_blocks * found.f_frsize)


def tidy(storage: Path, now: datetime) -> None:
    """Remove empty folders of days that are over; those of today and yesterday may be written into any moment."""
    yesterday = (now.astimezone() - timedelta(days=1)).date()
    for day in storage.glob("s*/*/????-??-??"):
        with suppress(ValueError, OSError):
            if date.fromisoformat(day.name) < yesterday:
                day.rmdir()

"""What is exported: spans copied into ordinary MP4 files in the background, one at a time.

By the same function as ``nvr export``, in a thread of the web process. Finished ones are kept in the storage folder for
a day. What a killed process left is removed at the next start.
"""

from __future__ import annotations

import logging
import queue
import secrets
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from nvr import layout
from nvr.errors import CatalogueError, NvrError, StorageError
from nvr.holdings import as_gaps, recorded_of
from nvr.ledger import Entry
from nvr.media.clip import Clip
from nvr.media.export import Order, export, needed_bytes
from nvr.model import Account
from nvr.retention.housekeeping import look_at_disk
from nvr.web.refusal import Refusal
from nvr.web.state import State

log = logging.getLogger(__name__)
KEPT = timedelta(days=1)
TIDY_S = 60.0
MOST_OF_ONE = 10
MOST_WAITING = 20
MARGIN = 50_000_000
"""Bytes beyond ``min_free`` that an export leaves: what is recorded while it is being copied."""
Step = Literal["waiting", "copying", "done", "failed"]
Owner = tuple[str, datetime]
"""An account's name and when it was made: another one of that name is somebody else."""


def owner_of(account: Account) -> Owner:
    return account.name, account.created


@dataclass(slots=True)
class Export:
    """One export, as far as it is."""

    id: str
    owner: Owner
    camera: str
    since: datetime
    until: datetime
    created: datetime
    step: Step = "waiting"
    progress: float = 0.0
    error: str | None = None
    clips: tuple[Clip, ...] = ()
    entries: list[Entry] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    cancelled: bool = False


class _Cancelled(Exception):
    """Raised inside the copying to end it."""


class _NoRoom(Exception):
    """Raised where an export would take the space that retention keeps free: it would delete footage for it."""


class Exporter:
    """Copies one after the other. Its jobs are read and changed under ``lock``."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._folder = state.storage / "exports"
        self._jobs: dict[str, Export] = {}
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="exporter", daemon=True)
        with suppress(StorageError):  # nothing of ours is below the mount point of a disk that is not there
            layout.require_marker(state.storage)
            shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._lock:
            for job in self._jobs.values():
                job.cancelled = True
        self._ending.set()
        self._waiting.put("")  # wakes the thread

    def add(self, owner: Owner, camera: str, since: datetime, until: datetime) -> Export:
        """Raises Refusal where there are too many."""
        job = Export(secrets.token_hex(8), owner, camera, since, until, self._state.now())
        with self._lock:
            self._expire()
            mine = [each for each in self._jobs.values() if each.owner == owner]
            busy = sum(each.step in ("waiting", "copying") for each in mine)
            of_all = sum(each.step in ("waiting", "copying") for each in self._jobs.values())
            if busy >= MOST_OF_ONE or of_all >= MOST_WAITING:
                raise Refusal(429, "too_many_exports", "too many exports wait already", {"Retry-After": "60"})
            over = [each for each in mine if each.step in ("done", "failed")]
            over.sort(key=lambda each: (each.step == "done", each.created))  # failed ones first, then the oldest
            for old in over[: max(0, len(mine) - MOST_OF_ONE + 1)]:
                self._remove(old)
            self._jobs[job.id] = job
            self._waiting.put(job.id)
        return job

    def of(self, owner: Owner) -> list[Export]:
        """An account's exports, newest first."""
        with self._lock:
            self._expire()
            return [job for job in reversed(self._jobs.values()) if job.owner == owner]

    def find(self, owner: Owner, id: str) -> Export:
        """Raises Refusal where the account has none of that number."""
        with self._lock:
            job = self._jobs.get(id)
        if job is None or job.owner != owner:
            raise Refusal(404, "unknown_export", "this account has no such export: finished ones are kept for a day")
        return job

    def remove(self, job: Export) -> None:
        with self._lock:
            self._remove(job)

    def file(self, job: Export, name: str) -> Path | None:
        return next((clip.path for clip in job.clips if clip.path.name == name and clip.path.is_file()), None)

    def tidy(self) -> None:
        """Remove what is too old, and what belongs to no account any more."""
        with self._lock:
            self._expire()
            try:
                owners = {owner_of(account) for account in self._state.catalogue().accounts()}
            except CatalogueError:  # whose they are is asked again later
                return
            for job in [job for job in self._jobs.values() if job.owner not in owners]:
                self._remove(job)

    def _expire(self) -> None:
        now = self._state.now()
        for job in [job for job in self._jobs.values() if now - job.created > KEPT]:
            self._remove(job)

    def _remove(self, job: Export) -> None:
        job.cancelled = True
        self._jobs.pop(job.id, None)
        if job.step != "copying":  # else whoever copies removes it
            shutil.rmtree(self._folder / job.id, ignore_errors=True)

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                job = self._jobs.get(self._waiting.get(timeout=TIDY_S))
            except queue.Empty:
                self.tidy()
                continue
            if job is None:  # removed meanwhile
                continue
            try:
                self._copy(job)
            except Exception as error:  # a bug costs its export, and not those behind it
                job.step, job.error = "failed", "nvr made a mistake; its log says more"
                log.critical("bug: export of %s: %s: %s", job.camera, type(error).__name__, error)

    def _require_room(self, needed: int) -> None:
        """Raise _NoRoom where less than ``min_free`` and a little would be left."""
        disk = look_at_disk(self._state.storage)
        floor = disk.floor(self._state.config.retention.min_free)
        free = layout.free_bytes(self._state.storage)
        if free - needed < floor + MARGIN:
            raise _NoRoom(
                f"{needed / 1e6:.0f} MB would leave less free than retention.min_free wants ({floor / 1e6:.0f} MB): "
                "the oldest video would go for it: choose a shorter span, or use nvr export into another folder"
            )

    def _copy(self, job: Export) -> None:
        job.step, folder = "copying", self._folder / job.id

        def progress(done: int, total: int) -> None:
            job.progress = min(1.0, done / max(total, 1))
            if job.cancelled:
                raise _Cancelled

        try:
            layout.require_marker(self._state.storage)
            folder.mkdir(parents=True)
            catalogue, storage = self._state.catalogue(), self._state.storage
            segments, job.entries = recorded_of(catalogue, storage, job.camera, job.since, job.until)
            self._require_room(needed_bytes(segments, job.since, job.until))
            target = folder / f"{job.camera}_{'_'.join(layout.stamp(job.since))}.mp4"
            gaps = as_gaps(job.camera, job.entries)
            done = export(storage, segments, Order(job.camera, job.since, job.until, target, gaps), progress)
            job.clips, job.notes, job.progress = done.clips, done.notes, 1.0
            job.step = "done" if done.clips else "failed"
            if not done.clips:
                job.error = "nothing of it was recorded"
        except _Cancelled:
            job.step, job.error = "failed", "it was stopped"
        except _NoRoom as error:
            job.step, job.error = "failed", str(error)
        except (NvrError, OSError) as error:
            job.step, job.error = "failed", "the disk or the catalogue refused; the log of nvr says more"
            log.warning("export of %s: %s", job.camera, error)
        if job.cancelled or job.step == "failed":
            shutil.rmtree(folder, ignore_errors=True)

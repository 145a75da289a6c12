"""Deleting segments and pictures, so that files and rows agree whenever it is interrupted.

Invariant 6: the row is marked, the file unlinked, its folder synced, the row dropped. What is marked goes, now or at a
later try; what is not marked stays. Runs in the janitor and in ``nvr storage prune``, never in both at once.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby, islice
from pathlib import Path

from nvr import layout
from nvr.backoff import Backoff
from nvr.catalogue.store import Catalogue
from nvr.clock import Clock, from_us
from nvr.errors import CatalogueError, StorageError
from nvr.model import Event
from nvr.retention.plan import Deletion

log = logging.getLogger(__name__)
BATCH = 100
"""Segments marked in one transaction."""
PROBES = 16
"""How many segments may be marked in all while none can be deleted."""
RESERVE_BYTES = 1 << 20
WAIT_STEP_S = 0.1


class Remover:
    """Deletes what a plan names. What the disk refuses stays marked, and ``finish`` tries it again.

    Its methods raise StorageError where the volume is not the one it began with, or gone.
    """

    def __init__(self, storage: Path, catalogue: Catalogue, clock: Clock, reserve: Reserve) -> None:
        self.left = 0
        """Files that are marked and could not be deleted yet."""
        self.error = ""
        """Why, in words."""
        self._storage = storage
        self._volume = layout.volume_id(storage)
        self._catalogue = catalogue
        self._clock = clock
        self._reserve = reserve
        self._reserve.take()
        self._backoff = Backoff()
        self._cause = ""
        self._unfinished = True
        self._retry_us = 0
        self._idle = False
        self._probe = False

    @property
    def allowance(self) -> int:
        """How many segments may be marked now. While the disk deletes none: one after each try of those that are
        marked already, and no more than ``PROBES`` in all, so that rows are not marked in vain."""
        if not self._idle:
            return BATCH
        return 1 if self._probe and self.left < PROBES else 0

    def finish(self) -> None:
        """Delete what is marked already: left by a killed predecessor, or refused before and due for another try.

        Raises CatalogueError.
        """
        if not self._unfinished or self._clock.monotonic_us() < self._retry_us:
            return
        self.require_volume()
        self.left, done = 0, 0
        marked = self._catalogue.segments_in_state("deleting")
        while batch := [segment.path for segment in islice(marked, BATCH)]:
            done += self._complete(batch)
        self._unfinished, self._probe = False, True
        self._settle(done)

    def remove(self, deletions: Sequence[Deletion]) -> int:
        """Delete segments; returns how many are gone. Raises CatalogueError where that could not be noted before or
        after; in the latter case ``finish`` notes it."""
        self.require_volume()
        at, done = from_us(self._clock.now_us()), 0
        for rule, group in groupby(deletions, key=lambda one: one.rule):
            segments = [one.segment for one in group]
            try:
                self._catalogue.mark_deleting(segments, rule, at)
            except CatalogueError:
                if not self._reserve.give():
                    raise
                self._catalogue.mark_deleting(segments, rule, at)
            done += self._complete([segment.path for segment in segments])
        self._idle, self._probe = not done, False
        self._settle(done)
        self._reserve.take()
        return done

    def forget(self, events: Iterable[Event]) -> int:
        """Delete events, the pictures of each before its row; returns how many are gone. Raises CatalogueError."""
        gone, iterator = 0, iter(events)
        while batch := list(islice(iterator, BATCH)):
            self.require_volume()
            pictures = {event.id: {event.snapshot, event.thumbnail} - {None} for event in batch if event.id is not None}
            refused = self._unlink([path for paths in pictures.values() for path in paths if path is not None])
            ids = [id for id, paths in pictures.items() if not paths & refused]
            self.require_volume()
            self._catalogue.delete_events(ids)
            gone += len(ids)
        return gone

    def require_volume(self) -> None:
        """Raise StorageError where the volume is gone, or another one is mounted in its place."""
        if layout.volume_id(self._storage) != self._volume:
            raise StorageError(f"{self._storage} is another volume than before: nothing is deleted there")

    def _complete(self, paths: Sequence[Path]) -> int:
        """Unlink what is marked, sync, drop the rows; returns how many are gone."""
        refused = self._unlink(paths)
        gone = [path for path in paths if path not in refused]
        self.left += len(refused)
        self.require_volume()  # a file that was not found on an unmounted disk is not gone
        try:
            self._catalogue.drop_segments(gone)
        except CatalogueError:
            self._unfinished, self._retry_us = True, 0
            raise
        return len(gone)

    def _unlink(self, paths: Sequence[Path]) -> set[Path]:
        """Delete files and sync their folders; returns those of which it is not sure that they are gone."""
        refused: dict[Path, OSError] = {}
        folders: dict[Path, list[Path]] = {}
        for path in paths:
            try:
                (self._storage / path).unlink(missing_ok=True)
                folders.setdefault(path.parent, []).append(path)
            except OSError as error:
                refused[path] = error
        for folder, inside in folders.items():
            try:
                layout.sync_folder(self._storage / folder)
            except FileNotFoundError:
                continue
            except OSError as error:
                refused.update(dict.fromkeys(inside, error))
        if refused:
            self._complain(refused)
        return set(refused)

    def _complain(self, refused: dict[Path, OSError]) -> None:
        path, error = next(iter(refused.items()))
        cause = error.strerror or str(error)
        self.error = (
            f"cannot delete {self._storage / path}: {cause}; tried again: check the disk and who may write there"
        )
        if cause != self._cause:
            log.error("%s", self.error)
        self._cause = cause

    def _settle(self, done: int) -> None:
        """After a try: whether deleting works, and when what is left is tried again."""
        self._idle = self._idle and not done
        if self.left:
            self._unfinished = True
            self._retry_us = self._clock.monotonic_us() + self._backoff.failed(0)
        elif done:
            if self._cause:
                log.info("deleting works again")
            self._cause = self.error = ""
            self._backoff.reset()


class Reserve:
    """A file of a megabyte beside the catalogue: on a full disk not even a deletion could be noted without it."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}.reserve")

    def take(self) -> None:
        """Make the file where it is not there and there is room for it."""
        with suppress(OSError):
            if not self._path.exists() and layout.free_bytes(self._path.parent) > 2 * RESERVE_BYTES:
                descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
                try:
                    os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
                finally:
                    os.close(descriptor)

    def give(self) -> bool:
        """Give its room to the catalogue; False where the disk is not full or there is none to give."""
        try:
            full = layout.free_bytes(self._path.parent) <= 2 * RESERVE_BYTES
            if full:
                self._path.unlink()
        except OSError:
            return False
        return full


@contextmanager
def alone(storage: Path, patience_s: float = 0.0) -> Iterator[None]:
    """Hold the right to delete in a storage folder; the kernel lets go of it however the process ends.

    Raises StorageError where another process has it for longer than ``patience_s``.
    """
    try:
        descriptor = os.open(storage, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StorageError(f"cannot look into {storage}: {error.strerror}") from error
    try:
        deadline_s = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno != errno.EWOULDBLOCK:
                    raise StorageError(f"cannot lock {storage}: {error.strerror}") from error
                if time.monotonic() >= deadline_s:
                    raise StorageError(f"another process deletes in {storage}: try again when it has ended") from None
                time.sleep(WAIT_STEP_S)
        yield
    finally:
        os.close(descriptor)

"""The recorder's memory between camera and disk, and the one thread that writes files.

FFmpeg writes a segment into a ``SpoolFile``, which is memory; the spool's thread carries out the same writes on disk,
in their order: create, write, sync every few seconds, and at the end fsync, rename, fsync of the folder, row
(invariant 6). So neither the thread that reads the camera nor FFmpeg, which holds the GIL while it closes a file, ever
waits for a disk.

A disk that refuses holds the thread up and nothing else (``patience.py``); what comes meanwhile waits in memory, at
most ``LIMIT_BYTES``. Beyond that ``has_room`` is False, and the session leaves packets out until half of it is written.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from nvr import layout
from nvr.clock import Clock, format_local
from nvr.errors import StorageError
from nvr.media.salvage import cut_back, describe
from nvr.media.segment import seal
from nvr.model import Gap, Segment
from nvr.reason import Reason
from nvr.recording.outbox import Outbox, Room
from nvr.recording.patience import Patience

log = logging.getLogger(__name__)
LIMIT_BYTES = 64 << 20
"""Half a minute of a 16 Mb/s camera."""
SYNC_US = 4_000_000
"""Five seconds are promised; a fragment of half a second and the sync itself are in them."""
LAST_S = 1.0
"""How long the last try of everything may take, at the end."""
TICK_S = 1.0

Row = Callable[[Path, int], Segment]
"""The row of a file, from its path relative to the storage folder and its size."""


class SpoolFile:
    """One segment's file, as FFmpeg sees it. Use it from one thread; the rest is the spool's."""

    def __init__(self, spool: Spool, path: Path) -> None:
        self.path = path
        """Relative to the storage folder; moved by milliseconds where the name is taken."""
        self.broken: StorageError | None = None
        """Why it was given up: it ends earlier on disk than was written here."""
        self.descriptor = -1
        self._spool = spool
        self._place = self._size = 0

    @property
    def part(self) -> Path:
        """The absolute path while it is being written."""
        return self._spool.storage / self.path.with_name(self.path.name + layout.PART_SUFFIX)

    def write(self, data: bytes) -> int:
        """Take bytes; never waits and never fails."""
        self._spool.put(self, self._place, bytes(data))
        self._place += len(data)
        self._size = max(self._size, self._place)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        return self._place

    def tell(self) -> int:
        return self._place


class Spool:
    """The recording thread calls ``create``, a file's ``write``, and ``seal``; the rest is the spool's own thread."""

    def __init__(self, storage: Path, outbox: Outbox, clock: Clock, limit_bytes: int = LIMIT_BYTES) -> None:
        self.lost = 0
        """Video packets that were written to files that had to be given up."""
        self.storage = storage
        self._outbox = outbox
        self._clock = clock
        self._patience = Patience(storage, clock, lambda: outbox.post(Room()))
        self._limit_bytes = limit_bytes
        self._waiting: deque[Callable[[], None]] = deque()
        self._waiting_bytes = 0
        self._overflowed = False
        self._changed = threading.Condition()
        self._open: SpoolFile | None = None
        self._unsynced = False
        self._synced_us = clock.monotonic_us()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)

    def start(self, first: Iterator[Segment]) -> None:
        """Begin; ``first`` are segments to be salvaged and reported before anything else is written."""
        self._waiting.appendleft(lambda: self._report_all(first))
        self._thread.start()

    def report(self, segments: Iterator[Segment]) -> None:
        """Salvage and report segments when their turn comes."""
        self._add(lambda: self._report_all(segments))

    @property
    def waiting_bytes(self) -> int:
        """What is in memory and not yet on disk."""
        return self._waiting_bytes

    def has_room(self) -> bool:
        """Whether more may be written. Once full, not before half of what waited is on disk."""
        with self._changed:
            limit = self._limit_bytes // 2 if self._overflowed else self._limit_bytes
            self._overflowed = self._waiting_bytes > limit
            return not self._overflowed

    @property
    def error(self) -> StorageError | None:
        """What keeps the disk from being written at this moment."""
        return self._patience.error

    @property
    def trouble(self) -> StorageError:
        """Why there is no room."""
        return self.error or StorageError(f"{self.storage}: the disk does not keep up", Reason.DISK_SLOW)

    def create(self, path: Path) -> SpoolFile:
        """A new file, to be ``path`` (relative to the storage folder) once it is sealed."""
        file = SpoolFile(self, path)
        self._add(lambda: self._patience.insist(file, lambda: self._create(file)))
        return file

    def put(self, file: SpoolFile, place: int, data: bytes) -> None:
        """Write ``data`` at ``place`` of a file. For SpoolFile."""
        with self._changed:
            self._waiting_bytes += len(data)
        self._add(lambda: self._write(file, place, data))

    def seal(self, file: SpoolFile, row: Row, packets: int) -> None:
        """Make a finished file durable under its name, and report its row. ``packets`` were written to it."""
        self._add(lambda: self._seal(file, row, packets))

    def discard(self, file: SpoolFile) -> None:
        """Take a file back that nothing was written to."""
        file.broken = StorageError(f"{file.path} was begun in vain")
        self._add(lambda: self._remove(file))

    def finish(self, timeout_s: float) -> bool:
        """Write what waits and end the thread; False where the disk did not take all of it in time."""
        before = self.lost
        self._ending.set()
        self._add(lambda: None)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._patience.give_up()
            self._thread.join(LAST_S)
        return not self._thread.is_alive() and not self._waiting_bytes and self.lost == before

    def _add(self, step: Callable[[], None]) -> None:
        with self._changed:
            self._waiting.append(step)
            self._changed.notify()

    def _run(self) -> None:
        while step := self._next():
            step()
            self._sync()

    def _next(self) -> Callable[[], None] | None:
        """The next step, a pause where there is none; None at the end."""
        with self._changed:
            if not self._waiting and not self._ending.is_set():
                self._changed.wait(TICK_S)
            if self._waiting:
                return self._waiting.popleft()
            return None if self._ending.is_set() else lambda: None

    def _report_all(self, segments: Iterator[Segment]) -> None:
        try:
            for segment in segments:
                self._outbox.post(segment)
        except OSError as error:
            log.error("%s cannot be looked through: %s", self.storage, error.strerror)

    def _create(self, file: SpoolFile) -> None:
        layout.require_marker(self.storage)
        file.path = layout.free_path(self.storage, file.path)
        part = file.part
        layout.make_folder(part.parent)
        file.descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        fcntl.flock(file.descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # salvage leaves a locked file alone
        self._open = file
        layout.sync_folder(part.parent)  # a file whose name is not on disk has no content either

    def _write(self, file: SpoolFile, place: int, data: bytes) -> None:
        self._patience.insist(file, lambda: _write_all(file.descriptor, place, data))
        self._unsynced = True
        with self._changed:
            self._waiting_bytes -= len(data)

    def _sync(self) -> None:
        now_us, file = self._clock.monotonic_us(), self._open
        if file is None or not self._unsynced or now_us - self._synced_us < SYNC_US:
            return
        self._patience.insist(file, lambda: os.fdatasync(file.descriptor))
        self._synced_us, self._unsynced = self._clock.monotonic_us(), False

    def _seal(self, file: SpoolFile, row: Row, packets: int) -> None:
        if self._open is file:
            self._open = None
        found: list[Segment | None] = []
        self._patience.insist(file, lambda: found.append(self._settle(file, row)))
        if file.broken is not None:
            found = [self._rescue(file)]
        if file.descriptor >= 0:
            os.close(file.descriptor)
        sealed = found[0] if found else None
        if sealed is not None:
            self._outbox.post(sealed)
        lost = packets - (sealed.packets if sealed is not None else 0)
        self.lost += lost
        if lost and file.broken is not None:
            self._tell_loss(row(file.path, 0), sealed, file.broken)

    def _tell_loss(self, whole: Segment, kept: Segment | None, why: StorageError) -> None:
        """What a file that was given up no longer holds is a gap, too."""
        start = whole.start if kept is None else kept.end
        log.error(
            "%s: video from %s to %s is lost: %s", whole.camera, format_local(start), format_local(whole.end), why
        )
        self._outbox.post(Gap(uuid.uuid4().hex, whole.camera, start, why.reason, str(why), max(whole.end, start)))

    def _remove(self, file: SpoolFile) -> None:
        if file.descriptor >= 0:
            file.part.unlink(missing_ok=True)
            os.close(file.descriptor)

    def _settle(self, file: SpoolFile, row: Row) -> Segment:
        size = seal(file.part, file.descriptor)
        return row(file.path, size)

    def _rescue(self, file: SpoolFile) -> Segment | None:
        """Keep of a file that was given up what plays; a file without a picture is removed."""
        part = file.part
        try:
            if file.descriptor < 0 or not part.exists():
                return None
            cut_back(part)
            row = describe(self.storage, part)
            if row is None:
                part.unlink()
                return None
            seal(part, file.descriptor)
        except OSError as error:
            log.error("%s cannot be kept: %s", part, error.strerror)
            return None
        return row


def _write_all(descriptor: int, place: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, place)
        view, place = view[written:], place + written

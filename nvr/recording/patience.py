"""What becomes of a write that the disk refuses: it is tried again until the disk takes it, or its file is given up.

Lives in the recorder's spool thread. Every refusal counts as passing (full, read-only, I/O error, not mounted), unless
no waiting can mend it: a limit of the file system, or a file that somebody has removed.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from nvr import layout
from nvr.clock import Clock
from nvr.errors import StorageError
from nvr.reason import Reason

log = logging.getLogger(__name__)
RETRY_S = 0.25
ROOM_US = 1_000_000
"""How often it is said that the disk is full."""
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FINAL = {errno.EFBIG, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EBADF}
_DEAD = {errno.EIO, errno.ENODEV, errno.ESTALE}
"""After these the disk may come back as another mount, and the old descriptor never works again."""


class Opened(Protocol):
    """A file as far as patience goes."""

    broken: StorageError | None
    """Why it was given up."""
    descriptor: int
    """-1 before it is open."""

    @property
    def part(self) -> Path:
        """Its absolute path."""


class Patience:
    """One disk's refusals. ``give_up`` may be called from any thread, ``insist`` from one."""

    def __init__(self, storage: Path, clock: Clock, on_full: Callable[[], None]) -> None:
        """``on_full`` is called about once a second while the disk is full."""
        self.error: StorageError | None = None
        """What keeps the disk from being written at this moment."""
        self._storage = storage
        self._clock = clock
        self._on_full = on_full
        self._full_us = 0
        self._given_up = threading.Event()

    def give_up(self) -> None:
        """From now on everything is tried once."""
        self._given_up.set()

    def insist(self, file: Opened, step: Callable[[], None]) -> None:
        """Do one step of a file, as often as it takes; what can never be done breaks the file."""
        while file.broken is None:
            try:
                step()
            except (OSError, StorageError) as error:
                problem = self._explain(file, error)
                self._refused(problem)
                if self._is_final(file, error) or self._given_up.is_set():
                    file.broken = problem
                    return
                self._given_up.wait(RETRY_S)
                self._reopen(file, error)
            else:
                self._accepted()
                return

    def _is_final(self, file: Opened, error: Exception) -> bool:
        if not isinstance(error, OSError):
            return False
        removed = isinstance(error, FileNotFoundError) and file.descriptor >= 0
        return error.errno in _FINAL or (removed and (self._storage / layout.MARKER).exists())

    def _reopen(self, file: Opened, error: Exception) -> None:
        if file.descriptor < 0 or getattr(error, "errno", None) not in _DEAD:
            return
        try:
            layout.require_marker(self._storage)
            descriptor = os.open(file.part, os.O_RDWR | os.O_CLOEXEC)
        except (OSError, StorageError):
            return
        if os.fstat(descriptor).st_ino == os.fstat(file.descriptor).st_ino:
            os.dup2(descriptor, file.descriptor, inheritable=False)
            fcntl.flock(file.descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        os.close(descriptor)

    def _explain(self, file: Opened, error: Exception) -> StorageError:
        """What it was. Whatever a write says, with the marker gone the disk is, too."""
        try:
            layout.require_marker(self._storage)
        except StorageError as missing:
            return missing
        if isinstance(error, StorageError):
            return error
        number = getattr(error, "errno", None) or 0
        reason = Reason.DISK_FULL if number in _FULL else Reason.DISK_ERROR
        return StorageError(f"cannot write {file.part}: {os.strerror(number)}", reason)

    def _refused(self, problem: StorageError) -> None:
        if self.error is None or self.error.reason is not problem.reason:
            log.error("%s; video waits in memory", problem)
        self.error = problem
        now_us = self._clock.monotonic_us()
        if problem.reason is Reason.DISK_FULL and now_us - self._full_us > ROOM_US:
            self._full_us = now_us
            self._on_full()

    def _accepted(self) -> None:
        if self.error is not None:
            log.warning("%s can be written again", self._storage)
            self.error = None

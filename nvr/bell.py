"""Bells: how readers of shared memory are woken, without its writer ever waiting for one of them.

Every reader has a named pipe in a folder beside the memory; the writer writes a byte into each, which a full pipe
refuses: it holds a wake already. A pipe that nobody has open was a killed reader's and is taken away. No lock is held
by anybody, so that a killed process leaves nothing locked.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from nvr.errors import StorageError

_PAGE = 4096


def folder_of(path: Path) -> Path:
    """The folder of the bells of what is at ``path``."""
    return path.with_name(path.name + ".wake")


def make_folder(path: Path) -> None:
    """Raises OSError."""
    folder_of(path).mkdir(mode=0o700, exist_ok=True)


def remove_folder(path: Path) -> None:
    shutil.rmtree(folder_of(path), ignore_errors=True)


def ring(folder: str) -> None:
    """Wake every reader."""
    with suppress(OSError), os.scandir(folder) as bells:
        for bell in bells:
            try:
                pipe = os.open(bell.path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    Path(bell.path).unlink(missing_ok=True)
                continue
            with suppress(BlockingIOError, BrokenPipeError):
                os.write(pipe, b"\0")
            os.close(pipe)


class Bell:
    """One reader's: ``pipe`` is readable after every ``ring``, and once at the start. Raises StorageError."""

    def __init__(self, path: Path) -> None:
        """``path`` is what the bell hangs beside."""
        folder = folder_of(path)
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        unheard = Path(f"{folder}.{name}")  # not among the bells until it is open
        try:
            os.mkfifo(unheard)
            unheard.chmod(0o666)  # in a folder of mode 0700: the writer may ring at a reader that is root
            self.pipe = os.open(unheard, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.fcntl(self.pipe, fcntl.F_SETPIPE_SZ, _PAGE)
            os.write(self.pipe, b"\0")
            self._place = unheard.rename(folder / name)
        except OSError as error:
            unheard.unlink(missing_ok=True)
            if hasattr(self, "pipe"):
                os.close(self.pipe)
            raise StorageError(f"cannot wait at {path}: {error.strerror}; is `nvr start` running and yours?") from error

    def drain(self) -> None:
        """Forget the wakes so far. Do it before reading: what comes in between wakes again."""
        with suppress(BlockingIOError):
            os.read(self.pipe, _PAGE)

    def close(self) -> None:
        self._place.unlink(missing_ok=True)
        os.close(self.pipe)

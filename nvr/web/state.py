"""What handlers of the web process share: the configuration, the clock, the catalogue.

The catalogue is open for reading and opened anew where its file was replaced. Changes open it for themselves, by the
same methods as the command line.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from nvr.catalogue.store import Catalogue
from nvr.clock import Clock, from_us
from nvr.config import Config
from nvr.errors import CatalogueError
from nvr.web.refusal import Refusal
from nvr.web.task import Task, View

BUSY = timedelta(seconds=3)


class State:
    """One for the process; may be used from any thread."""

    def __init__(self, task: Task, clock: Clock) -> None:
        self.task = task
        self.clock = clock
        self._lock = threading.Lock()
        self._catalogue: Catalogue | None = None
        self._identity: tuple[int, int] | None = None

    @property
    def config(self) -> Config:
        return self.task.config

    @property
    def storage(self) -> Path:
        return self.task.config.storage

    def now(self) -> datetime:
        return from_us(self.clock.now_us())

    def view(self, camera: str) -> View:
        """What there is to see of a camera now; nothing where it does not run."""
        return self.task.views.get(camera, View(None))

    def catalogue(self) -> Catalogue:
        """To read. Raises CatalogueError."""
        with self._lock:
            identity = _identity(self.task.database)
            if self._catalogue is None or identity != self._identity:
                if self._catalogue is not None:
                    self._catalogue.close()
                    self._catalogue = None
                self._catalogue = Catalogue.open(self.task.database, readonly=True)
                self._identity = identity
            return self._catalogue

    @contextmanager
    def changing(self) -> Iterator[Catalogue]:
        """To write, for one change. Raises CatalogueError."""
        with Catalogue.open(self.task.database, busy_timeout=BUSY) as catalogue:
            yield catalogue

    def cameras(self) -> dict[str, bool]:
        """Every camera that can be asked for, and whether it is configured: the others are of former days."""
        try:
            former = self.catalogue().cameras()
        except CatalogueError:
            former = {}
        return {**dict.fromkeys(former, False), **dict.fromkeys(self.config.cameras, True)}

    def close(self) -> None:
        with self._lock:
            if self._catalogue is not None:
                self._catalogue.close()
                self._catalogue = None


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise CatalogueError(f"no catalogue at {path}: {error.strerror}") from error
    return found.st_dev, found.st_ino


async def state_of(connection: HTTPConnection) -> State:
    state: State = connection.app.state.nvr
    return state


Here = Annotated[State, Depends(state_of)]


def unknown_camera() -> Refusal:
    """The one answer for a camera that is not there and for one that the account may not see."""
    return Refusal(404, "unknown_camera", "there is no camera of that name that this account may see")


def known(state: State, camera: str) -> str:
    """The camera's name. Raises Refusal where there was never such a camera."""
    if camera not in state.cameras():
        raise unknown_camera()
    return camera

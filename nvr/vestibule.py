"""Between two doors: how a device is logged in to over HTTP, beside recorders that log in to it over RTSP.

Lives in the listener process and in ``nvr cameras test``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from nvr.clock import Clock
from nvr.errors import LoginError
from nvr.isapi.task import Ear
from nvr.media.door import PORTS, Door
from nvr.model import Address


class _Refused(Exception):
    """A refused login, on its way out through the recorder's door."""

    def __init__(self, error: LoginError) -> None:
        self.error = error


@contextmanager
def enter(folder: Path, ear: Ear, clock: Clock, idle: Callable[[], bool]) -> Iterator[None]:
    """Log in at a device, once, while no recorder does, and not where that password was refused. Raises LoginError.

    A refusal here keeps recorders from nothing: a device may let a user view and not listen, and recording goes first.
    So it is noted at a door of its own; two doors are two wrong logins in 30 minutes, and devices count to five.
    """
    place, recorder = ear.place, urlsplit(ear.door.url)
    own = Door(folder, Address(place.url, place.username, place.password), clock)
    if (recorder.port or PORTS.get(recorder.scheme)) == place.port:  # one file: who holds it twice waits for himself
        with own.try_login(idle):
            yield
        return
    try:
        with Door(folder, ear.door, clock).try_login(idle):
            try:
                with own.try_login(idle):
                    yield
            except LoginError as error:
                raise _Refused(error) from error
    except _Refused as refused:
        raise refused.error from None

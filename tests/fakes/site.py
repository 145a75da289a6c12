"""The web application on a socket, over a storage folder with a past: cameras, video, events, accounts.

The server is the one that nvr runs, in a thread of the tests; time is the machine's own.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import httpx
from fastapi import FastAPI

from nvr import config, frameslot, layout, packetring
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import SystemClock, from_us
from nvr.credential import digest, hash_password, new_secret
from nvr.model import Account, Event, Key, Role, StreamName
from nvr.web.access import CSRF
from nvr.web.app import build, guarded
from nvr.web.audit import Audit
from nvr.web.server import Server, options_of
from nvr.web.state import State
from nvr.web.task import Task, View
from tests.fakes.archive import FRAME, Archive
from tests.fakes.station import WAIT_S

PASSWORD = "correct horse"
HASHED = hash_password(PASSWORD)
CONFIG = """\
# a camera with detection, and one without
storage: storage
retention: {pre_roll: 1s, post_roll: 1s}
cameras:
  hik1:  # at the gate
    url: rtsp://127.0.0.1:9/x
    sub_url: rtsp://127.0.0.1:9/y
    username: viewer
    password: secret-of-the-camera
    detect: {labels: [person, car]}
  hik2: {url: rtsp://127.0.0.1:9/z, detect: off}
"""


@dataclass(frozen=True, slots=True)
class Past:
    """What was recorded: pictures ``first`` to ``end`` of the tape from ``start`` on, in ``segments``."""

    start: datetime
    end: datetime
    event: int


class Site:
    """Everything that the web process needs, in ``folder``; a context manager that serves it."""

    def __init__(self, folder: Path, text: str = CONFIG) -> None:
        self.folder = folder
        self.file = folder / "nvr.yaml"
        self.file.write_text(text)
        self.storage = folder / "storage"
        layout.prepare(self.storage)
        self.database = layout.database_path(self.storage)
        upgrade(self.database)
        self.run = folder / "run"
        self.run.mkdir()
        self.config = config.load(self.file, resolve=False).without_passwords()
        slot = layout.slot_path(self.run, "hik1")
        frameslot.create(slot)
        streams: tuple[StreamName, ...] = ("main", "sub")
        rings = {stream: layout.ring_path(self.run, "hik1", stream) for stream in streams}
        for ring in rings.values():
            packetring.create(ring)
        views = {"hik1": View(slot, rings), "hik2": View(None)}
        self.state = State(Task(self.config, self.file, self.database, self.run, views), SystemClock())
        self.audit = Audit(self.state)
        self.app: FastAPI
        self.reloads = 0
        self.url = ""
        self._stack = ExitStack()
        self._server: Server | None = None
        self._thread = threading.Thread(target=self._serve, name="site", daemon=True)
        self.add_user("admin", "admin")
        self.add_user("bert", "viewer", ("hik2",))

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: self._server is not None and self._server.started, "the site is served")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        assert self._server is not None
        self._server.should_exit = True
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def writing(self) -> Catalogue:
        return Catalogue.open(self.database)

    def add_user(self, name: str, role: Role = "viewer", cameras: tuple[str, ...] | None = None) -> None:
        with self.writing() as catalogue:
            now = from_us(SystemClock().now_us())
            assert catalogue.add_account(Account(name, role, cameras, now, HASHED))

    def add_camera(self, name: str) -> None:
        """Let the catalogue know a camera, as a first recording does."""
        with self.writing() as catalogue:
            now = datetime.now(UTC)
            catalogue.add_camera(name, now - timedelta(days=2))

    def token(self, name: str = "admin") -> str:
        """A new token of an account."""
        secret = new_secret()
        with self.writing() as catalogue:
            catalogue.add_key(Key(name, "token", "tests", datetime.now(UTC)), digest(secret))
        return secret

    def anybody(self) -> httpx.Client:
        """A browser that has not logged in."""
        return self._stack.enter_context(httpx.Client(base_url=f"{self.url}/api/v1/", timeout=WAIT_S))

    def client(self, name: str = "admin") -> httpx.Client:
        """A browser of somebody who has logged in."""
        client = self.anybody()
        answer = client.post("login", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers[CSRF] = answer.json()["csrf"]
        return client

    def record(self, tape: Path, camera: str = "hik1", ago: timedelta = timedelta(minutes=10)) -> Past:
        """Twenty seconds of the tape in four files, with a hole before the last two, and an event in the second."""
        start = (datetime.now(UTC) - ago).replace(microsecond=0)
        archive = Archive(self.storage, tape, camera)
        cuts = [(0, 125, timedelta()), (125, 250, timedelta()), (250, 375, HOLE), (375, 500, HOLE)]
        with self.writing() as catalogue:
            for first, end, later in cuts:
                catalogue.add_segment(archive.add(first, end, at=start + first * FRAME + later))
            began = start + timedelta(seconds=6)
            event = Event(camera, "object", "person", began, began, began + timedelta(seconds=2), score=0.8)
            id = catalogue.open_event(event)
        archive.close()
        return Past(start, start + 500 * FRAME + HOLE, id)

    def _serve(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        listening = socket.socket()
        listening.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, 64 << 10
        )  # so that a client that takes nothing is felt
        listening.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.app = build(self.state, self.audit, self._reload)
        options = options_of(guarded(self.app), self.config.web)
        self._server = Server(options)
        await self._server.serve([listening])

    def _reload(self) -> bool:
        self.reloads += 1
        return True


HOLE = timedelta(seconds=7)


def until(found: Callable[[], object], what: str) -> None:
    """Wait, bounded, for what a thread of the server does."""
    end = time.monotonic() + WAIT_S
    while not found():
        assert time.monotonic() < end, f"nothing within {WAIT_S:.0f} s: {what}"
        time.sleep(0.01)

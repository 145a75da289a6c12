"""A running nvr with a page, for the benchmarks of it, and a past to look at."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import checkout
import httpx
import measure
import stage
from playwright.sync_api import Page
from scenery import say

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.credential import digest, hash_password
from nvr.media.index import read_index
from nvr.model import Account, Key, Segment

PASSWORD = "a password of the benchmark"
TOKEN = "a-token-of-the-benchmark"
NOBODY = "  gate: {url: 'rtsp://127.0.0.1:9/x', detect: off}\n"
"""A camera that is not there."""
DISTINCT = 24
"""Files of a minute that are really there; a past's other names are links to them."""


@dataclass(frozen=True, slots=True)
class Site:
    """A running nvr with a page."""

    url: str
    config: Path
    storage: Path
    session: measure.Session

    def ask(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}/api/v1/{path}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)

    def state(self, name: str) -> str:
        """What a process is at."""
        return next((each["state"] for each in self.ask("status").json()["processes"] if each["name"] == name), "")

    def pid(self, name: str) -> int:
        command = measure.nvr("status", "--json", "--config", str(self.config))
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=stage.ENVIRONMENT)
        pids: dict[str, int] = {each["name"]: each["pid"] for each in json.loads(done.stdout)["processes"]}
        return pids[name]


@contextmanager
def site(folder: Path, cameras: str) -> Iterator[Site]:
    """``nvr start`` in a folder; its storage may have been filled before."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "nvr.yaml"
    config.write_text(f"storage: storage\nweb: {{port: {port}}}\ncameras:\n{cameras}")
    database = layout.database_path(folder / "storage")
    layout.prepare(folder / "storage")
    if not database.exists():
        upgrade(database)
    with Catalogue.open(database) as catalogue:
        now = datetime.now(UTC)
        if catalogue.add_account(Account("admin", "admin", None, now, hash_password(PASSWORD))):
            catalogue.add_key(Key("admin", "token", "bench", now), digest(TOKEN))
    session = measure.Session([measure.nvr("start", "--config", str(config))], env=checkout.CHILD)
    found = Site(f"http://127.0.0.1:{port}", config, folder / "storage", session)
    try:
        wait(lambda: _answers(found.url), session)
        yield found
    finally:
        session.stop(timeout=stage.PATIENCE)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def wait(found: Callable[[], object], session: measure.Session) -> None:
    deadline = time.monotonic() + stage.PATIENCE
    while not found():
        if time.monotonic() > deadline:
            raise SystemExit(f"nvr did not get ready:\n{session.messages()[-2000:]}")
        time.sleep(0.2)


def camera_keys(name: str, port: int, more: str) -> str:
    login = f"username: {measure.USERNAME}, password: {measure.PASSWORD}"
    return f"  {name}: {{host: 127.0.0.1, port: {port}, {login}, audio: off, {more}}}\n"


def log_in(window: Page) -> None:
    window.locator("input[name=name]").fill("admin")
    window.locator("input[name=password]").fill(PASSWORD)
    window.locator("button[type=submit]").click()
    window.locator("nav.nav").wait_for()


def minute_files(folder: Path) -> list[Path]:
    """Segments of a minute as nvr records them, from the stand-in camera; recorded once, and kept."""
    folder.mkdir(parents=True, exist_ok=True)
    if len(found := sorted(folder.glob("*.mp4"))) == DISTINCT:
        return found
    with stage.camera() as camera, tempfile.TemporaryDirectory(dir=folder) as name:
        say("recording two minutes of 4 Mb/s")
        with site(Path(name), camera_keys("gate", camera.port, "detect: off")) as running:
            recorded = running.storage / "segments/gate"
            deadline = time.monotonic() + 150
            while len(list(recorded.rglob("*.mp4"))) < 2 and time.monotonic() < deadline:
                time.sleep(1)
            [original, *_] = sorted(recorded.rglob("*.mp4"))
            content = original.read_bytes()
    files = []
    for number in range(DISTINCT):
        files.append(folder / f"{number}.mp4")
        files[-1].write_bytes(content)
    return files


def day(storage: Path, files: list[Path], hours: int, camera: str = "gate") -> datetime:
    """A camera's past, one file behind the other up to a minute ago; returns its beginning."""
    layout.prepare(storage)
    upgrade(layout.database_path(storage))
    told = None
    begin = at = datetime.now(UTC) - timedelta(hours=hours, minutes=2)
    with Catalogue.open(layout.database_path(storage)) as catalogue:
        number = 0
        while at < datetime.now(UTC) - timedelta(minutes=1, seconds=30):
            path = layout.segment_path(camera, at)
            (storage / path).parent.mkdir(parents=True, exist_ok=True)
            os.link(files[number % len(files)], storage / path)
            told = told or read_index(storage, storage / path)
            length = told.duration
            catalogue.add_segment(
                Segment(camera, "run", path, at, at + length, told.bytes, told.packets, told.codec, 1920, 1080)
            )
            at += length
            number += 1
    return begin

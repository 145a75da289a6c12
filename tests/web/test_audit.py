"""Who looked at which footage: one entry for one look, stored once it is over."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta

import httpx
import pytest

from nvr.catalogue.store import Catalogue
from nvr.web.audit import JOINED, Audit
from nvr.web.state import State
from nvr.web.task import Task
from tests.fakes.clock import FakeClock
from tests.fakes.site import Past, Site

SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def audit(site: Site, clock: FakeClock) -> Iterator[Audit]:
    task = Task(site.config, site.file, site.database, site.run, {})
    state = State(task, clock)
    yield Audit(state)
    state.close()


def stored(site: Site) -> list[tuple[str, datetime | None, datetime | None]]:
    with Catalogue.open(site.database, readonly=True) as catalogue:
        found = [one for one in catalogue.accesses(100) if one.action != "login"]
    return [(one.camera or "", one.start, one.end) for one in reversed(found)]


BASE = datetime.fromisoformat("2026-11-22T12:00:00+00:00")


def look(audit: Audit, start: int, end: int, camera: str = "hik1") -> None:
    audit.note("bert", "127.0.0.1", "video", camera, BASE + start * SECOND, BASE + end * SECOND)


def test_what_goes_on_is_one_entry_that_is_kept_up_to_date(site: Site, audit: Audit, clock: FakeClock) -> None:
    for number in range(4):
        look(audit, number * 10, number * 10 + 10)
        audit.store()
        assert stored(site) == [("hik1", BASE, BASE + (number * 10 + 10) * SECOND)]
        clock.advance(10)
    clock.advance(JOINED / SECOND + 1)
    audit.store()
    assert stored(site) == [("hik1", BASE, BASE + 40 * SECOND)]


def test_another_time_camera_or_pause_is_another_entry(site: Site, audit: Audit, clock: FakeClock) -> None:
    look(audit, 0, 10)
    look(audit, 5000, 5010)
    look(audit, 5000, 5010, "hik2")
    clock.advance(JOINED / SECOND + 1)
    look(audit, 5010, 5020, "hik2")
    audit.store()
    assert sorted((camera, start) for camera, start, _ in stored(site) if start) == [
        ("hik1", BASE),
        ("hik1", BASE + 5000 * SECOND),
        ("hik2", BASE + 5000 * SECOND),
        ("hik2", BASE + 5010 * SECOND),
    ]


def test_what_cannot_be_stored_waits_and_is_bounded(
    site: Site, audit: Audit, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nvr.web.audit.MOST", 2)
    monkeypatch.setattr("nvr.web.state.BUSY", timedelta(milliseconds=10))
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in range(8):
            look(audit, 0, 1, f"cam{number}")
            audit.store()
        other.execute("ROLLBACK")
    audit.store()
    assert [camera for camera, _, _ in stored(site)] == [f"cam{n}" for n in range(4, 8)]
    assert audit.lost == 4


@pytest.mark.parametrize(
    ("path", "action"),
    [
        ("cameras/hik1/video.mp4?from={start}&to={end}", "video"),
        ("cameras/hik1/video.mp4?from={start}&to={end}&download=true", "download"),
        ("cameras/hik1/playlist.m3u8?from={start}&to={end}", "video"),
        ("cameras/hik1/picture.jpg?at={end}", "picture"),
        ("cameras/hik1/files/{day}/{name}", "video"),
    ],
)
def test_every_way_to_footage_is_noted(site: Site, admin: httpx.Client, past: Past, path: str, action: str) -> None:
    start, end = past.start, past.start + 4 * SECOND
    [first, *_] = sorted((site.storage / "segments/hik1").rglob("*.mp4"))
    path = path.replace("{day}", first.parent.name).replace("{name}", first.name.replace("+", "%2B"))
    answer = admin.get(path.format(start=start.isoformat()[:19] + "Z", end=end.isoformat()[:19] + "Z"))
    assert answer.status_code == 200
    site.audit.store()
    [entry] = [one for one in admin.get("audit").json()["entries"] if one["action"] != "login"]
    assert (entry["user"], entry["address"], entry["action"], entry["camera"]) == ("admin", "127.0.0.1", action, "hik1")
    assert entry["start"] <= entry["end"]


def test_what_was_refused_is_not_noted_as_seen(site: Site, viewer: httpx.Client, past: Past) -> None:
    viewer.get("cameras/hik1/video.mp4?from=1h")
    site.audit.store()
    assert stored(site) == []

"""Rows and pictures of events, kept in step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from nvr import layout
from nvr.analysis.album import Album
from nvr.analysis.events import Better, Closed, Opened, Seen
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.errors import CatalogueError
from nvr.model import Box, Event, Frame

START = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
BOX = Box(0.2, 0.2, 0.4, 0.6)


def frame(seconds: float) -> Frame:
    return Frame(np.full((180 * 3 // 2, 320), 128, np.uint8), 320, 180, START + timedelta(seconds=seconds), 0, 1, 1)


OPENED = Opened(7, "object", "person", START, START, 0.5, BOX)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    layout.prepare(tmp_path)
    upgrade(tmp_path / "nvr.db")
    with Catalogue.open(tmp_path / "nvr.db") as opened:
        yield opened


def pictures(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "snapshots").rglob("*.jpg"))


def test_an_event_is_stored_at_once_with_its_picture(tmp_path: Path, catalogue: Catalogue) -> None:
    album = Album("hik1", tmp_path, catalogue)
    album.take(OPENED, frame(0))
    album.store()
    event = catalogue.event(1)
    assert event is not None
    assert (event.label, event.end, event.box) == ("person", None, BOX)
    assert event.snapshot is not None
    assert (tmp_path / event.snapshot).read_bytes()[:2] == b"\xff\xd8"


def test_a_better_picture_replaces_the_first(tmp_path: Path, catalogue: Catalogue) -> None:
    album = Album("hik1", tmp_path, catalogue)
    album.take(OPENED, frame(0))
    album.store()
    album.take(Better(7, START + timedelta(seconds=2), "person", 0.9, BOX), frame(2))
    album.store()
    event = catalogue.event(1)
    assert event is not None
    assert event.snapshot is not None
    assert event.score == 0.9
    assert pictures(tmp_path) == [event.snapshot.name]


def test_an_event_ends_where_it_was_last_seen(tmp_path: Path, catalogue: Catalogue) -> None:
    album = Album("hik1", tmp_path, catalogue)
    album.take(OPENED, frame(0))
    album.take(Seen(7, START + timedelta(seconds=1)), frame(1))
    album.take(Closed(7, START + timedelta(seconds=3)), None)
    album.store()
    event = catalogue.event(1)
    assert event is not None
    assert event.end == START + timedelta(seconds=3)


class Refusing(Catalogue):
    """A catalogue that refuses until told otherwise."""

    def __init__(self, real: Catalogue) -> None:
        self.real, self.refuses = real, True

    def open_event(self, event: Event) -> int:
        if self.refuses:
            raise CatalogueError("nvr.db: locked")
        return self.real.open_event(event)

    def update_event(self, event: Event) -> None:
        self.real.update_event(event)


def test_what_the_database_refuses_waits_and_is_stored_later(tmp_path: Path, catalogue: Catalogue) -> None:
    refusing = Refusing(catalogue)
    album = Album("hik1", tmp_path, refusing)
    album.take(OPENED, frame(0))
    album.store()
    assert album.error == "nvr.db: locked"
    album.take(Closed(7, START + timedelta(seconds=3)), None)
    refusing.refuses = False
    album.store()
    event = catalogue.event(1)
    assert event is not None
    assert event.end is not None
    assert len(pictures(tmp_path)) == 1
    assert album.error == ""


def test_waiting_events_are_bounded_and_counted(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nvr.analysis.album.WAITING", 3)
    album = Album("hik1", tmp_path, Refusing(catalogue))
    for key in range(10):
        album.take(Opened(key, "object", "person", START, START, 0.5, BOX), frame(0))
        album.store()
    assert album.dropped == 7
    album.take(Seen(0, START), None)  # of an event that was dropped

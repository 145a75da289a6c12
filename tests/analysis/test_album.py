"""Rows and pictures of events, kept in step: in peace, with a locked database, and with a full disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from nvr import layout
from nvr.analysis.actions import Better, Closed, Opened, Seen
from nvr.analysis.album import Album
from nvr.analysis.snapshot import THUMBNAIL
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.errors import CatalogueError, RowError
from nvr.model import Box, Event, Frame, Waypoint

START = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
BOX = Box(0.2, 0.2, 0.4, 0.6)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def frame(seconds: float) -> Frame:
    return Frame(np.full((180 * 3 // 2, 320), 128, np.uint8), 320, 180, at(seconds), 0, 1, 1)


def way(*seconds: float) -> tuple[Waypoint, ...]:
    return tuple(Waypoint(at(each), BOX) for each in seconds)


OPENED = Opened(7, "object", "person", START, START, 0.5, BOX, "entered yard", ("yard",), way(0))
BETTER = Better(7, at(2), "person", 0.9, BOX)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    layout.prepare(tmp_path)
    upgrade(tmp_path / "nvr.db")
    with Catalogue.open(tmp_path / "nvr.db", busy_timeout=timedelta(milliseconds=10)) as opened:
        yield opened


@pytest.fixture
def album(tmp_path: Path, catalogue: Catalogue) -> Album:
    return Album("hik1", tmp_path, catalogue)


def pictures(folder: Path) -> set[str]:
    return {path.name for path in (folder / "snapshots").rglob("*") if path.is_file()}


def named(event: Event) -> set[str]:
    """The pictures that a row names."""
    return {path.name for path in (event.snapshot, event.thumbnail) if path is not None}


def row(catalogue: Catalogue, id: int = 1) -> Event:
    event = catalogue.event(id)
    assert event is not None
    return event


def seconds_of(catalogue: Catalogue, id: int = 1) -> list[float]:
    return [(point.at - START).total_seconds() for point in catalogue.path_of(id)]


class Told(Catalogue):
    """A real catalogue that refuses what it is told to, and notes which pictures there are when a row is written."""

    def __init__(self, real: Catalogue, storage: Path, *refuses: str) -> None:
        self.real, self.storage, self.refuses = real, storage, set(refuses)
        self.error: CatalogueError = CatalogueError("nvr.db: locked")
        self.asked = 0
        self.lengths: list[int] = []
        """Of the paths that were written."""
        self.seen: list[tuple[set[str], set[str]]] = []
        """Of each row as it is written: the pictures it names, and those on disk."""

    def open_event(self, event: Event) -> int:
        self._ask("open")
        return self.real.open_event(event)

    def update_event(self, event: Event) -> None:
        self.seen.append((named(event), pictures(self.storage)))
        self._ask("update")
        self.real.update_event(event)

    def put_path(self, event: int, path: Sequence[Waypoint]) -> None:
        self._ask("path")
        self.lengths.append(len(path))
        self.real.put_path(event, path)

    def _ask(self, what: str) -> None:
        self.asked += 1
        if what in self.refuses:
            raise self.error


def test_an_event_is_stored_at_once_with_its_picture(tmp_path: Path, catalogue: Catalogue, album: Album) -> None:
    album.take(OPENED, frame(0))
    assert catalogue.event(1) is None, "take writes nothing"
    album.store()
    event = row(catalogue)
    assert (event.label, event.end, event.box, event.score) == ("person", None, BOX, 0.5)
    assert (event.began, event.ended, event.zones) == ("entered yard", "", ("yard",))
    assert event.snapshot == layout.snapshot_path("hik1", START, "person", 1)
    assert event.thumbnail == layout.thumbnail_path("hik1", START, "person", 1)
    assert pictures(tmp_path) == named(event)
    assert (tmp_path / event.snapshot).read_bytes()[:2] == b"\xff\xd8"


def test_the_thumbnail_shows_the_subject_alone(tmp_path: Path, catalogue: Catalogue, album: Album) -> None:
    album.take(OPENED, frame(0))
    album.store()
    thumbnail = row(catalogue).thumbnail
    assert thumbnail is not None
    picture = cv2.imread(str(tmp_path / thumbnail))
    assert picture is not None
    assert max(picture.shape[:2]) <= THUMBNAIL
    assert picture.std() < 1, "neither box nor text"


def test_motion_has_no_thumbnail(tmp_path: Path, catalogue: Catalogue, album: Album) -> None:
    album.take(Opened(7, "motion", "motion", START, START, 0.1, BOX, "something moved"), frame(0))
    album.store()
    event = row(catalogue)
    assert event.thumbnail is None
    assert event.snapshot is not None
    assert pictures(tmp_path) == {event.snapshot.name}


def test_a_better_picture_replaces_the_first(tmp_path: Path, catalogue: Catalogue, album: Album) -> None:
    album.take(OPENED, frame(0))
    album.store()
    first = pictures(tmp_path)
    album.take(BETTER, frame(2))
    album.store()
    event = row(catalogue)
    assert event.score == 0.9
    assert pictures(tmp_path) == named(event)
    assert len(pictures(tmp_path)) == 2
    assert not first & pictures(tmp_path)


def test_pictures_are_there_before_the_row_names_them_and_the_old_ones_until_it_does(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    told = Told(catalogue, tmp_path)
    album = Album("hik1", tmp_path, told)
    album.take(OPENED, frame(0))
    album.store()
    album.take(BETTER, frame(2))
    album.store()
    (first, _), (second, then) = told.seen
    assert len(first) == len(second) == 2
    assert all(names <= there for names, there in told.seen)
    assert then == first | second
    assert pictures(tmp_path) == second


def test_a_better_picture_of_the_same_instant_is_not_removed(
    tmp_path: Path, catalogue: Catalogue, album: Album
) -> None:
    """The same instant is the same name."""
    album.take(OPENED, frame(2))
    album.store()
    album.take(BETTER, frame(2))
    album.store()
    assert pictures(tmp_path) == named(row(catalogue))
    assert len(pictures(tmp_path)) == 2


def test_an_event_ends_where_it_was_last_seen_and_says_why(catalogue: Catalogue, album: Album) -> None:
    album.take(OPENED, frame(0))
    album.take(Seen(7, at(1), "person", ("yard", "door")), frame(1))
    album.take(Closed(7, at(3), "left the picture"), None)
    album.store()
    event = row(catalogue)
    assert (event.end, event.seen, event.ended) == (at(3), at(3), "left the picture")
    assert event.zones == ("yard", "door")
    assert event.began == "entered yard"


def test_the_path_grows_while_the_event_lasts(catalogue: Catalogue, album: Album) -> None:
    album.take(OPENED, frame(0))
    album.store()
    assert seconds_of(catalogue) == [0]
    album.take(Seen(7, at(1), "person", (), way(0.4, 0.8)), frame(1))
    album.store()
    assert seconds_of(catalogue) == [0, 0.4, 0.8]
    album.take(Seen(7, at(2), "person"), frame(2))
    album.store()
    assert seconds_of(catalogue) == [0, 0.4, 0.8]
    album.take(Closed(7, at(3), "left the picture", way(2.5, 3)), None)
    album.store()
    assert seconds_of(catalogue) == [0, 0.4, 0.8, 2.5, 3]


def test_a_path_is_written_only_where_it_grew(tmp_path: Path, catalogue: Catalogue) -> None:
    told = Told(catalogue, tmp_path)
    album = Album("hik1", tmp_path, told)
    album.take(OPENED, frame(0))
    album.store()
    before = told.asked
    album.take(Seen(7, at(1), "person"), frame(1))
    album.store()
    assert told.asked == before + 1


def test_a_long_path_is_thinned_and_keeps_its_ends(tmp_path: Path, catalogue: Catalogue) -> None:
    told = Told(catalogue, tmp_path)
    album = Album("hik1", tmp_path, told)
    album.take(OPENED, frame(0))
    for second in range(1, 3001):
        album.take(Seen(7, at(second), "person", (), way(second - 0.5, second)), None)
    album.store()
    assert max(told.lengths) <= 1000, "in memory, too"
    path = seconds_of(catalogue)
    assert 400 < len(path) <= 1000
    assert (path[0], path[-1]) == (0, 3000)
    assert path == sorted(set(path))
    assert max(later - earlier for earlier, later in pairwise(path)) <= 6, "evenly"
    album.take(Closed(7, at(3001), "lost from sight", way(3001)), None)
    album.store()
    assert seconds_of(catalogue)[-1] == 3001


def test_a_thinned_path_has_points_from_all_of_its_first_part(catalogue: Catalogue, album: Album) -> None:
    album.take(OPENED, frame(0))
    album.take(Seen(7, at(1500), "person", (), way(*range(1, 1501))), None)
    album.store()
    path = seconds_of(catalogue)
    assert max(later - earlier for earlier, later in pairwise(path)) <= 2


def test_an_event_that_a_killed_analyzer_left_goes_on(tmp_path: Path, catalogue: Catalogue, album: Album) -> None:
    album.take(OPENED, frame(0))
    album.take(Seen(7, at(1), "person", ("yard",), way(1)), frame(1))
    album.store()
    successor = Album("hik1", tmp_path, catalogue)
    (event,) = successor.resume()
    assert event == row(catalogue)
    successor.take(Better(-1, at(4), "person", 0.9, BOX), frame(4))
    successor.take(Closed(-1, at(5), "left the picture", way(4, 5)), None)
    successor.store()
    event = row(catalogue)
    assert (event.end, event.ended, event.began, event.zones) == (at(5), "left the picture", "entered yard", ("yard",))
    assert seconds_of(catalogue) == [0, 1, 4, 5]
    assert pictures(tmp_path) == named(event)
    assert event.snapshot == layout.snapshot_path("hik1", at(4), "person", 1)
    assert catalogue.event(2) is None


def test_only_its_own_camera_s_objects_and_motion_are_gone_on_with(
    tmp_path: Path, catalogue: Catalogue, album: Album
) -> None:
    events = [
        Event("hik1", "camera", "vmd", START, START),
        Event("hik1", "health", "not analysed", START, START),
        Event("hik2", "object", "person", START, START),
        Event("hik1", "object", "person", START, START, end=START),
        Event("hik1", "motion", "motion", START, START),
        Event("hik1", "object", "car", START, START),
    ]
    for event in events:
        catalogue.open_event(event)
    assert [event.id for event in album.resume()] == [5, 6]


def test_what_a_locked_database_refuses_waits_and_is_stored_whole_later(
    tmp_path: Path, catalogue: Catalogue, album: Album
) -> None:
    with closing(sqlite3.connect(tmp_path / "nvr.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        album.take(OPENED, frame(0))
        album.store()
        assert "locked" in album.error
        album.take(Seen(7, at(1), "person", ("yard", "door"), way(1)), frame(1))
        album.take(BETTER, frame(2))
        album.store()
        album.take(Closed(7, at(3), "left the picture", way(3)), None)
        album.store()
        assert pictures(tmp_path) == set()
        other.execute("ROLLBACK")
    album.store()
    event = row(catalogue)
    assert (event.end, event.score, event.zones) == (at(3), 0.9, ("yard", "door"))
    assert seconds_of(catalogue) == [0, 1, 3]
    assert pictures(tmp_path) == named(event)
    assert event.snapshot == layout.snapshot_path("hik1", at(2), "person", 1)
    assert (album.error, album.dropped) == ("", 0)


@pytest.mark.parametrize("refused", ["update", "path"])
def test_pictures_that_no_row_came_to_name_do_not_stay(tmp_path: Path, catalogue: Catalogue, refused: str) -> None:
    told = Told(catalogue, tmp_path)
    album = Album("hik1", tmp_path, told)
    album.take(OPENED, frame(0))
    album.store()
    first = named(row(catalogue))
    told.refuses = {refused}
    for second in (2, 3, 4):
        album.take(Better(7, at(second), "person", 0.9, BOX), frame(second))
        album.take(Seen(7, at(second), "person", (), way(second)), frame(second))
        album.store()
        assert album.error
        assert named(row(catalogue)) <= pictures(tmp_path), "what the row names is there"
        assert refused == "path" or named(row(catalogue)) == first
    told.refuses = set()
    album.store()
    assert seconds_of(catalogue) == [0, 2, 3, 4]
    assert row(catalogue).snapshot == layout.snapshot_path("hik1", at(4), "person", 1)
    assert pictures(tmp_path) == named(row(catalogue))


@pytest.mark.parametrize("which", [layout.snapshot_path, layout.thumbnail_path], ids=["snapshot", "thumbnail"])
def test_a_full_disk_keeps_the_picture_before_and_the_new_one_comes_later(
    tmp_path: Path, catalogue: Catalogue, album: Album, which: Callable[..., Path]
) -> None:
    album.take(OPENED, frame(0))
    album.store()
    before = row(catalogue)
    full = tmp_path / f"{which('hik1', at(2), 'person', 1)}{layout.PART_SUFFIX}"
    full.symlink_to("/dev/full")
    album.take(BETTER, frame(2))
    album.take(Seen(7, at(2), "person", (), way(2)), frame(2))
    album.store()
    assert "No space left" in album.error
    assert row(catalogue) == before
    assert named(before) <= pictures(tmp_path)
    full.unlink()
    album.take(Closed(7, at(3), "left the picture", way(3)), None)
    album.store()
    event = row(catalogue)
    assert (event.end, event.score, album.error) == (at(3), 0.9, "")
    assert event.snapshot == layout.snapshot_path("hik1", at(2), "person", 1)
    assert pictures(tmp_path) == named(event)
    assert seconds_of(catalogue) == [0, 2, 3]


def test_a_disk_that_is_not_mounted_is_not_written_to(tmp_path: Path, catalogue: Catalogue, album: Album) -> None:
    (tmp_path / layout.MARKER).rename(tmp_path / "away")
    album.take(OPENED, frame(0))
    album.store()
    assert "still mounted" in album.error
    assert not (tmp_path / "snapshots").exists()
    (tmp_path / "away").rename(tmp_path / layout.MARKER)
    album.store()
    assert pictures(tmp_path) == named(row(catalogue))


def test_an_event_that_the_database_will_never_take_does_not_hold_up_others(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    told = Told(catalogue, tmp_path, "open")
    told.error = RowError("nvr.db: no such row")
    album = Album("hik1", tmp_path, told)
    album.take(OPENED, frame(0))
    album.store()
    told.refuses = set()
    assert album.dropped == 1
    album.take(Opened(8, "object", "car", START, START, 0.5, BOX), frame(1))
    album.take(Closed(7, at(3)), None)
    album.store()
    assert [event.label for event in catalogue.events(START - timedelta(days=1))] == ["car"]


def test_waiting_events_are_bounded_and_counted(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nvr.analysis.album.WAITING", 3)
    told = Told(catalogue, tmp_path, "open")
    album = Album("hik1", tmp_path, told)
    for key in range(10):
        album.take(Opened(key, "object", "person", at(key), at(key), 0.5, BOX), frame(key))
        album.store()
    assert album.dropped == 7
    album.take(Seen(0, START, "person"), None)  # of an event that was dropped
    told.refuses = set()
    album.store()
    assert [event.start for event in catalogue.events(START)] == [at(9), at(8), at(7)]


def test_waiting_pictures_are_bounded_and_their_events_stay(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(catalogue, tmp_path, "open")
    album = Album("hik1", tmp_path, told)
    album.take(OPENED, frame(0))
    told.refuses = set()
    album.store()
    size = sum(path.stat().st_size for path in (tmp_path / "snapshots").rglob("*.jpg"))
    monkeypatch.setattr("nvr.analysis.album.PICTURES", round(size * 2.5))
    told.refuses = {"open"}
    for key in range(10, 16):
        album.take(Opened(key, "object", "person", at(key), at(key), 0.5, BOX), frame(key))
        album.store()
    told.refuses = set()
    album.store()
    waited = [event for event in catalogue.events(at(10)) if event.start >= at(10)]
    assert len(waited) == 6
    assert [event.start for event in waited if event.snapshot is not None] == [at(15), at(14)]
    assert album.dropped == 0

"""Rows are made again from files alone, and equal those that were lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import EPOCH
from nvr.model import Event, Segment
from nvr.rebuild import Rebuild, Rebuilt
from tests.fakes.archive import Archive, instant
from tests.fakes.clip import write


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    layout.prepare(tmp_path / "storage")
    made = Archive(tmp_path / "storage", write(tmp_path / "tape.mp4", frames=300))
    yield made
    made.close()


@pytest.fixture
def catalogue(archive: Archive) -> Iterator[Catalogue]:
    upgrade(archive.storage / "nvr.db")
    with Catalogue.open(archive.storage / "nvr.db") as opened:
        yield opened


def rebuild(archive: Archive, catalogue: Catalogue) -> Rebuilt:
    return Rebuild(archive.storage, catalogue, lambda done: None).run()


def stored(catalogue: Catalogue) -> list[Segment]:
    return list(catalogue.segments(EPOCH))


def test_rows_are_as_they_were(archive: Archive, catalogue: Catalogue) -> None:
    slewed = timedelta(milliseconds=2)
    lost = [
        archive.add(0, 100),
        archive.add(100, 150),
        archive.add(150, 200, run="run-2", state="salvaged"),
        archive.add(200, 250, run="run-3"),
        archive.add(250, 300, run="run-3", at=instant(250) + slewed),
    ]
    lost[3] = replace(lost[3], end=lost[4].start)
    done = rebuild(archive, catalogue)
    assert stored(catalogue) == lost
    assert (done.files, done.added, done.kept, done.unreadable) == (5, 5, 0, [])
    runs = list(catalogue.runs(EPOCH))
    assert [(run.id, run.camera, run.start, run.end, run.codec) for run in runs] == [
        ("run-1", "hik1", instant(0), instant(150), "h264"),
        ("run-2", "hik1", instant(150), lost[2].end, "h264"),
        ("run-3", "hik1", instant(200), lost[4].end, "h264"),
    ]
    assert catalogue.cameras() == {"hik1": instant(0)}


def test_a_second_time_changes_nothing(archive: Archive, catalogue: Catalogue) -> None:
    archive.add(0, 100)
    archive.add(100, 150)
    rebuild(archive, catalogue)
    before = stored(catalogue)
    done = rebuild(archive, catalogue)
    assert (done.added, done.kept) == (0, 2)
    assert stored(catalogue) == before


def test_a_row_that_agrees_is_kept_and_one_that_does_not_is_made_again(archive: Archive, catalogue: Catalogue) -> None:
    one, two = archive.add(0, 100), archive.add(100, 150)
    kept = replace(one, end=one.end + timedelta(seconds=5))
    catalogue.add_segment(kept)
    catalogue.add_segment(replace(two, bytes=1, packets=2))
    done = rebuild(archive, catalogue)
    assert (done.added, done.kept) == (1, 1)
    assert stored(catalogue) == [kept, two]


def test_a_gap_within_a_run_stays_one(archive: Archive, catalogue: Catalogue) -> None:
    one = archive.add(0, 50)
    two = archive.add(75, 100)
    rebuild(archive, catalogue)
    assert stored(catalogue) == [one, two]


def test_rows_without_files_leave_a_reason_and_come_back_with_them(archive: Archive, catalogue: Catalogue) -> None:
    row = archive.add(0, 50)
    catalogue.add_segment(row)
    away = archive.storage / "away"
    (archive.storage / row.path).rename(away)
    assert rebuild(archive, catalogue).missing == 1
    assert stored(catalogue) == list(catalogue.segments_in_state("missing")) == []
    (gap,) = catalogue.gaps(EPOCH)
    assert (gap.start, gap.end, gap.reason) == (row.start, row.end, "missing")
    away.rename(archive.storage / row.path)
    rebuild(archive, catalogue)
    assert stored(catalogue) == [row]


def test_what_is_being_deleted_is_left_to_be(archive: Archive, catalogue: Catalogue) -> None:
    row = archive.add(0, 50)
    catalogue.add_segment(row)
    catalogue.mark_deleting([row], "continuous 7d", instant(300))
    rebuild(archive, catalogue)
    assert stored(catalogue) == []
    assert [each.path for each in catalogue.segments_in_state("deleting")] == [row.path]


def test_rubbish_stays_and_is_said(archive: Archive, catalogue: Catalogue) -> None:
    row = archive.add(0, 50)
    rubbish = (archive.storage / row.path).with_name("13-00-00.000+0000.mp4")
    rubbish.write_bytes(b"rubbish" * 1000)
    done = rebuild(archive, catalogue)
    assert stored(catalogue) == [row]
    assert len(done.unreadable) == 1
    assert rubbish.exists()


def test_events_are_found_again_by_their_snapshots(archive: Archive, catalogue: Catalogue) -> None:
    made = [("person", 17), ("motion", 18), ("traffic light", 19)]
    paths = [layout.snapshot_path("hik1", instant(number), label, number) for label, number in made]
    for path in paths:
        (archive.storage / path).parent.mkdir(parents=True, exist_ok=True)
        (archive.storage / path).write_bytes(b"x")
    kept = Event("hik1", "object", "person", instant(0), instant(20), instant(30), score=0.5, snapshot=paths[0], id=17)
    catalogue.update_event(kept)
    thumbnails = [
        path.with_suffix(".thumb.jpg") for path in (paths[2], layout.snapshot_path("hik1", instant(0), "car", 99))
    ]
    for path in thumbnails:  # the second one is of an event that has no snapshot, which is none to be made again
        (archive.storage / path).write_bytes(b"x")
    assert rebuild(archive, catalogue).events == 2
    assert catalogue.event(17) == kept
    assert catalogue.event(99) is None
    found = catalogue.event(19)
    assert found is not None
    assert (found.kind, found.label, found.snapshot, found.end) == ("object", "traffic light", paths[2], found.start)
    assert found.thumbnail == thumbnails[0]
    again = catalogue.event(18)
    assert again is not None
    assert (again.kind, again.thumbnail) == ("motion", None)
    assert catalogue.open_event(replace(kept, id=None)) == 20, "a number is never used twice"


def test_a_camera_is_known_since_its_oldest_file(archive: Archive, catalogue: Catalogue) -> None:
    catalogue.add_camera("hik1", instant(300))  # by an nvr start that found no catalogue
    catalogue.add_segment(archive.add(0, 100))
    archive.add(150, 200)
    rebuild(archive, catalogue)
    assert catalogue.cameras() == {"hik1": instant(0)}

"""What is wrong is found and said; what only goes on meanwhile is not."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.check import Check, Report
from nvr.clock import to_us
from nvr.model import Event, Segment
from tests.fakes.archive import Archive, instant
from tests.fakes.clock import FakeClock

NOW = instant(0) + timedelta(hours=1)


@pytest.fixture
def archive(tmp_path: Path, clip_h264: Path) -> Iterator[Archive]:
    layout.prepare(tmp_path / "storage")
    made = Archive(tmp_path / "storage", clip_h264)
    yield made
    made.close()


@pytest.fixture
def catalogue(archive: Archive) -> Iterator[Catalogue]:
    upgrade(archive.storage / "nvr.db")
    with Catalogue.open(archive.storage / "nvr.db") as opened:
        yield opened


@pytest.fixture
def rows(archive: Archive, catalogue: Catalogue) -> list[Segment]:
    """Three segments that follow each other, in order."""
    added = [archive.add(0, 50), archive.add(50, 75), archive.add(75, 100)]
    for row in added:
        catalogue.add_segment(row)
    return added


def check(archive: Archive, catalogue: Catalogue, *, deep: bool = False, running: bool = False) -> Report:
    clock = FakeClock(NOW)
    return Check(archive.storage, catalogue, clock, deep=deep, running=running).run(None, lambda report: None)


def kinds(report: Report) -> list[tuple[str, str]]:
    return [(problem.kind, Path(problem.where).name) for problem in report.problems]


def touched(file: Path, age: timedelta) -> None:
    at = (to_us(NOW - age)) * 1000
    os.utime(file, ns=(at, at))


@pytest.mark.parametrize("deep", [False, True])
def test_what_is_in_order_is_in_order(archive: Archive, catalogue: Catalogue, rows: list[Segment], deep: bool) -> None:
    report = check(archive, catalogue, deep=deep)
    assert report.problems == []
    assert (report.files, report.bytes) == (3, sum(row.bytes for row in rows))


def test_a_missing_file_is_found(archive: Archive, catalogue: Catalogue, rows: list[Segment]) -> None:
    (archive.storage / rows[1].path).unlink()
    (problem,) = check(archive, catalogue).problems
    assert (problem.kind, problem.where) == ("missing", str(rows[1].path))
    assert "restore it from a backup" in problem.advice


def test_a_file_without_a_row_is_listed_and_kept(archive: Archive, catalogue: Catalogue, rows: list[Segment]) -> None:
    orphan = archive.add(0, 25, at=instant(500))
    assert kinds(check(archive, catalogue)) == [("orphan", orphan.path.name)]
    assert (archive.storage / orphan.path).exists()


def test_a_file_that_is_just_closed_is_no_orphan_while_nvr_runs(
    archive: Archive, catalogue: Catalogue, rows: list[Segment]
) -> None:
    file = archive.storage / archive.add(0, 25, at=instant(500)).path
    touched(file, timedelta(seconds=5))
    assert kinds(check(archive, catalogue, running=True)) == []
    assert kinds(check(archive, catalogue)) == [("orphan", file.name)]
    touched(file, timedelta(minutes=5))
    assert kinds(check(archive, catalogue, running=True)) == [("orphan", file.name)]


def test_another_size_is_found(archive: Archive, catalogue: Catalogue, rows: list[Segment]) -> None:
    catalogue.add_segment(replace(rows[0], bytes=7))
    assert kinds(check(archive, catalogue)) == [("size", rows[0].path.name)]


def test_a_part_that_nobody_writes_is_found(archive: Archive, catalogue: Catalogue, rows: list[Segment]) -> None:
    part = archive.storage / f"{archive.add(0, 25, at=instant(500), state='open').path}.part"
    assert kinds(check(archive, catalogue)) == [("part", part.name)]
    with part.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert kinds(check(archive, catalogue)) == []


def test_files_that_are_no_segments_are_listed(archive: Archive, catalogue: Catalogue, rows: list[Segment]) -> None:
    folder = (archive.storage / rows[0].path).parent
    (folder / "a.mp4.unreadable").write_bytes(b"x")
    (folder / "notes.txt").write_bytes(b"x")
    assert kinds(check(archive, catalogue)) == [("unreadable", "a.mp4.unreadable"), ("stranger", "notes.txt")]


def test_a_deletion_that_was_broken_off_is_found_once_nobody_is_at_it(
    archive: Archive, catalogue: Catalogue, rows: list[Segment]
) -> None:
    catalogue.mark_deleting(rows[:1], "continuous 7d", NOW)
    assert kinds(check(archive, catalogue)) == [("deleting", rows[0].path.name)]
    assert kinds(check(archive, catalogue, running=True)) == []


def test_a_file_that_was_missing_and_is_back_is_found(
    archive: Archive, catalogue: Catalogue, rows: list[Segment]
) -> None:
    catalogue.set_state([rows[0].path], "missing")
    (problem,) = check(archive, catalogue).problems
    assert (problem.kind, problem.advice) == ("missing", "nvr rebuild corrects the row")


def test_a_missing_snapshot_and_one_without_event_are_found(archive: Archive, catalogue: Catalogue) -> None:
    picture = layout.snapshot_path("hik1", instant(0), "person", 1)
    event = Event("hik1", "object", "person", instant(0), instant(0), instant(10), snapshot=picture)
    assert catalogue.open_event(event) == 1
    assert kinds(check(archive, catalogue)) == [("snapshot", picture.name)]
    other = layout.snapshot_path("hik1", instant(0), "person", 2)
    for path in (picture, other):
        (archive.storage / path).parent.mkdir(parents=True, exist_ok=True)
        (archive.storage / path).write_bytes(b"x")
    assert kinds(check(archive, catalogue)) == [("orphan", other.name)]


def test_a_missing_thumbnail_and_one_without_event_are_found(archive: Archive, catalogue: Catalogue) -> None:
    picture, small = (of("hik1", instant(0), "person", 1) for of in (layout.snapshot_path, layout.thumbnail_path))
    event = Event("hik1", "object", "person", instant(0), instant(0), instant(10), snapshot=picture, thumbnail=small)
    catalogue.open_event(event)
    layout.write_durably(archive.storage / picture, b"x")
    (problem,) = check(archive, catalogue).problems
    assert (problem.kind, problem.what, problem.where) == (
        "snapshot",
        "the thumbnail of event 1 is not there",
        str(small),
    )
    other = layout.thumbnail_path("hik1", instant(0), "person", 2)
    for path in (small, other):
        layout.write_durably(archive.storage / path, b"x")
    (problem,) = check(archive, catalogue).problems
    assert (problem.kind, problem.where) == ("orphan", str(other))
    assert "else remove it" in problem.advice


def test_an_overlap_within_a_run_is_found_and_a_clock_that_was_set_back_is_none(
    archive: Archive, catalogue: Catalogue, rows: list[Segment]
) -> None:
    catalogue.add_segment(replace(rows[0], end=rows[0].end + timedelta(milliseconds=200)))
    assert kinds(check(archive, catalogue)) == [("overlap", rows[1].path.name)]
    catalogue.add_segment(replace(rows[0], end=rows[0].end + timedelta(seconds=3)))
    assert kinds(check(archive, catalogue)) == []


@pytest.mark.parametrize("damage", ["truncated", "index", "picture", "packets", "end", "size"])
def test_damage_is_found_by_reading(archive: Archive, catalogue: Catalogue, rows: list[Segment], damage: str) -> None:
    row, file = rows[0], archive.storage / rows[0].path
    content = bytearray(file.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "index":
        content[content.rfind(b"stsz") + 16 + 3] ^= 1
    elif damage == "picture":
        content[content.find(b"mdat", content.find(b"moof")) + 4 + 3] ^= 16
    changes: dict[str, Segment] = {
        "packets": replace(row, packets=row.packets + 1),
        "end": replace(row, end=row.end - timedelta(seconds=1)),
        "size": replace(row, width=640),
    }
    file.write_bytes(content)
    catalogue.add_segment(replace(changes.get(damage, row), bytes=len(content)))
    assert kinds(check(archive, catalogue)) == []
    (problem, *_) = check(archive, catalogue, deep=True).problems
    assert problem.kind in ("damaged", "differs")
    assert problem.where == str(row.path)


def test_a_segment_that_ends_with_a_pause_of_the_camera_is_in_order(
    archive: Archive, catalogue: Catalogue, rows: list[Segment]
) -> None:
    catalogue.add_segment(replace(rows[2], end=rows[2].end + timedelta(seconds=8)))
    assert kinds(check(archive, catalogue, deep=True)) == []


def test_names_that_are_no_text_and_files_that_cannot_be_read_are_strangers(
    archive: Archive, catalogue: Catalogue, rows: list[Segment]
) -> None:
    folder = (archive.storage / rows[0].path).parent
    for name in (b"\xff.mp4", b"two\nlines.txt"):
        Path(os.fsdecode(bytes(folder) + b"/" + name)).touch()
    os.mkfifo(folder / "pipe.mp4")
    os.mkfifo(folder / "pipe.mp4.part")
    (folder / "folder.mp4").mkdir()
    Path(os.fsdecode(bytes(archive.storage) + b"/segments/\xff")).mkdir()
    found = [problem.where.rpartition("/")[2] for problem in check(archive, catalogue, deep=True).problems]
    assert sorted(found) == ["\\udcff.mp4", "folder.mp4", "pipe.mp4", "pipe.mp4.part", "two\\nlines.txt"]

"""What is marked false is kept as a clean picture, with what it was taken for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from nvr import layout, sample
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import format_rfc3339
from nvr.errors import StorageError
from nvr.model import Box, Event
from tests.fakes.archive import FRAME, Archive, instant
from tests.fakes.footage import frame_number

PICTURE = 60


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    layout.prepare(tmp_path / "storage")
    upgrade(tmp_path / "storage/nvr.db")
    return tmp_path / "storage"


@pytest.fixture
def catalogue(storage: Path) -> Iterator[Catalogue]:
    with Catalogue.open(storage / "nvr.db") as opened:
        yield opened


def event(storage: Path, catalogue: Catalogue) -> Event:
    """A stored event with a snapshot of picture 60, drawn into."""
    at = instant(PICTURE)
    seen = Event(
        "hik1", "object", "Traffic Light", instant(10), at, at, 0.91234, Box(0.1, 0.2, 0.3, 0.87654), ("gate",)
    )
    seen = replace(seen, id=catalogue.open_event(seen), began="entered gate")
    path = layout.snapshot_path("hik1", at, seen.label, seen.id or 0)
    layout.write_durably(storage / path, b"drawn into")
    seen = replace(seen, snapshot=path)
    catalogue.update_event(seen)
    return seen


def record(storage: Path, catalogue: Catalogue, tape: Path) -> Archive:
    archive = Archive(storage, tape)
    catalogue.add_segment(archive.add(0, 50))
    catalogue.add_segment(archive.add(50, 100))
    return archive


def test_a_sample_is_the_picture_of_the_video_at_the_snapshots_instant(
    storage: Path, catalogue: Catalogue, clip_h264: Path
) -> None:
    record(storage, catalogue, clip_h264)
    seen = event(storage, catalogue)
    kept = sample.keep(storage, catalogue, seen, "built-in")
    assert kept is not None
    assert kept == sample.Sample(layout.sample_path("hik1", instant(PICTURE), "Traffic Light", 1), "video")
    picture = cv2.imdecode(np.fromfile(storage / kept.path, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert frame_number(np.asarray(picture, np.uint8)) == PICTURE
    assert json.loads((storage / kept.path.with_suffix(".json")).read_text()) == {
        "picture": kept.path.name,
        "source": "video",
        "event": 1,
        "camera": "hik1",
        "kind": "object",
        "label": "Traffic Light",
        "score": 0.9123,
        "box": [0.1, 0.2, 0.3, 0.8765],
        "zones": ["gate"],
        "at": format_rfc3339(instant(PICTURE)),
        "start": format_rfc3339(instant(10)),
        "end": format_rfc3339(instant(PICTURE)),
        "began": "entered gate",
        "ended": "",
        "detail": "",
        "model": "built-in",
    }
    assert not list(storage.rglob("*.part"))


def test_where_its_file_is_damaged_the_one_before_does_not_stand_for_it(
    storage: Path, catalogue: Catalogue, clip_h264: Path
) -> None:
    archive = Archive(storage, clip_h264)
    catalogue.add_segment(archive.add(0, 50))
    broken = archive.add(50, 100)
    catalogue.add_segment(broken)
    os.truncate(storage / broken.path, 500)
    seen = event(storage, catalogue)
    assert seen.snapshot is not None
    taken = layout.snapshot_path("hik1", instant(65), "Traffic Light", 1)
    (storage / taken).parent.mkdir(parents=True, exist_ok=True)
    (storage / seen.snapshot).rename(storage / taken)
    kept = sample.keep(storage, catalogue, replace(seen, snapshot=taken), None)
    assert kept is not None
    assert kept.source == "snapshot"


def test_where_the_video_is_gone_the_snapshot_is_kept(storage: Path, catalogue: Catalogue) -> None:
    seen = event(storage, catalogue)
    kept = sample.keep(storage, catalogue, seen, None)
    assert kept is not None
    assert kept.source == "snapshot"
    assert (storage / kept.path).read_bytes() == b"drawn into"
    assert json.loads((storage / kept.path.with_suffix(".json")).read_text())["source"] == "snapshot"


def test_the_file_being_written_holds_the_picture_too(storage: Path, catalogue: Catalogue, clip_h264: Path) -> None:
    archive = Archive(storage, clip_h264)
    archive.add(0, 100, state="open")
    kept = sample.keep(storage, catalogue, event(storage, catalogue), None)
    assert kept is not None
    assert kept.source == "video"
    archive.close()


def test_an_event_without_a_snapshot_is_shown_as_it_began(storage: Path, catalogue: Catalogue, clip_h264: Path) -> None:
    record(storage, catalogue, clip_h264)
    seen = replace(event(storage, catalogue), snapshot=None)
    kept = sample.keep(storage, catalogue, seen, None)
    assert kept is not None
    picture = cv2.imdecode(np.fromfile(storage / kept.path, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert frame_number(np.asarray(picture, np.uint8)) == 10
    assert sample.moment(replace(seen, snapshot=Path("snapshots/hik1/mine.jpg"))) == instant(10)


def test_with_neither_there_is_none(storage: Path, catalogue: Catalogue) -> None:
    seen = event(storage, catalogue)
    (storage / seen.snapshot).unlink()  # type: ignore[operator]  # it has one
    assert sample.keep(storage, catalogue, seen, None) is None
    assert not (storage / "samples").exists()


def test_a_sample_is_kept_once_and_removed_whole(storage: Path, catalogue: Catalogue, clip_h264: Path) -> None:
    seen = event(storage, catalogue)
    first = sample.keep(storage, catalogue, seen, None)
    record(storage, catalogue, clip_h264)
    renamed = replace(seen, label="person")
    assert sample.keep(storage, catalogue, renamed, None) == first
    other = storage / "samples/hik1/2026-11-22_14-05-00.000+0100_person_11.jpg"
    other.write_bytes(b"of event 11")
    assert len(sample.files(storage, seen)) == 2
    assert sample.drop(storage, renamed) == 2
    assert sample.drop(storage, renamed) == 0
    assert list((storage / "samples/hik1").iterdir()) == [other]


def test_a_sample_that_broke_off_is_made_again(storage: Path, catalogue: Catalogue) -> None:
    """The JSON comes last: a picture without one is of a process that was killed in between."""
    seen = event(storage, catalogue)
    kept = sample.keep(storage, catalogue, seen, None)
    assert kept is not None
    (storage / kept.path.with_suffix(".json")).unlink()
    (storage / kept.path).write_bytes(b"half")
    part = storage / f"{kept.path.with_suffix('.json')}.part"
    part.write_bytes(b"half")
    sample.keep(storage, catalogue, seen, None)
    assert (storage / kept.path).read_bytes() == b"drawn into"
    assert kept.path.with_suffix(".json").name in [path.name for path in sample.files(storage, seen)]
    part.write_bytes(b"half")
    sample.drop(storage, seen)
    assert sample.files(storage, seen) == []


def test_removing_a_sample_that_breaks_off_leaves_no_json_without_its_picture(
    storage: Path, catalogue: Catalogue
) -> None:
    seen = event(storage, catalogue)
    kept = sample.keep(storage, catalogue, seen, None)
    assert kept is not None
    (storage / kept.path).unlink()
    (storage / kept.path).mkdir()  # cannot be unlinked
    with pytest.raises(StorageError, match="cannot remove the sample of event 1"):
        sample.drop(storage, seen)
    assert sample.files(storage, seen) == [storage / kept.path]


def test_nothing_is_kept_on_a_disk_that_is_not_there(storage: Path, catalogue: Catalogue) -> None:
    seen = event(storage, catalogue)
    (storage / layout.MARKER).unlink()
    with pytest.raises(StorageError, match="is its disk still mounted"):
        sample.keep(storage, catalogue, seen, None)
    assert not (storage / "samples").exists()


def test_a_folder_that_cannot_be_written_is_told(storage: Path, catalogue: Catalogue) -> None:
    seen = event(storage, catalogue)
    (storage / "samples").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="cannot keep a sample of event 1"):
        sample.keep(storage, catalogue, seen, None)


def test_an_instant_between_two_pictures_shows_the_one_before(
    storage: Path, catalogue: Catalogue, clip_h264: Path
) -> None:
    record(storage, catalogue, clip_h264)
    late = replace(event(storage, catalogue), snapshot=None, start=instant(30) + FRAME - timedelta(milliseconds=2))
    kept = sample.keep(storage, catalogue, late, None)
    assert kept is not None
    picture = cv2.imdecode(np.fromfile(storage / kept.path, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert frame_number(np.asarray(picture, np.uint8)) == 30

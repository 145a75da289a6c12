"""Files and rows meet, whatever the zone their names are in, and nothing is seen twice."""

from __future__ import annotations

import fcntl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from nvr import archive, layout
from nvr.archive import Picture
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.errors import StorageError
from nvr.model import Segment

BERLIN = ZoneInfo("Europe/Berlin")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    upgrade(tmp_path / "nvr.db")
    return Catalogue.open(tmp_path / "nvr.db")


def add(storage: Path, catalogue: Catalogue | None, start: datetime, zone: ZoneInfo, *, file: bool = True) -> Path:
    path = layout.segment_path("hik1", start, zone)
    if file:
        (storage / path).parent.mkdir(parents=True, exist_ok=True)
        (storage / path).write_bytes(b"x" * 100)
    if catalogue is not None:
        end = start + timedelta(minutes=1)
        catalogue.add_segment(Segment("hik1", "r", path, start, end, 100, 1500, "h264", 320, 180))
    return path


@pytest.mark.parametrize("zone", [BERLIN, KIRITIMATI, ZoneInfo("America/Los_Angeles")])
def test_files_and_rows_of_many_days_meet(tmp_path: Path, catalogue: Catalogue, zone: ZoneInfo) -> None:
    """Over the night in which clocks go back in Berlin, where names alone would not be in the order of time."""
    start = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)
    paths = [add(tmp_path, catalogue, start + timedelta(minutes=20 * number), zone) for number in range(30)]
    found = list(archive.pairs(tmp_path, catalogue, "hik1"))
    assert [pair.path for pair in found] == paths
    assert all(pair.row is not None and pair.row.path == pair.path and pair.bytes == 100 for pair in found)


def test_what_lacks_its_other_half_comes_alone(tmp_path: Path, catalogue: Catalogue) -> None:
    start = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
    day = timedelta(days=1)
    both = add(tmp_path, catalogue, start, BERLIN)
    orphan = add(tmp_path, None, start + day, BERLIN)
    gone = [add(tmp_path, catalogue, start + number * day, BERLIN, file=False) for number in (0.1, 2, 40)]
    found = {pair.path: (pair.row is not None, pair.bytes) for pair in archive.pairs(tmp_path, catalogue, "hik1")}
    assert found == {both: (True, 100), orphan: (False, 100), **dict.fromkeys(gone, (True, None))}


def test_no_folder_is_no_file(tmp_path: Path, catalogue: Catalogue) -> None:
    assert archive.cameras(tmp_path, catalogue) == []
    assert list(archive.pairs(tmp_path, catalogue, "hik1")) == []
    assert list(archive.others(tmp_path, "hik1")) == []
    assert list(archive.pictures(tmp_path)) == []


def test_a_snapshots_name_is_read_back(tmp_path: Path) -> None:
    at = datetime(2026, 11, 22, 13, 5, 12, 640_000, tzinfo=UTC)
    path = layout.snapshot_path("hik1", at, "traffic light", 17, BERLIN)
    (tmp_path / path).parent.mkdir(parents=True)
    small = layout.thumbnail_path("hik1", at, "traffic light", 17, BERLIN)
    for name in (path.name, small.name, "holiday.jpg", "x_person_1.jpg", path.name.replace(".jpg", ".thumbs.jpg")):
        (tmp_path / path).with_name(name).write_bytes(b"")
    assert list(archive.pictures(tmp_path)) == [
        Picture(path, "hik1", at, "traffic light", 17),
        Picture(small, "hik1", at, "traffic light", 17, small=True),
    ]
    assert list(archive.pictures(tmp_path, "hik2")) == []


def test_a_storage_folder_is_held_by_one(tmp_path: Path) -> None:
    layout.prepare(tmp_path)
    with archive.held(tmp_path) as alone:
        assert alone
        with archive.held(tmp_path) as second:
            assert not second
    with pytest.raises(StorageError, match=r"has no \.nvr-volume"), archive.held(tmp_path / "no"):
        pass


def test_a_part_that_is_being_written_is_told_by_its_lock(tmp_path: Path) -> None:
    part = tmp_path / "a.mp4.part"
    with part.open("wb") as file:
        assert not archive.is_locked(part)
        fcntl.flock(file, fcntl.LOCK_SH)
        assert archive.is_locked(part)
    assert not archive.is_locked(part)
    assert not archive.is_locked(tmp_path / "gone")

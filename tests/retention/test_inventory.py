"""Files against rows: what has no row gets one, what has no file is missing, and nothing on disk changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from nvr.clock import EPOCH
from nvr.retention.inventory import Inventory
from tests.fakes.segments import PATH, close, fill
from tests.retention.archive import DAY, Archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "storage")
    yield made
    made.close()


def take(archive: Archive, **options: object) -> list[bool]:
    inventory = Inventory(archive.storage, archive.catalogue, archive.now, **options)  # type: ignore[arg-type]
    return list(inventory.steps())


def test_a_file_without_a_row_gets_it_and_a_second_look_finds_nothing(archive: Archive, clip_h264: Path) -> None:
    size = close(fill(archive.storage, clip_h264))
    take(archive)
    (row,) = archive.catalogue.segments(EPOCH)
    assert (row.path, row.bytes, row.packets, row.state) == (PATH, size, 100, "closed")
    assert archive.catalogue.cameras()[row.camera] == row.start
    take(archive)
    assert list(archive.catalogue.segments(EPOCH)) == [row]


def test_a_row_without_a_file_is_missing_until_the_file_is_back(archive: Archive) -> None:
    kept, gone = archive.record(DAY), archive.record(2 * DAY)
    content = (archive.storage / gone.path).read_bytes()
    (archive.storage / gone.path).unlink()
    take(archive)
    assert archive.rows() == {kept.path}
    assert archive.in_state("missing") == {gone.path}
    (archive.storage / gone.path).write_bytes(content)
    take(archive)
    assert archive.rows() == {kept.path, gone.path}


def test_what_is_recorded_after_it_began_is_left_to_its_recorder(archive: Archive) -> None:
    new = archive.record(-timedelta(minutes=5), row=False)
    take(archive)
    assert archive.rows() == set()
    assert (archive.storage / new.path).exists()


def test_one_camera_alone(archive: Archive, clip_h264: Path) -> None:
    close(fill(archive.storage, clip_h264))
    take(archive, camera="hik2")
    assert archive.rows() == set()
    take(archive, camera="hik1")
    assert archive.rows() == {PATH}


def test_a_file_that_cannot_be_read_is_kept_and_named(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    broken = archive.record(DAY, row=False)
    take(archive)
    assert archive.rows() == set()
    assert (archive.storage / broken.path).exists()
    assert f"{broken.path} has no row and cannot be read back" in caplog.text


def test_names_that_are_no_text_and_pipes_hold_nothing_up(archive: Archive) -> None:
    folder = archive.storage / "segments" / "hik1" / "2026-11-22"
    folder.mkdir(parents=True, exist_ok=True)
    Path(os.fsdecode(bytes(folder) + b"/\xff.mp4")).touch()
    Path(os.fsdecode(bytes(archive.storage) + b"/segments/\xff")).mkdir()
    os.mkfifo(folder / "14-05-00.000+0000.mp4")
    assert not any(take(archive))

"""Deleting: what the disk refuses stays marked, is tried again with pauses, and does not cost the rest its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from nvr import layout
from nvr.errors import StorageError
from nvr.model import Segment
from nvr.retention.plan import Deletion
from nvr.retention.removal import BATCH, PROBES, RESERVE_BYTES, Remover, Reserve, alone
from tests.fakes.clock import FakeClock
from tests.retention.archive import DAY, Archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "storage")
    yield made
    made.close()


class Scene:
    """A remover, its clock, and segments to be removed."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.clock = FakeClock(archive.now)
        self.remover = Remover(archive.storage, archive.catalogue, self.clock, Reserve(archive.database))

    def stuck(self, number: int) -> Segment:
        """A segment whose file cannot be unlinked, whoever tries: there is a folder in its place."""
        segment = self.archive.record(number * DAY)
        (self.archive.storage / segment.path).unlink()
        (self.archive.storage / segment.path).mkdir()
        return segment

    def remove(self, *segments: Segment) -> int:
        return self.remover.remove([Deletion(one, "continuous 7d", "old") for one in segments])


@pytest.fixture
def scene(archive: Archive) -> Scene:
    return Scene(archive)


def test_one_file_that_cannot_be_deleted_does_not_keep_the_others(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = scene.stuck(9)
    others = [scene.archive.record(number * DAY) for number in range(3)]
    assert scene.remove(stuck, *others) == 3
    assert scene.archive.in_state("deleting") == {stuck.path}
    assert scene.archive.rows() == set()
    assert (scene.remover.left, scene.remover.allowance) == (1, BATCH)
    assert str(stuck.path) in scene.remover.error
    for _ in range(5):
        scene.clock.advance(60)
        scene.remover.finish()
    assert len(caplog.records) == 1
    (scene.archive.storage / stuck.path).rmdir()
    scene.clock.advance(60)
    scene.remover.finish()
    assert (scene.remover.left, scene.remover.error, scene.archive.in_state("deleting")) == (0, "", set())


def test_while_nothing_can_be_deleted_few_rows_are_marked(scene: Scene) -> None:
    assert scene.remove(scene.stuck(100)) == 0
    assert scene.remover.allowance == 0
    scene.remover.finish()  # too early
    assert scene.remover.allowance == 0
    for number in range(60):
        scene.clock.advance(40)
        scene.remover.finish()
        if scene.remover.allowance:
            assert scene.remover.allowance == 1
            assert scene.remove(scene.stuck(number)) == 0
            assert scene.remover.allowance == 0
    assert len(scene.archive.in_state("deleting")) == scene.remover.left == PROBES
    free = scene.archive.in_state("deleting").pop()
    (scene.archive.storage / free).rmdir()
    scene.clock.advance(40)
    scene.remover.finish()
    assert scene.remover.allowance == BATCH


def test_what_was_marked_by_another_process_is_finished_once(scene: Scene) -> None:
    marked = scene.archive.record(DAY)
    scene.archive.catalogue.mark_deleting([marked], "continuous 7d", scene.archive.now)
    scene.remover.finish()
    assert scene.archive.files() == scene.archive.in_state("deleting") == set()


def test_a_file_that_is_gone_on_a_volume_that_is_gone_keeps_its_row(scene: Scene) -> None:
    one = scene.archive.record(DAY)
    scene.archive.catalogue.mark_deleting([one], "continuous 7d", scene.archive.now)
    (scene.archive.storage / one.path).unlink()
    (scene.archive.storage / layout.MARKER).unlink()
    with pytest.raises(StorageError):
        scene.remover.finish()
    with pytest.raises(StorageError):
        scene.remove(one)
    assert scene.archive.in_state("deleting") == {one.path}


def test_a_disk_that_goes_in_the_middle_of_deleting_keeps_the_rows(scene: Scene) -> None:
    class Unmounted(Remover):
        def _unlink(self, paths: Sequence[Path]) -> set[Path]:
            (scene.archive.storage / layout.MARKER).unlink()
            return super()._unlink(paths)

    one = scene.archive.record(DAY)
    remover = Unmounted(scene.archive.storage, scene.archive.catalogue, scene.clock, Reserve(scene.archive.database))
    with pytest.raises(StorageError):
        remover.remove([Deletion(one, "continuous 7d", "old")])
    assert scene.archive.in_state("deleting") == {one.path}


def test_an_event_whose_picture_cannot_be_deleted_stays_known(scene: Scene) -> None:
    id = scene.archive.happen(DAY)
    event = scene.archive.catalogue.event(id)
    assert event is not None
    assert event.snapshot is not None
    picture = scene.archive.storage / event.snapshot
    picture.unlink()
    picture.mkdir()
    assert scene.remover.forget([event]) == 0
    assert scene.archive.catalogue.event(id) == event
    picture.rmdir()
    assert scene.remover.forget([event]) == 1
    assert scene.archive.catalogue.event(id) is None


def test_an_events_pictures_go_both_and_before_it(scene: Scene) -> None:
    id = scene.archive.happen(DAY)
    event = scene.archive.catalogue.event(id)
    assert event is not None
    assert event.snapshot is not None
    thumbnail = event.snapshot.with_suffix(".thumb.jpg")
    event = replace(event, thumbnail=thumbnail)
    scene.archive.catalogue.update_event(event)
    (scene.archive.storage / thumbnail).mkdir()  # cannot be unlinked
    sample = layout.sample_path(event.camera, event.start, event.label, id)
    layout.write_durably(scene.archive.storage / sample, b"mine")
    assert scene.remover.forget([event]) == 0
    assert scene.archive.catalogue.event(id) == event
    (scene.archive.storage / thumbnail).rmdir()
    (scene.archive.storage / thumbnail).write_bytes(b"small")
    assert scene.remover.forget([event]) == 1
    assert scene.archive.catalogue.event(id) is None
    assert not list((scene.archive.storage / "snapshots").rglob("*.jpg"))
    assert (scene.archive.storage / sample).read_bytes() == b"mine"


def test_the_reserve_is_there_and_is_not_given_while_there_is_room(scene: Scene) -> None:
    reserve = scene.archive.database.with_name("nvr.db.reserve")
    assert reserve.stat().st_size == RESERVE_BYTES
    assert not Reserve(scene.archive.database).give()
    assert reserve.exists()


def test_one_at_a_time_deletes(archive: Archive) -> None:
    again = alone(archive.storage)
    with alone(archive.storage), pytest.raises(StorageError, match="another process deletes"):
        again.__enter__()
    with alone(archive.storage):
        pass

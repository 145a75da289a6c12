"""The janitor as a process, on real files and a real catalogue: what it deletes, keeps, says, and survives."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from nvr import layout
from nvr.clock import EPOCH
from nvr.model import Segment
from nvr.reason import Reason
from nvr.retention.policy import Policy
from tests.fakes.segments import PATH as CLIP_PATH
from tests.fakes.segments import close, fill
from tests.fakes.station import WAIT_S, told_to_end_at_once, wait_for
from tests.retention.archive import DAY, RUN, Archive, Janitor, limits, show_life, small_disk

MINUTE = timedelta(minutes=1)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "storage")
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The run's folder, on an ordinary disk."""
    return tmp_path / "run"


KEEP = Policy(limits(), {"hik1": limits()}, min_free=0)


def test_old_video_goes_with_its_row_and_the_ledger_says_why(archive: Archive, folder: Path) -> None:
    old = [archive.record(8 * DAY + number * MINUTE) for number in range(3)]
    young = archive.record(timedelta())
    with Janitor(archive, KEEP, folder) as janitor:
        wait_for(lambda: archive.files() == archive.rows() == {young.path}, "old files are deleted")
        janitor.wait_for_turns()
        assert janitor.stop() == 0
        assert "ERROR" not in janitor.log()
    [gap] = archive.catalogue.gaps(EPOCH)
    assert (gap.reason, gap.detail.partition(",")[0]) == (Reason.DELETED, "continuous 7d")
    assert (gap.start, gap.end) == (old[-1].start, old[0].end)
    assert not archive.in_state("deleting")
    assert not (archive.storage / old[0].path).parent.exists()
    assert (archive.storage / young.path).parent.exists()


def test_an_event_keeps_its_video_and_is_forgotten_with_its_picture(archive: Archive, folder: Path) -> None:
    kept = archive.record(8 * DAY)
    archive.happen(8 * DAY + MINUTE / 2)
    locked = archive.record(40 * DAY)
    archive.happen(40 * DAY + MINUTE / 2, locked=True)
    gone = archive.record(50 * DAY)
    forgotten = archive.happen(50 * DAY + MINUTE / 2)
    newest = archive.record(timedelta())
    with Janitor(archive, KEEP, folder):
        wait_for(lambda: archive.catalogue.event(forgotten) is None, "the event is forgotten")
    assert archive.files() == archive.rows() == {kept.path, locked.path, newest.path}
    assert gone.path not in archive.files()
    assert len(list((archive.storage / "snapshots").rglob("*.jpg"))) == 2
    assert len(list((archive.storage / "snapshots").glob("*/*"))) == 2


def test_the_sizes_of_cameras_are_kept(archive: Archive, folder: Path) -> None:
    mine = [archive.record(number * MINUTE, size=1000) for number in range(9)]
    other = [archive.record(number * MINUTE, "hik2", size=1000) for number in range(9)]
    policy = Policy(limits(), {"hik1": limits(max_size=4000)}, min_free=0, max_size=10_000)
    with Janitor(archive, policy, folder):
        expected = {one.path for one in mine[:4]} | {one.path for one in other[:6]}
        wait_for(lambda: archive.files() == archive.rows() == expected, "the sizes are kept")


def test_it_ends_when_told_and_when_the_supervisor_is_gone(archive: Archive, folder: Path) -> None:
    with Janitor(archive, KEEP, folder) as janitor:
        janitor.wait_for_turns()
        assert (beat := janitor.beat()) is not None
        assert (beat.process, beat.state, beat.last_error) == ("janitor", "sleeping", None)
        assert janitor.stop() == 0
        assert (beat := janitor.beat()) is not None
        assert beat.state == "stopped"
    with Janitor(archive, KEEP, folder) as janitor:
        janitor.wait_for_turns()
        janitor.channel.close()
        assert janitor.process.wait(WAIT_S) == 0


def test_who_is_told_to_end_at_the_first_beat_ends_in_order(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.retention.archive.RUN", told_to_end_at_once(RUN))
    with Janitor(archive, KEEP, folder) as janitor:
        assert janitor.process.wait(WAIT_S) == 0
        assert (beat := janitor.beat()) is not None
        assert beat.state == "stopped"


def test_nothing_is_touched_while_the_volume_is_not_there(archive: Archive, folder: Path) -> None:
    old, _ = archive.record(8 * DAY), archive.record(timedelta())
    marker = archive.storage / layout.MARKER
    marker.rename(archive.storage / "elsewhere")
    with Janitor(archive, KEEP, folder) as janitor:
        janitor.wait_for_turns(2)
        assert old.path in archive.files() & archive.rows()
        assert (beat := janitor.beat()) is not None
        assert layout.MARKER in (beat.last_error or "")
        assert janitor.log().count("ERROR") == 1
        (archive.storage / "elsewhere").rename(marker)
        wait_for(lambda: old.path not in archive.files() | archive.rows(), "it goes on when the volume is back")


def test_another_volume_in_the_same_place_is_left_alone(archive: Archive, folder: Path) -> None:
    kept = archive.record(timedelta())
    with Janitor(archive, KEEP, folder) as janitor:
        janitor.wait_for_turns()
        (archive.storage / layout.MARKER).write_text("another-volume-1234\n")
        old = archive.record(8 * DAY)
        wait_for(lambda: (beat := janitor.beat()) and "another volume" in (beat.last_error or ""), "it is seen")
        janitor.wait_for_turns(2)
        assert archive.files() == archive.rows() == {kept.path, old.path}


def test_a_locked_catalogue_is_waited_for(archive: Archive, folder: Path) -> None:
    old, _ = archive.record(8 * DAY), archive.record(timedelta())
    with closing(sqlite3.connect(archive.database, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with Janitor(archive, KEEP, folder) as janitor:
            wait_for(lambda: (beat := janitor.beat()) and "locked" in (beat.last_error or ""), "it says so")
            janitor.wait_for_turns(2)
            assert old.path in archive.files()
            assert janitor.log().count("ERROR") == 1
            holder.execute("ROLLBACK")
            wait_for(lambda: old.path not in archive.files() | archive.rows(), "it goes on")
            wait_for(lambda: (beat := janitor.beat()) and beat.last_error is None, "it is well again")


def test_files_that_were_marked_when_a_janitor_was_killed_are_deleted_by_the_next(
    archive: Archive, folder: Path
) -> None:
    marked, already = archive.record(2 * DAY), archive.record(3 * DAY)
    kept = archive.record(timedelta())
    archive.catalogue.mark_deleting([marked, already], "continuous 7d", archive.now)
    (archive.storage / already.path).unlink()
    with Janitor(archive, KEEP, folder):
        wait_for(lambda: archive.files() == archive.rows() == {kept.path}, "what was marked is deleted")
        wait_for(lambda: not archive.in_state("deleting"), "its rows are dropped")


def test_files_without_a_row_are_read_back_and_rows_without_a_file_are_missing(
    archive: Archive, folder: Path, clip_h264: Path
) -> None:
    writer = fill(archive.storage, clip_h264)
    close(writer)
    torn = archive.record(2 * DAY, row=False)
    new = archive.record(-MINUTE, row=False)
    foreign = archive.storage / "segments/hik1/notes/holiday.mp4"
    foreign.parent.mkdir(parents=True)
    foreign.touch()
    gone, back = archive.record(3 * DAY), archive.record(4 * DAY)
    (archive.storage / gone.path).unlink()
    archive.catalogue.set_state([back.path], "missing")
    archive.record(timedelta())
    old = Policy(limits(days=36500), {}, min_free=0)
    with Janitor(archive, old, folder) as janitor:
        wait_for(lambda: CLIP_PATH in archive.rows(), "the file is read back")
        wait_for(lambda: archive.in_state("missing") == {gone.path}, "the file that is gone is missing")
        wait_for(lambda: back.path in archive.rows(), "the file that is back is known again")
        janitor.wait_for_turns()
        assert "cannot be read back" in janitor.log()
    assert {torn.path, new.path}.isdisjoint(archive.rows())
    assert {torn.path, new.path} <= archive.files()
    assert foreign.exists()
    found = archive.catalogue.segment_at("hik1", next(_clip(archive)).start)
    assert found is not None
    assert (found.packets, found.state) == (100, "closed")
    assert [gap.reason for gap in archive.catalogue.gaps(gone.start, gone.end)] == [Reason.MISSING]


def test_what_a_recorder_closed_just_before_it_died_is_read_back_at_once(
    archive: Archive, folder: Path, clip_h264: Path
) -> None:
    """Its file began after this nvr start, so that the first look left it alone."""
    close(fill(archive.storage, clip_h264))
    old = Policy(limits(days=36500), {}, min_free=0)
    with Janitor(archive, old, folder, started=EPOCH) as janitor:
        janitor.wait_for_turns(2)
        assert archive.rows() == set()
        janitor.channel.send(b"look other")
        janitor.channel.send(b"look hik1")
        wait_for(lambda: bool(janitor.channel.send(b"look hik1")) and archive.rows() == {CLIP_PATH}, "its row")


def _clip(archive: Archive) -> Iterator[Segment]:
    return (one for one in archive.catalogue.segments(EPOCH) if one.path == CLIP_PATH)


def test_an_unmounted_disk_makes_no_file_missing(archive: Archive, folder: Path) -> None:
    kept = archive.record(timedelta())
    shutil.move(archive.storage / "segments", archive.storage.parent / "segments")
    (archive.storage / layout.MARKER).unlink()
    with Janitor(archive, KEEP, folder) as janitor:
        janitor.wait_for_turns(2)
    assert archive.rows() == {kept.path}


EVENTS_ONLY = Policy(limits(), {"hik1": limits(only_events=True)}, min_free=0)


def test_record_events_deletes_what_was_looked_at_and_had_no_event(archive: Archive, folder: Path) -> None:
    plain = archive.record(8 * MINUTE)
    near = archive.record(20 * MINUTE)
    archive.happen(20.5 * MINUTE)
    young = archive.record(MINUTE)
    newest = archive.record(timedelta())
    show_life(folder)
    with Janitor(archive, EVENTS_ONLY, folder):
        wait_for(lambda: plain.path not in archive.files() | archive.rows(), "the video without an event goes")
    assert archive.files() == {near.path, young.path, newest.path}


@pytest.mark.parametrize(("state", "error"), [("", None), ("failed", None), ("analysing", "hik1 is not analysed: …")])
def test_record_events_keeps_all_while_nobody_looks(
    archive: Archive, folder: Path, state: str, error: str | None
) -> None:
    plain, _ = archive.record(8 * MINUTE), archive.record(timedelta())
    old = archive.record(9 * DAY)
    if state:
        show_life(folder, state=state, error=error)
    with Janitor(archive, EVENTS_ONLY, folder) as janitor:
        wait_for(lambda: old.path not in archive.files() | archive.rows(), "ages hold nevertheless")
        janitor.wait_for_turns()
        assert plain.path in archive.files() & archive.rows()
        wait_for(lambda: list(archive.catalogue.events(EPOCH, kind="health")), "that nobody looks is an event")
    [event] = archive.catalogue.events(EPOCH, kind="health")
    assert (event.camera, event.label, event.end) == ("hik1", "not analysed", None)


def test_a_prune_by_hand_is_waited_for(archive: Archive, folder: Path) -> None:
    from nvr.retention.removal import alone

    old, _ = archive.record(8 * DAY), archive.record(timedelta())
    with alone(archive.storage), Janitor(archive, KEEP, folder) as janitor:
        wait_for(lambda: (beat := janitor.beat()) and "another process deletes" in (beat.last_error or ""), "it waits")
        assert old.path in archive.files()


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_moment_it_leaves_nothing_that_the_next_does_not_finish(
    archive: Archive, folder: Path, seed: int
) -> None:
    chance = random.Random(seed)
    kept = {archive.record(timedelta()).path}
    for number in range(400):
        one = archive.record(8 * DAY + number * MINUTE)
        if number % 50 == 0:
            archive.happen(8 * DAY + (number + 0.5) * MINUTE, locked=True)
            kept |= {one.path}
    for _ in range(4):
        with Janitor(archive, KEEP, folder) as janitor:
            wait_for(janitor.beat, "it begins")
            time.sleep(chance.uniform(0, 0.25))
        files, rows, going = archive.files(), archive.rows(), archive.in_state("deleting")
        assert kept <= files & rows
        assert rows <= files  # a row that is not marked has its file
        assert files <= rows | going  # and no file has lost its row
    with Janitor(archive, KEEP, folder):
        wait_for(lambda: archive.files() == archive.rows() == kept and not archive.in_state("deleting"), "all is done")


def mounted_archive(disk: Path, database: Path | None = None) -> Archive:
    return Archive(disk / "storage", database)


def fill_up(disk: Path) -> None:
    """Somebody else takes all that is left."""
    with (disk / "other").open("wb", buffering=0) as other, suppress(OSError):
        while True:
            other.write(bytes(4096))


def test_the_floor_of_free_space_is_kept(tmp_path: Path, folder: Path) -> None:
    with small_disk(tmp_path / "disk", "size=8m") as disk, closing(mounted_archive(disk)) as archive:
        recorded = [archive.record(number * MINUTE, size=200_000) for number in range(20)]
        policy = Policy(limits(), {}, min_free=5_000_000)
        assert layout.free_bytes(disk) < 5_000_000
        with Janitor(archive, policy, folder) as janitor:
            wait_for(lambda: layout.free_bytes(disk) >= 5_000_000, "there is room")
            janitor.wait_for_turns(2)
            left = archive.files()
            assert left == archive.rows() == {one.path for one in recorded[: len(left)]}
            assert layout.free_bytes(disk) < 5_000_000 + 3 * 200_000
            archive.record(-MINUTE, size=1_000_000)
            wait_for(lambda: layout.free_bytes(disk) >= 5_000_000, "there is room again")


def test_the_floor_of_inodes_is_kept(tmp_path: Path, folder: Path) -> None:
    database = tmp_path / "nvr.db"
    with (
        small_disk(tmp_path / "disk", "size=8m,nr_inodes=600") as disk,
        closing(mounted_archive(disk, database)) as archive,
    ):
        recorded = [archive.record(number * MINUTE, size=10) for number in range(570)]
        while os.statvfs(disk).f_favail > 3:
            recorded.append(archive.record(len(recorded) * MINUTE, size=10))
        with Janitor(archive, Policy(limits(), {}, min_free=0), folder):
            wait_for(lambda: os.statvfs(disk).f_favail >= 6, "there are inodes")
        assert archive.files() == archive.rows() == {one.path for one in recorded[: len(archive.files())]}


def test_a_full_disk_that_a_recorder_met_makes_room_for_three_segments_a_camera(archive: Archive, folder: Path) -> None:
    mine = [archive.record(number * MINUTE, size=1000) for number in range(9)]
    other = [archive.record((10 + number) * MINUTE, "hik2", size=2000) for number in range(9)]
    with Janitor(archive, KEEP, folder) as janitor:
        janitor.wait_for_turns()
        assert len(archive.files()) == 18
        janitor.channel.send(b"room")
        expected = {one.path for one in mine} | {one.path for one in other[:4]}  # 9000 bytes of the oldest
        wait_for(lambda: archive.files() == archive.rows() == expected, "there is room")


def test_on_a_disk_that_is_full_to_the_last_byte_deleting_can_still_be_noted(tmp_path: Path, folder: Path) -> None:
    with small_disk(tmp_path / "disk", "size=6m") as disk, closing(mounted_archive(disk)) as archive:
        recorded = [archive.record(number * MINUTE, size=50_000) for number in range(40)]
        with Janitor(archive, Policy(limits(), {}, min_free=1_000_000), folder) as janitor:
            janitor.wait_for_turns()
            assert len(archive.files()) == 40
            fill_up(disk)
            wait_for(lambda: layout.free_bytes(disk) >= 1_000_000, "there is room")
        assert archive.files() == archive.rows() == {one.path for one in recorded[: len(archive.files())]}


def test_a_disk_that_becomes_read_only_is_said_once_and_tried_again(tmp_path: Path, folder: Path) -> None:
    database = tmp_path / "nvr.db"
    with small_disk(tmp_path / "disk", "size=8m") as disk, closing(mounted_archive(disk, database)) as archive:
        recorded = [archive.record(number * MINUTE, size=100_000) for number in range(40)]
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], timeout=10, check=True)
        policy = Policy(limits(), {}, min_free=7_000_000)
        try:
            with Janitor(archive, policy, folder) as janitor:
                wait_for(lambda: (beat := janitor.beat()) and "Read-only" in (beat.last_error or ""), "it says so")
                janitor.wait_for_turns(3)
                assert janitor.log().count("ERROR") == 1
                assert len(archive.in_state("deleting")) < len(recorded) - 1
                subprocess.run(["mount", "-o", "remount,rw", str(disk)], timeout=10, check=True)
                wait_for(lambda: layout.free_bytes(disk) >= 7_000_000, "there is room")
                wait_for(lambda: archive.files() == archive.rows() and not archive.in_state("deleting"), "all is done")
                wait_for(lambda: (beat := janitor.beat()) and beat.last_error is None, "it is well again")
        finally:
            subprocess.run(["mount", "-o", "remount,rw", str(disk)], timeout=10, check=True)


def test_that_nothing_may_be_deleted_though_room_is_needed_is_said_loudly_once(tmp_path: Path, folder: Path) -> None:
    with (
        small_disk(tmp_path / "disk", "size=8m") as disk,
        closing(mounted_archive(disk, tmp_path / "nvr.db")) as archive,
    ):
        kept = archive.record(timedelta())
        locked = archive.record(DAY)
        archive.happen(DAY + MINUTE / 2, locked=True)
        (disk / "other").write_bytes(bytes(3_000_000))
        with Janitor(archive, Policy(limits(), {}, min_free=6_000_000), folder) as janitor:
            wait_for(
                lambda: (beat := janitor.beat()) and "no video may be deleted" in (beat.last_error or ""), "it is said"
            )
            janitor.wait_for_turns(2)
            assert janitor.log().count("CRITICAL") == 1
        assert archive.files() == archive.rows() == {kept.path, locked.path}

"""A camera's ledger from rows, files without rows, and what runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nvr import history, layout, pulse
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import to_us
from nvr.history import condensed, entries, moment, recording, unlisted
from nvr.ledger import Entry
from nvr.model import Gap, Segment
from nvr.reason import Reason
from tests.fakes.clock import FakeClock

START = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
NOW = START + timedelta(minutes=10)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    layout.write_durably(tmp_path / "storage" / layout.MARKER, b"9c1b1f52-7a53-4a3c-9f0e-000000000001\n")
    upgrade(tmp_path / "storage/nvr.db")
    return tmp_path / "storage"


@pytest.fixture
def catalogue(storage: Path) -> Iterator[Catalogue]:
    with Catalogue.open(storage / "nvr.db") as catalogue:
        catalogue.add_camera("hik1", at(0))
        yield catalogue


def store(catalogue: Catalogue, *minutes: tuple[float, float]) -> None:
    for start, end in minutes:
        path = layout.segment_path("hik1", at(start))
        catalogue.add_segment(Segment("hik1", "r1", path, at(start), at(end), 1, 1, "h264", 64, 48))


def note(catalogue: Catalogue, start: float, end: float | None, reason: Reason = Reason.STALLED) -> None:
    catalogue.put_gap(Gap(f"g{start}", "hik1", at(start), reason, "", None if end is None else at(end)))


def write(storage: Path, start: float, written: float, suffix: str = ".part") -> Path:
    """A file without a row, last written to at minute ``written``; returns its path relative to the storage folder."""
    path = layout.segment_path("hik1", at(start))
    file = storage / path.with_name(path.name + suffix)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x")
    os.utime(file, ns=(to_us(at(written)) * 1000,) * 2)
    return file.relative_to(storage)


def told(
    catalogue: Catalogue, storage: Path, begin: float = 0, end: float = 10, *, live: bool = False
) -> list[tuple[str, float, float]]:
    return [
        (
            entry.reason.value if entry.reason else entry.kind,
            (entry.start - START) / timedelta(minutes=1),
            (entry.end - START) / timedelta(minutes=1),
        )
        for entry in entries(catalogue, storage, "hik1", at(begin), at(end), NOW, live)
    ]


def test_rows_alone_are_told(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 2), (5, 10))
    note(catalogue, 2, 5)
    assert told(catalogue, storage) == [("recorded", 0, 2), ("stalled", 2, 5), ("recorded", 5, 10)]


def test_what_is_still_to_come_is_not_told(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 10))
    assert told(catalogue, storage, 0, 99) == [("recorded", 0, 10)]
    assert told(catalogue, storage, 10, 99) == []
    assert told(catalogue, storage, 11, 99) == []


def test_a_file_being_written_counts_up_to_when_it_was_written_to(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 5))
    write(storage, 5, 9)
    assert told(catalogue, storage) == [("recorded", 0, 9), ("unknown", 9, 10)]


def test_a_file_being_written_by_a_living_recorder_counts_up_to_now(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 5))
    write(storage, 5, 9)
    assert told(catalogue, storage, live=True) == [("recorded", 0, 10)]


def test_the_last_two_seconds_of_a_file_being_written_are_in_memory(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 5))
    write(storage, 5, 10 - 2 / 60)
    assert told(catalogue, storage) == [("recorded", 0, 10)]


def test_between_two_files_of_a_living_recorder_nothing_is_missing(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 10 - 2 / 60))
    assert told(catalogue, storage, live=True) == [("recorded", 0, 10)]
    assert told(catalogue, storage, live=False)[-1][0] == "unknown"


def test_an_open_gap_ends_the_file_being_written(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 5))
    write(storage, 5, 9)
    note(catalogue, 9, None)
    assert told(catalogue, storage, live=True) == [("recorded", 0, 9), ("stalled", 9, 10)]


def test_a_closed_file_whose_row_is_on_its_way_counts(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 5))
    write(storage, 5, 7, suffix="")
    write(storage, 7, 9)
    assert told(catalogue, storage, live=True) == [("recorded", 0, 10)]


def test_files_that_are_older_than_rows_or_not_ours_do_not_count(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (5, 10))
    write(storage, 1, 3, suffix="")
    write(storage, 1, 3, suffix=".unreadable")
    (storage / "segments/hik1/notes.mp4").write_text("x")
    folder = (storage / layout.segment_path("hik1", at(6))).parent
    (folder / "holiday.mp4.part").write_text("x")
    assert told(catalogue, storage) == [("unknown", 0, 5), ("recorded", 5, 10)]


def test_a_part_that_a_killed_recorder_left_counts_wherever_one_looks(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 1))
    write(storage, 1, 2)
    later = entries(catalogue, storage, "hik1", at(5000), at(5001), at(5001), False)
    assert [entry.kind for entry in later] == ["gap"]
    assert [file.start for file in unlisted(storage, "hik1", at(5000), at(1))] == [at(1)]


def test_without_any_row_files_alone_are_told(catalogue: Catalogue, storage: Path) -> None:
    write(storage, 0, 3, suffix="")
    assert told(catalogue, storage) == [("recorded", 0, 3), ("unknown", 3, 10)]


def test_a_hole_is_explained_whole_where_only_a_part_is_asked_for(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 1), (9, 10))
    note(catalogue, 8, 9, Reason.UNREACHABLE)
    assert told(catalogue, storage, 3, 4) == [("unreachable", 3, 4)]


def test_so_is_one_whose_only_row_is_before_what_is_asked_for(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 1), (9, 10))
    note(catalogue, 1, 2, Reason.UNREACHABLE)
    assert told(catalogue, storage, 5, 6) == [("unreachable", 5, 6)]


def test_a_camera_that_nvr_never_knew_was_not_scheduled(catalogue: Catalogue, storage: Path) -> None:
    (only,) = entries(catalogue, storage, "hik2", at(0), at(10), NOW, False)
    assert (only.kind, only.reason) == ("not scheduled", None)


@pytest.mark.parametrize("begin", [datetime(1, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC)])
def test_the_beginning_of_the_calendar_is_no_trap(catalogue: Catalogue, storage: Path, begin: datetime) -> None:
    store(catalogue, (0, 10))
    first, second = entries(catalogue, storage, "hik1", begin, NOW, NOW, False)
    assert (first.kind, first.start, second.kind, second.end) == ("not scheduled", begin, "recorded", NOW)
    assert moment(catalogue, storage, "hik1", begin, NOW, False).entry.kind == "not scheduled"


def test_nvr_that_was_stopped_or_killed_is_said_to_be(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 2), (4, 6))
    catalogue.end_stint(catalogue.begin_stint(at(0), history.boot_id()), at(2))
    catalogue.touch_stint(catalogue.begin_stint(at(4), history.boot_id()), at(6))
    assert told(catalogue, storage)[1::2] == [("stopped", 2, 4), ("killed", 6, 10)]


def test_a_machine_that_went_down_is_told_from_a_kill_by_our_own_boot(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 2))
    catalogue.touch_stint(catalogue.begin_stint(at(0), "another boot"), at(2))
    assert told(catalogue, storage)[1:] == [("power", 2, 10)]


@pytest.mark.parametrize(
    ("alive", "live", "reason"), [(9.6, False, "unreachable"), (5, True, "unreachable"), (5, False, "killed")]
)
def test_nvr_runs_while_a_sign_of_life_is_fresh(
    catalogue: Catalogue, storage: Path, alive: float, live: bool, reason: str
) -> None:
    store(catalogue, (0, 2))
    catalogue.touch_stint(catalogue.begin_stint(at(0), history.boot_id()), at(alive))
    note(catalogue, 2, None, Reason.UNREACHABLE)
    assert told(catalogue, storage, 9, 10, live=live) == [(reason, 9, 10)]


# One moment


def test_a_recorded_moment_is_in_a_file_at_a_second(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 1), (1, 2), (5, 10))
    found = moment(catalogue, storage, "hik1", at(1.5), NOW, False)
    assert (found.file, found.offset) == (layout.segment_path("hik1", at(1)), timedelta(seconds=30))
    assert (found.entry.kind, found.entry.start, found.entry.end) == ("recorded", at(0), at(2))
    assert found.before is not None
    assert found.after is not None
    assert (found.before.kind, found.after.reason) == ("not scheduled", Reason.UNKNOWN)


def test_a_moment_may_be_in_the_file_being_written(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 5))
    part = write(storage, 5, 8)
    found = moment(catalogue, storage, "hik1", at(9), NOW, True)
    assert (found.file, found.offset) == (part, timedelta(minutes=4))
    early = moment(catalogue, storage, "hik1", at(4), NOW, True)
    assert early.file == layout.segment_path("hik1", at(0))


def test_now_is_a_moment_too(catalogue: Catalogue, storage: Path) -> None:
    part = write(storage, 5, 8)
    assert moment(catalogue, storage, "hik1", NOW, NOW, True).file == part


def test_a_moment_in_a_seam_is_at_the_end_of_the_file_before(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 1), (1 + 0.2 / 60, 10))
    found = moment(catalogue, storage, "hik1", at(1 + 0.1 / 60), NOW, False)
    assert (found.entry.kind, found.file) == ("recorded", layout.segment_path("hik1", at(0)))


def test_a_gap_is_given_whole_however_long_it_was(catalogue: Catalogue, storage: Path) -> None:
    year = 365 * 24 * 60
    store(catalogue, (0, 1), (year, year + 1))
    note(catalogue, 1, year, Reason.STOPPED)
    found = moment(catalogue, storage, "hik1", at(year / 3), at(year + 1), False)
    assert (found.entry.reason, found.entry.start, found.entry.end) == (Reason.STOPPED, at(1), at(year))
    assert found.file is None
    assert [other.kind for other in (found.before, found.after) if other] == ["recorded", "recorded"]


def test_a_gap_that_lasts_ends_now(catalogue: Catalogue, storage: Path) -> None:
    store(catalogue, (0, 1))
    note(catalogue, 1, None)
    found = moment(catalogue, storage, "hik1", at(5), NOW, True)
    assert (found.entry.start, found.entry.end, found.after) == (at(1), NOW, None)


def test_a_moment_to_come_is_the_callers_mistake(catalogue: Catalogue, storage: Path) -> None:
    with pytest.raises(ValueError, match="still to come"):
        moment(catalogue, storage, "hik1", at(11), NOW, False)


# Deleted for days


def test_what_one_rule_deleted_over_days_is_one() -> None:
    def deleted(minute: int, rule: str) -> Entry:
        detail = f"{rule}, 2026-11-29T13:{minute:02}:00Z"
        return Entry("gap", at(minute), at(minute + 15), Reason.DELETED, detail)

    other = Entry("gap", at(90), at(91), Reason.STALLED)
    found = list(condensed([deleted(0, "a"), deleted(15, "a"), deleted(30, "a"), deleted(45, "b"), other, other]))
    assert [(entry.start, entry.end) for entry in found[:2]] == [(at(0), at(45)), (at(45), at(60))]
    assert found[0].detail == "a, 2026-11-29T13:00:00Z … 2026-11-29T13:30:00Z"
    assert found[1].detail == "b, 2026-11-29T13:45:00Z"
    assert found[2:] == [other, other]


# Whether it is being recorded


def test_a_recorder_with_a_fresh_pulse_is_recording(
    storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "SHARED_MEMORY", tmp_path)
    clock = FakeClock()
    assert not recording(storage, "hik1", clock)
    beat = pulse.Pulse("recorder-hik1", 1, "recording", clock.monotonic_us(), clock.now_us())
    folder = layout.run_folder(layout.volume_id(storage))
    with pulse.PulseWriter(layout.pulse_path(folder, "recorder.hik1")) as writer:
        writer.beat(beat)
        assert recording(storage, "hik1", clock)
        assert not recording(storage, "hik2", clock)
        clock.advance(11)
        assert not recording(storage, "hik1", clock)
        writer.beat(replace(beat, state="stopped", beat_monotonic_us=clock.monotonic_us()))
        assert not recording(storage, "hik1", clock)


def test_without_a_volume_nothing_is_recording(tmp_path: Path) -> None:
    assert not recording(tmp_path, "hik1", FakeClock())

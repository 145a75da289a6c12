"""``nvr storage prune``: what would go is what goes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from nvr import layout
from tests.fakes.station import nvr
from tests.retention.archive import DAY, Archive, configured, report, show_life

MINUTE = timedelta(minutes=1)


def fill(archive: Archive) -> None:
    for day in range(12):
        archive.record(day * DAY, size=1000 + day)
    archive.happen(9 * DAY + MINUTE / 2)
    archive.happen(10 * DAY + MINUTE / 2, locked=True)
    archive.happen(50 * DAY)


def test_a_dry_run_prints_exactly_what_is_then_deleted(tmp_path: Path, archive: Archive) -> None:
    fill(archive)
    path = configured(tmp_path, "host: a, retention: {max_size: 8000B}")
    files = archive.files()
    planned = report("prune", "--dry-run", "--config", path)
    assert archive.files() == files
    assert [(row["bytes"], row["rule"]) for row in planned] == [
        (1011, "continuous 7d"),
        (1008, "continuous 7d"),
        (1007, "continuous 7d"),
        (1009, "max_size 8kB of hik1"),
        (1006, "max_size 8kB of hik1"),
        (4, "events 30d"),
    ]
    assert list(planned[0]) == ["camera", "path", "event", "start", "bytes", "rule", "reason"]
    assert planned[0]["reason"] == "11d 0h old, no event near it"
    assert planned[-1]["event"] == 3
    done = report("prune", "--config", path)
    assert [row["path"] for row in done] == [row["path"] for row in planned]
    gone = {Path(row["path"]).relative_to(archive.storage) for row in planned}
    assert archive.files() == archive.rows() == files - gone
    assert archive.catalogue.event(3) is None
    assert archive.catalogue.event(2) is not None
    assert report("prune", "--config", path) == []


def test_the_plan_for_people_has_its_totals(tmp_path: Path, archive: Archive) -> None:
    fill(archive)
    done = nvr("storage", "prune", "--dry-run", "--config", configured(tmp_path))
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["camera", "start", "MB", "rule", "reason", "file"]
    assert len(lines) == 6
    assert lines[-1] == "files 3, events 1, 0.0 MB: would be deleted"
    done = nvr("storage", "prune", "--config", configured(tmp_path))
    assert done.stdout.splitlines()[:-1] == lines[:-1]
    assert done.stdout.endswith(": deleted\n")
    done = nvr("storage", "prune", "--config", configured(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.strip()) == (0, "", "nothing is to be deleted")


def test_record_events_deletes_only_while_the_analyzer_lives(tmp_path: Path, archive: Archive) -> None:
    archive.record(8 * MINUTE)
    archive.record(timedelta())
    path = configured(tmp_path, "host: a, record: events")
    assert report("prune", "--dry-run", "--config", path) == []
    folder = layout.run_folder(layout.volume_id(archive.storage))
    try:
        show_life(folder)
        assert [row["rule"] for row in report("prune", "--dry-run", "--config", path)] == ["record: events"]
    finally:
        layout.pulse_path(folder, "analyzer").unlink()
        folder.rmdir()


def test_without_the_volume_nothing_is_deleted(tmp_path: Path, archive: Archive) -> None:
    fill(archive)
    files = archive.files()
    (archive.storage / layout.MARKER).unlink()
    for options in ([], ["--dry-run"]):
        done = nvr("storage", "prune", *options, "--config", configured(tmp_path))
        assert done.returncode == 1
        assert layout.MARKER in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert archive.files() == files

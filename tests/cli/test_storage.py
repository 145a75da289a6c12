"""``nvr storage``: what the recordings take, and what retention would delete and then deletes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nvr import layout
from tests.fakes.station import nvr
from tests.retention.archive import DAY, Archive, show_life

MINUTE = timedelta(minutes=1)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "storage")
    yield made
    made.close()


def config(tmp_path: Path, camera: str = "host: a", retention: str = "min_free: 1B") -> str:
    path = tmp_path / "nvr.yaml"
    path.write_text(f"storage: storage\nretention: {{{retention}}}\ncameras:\n  hik1: {{{camera}}}\n")
    return str(path)


def report(*arguments: str) -> Any:
    done = nvr("storage", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_usage_tells_what_each_camera_takes_and_how_long_there_is_room(tmp_path: Path, archive: Archive) -> None:
    old = archive.record(2 * DAY, size=700)
    for number in range(10):
        archive.record(number * MINUTE, size=6000)
    archive.record(MINUTE, "gone", size=500)
    path = config(tmp_path, "host: a, retention: {max_size: 360700B}", "min_free: 1GB")
    found = report("usage", "--config", path)
    [gone, hik1] = found["cameras"]
    assert list(hik1) == ["camera", "segments", "bytes", "oldest", "newest", "bitrate", "max_size", "days_left"]
    assert (hik1["camera"], hik1["segments"], hik1["bytes"]) == ("hik1", 11, 60_700)
    assert hik1["oldest"] == old.start.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert hik1["bitrate"] == 800
    assert (hik1["max_size"], hik1["days_left"]) == (360_700, 5.0)
    assert (gone["camera"], gone["days_left"]) == ("gone", None)
    assert (found["bytes"], found["max_size"], found["days_left"]) == (61_200, None, None)
    assert found["disk"]["min_free"] == 10**9
    assert 0 < found["disk"]["free"] <= found["disk"]["total"]


def test_usage_for_people_into_a_pipe_is_not_decorated(tmp_path: Path, archive: Archive) -> None:
    archive.record(MINUTE, size=12_345_678)
    done = nvr("storage", "usage", "--config", config(tmp_path))
    header, row, disk = done.stdout.splitlines()
    assert header.split()[:3] == ["camera", "files", "GB"]
    assert row.split()[:3] == ["hik1", "1", "0.01"]
    assert disk.startswith("disk  ")
    assert "\x1b" not in done.stdout


def fill(archive: Archive) -> None:
    for day in range(12):
        archive.record(day * DAY, size=1000 + day)
    archive.happen(9 * DAY + MINUTE / 2)
    archive.happen(10 * DAY + MINUTE / 2, locked=True)
    archive.happen(50 * DAY)


def test_a_dry_run_prints_exactly_what_is_then_deleted(tmp_path: Path, archive: Archive) -> None:
    fill(archive)
    path = config(tmp_path, "host: a, retention: {max_size: 8000B}")
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
    done = nvr("storage", "prune", "--dry-run", "--config", config(tmp_path))
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["camera", "start", "MB", "rule", "reason", "file"]
    assert len(lines) == 6
    assert lines[-1] == "files 3, events 1, 0.0 MB: would be deleted"
    done = nvr("storage", "prune", "--config", config(tmp_path))
    assert done.stdout.splitlines()[:-1] == lines[:-1]
    assert done.stdout.endswith(": deleted\n")
    done = nvr("storage", "prune", "--config", config(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.strip()) == (0, "", "nothing is to be deleted")


def test_record_events_deletes_only_while_the_analyzer_lives(tmp_path: Path, archive: Archive) -> None:
    archive.record(8 * MINUTE)
    archive.record(timedelta())
    path = config(tmp_path, "host: a, record: events")
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
        done = nvr("storage", "prune", *options, "--config", config(tmp_path))
        assert done.returncode == 1
        assert layout.MARKER in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert archive.files() == files

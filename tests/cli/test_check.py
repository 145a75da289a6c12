"""``nvr check`` and ``nvr rebuild``."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import EPOCH
from nvr.model import Segment
from tests.cli.conftest import Configure
from tests.fakes.archive import Archive
from tests.fakes.station import Station, nvr, wait_for


@pytest.fixture
def rows() -> list[Segment]:
    """What ``recorded`` holds."""
    return []


@pytest.fixture
def recorded(tmp_path: Path, configure: Configure, clip_h264: Path, rows: list[Segment]) -> Path:
    """A configuration with two segments, in order."""
    config = configure("{url: 'rtsp://127.0.0.1:9/x', detect: off}")
    storage = tmp_path / "storage"
    layout.prepare(storage)
    upgrade(storage / "nvr.db")
    archive = Archive(storage, clip_h264)
    rows += [archive.add(0, 50), archive.add(50, 100)]
    with Catalogue.open(storage / "nvr.db") as catalogue:
        for row in rows:
            catalogue.add_segment(row)
    return config


@pytest.mark.parametrize("arguments", [[], ["--deep"]])
def test_what_is_in_order_is_exit_code_0(recorded: Path, arguments: list[str]) -> None:
    done = nvr("check", *arguments, "--config", str(recorded))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("2 files in ")
    assert "files/s" in done.stderr
    assert ("MB/s" in done.stderr) == bool(arguments)
    assert done.stderr.endswith(": in order\n")


def test_problems_are_listed_with_what_to_do(recorded: Path, rows: list[Segment]) -> None:
    (recorded.parent / "storage" / rows[0].path).unlink()
    done = nvr("check", "--config", str(recorded))
    assert done.returncode == 1
    header, line = done.stdout.splitlines()
    assert header.split() == ["camera", "problem", "where", "what", "what", "to", "do"]
    assert str(rows[0].path) in line
    assert "restore it from a backup" in line
    assert done.stderr.endswith(": 1 problem\n")


def test_problems_as_json(recorded: Path, rows: list[Segment]) -> None:
    file = recorded.parent / "storage" / rows[0].path
    file.write_bytes(file.read_bytes()[:-1000])
    done = nvr("check", "--deep", "--camera", "hik1", "--json", "--config", str(recorded))
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert list(report) == ["deep", "files", "bytes", "seconds", "problems"]
    assert [problem["problem"] for problem in report["problems"]] == ["size", "damaged"]
    assert list(report["problems"][0]) == ["camera", "problem", "where", "what", "advice"]


def test_an_unknown_camera_is_bad_usage(recorded: Path) -> None:
    assert nvr("check", "--camera", "nobody", "--config", str(recorded)).returncode == 2


@pytest.mark.parametrize("command", ["check", "rebuild"])
def test_a_storage_folder_that_is_not_mounted_is_said(recorded: Path, command: str) -> None:
    (recorded.parent / "storage" / layout.MARKER).unlink()
    done = nvr(command, "--config", str(recorded))
    assert done.returncode == 1
    assert "has no .nvr-volume" in done.stderr


def test_rows_that_were_lost_are_made_again(recorded: Path, rows: list[Segment]) -> None:
    storage = recorded.parent / "storage"
    for file in storage.glob("nvr.db*"):
        file.unlink()
    done = nvr("rebuild", "--json", "--config", str(recorded))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "files": 2,
        "kept": 0,
        "added": 2,
        "missing": 0,
        "events": 0,
        "unreadable": [],
    }
    with Catalogue.open(storage / "nvr.db", readonly=True) as catalogue:
        assert list(catalogue.segments(EPOCH)) == rows
    again = nvr("rebuild", "--config", str(recorded))
    assert again.stdout == "2 files: 0 rows made, 2 agreed, 0 files missing\n"


def test_nothing_is_rebuilt_while_nvr_start_runs(recorded: Path) -> None:
    with (recorded.parent / "storage" / layout.MARKER).open() as marker:
        fcntl.flock(marker, fcntl.LOCK_EX)
        done = nvr("rebuild", "--config", str(recorded))
        assert (done.returncode, done.stdout) == (1, "")
        assert "an nvr start is recording into" in done.stderr
        assert nvr("check", "--config", str(recorded)).returncode == 0


@pytest.fixture
def station(looped: Path) -> Iterator[Station]:
    with Station(looped) as running:
        yield running


@pytest.mark.slow
def test_a_real_recording_is_in_order_while_it_runs_and_rebuilt_from_its_files(station: Station, looped: Path) -> None:
    wait_for(lambda: len(station.files("*.mp4")) >= 2, "two segments")
    running = nvr("check", "--deep", "--json", "--config", str(looped))
    assert json.loads(running.stdout)["problems"] == []
    assert station.stop() == 0
    stopped = nvr("check", "--deep", "--json", "--config", str(looped))
    assert json.loads(stopped.stdout)["problems"] == []
    database = station.storage / "nvr.db"
    with Catalogue.open(database, readonly=True) as catalogue:
        before = list(catalogue.segments(EPOCH))
        cameras = catalogue.cameras()
    assert len(before) >= 3
    for file in station.storage.glob("nvr.db*"):
        file.unlink()
    assert nvr("rebuild", "--config", str(looped)).returncode == 0
    with Catalogue.open(database, readonly=True) as catalogue:
        after = list(catalogue.segments(EPOCH))
        assert list(catalogue.cameras()) == list(cameras)
    assert [replace(row, end=row.start) for row in after] == [replace(row, end=row.start) for row in before]
    for old, new in zip(before, after, strict=True):
        assert abs(old.end - new.end) <= timedelta(milliseconds=1)

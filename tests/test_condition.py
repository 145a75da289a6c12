"""The report of what runs, from pulses and the catalogue of processes that are not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import SystemClock
from nvr.condition import STALE_US, gather
from nvr.config import Config
from nvr.model import Segment
from nvr.pulse import Pulse, PulseWriter

Beat = Callable[..., None]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    cameras = {name: {"host": "192.0.2.1"} for name in ("hik1", "hik2")}
    return Config.model_validate({"storage": str(tmp_path / "storage"), "cameras": cameras})


@pytest.fixture
def beat(config: Config) -> Iterator[Beat]:
    """``beat("analyzer", load=0.5)``: a process has just written its pulse."""
    folder = layout.run_folder(layout.prepare(config.storage))

    def write(process: str, state: str = "recording", *, ago_us: int = 0, **values: Any) -> None:
        clock = SystemClock()
        now = clock.monotonic_us() - ago_us, clock.now_us() - ago_us
        with PulseWriter(layout.pulse_path(folder, process)) as writer:
            writer.beat(Pulse(process, os.getpid(), state, *now, **values))

    yield write
    shutil.rmtree(folder, ignore_errors=True)


def test_before_anything_was_recorded_everything_is_stopped(config: Config) -> None:
    report = gather(config)
    assert [(row["camera"], row["state"], row["segments"]) for row in report["cameras"]] == [
        ("hik1", "stopped", 0),
        ("hik2", "stopped", 0),
    ]
    assert report["processes"] == []
    assert report["disk"] == {"path": str(config.storage), "error": "No such file or directory"}
    assert "no catalogue at" in report["catalogue"]
    assert not config.storage.exists(), "it writes nothing"


def test_a_camera_is_told_with_its_rates_while_it_beats(config: Config, beat: Beat) -> None:
    frame_us = SystemClock().now_us()
    values = {"fps": 24.96, "bitrate": 4_000_000, "dropped": 3, "restarts": 2, "last_error": "was off"}
    beat("recorder.hik1", frame_at_us=frame_us, retry_at_us=1_000_000, clock_offset_us=1_500_000, **values)
    first, second = gather(config)["cameras"]
    assert first == {**first, **values, "state": "recording", "fps": 25.0, "clock_offset": 1.5}
    assert first["retry_at"].startswith("1970-01-01T00:00:01")
    assert 0 <= first["frame_age"] < 5
    assert (second["state"], second["fps"], second["frame_age"], second["last_error"]) == ("stopped", 0.0, None, None)


@pytest.mark.parametrize(("ago_us", "live"), [(0, True), (STALE_US - 1_000_000, True), (STALE_US, False)])
def test_one_that_has_not_beaten_for_ten_seconds_is_silent(config: Config, beat: Beat, ago_us: int, live: bool) -> None:
    beat("recorder.hik1", ago_us=ago_us, fps=25.0, bitrate=5, buffered=9, restarts=1, last_error="no packets")
    row = gather(config)["cameras"][0]
    assert row["state"] == ("recording" if live else "silent")
    assert (row["fps"], row["bitrate"], row["buffered"]) == ((25.0, 5, 9) if live else (0.0, 0, 0))
    assert (row["restarts"], row["last_error"]) == (1, "no packets")


def test_processes_are_those_that_have_a_pulse_the_page_among_them(config: Config, beat: Beat) -> None:
    beat("web", "serving", load=0.126)
    beat("janitor", "sleeping", ago_us=60_000_000, load=0.9)
    beat("recorder.hik2")
    told = [(row["name"], row["state"], row["load"]) for row in gather(config)["processes"]]
    assert told == [("recorder.hik2", "recording", 0.0), ("janitor", "silent", 0.0), ("web", "serving", 0.13)]


def test_looks_and_alerts_are_told_with_their_camera(config: Config, beat: Beat) -> None:
    beat("looks.hik1", fps=4.96)
    beat("alerts.hik2", "listening", alerts=7, bad_alerts=1, heard_at_us=2_000_000)
    first, second = gather(config)["cameras"]
    assert (first["looks"], first["alerts"], second["looks"]) == (5.0, None, None)
    assert second["alerts"] == {**second["alerts"], "state": "listening", "read": 7, "bad": 1, "last_error": None}
    assert second["alerts"]["heard_at"].startswith("1970-01-01T00:00:02")


def test_stored_segments_are_counted_wherever_the_catalogue_is(config: Config, tmp_path: Path) -> None:
    config = config.model_copy(update={"database": tmp_path / "elsewhere.db"})
    layout.prepare(config.storage)
    upgrade(tmp_path / "elsewhere.db")
    end = datetime.now(UTC)
    with Catalogue.open(tmp_path / "elsewhere.db") as catalogue:
        start = end - timedelta(minutes=1)
        catalogue.add_segment(Segment("hik2", "r", Path("a.mp4"), start, end, 1, 1, "h264", 64, 48))
    report = gather(config)
    assert [row["segments"] for row in report["cameras"]] == [0, 1]
    assert report["catalogue"] is None
    assert 0 < report["disk"]["free"] <= report["disk"]["total"]

"""``nvr status``, with ``nvr start`` up, down, and killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nvr import layout
from nvr.clock import SystemClock
from nvr.pulse import Pulse, PulseWriter
from tests.cli.conftest import Configure
from tests.fakes.clip import write
from tests.fakes.station import WAIT_S, Station, nvr, wait_for

pytestmark = pytest.mark.timeout(600)
KEYS = {"camera", "state", "fps", "bitrate", "frame_age", "dropped", "segments", "restarts", "last_error", "looks"}
SHORT = "too little CPU: all cameras are looked at less often"
Beat = Callable[..., None]


def status(config: Path) -> dict[str, Any]:
    done = nvr("status", "--json", "--config", str(config))
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture
def beat(config: Path) -> Iterator[Beat]:
    """``beat("analyzer", load=0.5)``: a process that is not there has written its pulse.

    It is in time for the next minute, however slow the machine.
    """
    folder = layout.run_folder(layout.volume_id(config.parent / "storage"))

    def write(process: str, state: str = "analysing", *, ago: float = -60.0, **values: Any) -> None:
        clock, ago_us = SystemClock(), round(ago * 1e6)
        now = clock.monotonic_us() - ago_us, clock.now_us() - ago_us
        with PulseWriter(layout.pulse_path(folder, process)) as writer:
            writer.beat(Pulse(process, os.getpid(), state, *now, **values))

    yield write
    shutil.rmtree(folder, ignore_errors=True)


def words(config: Path) -> str:
    done = nvr("status", "--config", str(config))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_how_often_each_camera_is_looked_at_is_told(config: Path, beat: Beat) -> None:
    beat("analyzer", load=0.42)
    beat("looks.hik1", fps=4.96)
    assert [row["looks"] for row in status(config)["cameras"]] == [5.0, None]
    header, first, second = words(config).splitlines()[:3]
    place = slice(header.index("looks/s"), header.index("looks/s") + len("looks/s"))
    assert (first[place].strip(), second[place].strip()) == ("5.0", "-")


def test_a_camera_that_is_not_looked_at_just_now_has_no_looks_but_a_count_of_none(config: Path, beat: Beat) -> None:
    beat("looks.hik1", fps=0.0)
    beat("looks.hik2", ago=60, fps=5.0)
    assert [row["looks"] for row in status(config)["cameras"]] == [0.0, None]


@pytest.mark.parametrize(
    ("load", "ago", "told", "short"),
    [(0.42, -60, 0.42, False), (0.9, -60, 0.9, False), (0.97, -60, 0.97, True), (1, -60, 1, True), (1, 60, 0, False)],
    ids=["half", "much", "too much", "all", "gone"],
)
def test_an_analyzer_at_its_limit_says_so(
    config: Path, beat: Beat, load: float, ago: float, told: float, short: bool
) -> None:
    beat("analyzer", load=load, ago=ago)
    (process,) = status(config)["processes"]
    assert (process["name"], process["load"]) == ("analyzer", told)
    assert (SHORT in words(config)) is short


def test_what_the_analyzer_cannot_do_is_told_beside_its_limit(config: Path, beat: Beat) -> None:
    beat("analyzer", load=1.0, last_error="hik2 is not analysed: no model")
    assert f"analysing, {SHORT}: hik2 is not analysed: no model" in words(config)


def test_a_process_that_was_started_again_says_so(config: Path, beat: Beat) -> None:
    beat("analyzer", restarts=2)
    assert status(config)["processes"][0]["restarts"] == 2
    assert "started again 2x" in words(config)


def test_it_works_while_nothing_runs(config: Path) -> None:
    report = status(config)
    assert all(set(row) >= KEYS for row in report["cameras"])
    assert [(row["camera"], row["state"], row["segments"]) for row in report["cameras"]] == [
        ("hik1", "stopped", 1),
        ("hik2", "stopped", 0),
    ]
    assert report["processes"] == []
    assert [row["looks"] for row in report["cameras"]] == [None, None]
    assert report["disk"]["free"] > 0
    plain = nvr("status", "--config", str(config))
    assert "nvr start is not running on this storage folder" in plain.stdout
    assert "GB free" in plain.stdout
    assert "\x1b" not in plain.stdout


def test_it_works_before_anything_was_recorded(configure: Configure) -> None:
    config = configure("{host: 127.0.0.1}")
    assert status(config)["disk"]["error"] == "No such file or directory"
    plain = nvr("status", "--config", str(config))
    assert plain.returncode == 0
    assert "catalogue: no catalogue at" in plain.stdout


def test_a_database_that_cannot_be_read_is_said_and_the_rest_is_told(config: Path) -> None:
    (config.parent / "storage/nvr.db").write_text("no database" * 1000)
    report = status(config)
    assert "not a SQLite database" in report["catalogue"]
    assert report["disk"]["free"] > 0


def test_what_runs_is_told_with_its_rates(tmp_path: Path, configure: Configure) -> None:
    video = write(tmp_path / "clip.mp4", frames=100)
    config = configure(f"{{url: {video}, loop: true, detect: motion}}")
    with Station(config) as station:
        station.wait_until_logged("motion (event 1)")
        report: dict[str, Any] = {}

        def runs() -> bool:
            report.update(status(config))
            (row,) = report["cameras"]
            fresh = row["frame_age"] is not None and 0 <= row["frame_age"] < 3
            return fresh and row["fps"] > 20 and row["state"] == "recording"

        wait_for(runs, "a rate")
        (row,) = report["cameras"]
        assert row["bitrate"] > 10_000
        assert (row["dropped"], row["restarts"], row["last_error"]) == (0, 0, None)
        wait_for(lambda: (status(config)["cameras"][0]["looks"] or 0) > 1, "looks")
        assert all(0 <= process["load"] <= 1 for process in report["processes"])
        assert [process["name"] for process in report["processes"]] == ["recorder.hik1", "analyzer", "janitor"]
        assert all(Path(f"/proc/{process['pid']}").exists() for process in report["processes"])
        assert station.stop() == 0
    assert status(config)["processes"] == []


def test_what_was_killed_is_silent(looped: Path) -> None:
    """Its last beat stays in shared memory; it is not taken for life."""
    with Station(looped) as station:
        recorder = station.pid_of("recorder.hik1")
        os.kill(recorder, signal.SIGSTOP)
        station.process.kill()
        station.process.wait(WAIT_S)
        os.kill(recorder, signal.SIGKILL)
        folder = layout.run_folder(layout.volume_id(station.storage))
        wait_for(lambda: status(looped)["cameras"][0]["state"] == "silent", "the pulse to be old")
        assert status(looped)["cameras"][0]["fps"] == 0
    assert folder.is_dir(), "the next start removes it"
    with Station(looped) as station:
        station.wait_until_logged("recording h264")
        assert station.stop() == 0
    assert not folder.exists()

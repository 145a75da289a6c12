"""``nvr status``, with ``nvr start`` up, down, and killed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

from nvr import layout
from tests.cli.conftest import Configure
from tests.fakes.clip import write
from tests.fakes.station import Station, nvr, wait_for

KEYS = {"camera", "state", "fps", "bitrate", "frame_age", "dropped", "segments", "restarts", "last_error"}


def status(config: Path) -> dict[str, Any]:
    done = nvr("status", "--json", "--config", str(config))
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_it_works_while_nothing_runs(config: Path) -> None:
    report = status(config)
    assert all(set(row) >= KEYS for row in report["cameras"])
    assert [(row["camera"], row["state"], row["segments"]) for row in report["cameras"]] == [
        ("hik1", "stopped", 1),
        ("hik2", "stopped", 0),
    ]
    assert report["processes"] == []
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
        wait_for(lambda: status(config)["cameras"][0]["fps"] > 20, "a rate")
        report = status(config)
        (row,) = report["cameras"]
        assert row["state"] == "recording"
        assert row["bitrate"] > 10_000
        assert 0 <= row["frame_age"] < 3
        assert (row["dropped"], row["restarts"], row["last_error"]) == (0, 0, None)
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
        station.process.wait(10)
        os.kill(recorder, signal.SIGKILL)
        folder = layout.run_folder(layout.volume_id(station.storage))
        wait_for(lambda: status(looped)["cameras"][0]["state"] == "silent", "the pulse to be old")
        assert status(looped)["cameras"][0]["fps"] == 0
    assert folder.is_dir(), "the next start removes it"
    with Station(looped) as station:
        station.wait_until_logged("recording h264")
        assert station.stop() == 0
    assert not folder.exists()

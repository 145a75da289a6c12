"""``nvr demo``: everything at once, without a camera."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.fakes.clip import write
from tests.fakes.station import COMMAND, ROOT, WAIT_S, nvr, wait_for


@pytest.mark.timeout(300)
def test_it_records_looks_and_shows(tmp_path: Path) -> None:
    video = write(tmp_path / "clip.mp4", frames=100)
    folder = tmp_path / "it's here"
    done = nvr("demo", "--footage", str(video), "--folder", str(folder), "--seconds", "20")
    assert done.returncode == 0, done.stderr
    assert "recording h264 320x180" in done.stderr
    for command in ("nvr start", "nvr status", "nvr events list", "nvr segments list"):
        assert command in done.stdout
    assert list((folder / "storage/segments/demo").rglob("*.mp4"))
    assert not list((folder / "storage").rglob("*.part"))
    assert "Traceback" not in done.stderr + done.stdout


def test_footage_that_is_missing_is_one_line(tmp_path: Path) -> None:
    done = nvr("demo", "--footage", "missing.mp4", "--folder", str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "nvr: missing.mp4: no such video file\n")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_draws_a_scene_whose_motion_is_an_event(tmp_path: Path) -> None:
    done = nvr("demo", "--folder", str(tmp_path), "--seconds", "30")
    assert done.returncode == 0, done.stderr
    assert "demo: motion (event 1)" in done.stderr
    assert list((tmp_path / "storage/snapshots/demo").rglob("*.jpg"))


def test_ctrl_c_in_a_terminal_closes_every_file(tmp_path: Path) -> None:
    video = write(tmp_path / "clip.mp4", frames=100)
    command = [*COMMAND, "demo", "--footage", str(video), "--folder", str(tmp_path / "demo"), "--seconds", "60"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, start_new_session=True
    ) as running:
        wait_for(lambda: list(tmp_path.rglob("*.mp4.part")), "an open segment")
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the whole group
        running.wait(WAIT_S)
    assert not list(tmp_path.rglob("*.part"))
    assert list((tmp_path / "demo/storage/segments").rglob("*.mp4"))


def test_a_configuration_of_the_users_is_left_alone(tmp_path: Path) -> None:
    mine = "cameras:\n  hik1: {host: 192.168.1.64}\n"
    (tmp_path / "nvr.yaml").write_text(mine)
    video = write(tmp_path / "clip.mp4", frames=25)
    nvr("demo", "--footage", str(video), "--folder", str(tmp_path), "--seconds", "5")
    assert (tmp_path / "nvr.yaml").read_text() == mine


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = nvr("demo", "--folder", str(tmp_path / "file/below"), "--seconds", "5")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr

"""``nvr cameras snapshot``: the newest picture, and where the zones are on it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nvr import layout
from nvr.clock import SystemClock, from_us
from nvr.errors import LoginError
from nvr.frameslot import SlotWriter, create
from nvr.media.door import Door
from nvr.model import Address
from tests.cli.conftest import Configure
from tests.fakes.clip import Clip, pictures, write
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.fakes.slots import put
from tests.fakes.station import ROOT, nvr

ZONES = "detect: {zones: {yard: {points: '0.1,0.1 0.5,0.1 0.5,0.9'}}, lines: {gate: {points: '0.6,0.2 0.6,0.8'}}}"
NOWHERE = "{host: 127.0.0.1, port: 9, username: u, password: {env: NOT_SET_ANYWHERE}, " + ZONES + "}"


def picture(path: Path) -> NDArray[np.uint8]:
    found = cv2.imread(str(path))
    assert found is not None
    return np.asarray(found, np.uint8)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """The run folder of an nvr that runs, with a slot of hik1."""
    folder = layout.run_folder(layout.prepare(tmp_path / "storage"))
    try:
        create(layout.slot_path(folder, "hik1"))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def show(folder: Path, grey: int, age: timedelta = timedelta()) -> None:
    with SlotWriter(layout.slot_path(folder, "hik1")) as slot:
        i420 = np.full((270, 320), 128, np.uint8)
        i420[:180] = grey
        put(slot, i420, from_us(SystemClock().now_us()) - age)


def test_the_running_nvrs_newest_picture_needs_no_login(tmp_path: Path, configure: Configure, run: Path) -> None:
    show(run, 180)
    target = tmp_path / "a.jpg"
    done = nvr("cameras", "snapshot", "hik1", "-o", str(target), "--json", "--config", str(configure(NOWHERE)))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["camera"], told["path"], told["source"]) == ("hik1", str(target), "nvr")
    assert (told["width"], told["height"]) == (320, 180)
    assert (told["zones"], told["lines"], told["masks"]) == (["yard"], ["gate"], 0)
    assert np.ptp(picture(target)) <= 2, "nothing is drawn without --zones"


def test_zones_are_drawn(tmp_path: Path, configure: Configure, run: Path) -> None:
    show(run, 180)
    target = tmp_path / "a.jpg"
    target.write_text("what was there before is replaced")
    done = nvr("cameras", "snapshot", "hik1", "--zones", "-o", str(target), "--config", str(configure(NOWHERE)))
    assert done.stdout.startswith(f"{target}: 320x180 of 20")
    assert done.stdout.endswith(", from the running nvr\n")
    assert done.stderr == ""
    assert np.ptp(picture(target)) > 100


def test_where_there_is_nothing_to_draw_it_is_said(tmp_path: Path, configure: Configure, run: Path) -> None:
    show(run, 180)
    path = configure("{host: 127.0.0.1}")
    done = nvr("cameras", "snapshot", "hik1", "--zones", "-o", str(tmp_path / "a.jpg"), "--config", str(path))
    assert done.returncode == 0
    assert done.stderr == "nvr: hik1 has no zones, lines or masks to draw: see docs/zones.md\n"
    assert (tmp_path / "a.jpg").exists()


def test_it_goes_into_a_pipe(configure: Configure, run: Path) -> None:
    show(run, 180)
    command = [sys.executable, "-m", "nvr", "cameras", "snapshot", "hik1", "-o", "-", "--config"]
    done = subprocess.run([*command, str(configure(NOWHERE))], capture_output=True, timeout=60, check=True, cwd=ROOT)
    decoded = cv2.imdecode(np.frombuffer(done.stdout, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (180, 320, 3)
    assert done.stderr.decode().startswith("standard output: 320x180 of ")


def test_its_own_name_is_camera_and_time_and_is_not_overwritten(
    tmp_path: Path, configure: Configure, run: Path
) -> None:
    show(run, 180)
    config = str(configure(NOWHERE))
    env = {"PYTHONPATH": str(ROOT)}
    first = nvr("cameras", "snapshot", "hik1", "--config", config, cwd=tmp_path, env=env)
    (path,) = tmp_path.glob("hik1-*.jpg")
    assert first.stdout.startswith(f"{path.name}: ")
    before = path.read_bytes()
    again = nvr("cameras", "snapshot", "hik1", "--zones", "--config", config, cwd=tmp_path, env=env)
    assert again.returncode == 1
    assert again.stderr == f"nvr: {path.name}: File exists\n"
    assert path.read_bytes() == before


def test_a_camera_is_asked_where_nvr_does_not_run(tmp_path: Path, configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=4), username="viewer", password="hunter2") as camera:
        path = configure(f"{{url: '{camera.url}', username: viewer, password: hunter2}}")
        done = nvr("cameras", "snapshot", "hik1", "-o", str(tmp_path / "a.jpg"), "--json", "--config", str(path))
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["source"] == "camera"
        assert not any(request.is_refused_login for request in camera.requests)
    assert picture(tmp_path / "a.jpg").shape == (180, 320, 3)


@pytest.mark.parametrize("age", [timedelta(minutes=1), timedelta(days=-1), None])
def test_an_old_picture_or_none_is_not_taken_for_the_newest(
    tmp_path: Path, configure: Configure, run: Path, age: timedelta | None
) -> None:
    if age is not None:
        show(run, 180, age)
    video = write(tmp_path / "clip.mp4", frames=50, gop=25)
    done = nvr("cameras", "snapshot", "hik1", "--json", "--config", str(configure(f"{{url: {video}}}")), cwd=tmp_path)
    assert json.loads(done.stdout)["source"] == "camera"


def test_the_stream_that_is_looked_at_is_shown(tmp_path: Path, configure: Configure) -> None:
    write(tmp_path / "main.mp4", frames=50, gop=25)
    with av.open(tmp_path / "sub.mp4", "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        container.mux([packet for frame in [*pictures(25), None] for packet in video.encode(frame)])
    wanted = {"auto": 160, "main": 320}
    for stream, width in wanted.items():
        config = configure(f"{{url: main.mp4, sub_url: sub.mp4, detect: {{stream: {stream}}}}}")
        done = nvr("cameras", "snapshot", "hik1", "-o", str(tmp_path / "a.jpg"), "--json", "--config", str(config))
        assert json.loads(done.stdout)["width"] == width


def test_what_a_running_recorder_was_refused_is_not_tried(configure: Configure, h264: Clip, run: Path) -> None:
    with ScriptedCamera(Script(h264, loops=4), username="viewer", password="right") as camera:
        path = configure(f"{{host: {camera.host}, port: {camera.port}, username: viewer, password: hunter2}}")
        address = Address(f"rtsp://{camera.host}:{camera.port}/Streaming/Channels/201", "viewer", "hunter2")
        with pytest.raises(LoginError), Door(run, address, SystemClock()).try_login():
            raise LoginError("refused")
        done = nvr("cameras", "snapshot", "hik1", "-o", str(path.parent / "a.jpg"), "--config", str(path))
        assert done.returncode == 1
        assert "not tried: another channel or try was refused the login of viewer" in done.stderr
        assert not any(request.authorization for request in camera.requests)
    assert not (path.parent / "a.jpg").exists()


def test_a_wrong_password_is_tried_once(configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera:
        path = configure(f"{{host: {camera.host}, port: {camera.port}, username: viewer, password: hunter2}}")
        done = nvr("cameras", "snapshot", "hik1", "-o", str(path.parent / "a.jpg"), "--config", str(path))
        assert done.returncode == 1
        assert "after five to seven wrong logins" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert sum(request.is_refused_login for request in camera.requests) == 1


def test_a_login_that_is_missing_is_not_made_up(configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera:
        done = nvr("cameras", "snapshot", "hik1", "-o", "-", "--config", str(configure(f"{{url: '{camera.url}'}}")))
        assert (done.returncode, done.stdout) == (1, "")
        assert "give username and password" in done.stderr
        assert not any(request.authorization for request in camera.requests)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (".", "a folder: name the JPEG to be written"),
        ("missing/a.jpg", "there is no folder"),
        ("storage/snapshots/hik1/a.jpg", "among the recordings of nvr itself"),
    ],
)
def test_where_a_picture_cannot_go_is_bad_usage(tmp_path: Path, configure: Configure, output: str, words: str) -> None:
    (tmp_path / "storage/snapshots/hik1").mkdir(parents=True)
    done = nvr("cameras", "snapshot", "hik1", "-o", str(tmp_path / output), "--config", str(configure(NOWHERE)))
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_json_and_the_picture_do_not_share_standard_output(configure: Configure) -> None:
    done = nvr("cameras", "snapshot", "hik1", "-o", "-", "--json", "--config", str(configure(NOWHERE)))
    assert (done.returncode, done.stdout) == (2, "")
    assert "name a file" in done.stderr


def test_an_unknown_camera_is_bad_usage(config: Path) -> None:
    done = nvr("cameras", "snapshot", "nobody", "--config", str(config))
    assert done.returncode == 2

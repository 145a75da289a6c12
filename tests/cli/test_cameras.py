"""``nvr cameras``: what is configured, and one careful login."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import Configure
from tests.fakes.clip import Clip, speak, write
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.fakes.station import nvr

LOGIN = "username: viewer, password: hunter2"


def test_cameras_are_listed_without_their_password(configure: Configure) -> None:
    path = configure(f"{{host: 127.0.0.1, {LOGIN}, detect: {{labels: [person, dog]}}}}")
    done = nvr("cameras", "list", "--json", "--config", str(path))
    (row,) = json.loads(done.stdout)
    assert row == {
        "camera": "hik1",
        "main": "rtsp://127.0.0.1:554/Streaming/Channels/101",
        "sub": "rtsp://127.0.0.1:554/Streaming/Channels/102",
        "record": "continuous",
        "audio": "auto",
        "detect": "objects",
        "labels": ["person", "dog"],
    }
    plain = nvr("cameras", "list", "--config", str(path))
    assert "hik1" in plain.stdout
    assert "hunter2" not in done.stdout + plain.stdout


def test_a_camera_is_tested_with_one_login(configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=8, speed=4), username="viewer", password="hunter2") as camera:
        path = configure(f"{{url: '{camera.url}', {LOGIN}}}")
        done = nvr("cameras", "test", "hik1", "--seconds", "1", "--json", "--config", str(path))
        main = json.loads(done.stdout)["streams"]["main"]
        assert (main["codec"], main["width"], main["height"], main["login"]) == ("h264", 320, 180, "Digest")
        assert main["key_frame_interval"] == pytest.approx(1.0)
        assert main["fps"] == pytest.approx(25, abs=1)
        assert not any(request.is_refused_login for request in camera.requests)
        assert "hunter2" not in done.stdout + done.stderr


def test_a_wrong_password_is_tried_once(configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera:
        path = configure(f"{{host: {camera.host}, port: {camera.port}, {LOGIN}}}")
        done = nvr("cameras", "test", "hik1", "--config", str(path))
        assert done.returncode == 1
        assert "the camera refused the login of viewer (401)" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert "hunter2" not in done.stdout + done.stderr
        assert sum(request.is_refused_login for request in camera.requests) == 1, "the sub stream is not tried"


def test_a_login_that_is_missing_is_not_made_up(configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera:
        done = nvr("cameras", "test", "hik1", "--config", str(configure(f"{{url: '{camera.url}'}}")))
        assert done.returncode == 1
        assert "give username and password" in done.stderr
        assert not any(request.authorization for request in camera.requests)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (Script(describe_status=404), "the camera has no such channel or path (404)"),
        (Script(audio=speak("pcm_mulaw", 1)), "without video"),
    ],
)
def test_what_is_wrong_with_a_camera_is_one_line(configure: Configure, script: Script, message: str) -> None:
    with ScriptedCamera(script) as camera:
        done = nvr("cameras", "test", "hik1", "--config", str(configure(f"{{url: '{camera.url}'}}")))
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_camera_that_is_off_is_one_line(configure: Configure) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = nvr("cameras", "test", "hik1", "--config", str(configure(f"{{host: 127.0.0.1, port: {port}, {LOGIN}}}")))
    assert done.returncode == 1
    assert f"cannot reach 127.0.0.1:{port}: Connection refused" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_something_that_is_no_camera_is_one_line(configure: Configure) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        config = configure(f"{{url: 'rtsp://127.0.0.1:{server.getsockname()[1]}/', {LOGIN}}}")

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        done = nvr("cameras", "test", "hik1", "--config", str(config))
        thread.join(10)
    assert done.returncode == 1
    assert "does not speak RTSP" in done.stderr


def test_a_file_that_is_no_video_is_one_line(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "clip.mp4").write_text("not a video" * 1000)
    done = nvr("cameras", "test", "hik1", "--config", str(configure("{url: clip.mp4}")))
    assert done.returncode == 1
    assert "not a video file" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_to_fix_is_said(tmp_path: Path, configure: Configure) -> None:
    write(tmp_path / "clip.mov", frames=50, gop=50, audio="pcm_mulaw")
    done = nvr("cameras", "test", "hik1", "--seconds", "1", "--config", str(configure("{url: clip.mov}")))
    assert done.returncode == 0
    assert "video      h264 320x180" in done.stdout
    assert "to fix     key frames are far apart" in done.stdout
    assert "to fix     audio is pcm_mulaw: it is recorded as AAC" in done.stdout


def test_an_unknown_camera_is_bad_usage(config: Path) -> None:
    done = nvr("cameras", "test", "nobody", "--config", str(config))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "nvr: no camera named nobody in the configuration; there are: hik1, hik2\n"

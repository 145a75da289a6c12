"""``nvr cameras``: what is configured, and one careful login."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nvr import layout
from nvr.clock import SystemClock
from nvr.errors import LoginError
from nvr.media.door import Door
from nvr.model import Address
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
        assert "after five to seven wrong logins" in done.stderr
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
    ("script", "message", "setting"),
    [
        (
            Script(describe_status=404),
            "the camera has no such channel or path (404)",
            "correct channel, url or sub_url",
        ),
        (Script(describe_status=403), "may not view the stream (403)", "System > User Management"),
        (Script(describe_status=453), "too many viewers", "close other programs and browsers"),
        (Script(describe_status=503), "the camera is busy", "close other programs and browsers"),
        (Script(audio=speak("pcm_mulaw", 1)), "without video", ""),
    ],
)
def test_what_is_wrong_with_a_camera_is_one_line(
    configure: Configure, script: Script, message: str, setting: str
) -> None:
    with ScriptedCamera(script, username="viewer", password="hunter2") as camera:
        done = nvr("cameras", "test", "hik1", "--config", str(configure(f"{{url: '{camera.url}', {LOGIN}}}")))
    assert done.returncode == 1
    assert message in done.stderr
    assert setting in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("method", ["SETUP", "PLAY"])
def test_too_many_viewers_are_told_when_it_comes_out_late(configure: Configure, h264: Clip, method: str) -> None:
    with ScriptedCamera(Script(h264, refusals={method: (453,) * 9})) as camera:
        done = nvr("cameras", "test", "hik1", "--config", str(configure(f"{{url: '{camera.url}'}}")))
    assert done.returncode == 1
    assert "close other programs and browsers" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@contextmanager
def demanding(*offers: str) -> Iterator[tuple[int, list[bytes]]]:
    """A camera that wants a login in certain ways and lets nobody in: its port, and what it was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.settimeout(10)
                    while request := client.recv(4096):
                        asked.append(request)
                        lines = [f"WWW-Authenticate: {offer}" for offer in offers]
                        client.sendall("\r\n".join(["RTSP/1.0 401 Unauthorized", "CSeq: 1", *lines, "", ""]).encode())

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1], asked
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


MD5, SHA_256 = ('Digest realm="x", nonce="1"' + end for end in (', algorithm="MD5"', ', algorithm="SHA-256"'))


@pytest.mark.parametrize("offers", [[SHA_256], [MD5, SHA_256], ['Basic realm="x"', SHA_256]])
def test_a_digest_that_no_password_satisfies_is_told_and_no_login_is_tried(
    configure: Configure, offers: list[str]
) -> None:
    with demanding(*offers) as (port, asked):
        done = nvr("cameras", "test", "hik1", "--config", str(configure(f"{{host: 127.0.0.1, port: {port}, {LOGIN}}}")))
    assert done.returncode == 1
    assert "Configuration > System > Security > Authentication" in done.stderr
    assert "RTSP digest algorithm to MD5" in done.stderr
    assert "no login was tried" in done.stderr
    assert "wrong logins" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert len(asked) == 1
    assert b"Authorization" not in asked[0]


def test_where_the_last_offer_is_md5_a_refusal_is_the_passwords(configure: Configure) -> None:
    with demanding(SHA_256, MD5) as (port, asked):
        done = nvr("cameras", "test", "hik1", "--config", str(configure(f"{{host: 127.0.0.1, port: {port}, {LOGIN}}}")))
    assert "the camera refused the login of viewer (401)" in done.stderr
    assert sum(b"Authorization" in request for request in asked) == 1


def test_what_a_running_recorder_was_refused_is_told_and_not_tried(configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=8, speed=4), username="viewer", password="right") as camera:
        path = configure(f"{{host: {camera.host}, port: {camera.port}, {LOGIN}}}")
        folder = layout.run_folder(layout.prepare(path.parent / "storage"))
        other_channel = Address(f"rtsp://{camera.host}:{camera.port}/Streaming/Channels/201", "viewer", "hunter2")
        try:
            with pytest.raises(LoginError), Door(folder, other_channel, SystemClock()).try_login():
                raise LoginError("refused")
            done = nvr("cameras", "test", "hik1", "--config", str(path))
            assert done.returncode == 1
            assert "not tried: another channel or try was refused the login of viewer" in done.stderr
            assert len(done.stderr.splitlines()) == 1
            assert not any(request.authorization for request in camera.requests)
            path.write_text(path.read_text().replace("hunter2", "right"))
            done = nvr("cameras", "test", "hik1", "--seconds", "1", "--config", str(path))
            assert done.returncode == 0, done.stderr
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def test_a_camera_that_is_off_is_one_line(configure: Configure) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = nvr("cameras", "test", "hik1", "--config", str(configure(f"{{host: 127.0.0.1, port: {port}, {LOGIN}}}")))
    assert done.returncode == 1
    assert f"cannot reach 127.0.0.1:{port}: Connection refused" in done.stderr
    assert "check host and port" in done.stderr
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
    write(tmp_path / "clip.mov", frames=150, gop=150, audio="pcm_mulaw")
    done = nvr("cameras", "test", "hik1", "--seconds", "1", "--config", str(configure("{url: clip.mov}")))
    assert done.returncode == 0
    assert "video      h264 320x180" in done.stdout
    assert "to fix     key frames are far apart (none in " in done.stdout
    assert "switch H.264+/H.265+ (smart codec) off" in done.stdout
    assert "to fix     audio is pcm_mulaw: it is recorded as AAC" in done.stdout


def test_what_hikvision_announces_is_told_and_what_is_odd_about_it(configure: Configure, h264: Clip) -> None:
    script = Script(
        h264,
        audio=speak("aac", 1),
        silent_audio=True,
        metadata=True,
        reports=True,
        clock_steps={0: 3600},
        loops=5,
        speed=1,
    )
    with ScriptedCamera(script, username="viewer", password="hunter2") as camera:
        config = str(configure(f"{{url: '{camera.url}', {LOGIN}}}"))
        done = nvr("cameras", "test", "hik1", "--seconds", "3", "--json", "--config", config)
        plain = nvr("cameras", "test", "hik1", "--seconds", "3", "--config", config)
    main = json.loads(done.stdout)["streams"]["main"]
    assert (main["login"], main["audio"], main["metadata"]) == ("Digest", "aac", True)
    assert main["clock_offset"] == pytest.approx(3600, abs=1)
    assert main["key_frame_interval"] == pytest.approx(1.0)
    audio, clock = main["advice"]
    assert audio.startswith("audio (aac) is announced, but none comes")
    assert clock.startswith("the camera's clock is 1h 0m ahead of this machine's: recordings are not affected")
    assert not any(request.is_refused_login for request in camera.requests)
    assert "  metadata   announced (ONVIF), not recorded\n" in plain.stdout
    assert "  clock      +3" in plain.stdout
    assert "  to fix     the camera's clock is 1h 0m ahead of this machine's" in plain.stdout


def test_a_camera_with_nothing_to_fix_is_told_nothing(configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, audio=speak("aac", 2), reports=True, loops=5, speed=1)) as camera:
        config = str(configure(f"{{url: '{camera.url}'}}"))
        done = nvr("cameras", "test", "hik1", "--seconds", "3", "--json", "--config", config)
    main = json.loads(done.stdout)["streams"]["main"]
    assert main["advice"] == []
    assert main["metadata"] is False
    assert main["clock_offset"] == pytest.approx(0, abs=1)


def test_an_unknown_camera_is_bad_usage(config: Path) -> None:
    done = nvr("cameras", "test", "nobody", "--config", str(config))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "nvr: no camera named nobody in the configuration; there are: hik1, hik2\n"

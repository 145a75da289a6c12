"""Streams are opened through the device's door."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nvr.clock import SystemClock
from nvr.errors import LoginError, SourceError
from nvr.media.entrance import enter
from nvr.model import Address
from nvr.reason import Reason
from tests.fakes.clip import Clip
from tests.fakes.rtsp import Script, ScriptedCamera


def go_in(folder: Path, address: Address) -> None:
    enter(folder, address, SystemClock(), audio=False, idle=lambda: True).close()


def test_a_right_password_is_let_in_again_and_again(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=50, speed=1), username="viewer", password="right") as camera:
        for _ in range(2):
            go_in(tmp_path, Address(camera.url, "viewer", "right"))
        assert len(camera.sessions) == 2


def test_a_wrong_password_is_tried_once_whoever_comes(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera:
        for _ in range(3):
            with pytest.raises(LoginError):
                go_in(tmp_path, Address(camera.url, "viewer", "wrong"))
        assert sum(request.is_refused_login for request in camera.requests) == 1


@pytest.fixture
def modern() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a camera that wants a SHA-256 digest, and what it was asked."""
    asked: list[bytes] = []

    class Refusal(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := self.rfile.readline():
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    head += line
                asked.append(head)
                number = (re.findall(rb"CSeq: *(\d+)", head) or [b"1"])[0].decode()
                offer = 'WWW-Authenticate: Digest realm="x", nonce="y", algorithm=SHA-256'
                self.wfile.write(f"RTSP/1.0 401 Unauthorized\r\nCSeq: {number}\r\n{offer}\r\n\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusal) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"rtsp://127.0.0.1:{server.server_address[1]}/x", asked
        server.shutdown()
        thread.join()


def test_a_camera_that_wants_sha_256_says_nothing_of_the_password(
    tmp_path: Path, modern: tuple[str, list[bytes]]
) -> None:
    url, asked = modern
    for _ in range(2):  # the second try is not kept away by the door
        with pytest.raises(SourceError, match="RTSP digest algorithm to MD5") as caught:
            go_in(tmp_path, Address(url, "viewer", "right"))
        assert not isinstance(caught.value, LoginError)
        assert caught.value.reason is Reason.REFUSED
    assert asked
    assert not any(b"Authorization" in head for head in asked)

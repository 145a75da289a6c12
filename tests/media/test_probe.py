"""A careful look at a camera."""

from __future__ import annotations

import socket
import threading

import pytest

from nvr.clock import SystemClock
from nvr.errors import SourceError
from nvr.media.probe import Greeting, Sample, greet, sample
from nvr.model import Address
from tests.fakes.clip import Clip
from tests.fakes.rtsp import Script, ScriptedCamera


def test_the_first_question_carries_no_login(h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="secret") as camera:
        greeting = greet(Address(camera.url, "viewer", "secret"))
        assert greeting.status == 401
        assert greeting.offers[0].startswith("Digest")
        assert not any(request.authorization for request in camera.requests)


def test_a_sample_tells_what_the_stream_is(h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=4, speed=4)) as camera:
        found = sample(Address(camera.url), SystemClock(), audio=False, seconds=0.8)
    assert (found.codec, found.width, found.height) == ("h264", 320, 180)
    assert found.fps == pytest.approx(25, abs=1)
    assert found.gop_us == 1_000_000
    assert found.advice is None


@pytest.mark.parametrize(
    ("offers", "advised"),
    [
        (('Digest realm="x", nonce="y", algorithm=SHA-256',), True),
        (('Digest realm="x", algorithm=MD5', 'Digest realm="x", algorithm=SHA-256'), True),
        (('Digest realm="x", algorithm=SHA-256', 'Digest realm="x", algorithm=MD5'), False),
        (('Basic realm="x"', 'Digest realm="x"'), False),
        (('Basic realm="x"',), False),
    ],
)
def test_a_digest_that_no_password_could_satisfy_is_told(offers: tuple[str, ...], advised: bool) -> None:
    assert (Greeting(401, "", offers).advice is not None) is advised


@pytest.mark.parametrize(("gop_us", "advised"), [(2_000_000, False), (12_000_000, True), (None, True)])
def test_key_frames_far_apart_are_told(gop_us: int | None, advised: bool) -> None:
    assert (Sample("h264", 1920, 1080, None, 25.0, 4_000_000, gop_us, 5.0).advice is not None) is advised


def test_what_does_not_speak_rtsp_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(SourceError, match="does not speak RTSP"):
            greet(Address(f"rtsp://127.0.0.1:{server.getsockname()[1]}/x"))
        thread.join(5)

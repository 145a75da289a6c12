"""A careful look at a camera."""

from __future__ import annotations

import dataclasses
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from nvr.clock import SystemClock
from nvr.errors import LoginError, SourceError
from nvr.media.door import Door
from nvr.media.probe import Greeting, Sample, announced, explain_refusal, greet, knock, sample
from nvr.model import Address
from nvr.reason import Reason
from tests.fakes.clip import Clip, speak
from tests.fakes.clock import FakeClock
from tests.fakes.rtsp import Script, ScriptedCamera

Serve = Callable[[Callable[[socket.socket], None]], Address]
SHA_256 = (
    b'RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm="x", nonce="y", algorithm=SHA-256\r\n\r\n'
)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Be a device that does with a connection what a function says; the connection ends with the function."""
    with ExitStack() as stack:

        def start(behave: Callable[[socket.socket], None]) -> Address:
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            server.settimeout(20)

            def live() -> None:
                client, _ = server.accept()
                with client:
                    client.settimeout(20)
                    behave(client)

            thread = threading.Thread(target=live, daemon=True)
            thread.start()
            stack.callback(thread.join, 20)
            return Address(f"rtsp://127.0.0.1:{server.getsockname()[1]}/Streaming/Channels/101")

        yield start


def answer(*parts: bytes, pause_s: float = 0.0) -> Callable[[socket.socket], None]:
    """Take a request, then send the parts."""

    def behave(client: socket.socket) -> None:
        client.recv(4096)
        with suppress(OSError):  # who asked may have heard enough
            for part in parts:
                client.sendall(part)
                time.sleep(pause_s)

    return behave


def closed_port() -> Address:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return Address(f"rtsp://127.0.0.1:{server.getsockname()[1]}/x")


@pytest.mark.parametrize(
    "parts",
    [
        [b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"],
        [b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n"],
        [b"RTSP/1.0 503 Service Unavailable\r\n\r\n"],
        [bytes([byte]) for byte in b"RTSP/1.0 200 OK\r\n"],
    ],
    ids=["200", "401", "503", "byte by byte"],
)
def test_whatever_answers_in_rtsp_is_there(serve: Serve, parts: list[bytes]) -> None:
    assert knock(serve(answer(*parts, pause_s=0.002)), timeout_s=10)


def test_a_knock_carries_no_login() -> None:
    with ScriptedCamera(Script(), username="viewer", password="secret") as camera:
        assert knock(Address(camera.url, "viewer", "wrong"))
        assert [(request.method, request.authorization) for request in camera.requests] == [("OPTIONS", False)]


def test_a_closed_port_does_not_answer() -> None:
    assert not knock(closed_port())


@pytest.mark.parametrize(
    "parts", [[], [b"RTSP"], [b"HTTP/1.1 200 OK\r\n\r\n"], [b"\0" * 5000]], ids=["none", "a piece", "http", "garbage"]
)
def test_what_does_not_answer_in_rtsp_is_not_there(serve: Serve, parts: list[bytes]) -> None:
    assert not knock(serve(answer(*parts)), timeout_s=10)


def test_who_takes_the_connection_and_says_nothing_is_waited_for_as_long_as_asked(serve: Serve) -> None:
    asked, gone = threading.Event(), threading.Event()

    def behave(client: socket.socket) -> None:
        client.recv(4096)
        asked.set()
        client.recv(1)  # until the other side closes
        gone.set()

    assert not knock(serve(behave), timeout_s=0.2)
    assert asked.wait(10)
    assert gone.wait(10)


def test_who_says_it_too_slowly_is_not_waited_for(serve: Serve) -> None:
    said = []

    def behave(client: socket.socket) -> None:
        client.recv(4096)
        with suppress(OSError):  # nobody listens any more
            for byte in b"RTSP/1.0 200 OK" * 100:
                client.sendall(bytes([byte]))
                said.append(byte)
                time.sleep(0.15)

    assert not knock(serve(behave), timeout_s=0.5)
    assert len(said) < 20


@pytest.mark.parametrize("url", ["rtsp://127.0.0.1:99999/x", "rtsp://[::1/x", f"rtsp://{'a' * 70}.lan/x", "rtsp:///x"])
def test_an_address_that_cannot_be_one_does_not_answer(url: str) -> None:
    assert not knock(Address(url), timeout_s=0.2)


@pytest.mark.parametrize("url", ["clip.mp4", "rtsps://127.0.0.1/x"])
def test_what_cannot_be_asked_counts_as_there(url: str) -> None:
    assert knock(Address(url))


def test_the_first_question_carries_no_login(h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="secret") as camera:
        greeting = greet(Address(camera.url, "viewer", "secret"))
        assert greeting.status == 401
        assert greeting.offers[0].startswith("Digest")
        assert not any(request.authorization for request in camera.requests)


@pytest.mark.parametrize(
    ("offers", "advised"),
    [
        (('Digest realm="x", nonce="y", algorithm=SHA-256',), True),
        (('Digest realm="x", nonce="y", algorithm="SHA-256", qop="auth"',), True),
        (('Digest realm="x", algorithm=MD5', 'Digest realm="x", algorithm=SHA-256'), True),
        (('Digest realm="x", algorithm=SHA-256', 'Digest realm="x", algorithm=MD5'), False),
        (('Digest realm="SHA-256 camera", nonce="algorithm=SHA-256"',), False),
        (('Basic realm="x"', 'Digest realm="x"'), False),
        (('Basic realm="x"',), False),
        ((), False),
    ],
)
def test_a_digest_that_no_password_could_satisfy_is_told(offers: tuple[str, ...], advised: bool) -> None:
    advice = Greeting(401, "", offers).advice
    assert (advice is not None) is advised
    assert not advised or "RTSP digest algorithm to MD5" in str(advice)


def test_a_refusal_is_explained_without_a_login(serve: Serve) -> None:
    asked = []

    def behave(client: socket.socket) -> None:
        asked.append(client.recv(4096))
        client.sendall(SHA_256)

    advice = explain_refusal(dataclasses.replace(serve(behave), username="viewer", password="secret"))
    assert advice is not None
    assert "SHA-256" in advice
    assert b"Authorization" not in asked[0]


def test_a_refusal_that_is_the_passwords_is_not_explained_otherwise(h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera:
        assert explain_refusal(Address(camera.url, "viewer", "wrong")) is None
    with ScriptedCamera(Script(h264)) as camera:
        assert explain_refusal(Address(camera.url)) is None
    assert explain_refusal(closed_port()) is None
    assert explain_refusal(Address("clip.mp4")) is None


@pytest.mark.parametrize("login", [("viewer", "se:cr@t"), (None, None)])
def test_what_a_camera_announces_is_told(h264: Clip, login: tuple[str | None, str | None]) -> None:
    script = Script(h264, audio=speak("pcm_mulaw", 1), metadata=True)
    with ScriptedCamera(script, username=login[0], password=login[1] or "") as camera:
        assert announced(Address(camera.url, *login)) == ["H264", "PCMU", "vnd.onvif.metadata"]
        assert not any(request.is_refused_login for request in camera.requests)


def test_a_digest_that_is_not_ours_is_not_tried(serve: Serve) -> None:
    asked, ended = [], threading.Event()

    def behave(client: socket.socket) -> None:
        asked.append(client.recv(4096))
        client.sendall(SHA_256)
        asked.append(client.recv(4096))
        ended.set()

    assert announced(dataclasses.replace(serve(behave), username="viewer", password="secret")) == []
    assert ended.wait(10)
    assert len(asked) == 2
    assert asked[1] == b""


def test_what_is_announced_by_nobody_is_nothing() -> None:
    assert announced(closed_port()) == []


def test_a_sample_tells_what_the_stream_is(h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=40, speed=4)) as camera:
        found = sample(Address(camera.url), SystemClock(), audio=False, seconds=0.8)
    assert (found.codec, found.width, found.height) == ("h264", 320, 180)
    assert found.fps == pytest.approx(25, abs=1)
    assert found.gop_us == 1_000_000
    assert not found.gop_is_long
    assert (found.audio, found.audible, found.clock_offset_us) == (None, False, None)


@pytest.mark.parametrize("silent", [False, True])
def test_audio_that_is_announced_is_heard_or_not(h264: Clip, silent: bool) -> None:
    script = Script(h264, audio=speak("aac", 2), silent_audio=silent, loops=40, speed=4)
    with ScriptedCamera(script) as camera:
        found = sample(Address(camera.url), SystemClock(), audio=True, seconds=0.5)
    assert (found.audio, found.audible) == ("aac", not silent)


@pytest.mark.parametrize(
    ("gop_us", "seconds", "long"),
    [(2_000_000, 5.0, False), (12_000_000, 30.0, True), (None, 5.0, True), (None, 1.5, False)],
)
def test_key_frames_far_apart_are_told(gop_us: int | None, seconds: float, long: bool) -> None:
    assert Sample("h264", 1920, 1080, None, False, 25.0, 4_000_000, gop_us, seconds).gop_is_long is long


@pytest.mark.parametrize("ahead_s", [3600, -7 * 3600, 0])
def test_a_camera_whose_clock_is_wrong_is_told_by_how_much(h264: Clip, ahead_s: int) -> None:
    script = Script(h264, loops=3, speed=1, reports=True, clock_steps={0: ahead_s})
    with ScriptedCamera(script) as camera:
        found = sample(Address(camera.url), SystemClock(), audio=False, seconds=2.5)
    assert found.clock_offset_us == pytest.approx(ahead_s * 1e6, abs=1e6)
    assert found.clock_moved_us == pytest.approx(0, abs=200_000)


def test_a_camera_whose_clock_moves_is_told(h264: Clip) -> None:
    script = Script(h264, loops=3, speed=1, reports=True, clock_steps={75: 2})
    with ScriptedCamera(script) as camera:
        found = sample(Address(camera.url), SystemClock(), audio=False, seconds=4)
    assert found.clock_offset_us == pytest.approx(2e6, abs=1e6)
    assert found.clock_moved_us == pytest.approx(2e6, abs=200_000)


def test_a_sample_passes_the_door(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera:
        wrong = Address(camera.url, "viewer", "wrong")
        for _ in range(3):
            door = Door(tmp_path, wrong, FakeClock()).try_login()
            with pytest.raises(LoginError):
                sample(wrong, SystemClock(), audio=False, seconds=1, login=door)
        assert sum(request.is_refused_login for request in camera.requests) == 1


def test_the_door_is_held_for_the_login_and_not_for_the_sample(h264: Clip) -> None:
    sent = []

    @contextmanager
    def door() -> Iterator[None]:
        yield
        sent.append(len(camera.sent))

    with ScriptedCamera(Script(h264, loops=3, speed=1)) as camera:
        sample(Address(camera.url), SystemClock(), audio=False, seconds=1.5, login=door())
        assert sent[0] < len(camera.sent) - 25


def test_what_does_not_speak_rtsp_is_told(serve: Serve) -> None:
    with pytest.raises(SourceError, match="does not speak RTSP"):
        greet(serve(answer(b"HTTP/1.1 200 OK\r\n\r\n")))


def test_who_does_not_listen_is_told() -> None:
    with pytest.raises(SourceError, match="cannot reach") as raised:
        greet(closed_port())
    assert raised.value.reason is Reason.UNREACHABLE

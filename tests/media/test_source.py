"""What a camera sends is what comes out, and what goes wrong is said without a password."""

from __future__ import annotations

import itertools
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from nvr.clock import SystemClock
from nvr.errors import LoginError, SourceError
from nvr.media import source
from nvr.media.source import login_url, open_source
from nvr.model import Address, PacketInfo, Placed
from nvr.reason import Reason
from nvr.recording.timeline import Timeline
from tests.fakes.clip import Clip, record, slices_digest, speak, write
from tests.fakes.clock import FakeClock
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.fakes.station import wait_for

CLOCK = SystemClock()
SECRET = "s3cr:t/@%"
TINY = record(frames=2, gop=2)


def read(address: Address, *, audio: bool = False) -> tuple[list[tuple[PacketInfo, str]], str]:
    """Everything until the stream breaks off, and the words with which it did."""
    opened = open_source(address, CLOCK, audio=audio)
    got = []
    try:
        for info, packet in opened.packets():
            got.append((info, slices_digest(bytes(packet)) if info.stream == "video" else ""))
    except SourceError as error:
        return got, str(error)
    finally:
        opened.close()
    return got, ""


@pytest.mark.parametrize("sprop", [True, False])
def test_every_picture_of_the_camera_comes_out_in_order(h264: Clip, sprop: bool) -> None:
    with ScriptedCamera(Script(h264, sprop=sprop, metadata=True)) as camera:
        got, end = read(Address(camera.url))
        assert [digest for _, digest in got] == [sent.digest for sent in camera.sent]
    assert "closed the connection" in end
    assert got[0][0].key


def test_pictures_with_b_frames_come_out_in_decoding_order(h264_b_frames: Clip) -> None:
    with ScriptedCamera(Script(h264_b_frames)) as camera:
        got, _ = read(Address(camera.url))
        assert [digest for _, digest in got] == [sent.digest for sent in camera.sent]


def test_audio_comes_only_where_it_is_wanted(h264: Clip) -> None:
    script = Script(h264, audio=speak("pcm_mulaw", 2), speed=8)
    with ScriptedCamera(script) as camera:
        with_audio, _ = read(Address(camera.url), audio=True)
        without, _ = read(Address(camera.url), audio=False)
    assert any(info.stream == "audio" for info, _ in with_audio)
    assert all(info.stream == "video" for info, _ in without)
    assert len(without) == 50


def test_a_login_with_awkward_characters_is_let_in(h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="view er", password=SECRET) as camera:
        got, _ = read(Address(camera.url, "view er", SECRET))
        assert len(got) == 50
        assert not any(request.is_refused_login for request in camera.requests)


def test_a_wrong_password_is_one_login_and_its_own_error(h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera:
        with pytest.raises(LoginError, match="refused the login of viewer") as refused:
            open_source(Address(camera.url, "viewer", SECRET), CLOCK, audio=False)
        assert sum(request.is_refused_login for request in camera.requests) == 1
    assert SECRET not in str(refused.value)
    assert "s3cr" not in str(refused.value)


@pytest.mark.parametrize(
    ("script", "message", "reason"),
    [
        (Script(describe_status=403), "may not view", Reason.FORBIDDEN),
        (Script(describe_status=404), "no such channel", Reason.NOT_FOUND),
        (Script(describe_status=453), "too many viewers", Reason.BUSY),
        (Script(describe_status=503), "busy or starting", Reason.BUSY),
        (Script(refusals={"SETUP": (453,) * 9}, video=TINY), "too many viewers", Reason.BUSY),
        (Script(refusals={"PLAY": (453,) * 9}, video=TINY), "too many viewers", Reason.BUSY),
        (Script(refusals={"PLAY": (503,) * 9}, video=TINY), "busy or starting", Reason.BUSY),
        (Script(audio=speak("pcm_mulaw", 1)), "without video", Reason.UNUSABLE),
    ],
)
def test_what_the_camera_refuses_is_said(script: Script, message: str, reason: Reason) -> None:
    with (
        ScriptedCamera(script, username="viewer", password=SECRET) as camera,
        pytest.raises(SourceError, match=message) as error,
    ):
        open_source(Address(camera.url, "viewer", SECRET), CLOCK, audio=True)
    assert not isinstance(error.value, LoginError)
    assert error.value.reason is reason
    assert "s3cr" not in str(error.value)


def test_a_closed_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SourceError, match="connection refused"):
        open_source(Address(f"rtsp://127.0.0.1:{port}/x", "viewer", SECRET), CLOCK, audio=False)


def test_a_camera_that_falls_silent_is_noticed(h264: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "READ_TIMEOUT_US", 1_000_000)
    with ScriptedCamera(Script(h264, stall_after=30)) as camera:
        got, end = read(Address(camera.url))
    assert len(got) >= 29
    assert "no answer" in end


def test_dead_video_under_live_audio_is_noticed(h264: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "VIDEO_TIMEOUT_US", 0)
    with ScriptedCamera(Script(h264, audio=speak("pcm_mulaw", 2), speed=8)) as camera:
        _, end = read(Address(camera.url), audio=True)
    assert "only audio" in end


def test_a_camera_that_never_answers_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "READ_TIMEOUT_US", 500_000)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"rtsp://127.0.0.1:{server.getsockname()[1]}/x"
        with pytest.raises(SourceError, match="no usable answer") as error:
            open_source(Address(url, "viewer", SECRET), CLOCK, audio=False)
    assert "s3cr" not in str(error.value)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"\0" * 200, b""])
def test_what_does_not_speak_rtsp_is_said(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "READ_TIMEOUT_US", 500_000)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer_once, args=(server, answer))
        thread.start()
        url = f"rtsp://127.0.0.1:{server.getsockname()[1]}/x"
        with pytest.raises(SourceError, match=r"127\.0\.0\.1") as error:
            open_source(Address(url, "viewer", SECRET), CLOCK, audio=False)
        thread.join(5)
    assert not isinstance(error.value, LoginError)
    assert "s3cr" not in str(error.value)


def answer_once(server: socket.socket, answer: bytes) -> None:
    """Take one client and a request, say ``answer`` and hang up."""
    server.settimeout(5)
    client, _ = server.accept()
    with client:
        client.settimeout(5)
        client.recv(4096)
        client.sendall(answer)


def test_a_connection_that_breaks_while_it_opens_is_said(h264: Clip) -> None:
    with ScriptedCamera(Script(h264, sprop=False, drop_after=0)) as camera, pytest.raises(SourceError):
        open_source(Address(camera.url), CLOCK, audio=False)


def test_no_login_is_not_called_wrong_more_than_once(h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera:
        with pytest.raises(LoginError, match="refused the login of nobody"):
            open_source(Address(camera.url), CLOCK, audio=False)
        assert not any(request.authorization for request in camera.requests)


def test_only_what_is_recorded_is_set_up(h264: Clip) -> None:
    script = Script(h264, audio=speak("pcm_mulaw", 2), metadata=True)
    for audio, tracks in ((True, 2), (False, 1)):
        with ScriptedCamera(script) as camera:
            open_source(Address(camera.url), CLOCK, audio=audio).close()
            assert sum(request.method == "SETUP" for request in camera.requests) == tracks


def test_a_session_is_given_up_in_words(h264: Clip) -> None:
    """Cameras count viewers by sessions, and one that nobody ends lives on for a minute."""
    with ScriptedCamera(Script(h264, speed=1)) as camera:
        open_source(Address(camera.url), CLOCK, audio=False).close()
        wait_for(lambda: any(request.method == "TEARDOWN" for request in camera.requests), "TEARDOWN")


def test_a_silent_audio_track_costs_no_video(h264: Clip) -> None:
    """And not the five seconds that FFmpeg would wait for it by default: with them, most of this would be over."""
    script = Script(h264, audio=speak("aac", 2), silent_audio=True, metadata=True, loops=4, speed=1)
    with ScriptedCamera(script) as camera:
        opened = open_source(Address(camera.url), CLOCK, audio=True)
        assert opened.info.audio == "aac"
        assert len(camera.sent) < 100
        opened.close()
        got, end = read(Address(camera.url), audio=True)
        assert [digest for _, digest in got] == [sent.digest for sent in camera.sessions[1]]
    assert "closed the connection" in end


@pytest.mark.parametrize("step_s", [-3600, 3600, 1_500_000_000])
def test_a_camera_clock_that_is_set_moves_no_timestamp(h264: Clip, step_s: int) -> None:
    """Announced metadata would let it, if it was set up: see the module."""
    script = Script(h264, metadata=True, reports=True, clock_steps={0: -600, 50: step_s}, loops=3)
    with ScriptedCamera(script) as camera:
        got, _ = read(Address(camera.url))
    times = [info.dts_us for info, _ in got if info.dts_us is not None]
    assert {after - before for before, after in itertools.pairwise(times)} == {40_000}


def test_a_session_that_times_out_is_kept(h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=6, speed=1, session_timeout=4)) as camera:
        got, _ = read(Address(camera.url))
        assert len(got) == 300
        asked = [request.method for request in camera.requests]
    assert asked.count("GET_PARAMETER") + asked.count("OPTIONS") >= 4


def test_a_session_that_is_not_asked_for_ends(h264: Clip) -> None:
    """The camera of the test above means it: this one does not get what it waits for."""
    with ScriptedCamera(Script(h264, loops=3, speed=1, session_timeout=2)) as camera:
        opened = open_source(Address(camera.url), CLOCK, audio=False)
        threading.Event().wait(2.5)  # who does not read sends nothing
        got = []
        with pytest.raises(SourceError, match="closed the connection"):
            got += list(opened.packets())
        opened.close()
    assert len(got) < 150


def test_what_hikvision_writes_oddly_is_understood(h264: Clip) -> None:
    """SSRC after a space and sequence numbers that begin at 0, as old and new firmware write them."""
    odd = [
        (rb"(interleaved=\d+-\d+)\r\n", rb'\1;ssrc= 5AD6C1E2;mode="play"\r\n'),
        (rb"(Session: 12345678);timeout=60\r\n\r\n", rb"\1\r\nRTP-Info: url=trackID=0;seq=0;rtptime=0\r\n\r\n"),
    ]
    with ScriptedCamera(Script(h264, start=123_456)) as camera, rewritten(camera, odd) as (url, changed):
        got, _ = read(Address(url))
        assert [digest for _, digest in got] == [sent.digest for sent in camera.sent]
        assert changed == {0, 1}
    assert [info.dts_us for info, _ in got[1:4]] == [40_000, 80_000, 120_000]


@contextmanager
def rewritten(camera: ScriptedCamera, words: list[tuple[bytes, bytes]]) -> Iterator[tuple[str, set[int]]]:
    """A way to the camera on which its answers are put into other words; the address, and which words were met."""
    met: set[int] = set()

    def other_words(data: bytes) -> bytes:
        if data.startswith(b"RTSP/1.0"):
            for place, (old, new) in enumerate(words):
                data, count = re.subn(old, new, data)
                met.update({place} if count else ())
        return data

    def pump(source: socket.socket, sink: socket.socket, change: Callable[[bytes], bytes]) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(change(data))
            sink.shutdown(socket.SHUT_WR)

    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as stack:

        def serve() -> None:
            client = stack.enter_context(server.accept()[0])
            device = stack.enter_context(socket.create_connection((camera.host, camera.port)))
            back = threading.Thread(target=pump, args=(device, client, other_words))
            back.start()
            pump(client, device, bytes)
            back.join(10)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"rtsp://127.0.0.1:{server.getsockname()[1]}/Streaming/Channels/101", met
        thread.join(10)


@pytest.mark.slow
@pytest.mark.parametrize("start", [0, 2**32 - 3 * 90_000, 2**31 + 17])
def test_fourteen_hours_of_rtp_time_run_on_over_the_wrap(start: int) -> None:
    """A picture a second, so that 32 bits of 90 kHz are over in 47 721 pictures; sent as quickly as they are read."""
    clip = record(frames=60, gop=60)
    script = Script(clip, loops=14 * 60, fps=1, start=start)
    begin_us = CLOCK.now_us()
    timeline, places = Timeline(), list[Placed]()
    with ScriptedCamera(script) as camera:
        opened = open_source(Address(camera.url), CLOCK, audio=False)
        packets = opened.packets()
        for count in range(14 * 3600):
            places += timeline.push(replace(next(packets)[0], arrival_us=begin_us + count * 1_000_000))
        with pytest.raises(SourceError, match="closed the connection"):
            next(packets)
        opened.close()
        assert len(places) == len(camera.sent) == 14 * 3600
    assert max(sent.timestamp for sent in camera.sent) > 2**32
    assert (timeline.jumps, timeline.repairs) == (0, 0)
    assert not any(place.jumped or place.dropped for place in places)
    # The first picture has no timestamp, and is put one frame before the second.
    assert {after.dts_us - before.dts_us for before, after in itertools.pairwise(places[1:])} == {1_000_000}
    assert abs(timeline.instant_us(places[-1].pts_us) - begin_us - (14 * 3600 - 1) * 1_000_000) < 1_000_000


def test_a_file_goes_on_at_its_own_pace_over_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr("nvr.media.source.time.sleep", clock.advance)
    begin_us = clock.now_us()
    opened = open_source(Address(str(write(tmp_path / "clip.mp4", frames=25)), loop=True), clock, audio=False)
    infos = [info for (info, _), _ in zip(opened.packets(), range(60), strict=False)]
    opened.close()
    waited = [info.arrival_us - begin_us for info in infos]
    assert [round(us / 40_000) for us in waited] == list(range(60))
    assert infos[25].key


def test_a_file_is_played_and_repeated_with_rising_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source.Source, "_wait_until", lambda self, due_us: None)
    path = write(tmp_path / "clip.mp4", frames=50)
    opened = open_source(Address(str(path), loop=True), CLOCK, audio=False)
    times = [info.dts_us or 0 for info, _ in (pair for pair, _ in zip(opened.packets(), range(120), strict=False))]
    opened.close()
    assert [after - before for before, after in itertools.pairwise(times)] == [40_000] * 119


def test_a_file_keeps_its_own_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[int] = []
    monkeypatch.setattr(source.Source, "_wait_until", lambda self, due_us: waits.append(due_us))
    opened = open_source(Address(str(write(tmp_path / "clip.mp4", frames=25))), CLOCK, audio=False)
    assert sum(1 for _ in opened.packets()) == 25
    opened.close()
    assert waits[24] - waits[0] == 24 * 40_000


@pytest.mark.parametrize(
    ("content", "message"), [(b"no video at all", "not a video file"), (None, "no such video file")]
)
def test_a_file_that_is_no_video_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        open_source(Address(str(path)), CLOCK, audio=False)


def test_the_login_is_percent_encoded() -> None:
    address = Address("rtsp://cam:554/a?b=c", "us/er", "p@ss:w%rd")
    assert login_url(address) == "rtsp://us%2Fer:p%40ss%3Aw%25rd@cam:554/a?b=c"
    assert "p@ss" not in repr(address)

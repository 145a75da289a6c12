"""The scripted camera as FFmpeg sees it."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import av
import pytest

from tests.fakes.clip import VIDEO_RATE, Clip, slices_digest, speak
from tests.fakes.rtsp import Script, ScriptedCamera

Start = Callable[..., ScriptedCamera]
TIMEOUT_S = 10


@dataclass(frozen=True)
class Got:
    """What a packet said. (To ask a packet for its stream when the container is closed crashes the process.)"""

    kind: str
    codec: str
    pts: int | None
    dts: int | None
    seconds: float
    digest: str


def read(url: str, *, media: str = "video", seconds: float = TIMEOUT_S) -> list[Got]:
    """All packets until the camera closes or stalls for ``seconds``."""
    got: list[Got] = []
    options = {"rtsp_transport": "tcp", "allowed_media_types": media, "timeout": str(round(seconds * 1e6))}
    with av.open(url, options=options, timeout=(TIMEOUT_S, TIMEOUT_S)) as container:
        try:
            for packet in container.demux():
                if packet.size:
                    codec, kind = packet.stream.codec_context.name, packet.stream.type
                    length = float((packet.duration or 0) * (packet.time_base or 0))
                    digest = slices_digest(bytes(packet)) if kind == "video" else ""
                    got.append(Got(kind, codec, packet.pts, packet.dts, length, digest))
        except TimeoutError:
            return got
    return got


def with_login(camera: ScriptedCamera, username: str, password: str) -> str:
    return camera.url.replace("rtsp://", f"rtsp://{quote(username, safe='')}:{quote(password, safe='')}@")


@pytest.mark.parametrize("sprop", [True, False])
def test_a_client_gets_every_picture(scripted: Start, h264: Clip, sprop: bool) -> None:
    camera = scripted(Script(h264, loops=4, sprop=sprop, metadata=True))
    packets = read(camera.url)
    assert [packet.digest for packet in packets] == [sent.digest for sent in camera.sent]
    assert [sent.number for sent in camera.sent] == list(range(200))


def test_pictures_larger_than_a_packet_arrive_whole(scripted: Start, h264: Clip) -> None:
    assert max(len(nal) for unit in h264.units for nal in unit.nals) > 2 * 1400
    camera = scripted(Script(h264))
    assert [packet.digest for packet in read(camera.url)] == [slices_digest(unit.nals) for unit in h264.units]


def test_pictures_with_b_frames_keep_their_display_times(scripted: Start, h264_b_frames: Clip) -> None:
    camera = scripted(Script(h264_b_frames, loops=2))
    packets = read(camera.url)
    assert [packet.digest for packet in packets] == [sent.digest for sent in camera.sent]
    known = [(packet.pts, sent.timestamp) for packet, sent in zip(packets, camera.sent, strict=True) if packet.pts]
    assert len(known) > 90
    assert len({pts - timestamp for pts, timestamp in known}) == 1


def test_timestamps_wrap_and_jump_as_told(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264, start=2**32 - VIDEO_RATE, jumps={30: 5 * VIDEO_RATE, 40: -2 * VIDEO_RATE}))
    times = [packet.dts for packet in read(camera.url) if packet.dts is not None]
    assert len(times) == 49  # FFmpeg does not time the first
    steps = [after - before for before, after in itertools.pairwise(times)]
    assert {place: step for place, step in enumerate(steps, 2) if step != 3600} == {
        30: 3600 + 5 * VIDEO_RATE,
        40: 3600 - 2 * VIDEO_RATE,
    }


@pytest.mark.parametrize("codec", ["aac", "pcm_mulaw"])
def test_audio_is_sent_as_long_as_video(scripted: Start, h264: Clip, codec: str) -> None:
    sound = speak(codec, 1)  # type: ignore[arg-type]
    camera = scripted(Script(h264, audio=sound, loops=2))
    heard = [packet for packet in read(camera.url, media="video+audio") if packet.kind == "audio"]
    assert {packet.codec for packet in heard} == {codec}
    assert sum(packet.seconds for packet in heard) == pytest.approx(4, abs=0.2)


def test_announced_audio_may_be_silent(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264, audio=speak("pcm_mulaw", 1), silent_audio=True))
    assert {packet.kind for packet in read(camera.url, media="video+audio")} == {"video"}


def test_a_camera_may_have_no_video(scripted: Start) -> None:
    camera = scripted(Script(audio=speak("pcm_mulaw", 1)))
    assert {packet.kind for packet in read(camera.url, media="video+audio")} == {"audio"}


def test_its_clock_shows_in_the_reports(scripted: Start, h264: Clip) -> None:
    script = Script(h264, audio=speak("pcm_mulaw", 1), loops=3, reports=True, clock_steps={75: 3600})
    packets = read(scripted(script).url, media="video+audio")
    times = [packet.dts for packet in packets if packet.kind == "video" and packet.dts is not None]
    largest = max(after - before for before, after in itertools.pairwise(times))
    assert largest / VIDEO_RATE == pytest.approx(3600, abs=1)


def test_it_keeps_the_pace_it_is_told(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264, loops=1000, speed=1))
    with av.open(camera.url, options={"rtsp_transport": "tcp"}, timeout=(TIMEOUT_S, TIMEOUT_S)) as container:
        next(container.demux())
        # Unpaced, it would send as much as the buffers between the two hold: thousands of pictures.
        assert len(camera.sent) < 500


def test_it_drops_the_connection_after_the_pictures_it_is_told(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264, drop_after=30), Script(h264, drop_after=10), Script(h264))
    assert [len(read(camera.url)) for _ in range(4)] == [30, 10, 50, 50]
    assert [len(session) for session in camera.sessions] == [30, 10, 50, 50]


def test_it_falls_silent_after_the_pictures_it_is_told(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264, stall_after=30))
    assert len(read(camera.url, seconds=0.2)) == len(camera.sent) == 30


def test_a_right_login_is_let_in(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264), username="view er", password="s3cret:/@%")
    assert len(read(with_login(camera, "view er", "s3cret:/@%"))) == 50
    assert not any(request.is_refused_login for request in camera.requests)


@pytest.mark.parametrize(("username", "password"), [("viewer", "wrong"), ("other", "right")])
def test_a_wrong_login_is_refused_and_counted(scripted: Start, h264: Clip, username: str, password: str) -> None:
    camera = scripted(Script(h264), username="viewer", password="right")
    with pytest.raises(av.HTTPUnauthorizedError):
        read(with_login(camera, username, password))
    assert sum(request.is_refused_login for request in camera.requests) == 1
    assert camera.sessions == []


def test_it_may_refuse_every_login(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264, refuse_login=True), username="viewer", password="right")
    with pytest.raises(av.HTTPUnauthorizedError):
        read(with_login(camera, "viewer", "right"))
    assert sum(request.is_refused_login for request in camera.requests) == 1


def test_it_may_have_no_such_channel(scripted: Start) -> None:
    camera = scripted(Script(describe_status=404))
    with pytest.raises(av.HTTPNotFoundError):
        read(camera.url)


def test_nothing_is_left_when_it_ends(h264: Clip) -> None:
    before = threading.active_count()
    with ScriptedCamera(Script(h264, speed=1)) as camera, socket.create_connection((camera.host, camera.port)):
        pass
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((camera.host, camera.port))

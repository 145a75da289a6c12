"""The scripted camera as FFmpeg sees it."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import av
import pytest

from tests.fakes.clip import VIDEO_RATE, Clip, nal_units, record, slices_digest, speak
from tests.fakes.fault import Damage
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.fakes.script import ENDLESS
from tests.fakes.station import wait_for
from tests.fakes.tag import read_tag

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
    assert len(read(camera.url, seconds=2)) == len(camera.sent) == 30


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
    assert threading.active_count() <= before  # those of an earlier test may have ended meanwhile
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((camera.host, camera.port))


class Viewer:
    """A client of few words: it asks for what it is told to, and notes every byte that comes."""

    def __init__(self, camera: ScriptedCamera, timeout: float = TIMEOUT_S) -> None:
        self._socket = socket.create_connection((camera.host, camera.port), timeout)
        self._url = camera.url
        self.data = b""

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, method: str) -> int:
        """The status of the answer. Raises TimeoutError where there is none."""
        uri = self._url + ("/trackID=0" if method == "SETUP" else "")
        transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n" if method == "SETUP" else ""
        self._socket.sendall(f"{method} {uri} RTSP/1.0\r\nCSeq: 1\r\n{transport}\r\n".encode())
        answer = self._socket.recv(65536)
        self.data += answer
        return int(answer.split(b" ")[1])

    def play(self) -> None:
        assert [self.ask(method) for method in ("DESCRIBE", "SETUP", "PLAY")] == [200, 200, 200]

    def say_that_it_lives(self) -> None:
        """Send a keep-alive; the answer comes among the media."""
        self._socket.sendall(f"OPTIONS {self._url} RTSP/1.0\r\nCSeq: 2\r\n\r\n".encode())

    def listen(self, seconds: float) -> bool:
        """Take what comes for so long; whether the camera closed the connection."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                got = self._socket.recv(65536)
            except TimeoutError:
                return False
            except ConnectionError:
                return True
            if not got:
                return True
            self.data += got
        return False


def endless(clip: Clip, **more: object) -> Script:
    return Script(clip, loops=ENDLESS, speed=1, **more)  # type: ignore[arg-type]


def test_h265_arrives_whole(scripted: Start) -> None:
    clip = record(50, 25, codec="h265")
    assert max(len(nal) for unit in clip.units for nal in unit.nals) > 1400
    with av.open(
        scripted(Script(clip, loops=2)).url, options={"rtsp_transport": "tcp"}, timeout=TIMEOUT_S
    ) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
        got = [slices_digest(bytes(packet), codec="h265") for packet in container.demux() if packet.size]
    assert got == [slices_digest(unit.nals, codec="h265") for unit in clip.units] * 2


def test_each_picture_carries_its_number(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264, tags=True, drop_after=30), Script(h264, tags=True))
    for session, count in ((0, 30), (1, 50)):
        with av.open(camera.url, options={"rtsp_transport": "tcp"}, timeout=TIMEOUT_S) as container:
            nals = [nal_units(bytes(packet)) for packet in container.demux() if packet.size]
        told = [[read_tag(nal) for nal in unit if read_tag(nal)] for unit in nals]
        assert told == [[(session, place)] for place in range(count)]


def test_padding_makes_pictures_heavy_and_changes_none(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264, padding=20_000, tags=True))
    with av.open(camera.url, options={"rtsp_transport": "tcp"}, timeout=TIMEOUT_S) as container:
        packets = [bytes(packet) for packet in container.demux() if packet.size]
    assert [slices_digest(packet) for packet in packets] == [sent.digest for sent in camera.sent]
    assert min(map(len, packets)) > 20_000


def test_another_resolution_comes_in_mid_stream(scripted: Start, h264: Clip) -> None:
    larger = record(50, 25, scale=2)
    packets = read(scripted(Script(h264, loops=2, changes={50: larger})).url)
    assert [packet.digest for packet in packets] == [slices_digest(u.nals) for u in (*h264.units, *larger.units)]


def test_damaged_pictures_are_known(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264, loops=4, damage=Damage(garbage=0.2, begin=30)))
    whole = {packet.digest for packet in read(camera.url)}
    assert {sent.damaged for sent in camera.sent[:30]} == {False}
    assert 5 < sum(sent.damaged for sent in camera.sent) < 150
    assert all(sent.digest in whole for sent in camera.sent if not sent.damaged)


def test_equal_timestamps_missing_markers_and_numbers_cost_no_picture(scripted: Start, h264: Clip) -> None:
    script = Script(h264, loops=2, equal={20, 40}, marker=False, lost_numbers={30: 5, 60: 100})
    camera = scripted(script)
    assert [packet.digest for packet in read(camera.url)] == [sent.digest for sent in camera.sent]
    steps = [after.timestamp - before.timestamp for before, after in itertools.pairwise(camera.sent)]
    assert [place for place, step in enumerate(steps, 1) if step == 0] == [20, 40]


def test_silence_ends_and_then_all_of_it_comes(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264, speed=50, stalls={20: 0.7}))
    begun = time.monotonic()
    assert len(read(camera.url)) == 50
    assert time.monotonic() - begun > 0.7


def test_requests_are_refused_as_often_as_told(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264, refusals={"DESCRIBE": (503,), "SETUP": (453, 453), "PLAY": (454,)}))
    with Viewer(camera) as viewer:
        assert [viewer.ask("DESCRIBE") for _ in range(2)] == [503, 200]
        assert [viewer.ask("SETUP") for _ in range(3)] == [453, 453, 200]
        assert [viewer.ask("PLAY") for _ in range(2)] == [454, 200]


def test_a_session_that_is_not_kept_alive_ends(scripted: Start, h264: Clip) -> None:
    camera = scripted(endless(h264, session_timeout=1))
    with Viewer(camera) as silent:
        silent.play()
        assert silent.listen(5)
    assert b"timeout=1" in silent.data
    assert len(camera.sent) < 50


def test_a_session_that_is_kept_alive_goes_on(scripted: Start, h264: Clip) -> None:
    camera = scripted(endless(h264, session_timeout=3))
    with Viewer(camera) as viewer:
        viewer.play()
        for _ in range(10):
            assert not viewer.listen(0.5)
            viewer.say_that_it_lives()
    assert len(camera.sent) > 40


def test_a_half_open_peer_says_nothing_more_while_others_are_served(scripted: Start, h264: Clip) -> None:
    camera = scripted(endless(h264, half_open_after=10), endless(h264))
    with Viewer(camera) as viewer, Viewer(camera) as other:
        viewer.play()
        wait_for(lambda: len(camera.sent) == 10, "ten pictures")
        assert not viewer.listen(1)
        heard = len(viewer.data)
        viewer.say_that_it_lives()
        assert not viewer.listen(0.5)
        assert len(viewer.data) == heard
        other.play()
        wait_for(lambda: len(camera.sessions[1]) > 5, "pictures of the other")
        assert len(camera.sent) == 10


def test_a_camera_that_vanished_comes_back_at_its_place(scripted: Start, h264: Clip) -> None:
    camera = scripted(endless(h264))
    port = camera.port
    with Viewer(camera) as viewer:
        viewer.play()
        camera.vanish()
        assert viewer.listen(TIMEOUT_S)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((camera.host, port))
    camera.come_back()
    with Viewer(camera) as viewer:
        viewer.play()
    assert (camera.port, len(camera.sessions)) == (port, 2)


def test_a_frozen_camera_takes_connections_and_says_nothing(scripted: Start, h264: Clip) -> None:
    camera = scripted(endless(h264))
    with Viewer(camera) as viewer, Viewer(camera, timeout=0.5) as late:
        viewer.play()
        camera.freeze()
        viewer.listen(1)  # what was on its way
        heard = len(viewer.data)
        assert not viewer.listen(0.5)
        assert len(viewer.data) == heard
        with pytest.raises(TimeoutError):
            late.ask("OPTIONS")
        camera.come_back()
        assert viewer.listen(TIMEOUT_S)
    with Viewer(camera) as viewer:
        viewer.play()
    assert len(camera.sessions) == 2


def test_dropped_connections_end_and_new_ones_are_served(scripted: Start, h264: Clip) -> None:
    camera = scripted(endless(h264))
    with Viewer(camera) as viewer:
        viewer.play()
        camera.drop()
        assert viewer.listen(TIMEOUT_S)
    with Viewer(camera) as viewer:
        viewer.play()
    assert len(camera.sessions) == 2


def test_its_password_may_change(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264), username="viewer", password="old")
    assert len(read(with_login(camera, "viewer", "old"))) == 50
    camera.password = "new"
    with pytest.raises(av.HTTPUnauthorizedError):
        read(with_login(camera, "viewer", "old"))
    assert len(read(with_login(camera, "viewer", "new"))) == 50


def test_connections_that_ended_leave_no_thread(scripted: Start, h264: Clip) -> None:
    camera = scripted(Script(h264, drop_after=5))
    before = threading.active_count()
    for _ in range(5):
        assert len(read(camera.url)) == 5
    end = time.monotonic() + TIMEOUT_S
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() <= before

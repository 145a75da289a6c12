"""The stand-in camera as FFmpeg sees it."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import av
import numpy as np
import pytest
from av.container import InputContainer

from tests.fakes.camera import Camera
from tests.fakes.footage import FRAMES, frame_number

TIMEOUT_S = 10


@contextmanager
def opened(
    camera: Camera, *, channel: int = 1, sub: bool = False, password: str | None = None
) -> Iterator[InputContainer]:
    """A stream of the camera, read over TCP."""
    login = f"{quote(camera.username, safe='')}:{quote(password or camera.password, safe='')}"
    url = camera.url(channel, sub).replace("rtsp://", f"rtsp://{login}@")
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=(TIMEOUT_S, TIMEOUT_S)) as container:
        container.streams.video[0].codec_context.thread_type = "NONE"
        yield container


def numbers(container: InputContainer, count: int) -> list[int | None]:
    """The numbers in the next pictures."""
    frames = (frame for _, frame in zip(range(count), container.decode(video=0), strict=False))
    return [frame_number(frame.to_ndarray()[: frame.height].astype(np.uint8)) for frame in frames]


def follow(seen: list[int | None]) -> bool:
    """Whether these are numbers that follow one another, over the end of the loop too."""
    return None not in seen and seen == [((seen[0] or 0) + place) % FRAMES for place in range(len(seen))]


def test_main_and_sub_are_what_a_hikvision_sends(camera: Camera) -> None:
    for sub, size in ((False, (1920, 1080)), (True, (640, 360))):
        with opened(camera, sub=sub) as container:
            assert [stream.codec_context.name for stream in container.streams] == ["h264", "pcm_mulaw"]
            video = container.streams.video[0]
            assert (video.width, video.height) == size
            assert follow(numbers(container, 10))


def test_a_client_begins_with_a_key_frame(camera: Camera) -> None:
    for _ in range(2):
        with opened(camera, sub=True) as container:
            assert next(container.demux(video=0)).is_keyframe


@pytest.mark.slow  # half the footage's preparation time
def test_h265(camera_h265: Camera) -> None:
    with opened(camera_h265, sub=True) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
        assert follow(numbers(container, 10))


def test_every_stream_shows_the_same_moment(footage: Path) -> None:
    with Camera(footage, channels=2, audio=False) as camera:
        for channel, sub in ((1, False), (1, True), (2, False)):
            with opened(camera, channel=channel, sub=sub) as container:
                seen = numbers(container, 40)
                assert follow(seen)
                # The last of them was sent before now, and not long ago; a busy machine may take its time.
                assert camera.age_ns(seen[-1] or 0, channel) < 10_000_000_000
                assert camera.frame_at(time.monotonic_ns(), channel) != seen[0]


def test_two_clients_of_a_stream_do_not_disturb_each_other(camera: Camera) -> None:
    with opened(camera, sub=True) as first, opened(camera, sub=True) as second:
        for container in (first, second):
            packets = zip(range(60), container.demux(video=0), strict=False)
            times = [packet.dts for _, packet in packets if packet.dts is not None]
            # 1 ms to spare: with two tracks FFmpeg times packets by the reports, which are not that exact.
            assert all(abs(after - before - 3600) < 90 for before, after in itertools.pairwise(times))


def test_a_wrong_password_is_refused_and_counted(footage: Path) -> None:
    with Camera(footage) as camera:
        with pytest.raises(av.HTTPUnauthorizedError), opened(camera, password="wrong"):
            pass
        assert sum(request.is_refused_login for request in camera.requests()) == 1
        assert camera.requests()[0].method == "OPTIONS"


def test_another_channel_is_not_found(camera: Camera) -> None:
    with pytest.raises(av.HTTPNotFoundError), opened(camera, channel=2):
        pass


def test_it_comes_back_on_its_port(footage: Path) -> None:
    with Camera(footage) as camera:
        port = camera.port
    with Camera(footage, port=port) as again, opened(again, sub=True) as container:
        assert again.port == port
        assert follow(numbers(container, 3))


def test_it_can_be_stopped_and_continued(footage: Path) -> None:
    with Camera(footage) as camera, opened(camera, sub=True) as container:
        before = numbers(container, 5)
        os.kill(camera.pid, signal.SIGSTOP)
        os.kill(camera.pid, signal.SIGCONT)
        assert follow(before + numbers(container, 30))


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_the_loop_has_no_seam(camera: Camera) -> None:
    with opened(camera) as container:
        last, seams = None, 0
        times: dict[str, int] = {}
        for packet in container.demux():
            kind = packet.stream.type
            if packet.dts is not None and kind in times:
                # Reports from two clocks are compared when there are two tracks, so a tick may be missing.
                step, unit = packet.dts - times[kind], {"video": 90, "audio": 8}[kind]
                assert abs(step / unit - (packet.duration or 0) / unit) < 2, (kind, packet.dts)
            if packet.dts is not None:
                times[kind] = packet.dts
            for frame in packet.decode() if kind == "video" else ():
                number = frame_number(frame.to_ndarray()[: frame.height].astype(np.uint8))  # type: ignore[union-attr]
                assert number is not None
                assert last is None or number == (last + 1) % FRAMES
                seams += last is not None and number < last
                last = number
            if seams and last is not None and last > 50:
                return

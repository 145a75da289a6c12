from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.fakes.footage import FRAMES, draw_number, frame_number, source_frame


@pytest.mark.parametrize("number", [0, 1, 2, 1023, 1024, 1949, 4095])
def test_a_number_is_read_back(number: int) -> None:
    luma = np.full((180, 320), 128, np.uint8)
    draw_number(luma, number)
    assert frame_number(luma) == number


@pytest.mark.parametrize("level", [16, 128, 235])
def test_a_picture_without_a_number_has_none(level: int) -> None:
    assert frame_number(np.full((180, 320), level, np.uint8)) is None


def test_a_wrong_bit_is_noticed() -> None:
    luma = np.full((180, 320), 128, np.uint8)
    draw_number(luma, 1234)
    first_block = luma[4:8, 4:8]
    first_block[:] = 251 - first_block
    assert frame_number(luma) is None


@pytest.mark.parametrize("stream", ["main", "sub"])
def test_the_footage_is_what_a_camera_would_send(footage: Path, stream: str) -> None:
    size, rate = {"main": ((1920, 1080), 4_000_000), "sub": ((640, 360), 512_000)}[stream]
    with av.open(footage / f"{stream}-h264.mkv") as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        video = container.streams.video[0]
        assert (video.width, video.height) == size
        assert [number for number, packet in enumerate(packets) if packet.is_keyframe] == list(range(0, FRAMES, 50))
        assert all(packet.pts == packet.dts for packet in packets)
        assert sum(packet.size for packet in packets) * 8 / (FRAMES / 25) == pytest.approx(rate, rel=0.15)
    assert len(packets) == FRAMES


@pytest.mark.parametrize("stream", ["main", "sub"])
def test_every_frame_carries_its_number(footage: Path, stream: str) -> None:
    with av.open(footage / f"{stream}-h264.mkv") as container:
        for place, frame in zip(range(120), container.decode(video=0), strict=False):
            assert frame_number(frame.to_ndarray()[: frame.height].astype(np.uint8)) == place


def test_a_frame_of_the_footage_shows_its_source_frame(footage: Path, people_video: Path) -> None:
    number = 52
    with av.open(people_video) as container:
        sources = [
            frame.to_ndarray()[: frame.height].astype(int)
            for frame, _ in zip(container.decode(video=0), range(26), strict=False)
        ]
    with av.open(footage / "main-h264.mkv") as container:
        frame = next(frame for frame in container.decode(video=0) if frame.pts == number * 40)
    shown = frame.reformat(format="gray").to_ndarray()[:, 240:1680]
    small = shown[:1080].reshape(72, 15, 96, 15).mean((1, 3))
    errors = [np.abs(small - source.reshape(72, 8, 96, 8).mean((1, 3))).mean() for source in sources]
    assert int(np.argmin(errors)) == source_frame(number)

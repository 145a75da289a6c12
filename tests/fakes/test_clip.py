from __future__ import annotations

import av
import numpy as np
import pytest

from tests.fakes.clip import Clip, VideoCodec, nal_type, nal_units, record, slices_digest, speak, square_at
from tests.fakes.footage import frame_number


def test_a_clip_without_b_frames_is_in_display_order(h264: Clip) -> None:
    assert [unit.number for unit in h264.units] == list(range(50))
    assert [unit.number for unit in h264.units if unit.key] == [0, 25]


def test_a_clip_with_b_frames_is_not(h264_b_frames: Clip) -> None:
    numbers = [unit.number for unit in h264_b_frames.units]
    assert numbers != sorted(numbers) == list(range(50))
    assert [unit.number for unit in h264_b_frames.units if unit.key] == [0, 10, 20, 30, 40]


def test_pictures_show_their_number_and_the_square(h264_b_frames: Clip) -> None:
    decoder = av.CodecContext.create("h264", "r")
    units = [b"".join(b"\0\0\0\1" + nal for nal in unit.nals) for unit in h264_b_frames.units]
    frames = [frame for unit in units for frame in decoder.decode(av.Packet(unit))] + decoder.decode(None)
    assert len(frames) == 50
    for number, frame in enumerate(frames):
        luma = frame.to_ndarray()[: frame.height].astype(np.uint8)
        assert frame_number(luma) == number
        rows, columns = np.nonzero(luma[60:] > 170)
        assert (columns.min(), rows.min() + 60) == pytest.approx(square_at(number), abs=2)


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_clip_of_another_size_shows_its_numbers(codec: VideoCodec) -> None:
    clip = record(10, 5, scale=2, codec=codec)
    assert [unit.number for unit in clip.units if unit.key] == [0, 5]
    assert {nal_type(nal, codec) for nal in clip.units[0].nals} >= ({7, 8} if codec == "h264" else {32, 33, 34})
    decoder = av.CodecContext.create("hevc" if codec == "h265" else codec, "r")
    units = [b"".join(b"\0\0\0\1" + nal for nal in unit.nals) for unit in clip.units]
    frames = [frame for unit in units for frame in decoder.decode(av.Packet(unit))] + decoder.decode(None)
    assert [(frame.width, frame.height) for frame in frames] == [(640, 360)] * 10
    assert [frame_number(frame.to_ndarray()[: frame.height].astype(np.uint8)) for frame in frames] == list(range(10))


@pytest.mark.parametrize("size", [20, 300, 70_000])
def test_a_picture_has_one_name_in_annex_b_and_in_mp4(size: int) -> None:
    nals = (b"\x67sps", b"\x65" + b"x" * size)
    in_mp4 = b"".join(len(nal).to_bytes(4) + nal for nal in nals)
    with_codes = b"".join(b"\0\0\0\1" + nal for nal in nals)
    assert tuple(nal_units(in_mp4, in_mp4=True)) == tuple(nal_units(with_codes)) == nals
    assert slices_digest(in_mp4, in_mp4=True) == slices_digest(with_codes) == slices_digest(nals)


def test_the_name_of_a_picture_is_that_of_its_slices(h264: Clip) -> None:
    first, second = h264.units[:2]
    assert slices_digest(first.nals) == slices_digest(tuple(nal for nal in first.nals if nal[0] & 31 == 5))
    assert slices_digest(first.nals) != slices_digest(second.nals)


@pytest.mark.parametrize(
    ("name", "codecs", "reordered"),
    [
        ("clip_h264", ["h264"], False),
        ("clip_b_frames", ["h264"], True),
        ("clip_h265", ["hevc"], False),
        ("clip_aac", ["h264", "aac"], False),
        ("clip_mulaw", ["h264", "pcm_mulaw"], False),
    ],
)
def test_files_are_what_they_say(name: str, codecs: list[str], reordered: bool, request: pytest.FixtureRequest) -> None:
    with av.open(request.getfixturevalue(name)) as container:
        assert [stream.codec_context.name for stream in container.streams] == codecs
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert len(packets) == 100
        assert any(packet.pts != packet.dts for packet in packets) is reordered


def test_sound_lasts_as_long_as_asked() -> None:
    for codec, config in (("aac", True), ("pcm_mulaw", False)):
        sound = speak(codec, 2.0)  # type: ignore[arg-type]  # mypy widens the literals of the loop
        assert len(sound.packets) * sound.samples / sound.rate == pytest.approx(2.0, abs=0.15)
        assert bool(sound.config) is config

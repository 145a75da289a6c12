"""Segment files: crash-safe while written, ordinary MP4 when closed, and telling their own story."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import av
import pytest

from nvr.errors import SourceError
from nvr.media.segment import seal
from nvr.model import Placed
from tests.fakes.clip import write
from tests.fakes.segments import ORIGIN, PATH, PartWriter, boxes, close, decoded, fill, read_file


def test_a_file_has_its_name_only_when_it_is_sealed(tmp_path: Path) -> None:
    writer = fill(tmp_path, write(tmp_path / "clip.mp4"))
    assert writer.part.exists()
    assert not (tmp_path / PATH).exists()
    size = close(writer)
    assert not writer.part.exists()
    assert (tmp_path / PATH).stat().st_size == size


def test_a_closed_file_is_an_ordinary_mp4_and_says_whose_it_is(tmp_path: Path) -> None:
    close(fill(tmp_path, write(tmp_path / "clip.mp4")))
    assert boxes(tmp_path / PATH) == ["ftyp", "free", "mdat", "moov"]
    with av.open(str(tmp_path / PATH)) as container:
        tags = container.metadata
    assert tags["nvr_camera"] == "hik1"
    assert tags["nvr_run"] == "run-1"
    assert tags["nvr_start_us"] == str(ORIGIN.start_us)
    assert tags["creation_time"].startswith("2026-11-18T")


def test_h265_is_tagged_for_apple(tmp_path: Path) -> None:
    close(fill(tmp_path, write(tmp_path / "clip.mp4", codec="libx265", frames=50)))
    with av.open(str(tmp_path / PATH)) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"
    assert decoded(tmp_path / PATH) == 50


@pytest.mark.parametrize(("codec", "suffix"), [("aac", ".mp4"), ("pcm_mulaw", ".mov")])
def test_audio_becomes_aac_as_long_as_the_video(tmp_path: Path, codec: str, suffix: str) -> None:
    video = write(tmp_path / f"clip{suffix}", audio=codec)  # type: ignore[arg-type]
    close(fill(tmp_path, video, audio=True))
    with av.open(str(tmp_path / PATH)) as container:
        sound = container.streams.audio[0]
        assert sound.codec_context.name == "aac"
        samples = sum(frame.samples for frame in container.decode(audio=0))
        assert samples / sound.codec_context.sample_rate == pytest.approx(4, abs=0.2)


def test_a_file_in_the_making_plays_up_to_its_last_second(tmp_path: Path) -> None:
    writer = fill(tmp_path, write(tmp_path / "clip.mp4", frames=100), limit=90)
    copy = Path(shutil.copy(writer.part, tmp_path / "copy.mp4"))
    close(writer)
    assert "moof" in boxes(copy)
    assert decoded(copy) >= 90 - 25 - 1


def test_a_stream_that_no_mp4_can_hold_is_said(tmp_path: Path) -> None:
    source = read_file(write(tmp_path / "clip.mp4"))
    source.template = av.open(str(write(tmp_path / "sound.mov", audio="pcm_mulaw"))).streams.audio[0]  # type: ignore[assignment]
    with pytest.raises(SourceError, match="hik1: h264 does not go into an MP4"):
        PartWriter(tmp_path, PATH, source)


def test_a_damaged_packet_costs_itself(tmp_path: Path) -> None:
    source = read_file(write(tmp_path / "clip.mp4", frames=50))
    writer = PartWriter(tmp_path, PATH, source)
    for number, (_, packet) in enumerate(source.packets()):
        at_us = number * 40_000 if number != 20 else 0  # FFmpeg takes no time that falls
        writer.write_video(packet, Placed(at_us, at_us, 40_000))
    close(writer)
    assert (writer.packets, writer.refused) == (49, 1)
    assert decoded(tmp_path / PATH) >= 30


def test_sealing_again_after_it_was_broken_off_is_no_error(tmp_path: Path) -> None:
    writer = fill(tmp_path, write(tmp_path / "clip.mp4"))
    writer.finish()
    writer.part.rename(tmp_path / PATH)  # as far as it came
    assert seal(writer.part, writer.descriptor) == (tmp_path / PATH).stat().st_size
    os.close(writer.descriptor)

"""Segment files: crash-safe while written, ordinary MP4 when closed, and telling their own story."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import av
import pytest

from nvr.errors import StorageError
from tests.fakes.clip import write
from tests.fakes.segments import ORIGIN, PATH, boxes, close, decoded, fill


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


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "segments").write_text("a file where a folder should be")
    with pytest.raises(StorageError, match="cannot write"):
        fill(tmp_path, write(tmp_path / "clip.mp4"))


def test_the_lock_is_the_writers(tmp_path: Path) -> None:
    writer = fill(tmp_path, write(tmp_path / "clip.mp4"))
    stranger = os.open(writer.part, os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(stranger, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(stranger)
    close(writer)

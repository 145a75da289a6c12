"""Segment files: crash-safe while written, ordinary MP4 when closed, and telling their own story."""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import av
import pytest

from nvr.clock import SystemClock
from nvr.errors import StorageError
from nvr.media.salvage import describe, salvage
from nvr.media.segment import Origin, SegmentWriter, seal
from nvr.media.source import Source, open_source
from nvr.model import Address
from nvr.recording.timeline import Timeline
from tests.fakes.clip import write

CLOCK = SystemClock()
ORIGIN = Origin("hik1", "run-1", 1_795_000_000_123_456)
PATH = Path("segments/hik1/2026-11-18/14-05-00.123+0000.mp4")


@pytest.fixture(autouse=True)
def _no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Source, "_wait_until", lambda self, due_us: None)


def fill(storage: Path, video: Path, *, audio: bool = False, limit: int | None = None) -> SegmentWriter:
    """A writer that has taken a whole file (or its first packets), not finished."""
    source = open_source(Address(str(video)), CLOCK, audio=audio)
    writer = SegmentWriter(storage, PATH, source, ORIGIN, 0)
    timeline, packets = Timeline(), list(itertools.islice(source.packets(), limit))
    places = [place for info, _ in packets for place in timeline.push(info)] + timeline.flush()
    for (info, packet), placed in zip(packets, places, strict=True):
        if info.stream == "video":
            writer.write_video(packet, placed)
        elif not placed.dropped:
            writer.write_audio(packet, placed)
    return writer


def close(writer: SegmentWriter) -> int:
    writer.finish()
    return seal(writer.part, writer.descriptor)


def boxes(path: Path) -> list[str]:
    """The top-level boxes of an MP4 (ISO/IEC 14496-12)."""
    data, place, found = path.read_bytes(), 0, []
    while place + 8 <= len(data):
        size = int.from_bytes(data[place : place + 4])
        found.append(data[place + 4 : place + 8].decode())
        if size == 1:
            size = int.from_bytes(data[place + 8 : place + 16])
        place += size
    return found


def test_a_file_has_its_name_only_when_it_is_sealed(tmp_path: Path) -> None:
    writer = fill(tmp_path, write(tmp_path / "clip.mp4"))
    assert writer.part.exists()
    assert not (tmp_path / PATH).exists()
    size = close(writer)
    assert not writer.part.exists()
    assert (tmp_path / PATH).stat().st_size == size


def test_a_closed_file_is_an_ordinary_mp4_and_says_whose_it_is(tmp_path: Path) -> None:
    close(fill(tmp_path, write(tmp_path / "clip.mp4")))
    assert "moov" in boxes(tmp_path / PATH)
    assert "moof" not in boxes(tmp_path / PATH)
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
        assert sum(1 for _ in container.decode(video=0)) == 50


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
    copy = shutil.copy(writer.part, tmp_path / "copy.mp4")
    close(writer)
    with av.open(str(copy)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 90 - 25 - 1


def test_a_killed_process_loses_at_most_a_second_and_its_file_is_salvaged(tmp_path: Path) -> None:
    write(tmp_path / "clip.mp4", frames=250)
    script = textwrap.dedent(
        f"""
        import os, signal, sys
        from pathlib import Path
        from nvr.media.source import Source
        from tests.media.test_segment import fill
        Source._wait_until = lambda self, due_us: None
        writer = fill(Path({str(tmp_path)!r}), Path({str(tmp_path / "clip.mp4")!r}), limit=200)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    killed = subprocess.run([sys.executable, "-c", script], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    (segment,) = salvage(tmp_path, "hik1", None)
    assert segment.state == "salvaged"
    assert segment.packets >= 200 - 25 - 1
    assert segment.path == PATH
    assert (tmp_path / PATH).is_file()
    assert segment.start.timestamp() == pytest.approx(ORIGIN.start_us / 1e6)


def test_a_file_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    writer = fill(tmp_path, write(tmp_path / "clip.mp4"))
    assert salvage(tmp_path, "hik1", None) == []
    assert writer.part.exists()
    close(writer)


def test_rubbish_is_kept_and_an_empty_file_is_not(tmp_path: Path) -> None:
    folder = (tmp_path / PATH).parent
    folder.mkdir(parents=True)
    (folder / "a.mp4.part").write_bytes(b"x" * 10_000)
    (folder / "b.mp4.part").write_bytes(b"")
    assert salvage(tmp_path, "hik1", None) == []
    assert sorted(path.name for path in folder.iterdir()) == ["a.mp4.unreadable"]


def test_files_that_lost_their_row_are_described_again(tmp_path: Path) -> None:
    close(fill(tmp_path, write(tmp_path / "clip.mp4")))
    newer = (tmp_path / PATH).with_name("14-06-00.123+0000.mp4")
    shutil.copy(tmp_path / PATH, newer)
    assert [segment.path.name for segment in salvage(tmp_path, "hik1", PATH)] == [newer.name]
    assert len(salvage(tmp_path, "hik1", None)) == 2
    assert salvage(tmp_path, "other", None) == []


def test_a_described_file_equals_its_row(tmp_path: Path) -> None:
    writer = fill(tmp_path, write(tmp_path / "clip.mp4"))
    size = close(writer)
    row = writer.segment(ORIGIN.start_us + writer.end_media_us, size)
    assert describe(tmp_path, tmp_path / PATH, "closed") == row


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

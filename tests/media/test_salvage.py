"""What a killed recorder left is rescued, and every file tells its own row."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nvr.clock import from_us
from nvr.errors import StorageError
from nvr.media.index import read_index
from nvr.media.salvage import salvage
from tests.fakes.clip import AudioCodec, write
from tests.fakes.segments import ORIGIN, PATH, boxes, close, decoded, digests, fill
from tests.fakes.station import ROOT

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.fakes.segments import fill
writer = fill(Path(sys.argv[1]), Path(sys.argv[2]), audio=bool(int(sys.argv[3])), limit=int(sys.argv[4]))
os.kill(os.getpid(), signal.SIGKILL)
"""


def fill_and_be_killed(storage: Path, video: Path, limit: int, *, audio: bool = False) -> None:
    command = [sys.executable, "-c", KILLED, str(storage), str(video), str(int(audio)), str(limit)]
    killed = subprocess.run(command, timeout=60, check=False, cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_killed_process_loses_at_most_a_second_and_its_file_is_salvaged(tmp_path: Path, b_frames: int) -> None:
    fill_and_be_killed(tmp_path, write(tmp_path / "clip.mp4", frames=250, b_frames=b_frames), 200)
    (segment,) = salvage(tmp_path, "hik1")
    assert (segment.camera, segment.run, segment.path, segment.state) == ("hik1", "run-1", PATH, "salvaged")
    assert segment.start == from_us(ORIGIN.start_us)
    assert 200 - 13 - 1 - b_frames <= segment.packets <= 200
    assert segment.duration.total_seconds() == pytest.approx(segment.packets / 25, abs=0.1)
    assert segment.bytes == (tmp_path / PATH).stat().st_size
    assert len(digests(tmp_path, [segment])) == segment.packets
    assert "moof" in boxes(tmp_path / PATH)


def test_the_sound_of_a_killed_process_is_salvaged_with_it(tmp_path: Path) -> None:
    fill_and_be_killed(tmp_path, write(tmp_path / "clip.mov", frames=250, audio="pcm_mulaw"), 260, audio=True)
    (segment,) = salvage(tmp_path, "hik1")
    assert decoded(tmp_path / PATH) == segment.packets


def test_a_second_look_finds_nothing_to_do(tmp_path: Path) -> None:
    fill_and_be_killed(tmp_path, write(tmp_path / "clip.mp4"), 90)
    (salvaged,) = salvage(tmp_path, "hik1")
    assert list(salvage(tmp_path, "hik1")) == []
    assert list(salvage(tmp_path, "other")) == []
    assert read_index(tmp_path, tmp_path / salvaged.path) == salvaged


@pytest.mark.parametrize("kept", [0.999, 0.7, 0.5])
def test_a_torn_end_costs_what_is_torn(tmp_path: Path, kept: float) -> None:
    """As after a power cut: the file is shorter than its last fragment says."""
    writer = fill(tmp_path, write(tmp_path / "clip.mp4", frames=250), limit=200)
    torn = tmp_path / PATH.with_name("15-00-00.000+0000.mp4.part")
    whole = writer.part.read_bytes()
    torn.write_bytes(whole[: round(len(whole) * kept)])
    close(writer)
    (segment,) = (each for each in salvage(tmp_path, "hik1") if each.state == "salvaged")
    assert segment.path.name == "15-00-00.000+0000.mp4"
    assert segment.packets >= 200 * kept - 60


def test_a_file_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    writer = fill(tmp_path, write(tmp_path / "clip.mp4"))
    assert list(salvage(tmp_path, "hik1")) == []
    assert writer.part.exists()
    close(writer)


def test_rubbish_is_kept_and_an_empty_file_is_not(tmp_path: Path) -> None:
    folder = (tmp_path / PATH).parent
    folder.mkdir(parents=True)
    (folder / "a.mp4.part").write_bytes(b"x" * 10_000)
    (folder / "b.mp4.part").write_bytes(b"")
    assert list(salvage(tmp_path, "hik1")) == []
    assert sorted(path.name for path in folder.iterdir()) == ["a.mp4.unreadable"]


def test_a_header_without_a_picture_is_removed(tmp_path: Path) -> None:
    writer = fill(tmp_path, write(tmp_path / "clip.mp4"), limit=0)
    os.close(writer.descriptor)
    assert writer.part.stat().st_size > 0
    assert list(salvage(tmp_path, "hik1")) == []
    assert list((tmp_path / PATH).parent.iterdir()) == []


@pytest.mark.parametrize(("b_frames", "audio"), [(0, None), (2, None), (0, "aac"), (2, "aac")])
def test_a_described_file_equals_its_row(tmp_path: Path, b_frames: int, audio: AudioCodec | None) -> None:
    video = write(tmp_path / "clip.mp4", b_frames=b_frames, audio=audio)
    writer = fill(tmp_path, video, audio=audio is not None)
    size = close(writer)
    row = writer.segment(PATH, size, ORIGIN.start_us + writer.end_media_us)
    assert read_index(tmp_path, tmp_path / PATH) == row


def test_a_film_of_somebody_else_is_no_segment(tmp_path: Path) -> None:
    film = tmp_path / PATH
    film.parent.mkdir(parents=True)
    write(film, frames=25)
    with pytest.raises(StorageError, match="no segment of nvr"):
        read_index(tmp_path, film)
    assert film.exists()


def test_a_pipe_a_folder_and_a_link_are_left_alone(tmp_path: Path) -> None:
    folder = (tmp_path / PATH).parent
    folder.mkdir(parents=True)
    target = tmp_path / "somebody's"
    target.write_bytes(b"x" * 10_000)
    os.mkfifo(folder / "a.mp4.part")
    (folder / "b.mp4.part").mkdir()
    (folder / "c.mp4.part").symlink_to(target)
    assert list(salvage(tmp_path, "hik1")) == []
    assert len(list(folder.iterdir())) == 3
    assert target.read_bytes() == b"x" * 10_000

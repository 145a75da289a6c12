"""One exported file: its times rise, it is complete or not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import av
import pytest
from av.container import InputContainer

from nvr.clock import from_us
from nvr.errors import StorageError
from nvr.media.clip import MOST_PACKETS, ClipWriter, tags
from nvr.model import Gap
from nvr.reason import Reason
from tests.catalogue.rows import at
from tests.fakes.archive import shown

US = 1_795_000_000_000_000


@pytest.fixture
def source(clip_aac: Path) -> Iterator[InputContainer]:
    with av.open(str(clip_aac)) as container:
        yield container


def copy(writer: ClipWriter, source: InputContainer, start_us: int) -> None:
    source.seek(0)
    for packet in source.demux():
        if packet.size:
            writer.write(packet, start_us)


def test_times_rise_also_where_a_segment_begins_too_early(tmp_path: Path, source: InputContainer) -> None:
    writer = ClipWriter(tmp_path / "a.mp4", source, US, {})
    copy(writer, source, US)
    copy(writer, source, US + 3_950_000)
    clip = writer.finish([])
    writer.keep()
    times = [picture.at_us for picture in shown(clip.path)]
    assert len(times) == clip.packets == 200
    assert times == sorted(set(times))
    assert times[-1] == pytest.approx(3_950_000 + 3_960_000, abs=12)
    assert clip.end == from_us(US + 7_950_000)


def test_the_name_is_given_at_the_end(tmp_path: Path, source: InputContainer) -> None:
    writer = ClipWriter(tmp_path / "a.mp4", source, US, {})
    copy(writer, source, US)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4.part"]
    writer.finish([])
    writer.keep()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_what_is_discarded_is_gone(tmp_path: Path, source: InputContainer) -> None:
    writer = ClipWriter(tmp_path / "a.mp4", source, US, {})
    copy(writer, source, US)
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_two_exports_to_one_name_do_not_meet(tmp_path: Path, source: InputContainer) -> None:
    writer = ClipWriter(tmp_path / "a.mp4", source, US, {})
    with pytest.raises(StorageError, match="is being written by another export"):
        ClipWriter(tmp_path / "a.mp4", source, US, {})
    assert (tmp_path / "a.mp4.part").exists()
    writer.discard()


def test_what_a_killed_export_left_is_overwritten(tmp_path: Path, source: InputContainer) -> None:
    (tmp_path / "a.mp4.part").write_bytes(b"x" * 1_000_000)
    writer = ClipWriter(tmp_path / "a.mp4", source, US, {})
    copy(writer, source, US)
    clip = writer.finish([])
    writer.keep()
    assert len(shown(clip.path)) == 100
    assert clip.bytes < 200_000


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, source: InputContainer) -> None:
    with pytest.raises(StorageError, match="No such file or directory; choose another -o"):
        ClipWriter(tmp_path / "no/a.mp4", source, US, {})


def test_another_format_is_not_taken(
    tmp_path: Path, source: InputContainer, clip_b_frames: Path, clip_h265: Path
) -> None:
    writer = ClipWriter(tmp_path / "a.mp4", source, US, {})
    with ExitStack() as stack:
        for other in (clip_b_frames, clip_h265):
            container = stack.enter_context(av.open(str(other)))
            assert not writer.takes(container, US)
            assert not writer.takes_audio(container)
    assert writer.takes(source, US)
    assert writer.takes_audio(source)
    assert not writer.takes(source, US + 7 * 3_600_000_000)
    writer.packets = MOST_PACKETS
    assert not writer.takes(source, US)
    writer.discard()


def test_the_metadata_names_what_is_missing() -> None:
    gap = Gap("g", "hik1", at(1), Reason.DISK_FULL, "", at(2))
    described = tags("hik1", at(0), at(3), [gap])
    assert described["comment"].endswith(": the disk was full")
    assert "comment" not in tags("hik1", at(0), at(3), [])

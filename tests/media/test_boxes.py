"""What of a file is whole, and what a closed one hides."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from nvr.media.boxes import View, boxes, hidden_fragments, whole_fragments
from tests.fakes.archive import Archive


@pytest.fixture
def archive(tmp_path: Path, clip_h264: Path) -> Archive:
    return Archive(tmp_path / "storage", clip_h264)


def test_a_closed_file_hides_the_fragments_it_was_written_as(archive: Archive) -> None:
    with (archive.storage / archive.add(0, 100).path).open("rb") as file:
        assert whole_fragments(file) is None
        view = hidden_fragments(file)
        assert view is not None
        with av.open(view, "r", format="mp4") as container:
            assert container.streams.video[0].frames == 0, "it reads as a file of fragments"
            assert sum(1 for packet in container.demux(video=0) if packet.size) == 100


def test_of_a_growing_file_the_whole_fragments_are_shown(archive: Archive) -> None:
    segment = archive.add(0, 100, state="open")
    content = (archive.storage / f"{segment.path}.part").read_bytes()
    torn = archive.storage / "torn"
    for missing in (1, 100, 2000):
        torn.write_bytes(content[:-missing])
        with torn.open("rb") as file:
            view = whole_fragments(file)
            assert view is not None
            size = view.seek(0, 2)
            kinds = [kind for kind, place, length in boxes(file, size)]
            assert (kinds[-2:], size < len(content)) == (["moof", "mdat"], True)
    archive.close()


def test_an_ordinary_mp4_hides_nothing(clip_h264: Path) -> None:
    with clip_h264.open("rb") as file:
        assert (whole_fragments(file), hidden_fragments(file)) == (None, None)


def test_boxes_that_are_not_whole_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"\0\0\0\x08free" + b"\0\0\0\x01mdat" + (20).to_bytes(8) + b"four" + b"\0\0\0\x63moov")
    with file.open("rb") as opened:
        assert list(boxes(opened, file.stat().st_size)) == [("free", 0, 8), ("mdat", 8, 20)]


def test_a_view_ends_where_it_should_and_shows_its_patch(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"0123456789")
    with file.open("rb") as opened:
        view = View(opened, 8, 2, b"ab")
        assert view.read(3) == b"01a"
        assert view.read(100) == b"b4567"
        assert view.read(1) == b""
        assert (view.seek(-1, 2), view.read(5), view.tell()) == (7, b"7", 8)

"""A playlist's byte ranges, taken out of the files, are the video of its span."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvr import layout
from nvr.clock import parse_instant
from nvr.media.excerpt import look
from nvr.media.playlist import TARGET_S, Chapter, render
from nvr.media.splice import splice
from nvr.model import Segment
from tests.fakes.archive import FRAME, Archive, Shown, instant, shown
from tests.fakes.clip import write

TICK = timedelta(microseconds=80)


@dataclass(slots=True)
class Section:
    """What stands between two discontinuities: the header's range, the entries' lengths and ranges."""

    map: bytes
    start: datetime
    lengths: list[float] = field(default_factory=list)
    entries: list[bytes] = field(default_factory=list)

    def play(self, folder: Path) -> list[Shown]:
        file = folder / "section.mp4"
        file.write_bytes(self.map + b"".join(self.entries))
        return shown(file)

    def packets(self) -> int:
        with av.open(io.BytesIO(self.map + b"".join(self.entries)), "r") as container:
            return len([packet for packet in container.demux(video=0) if packet.size])


def listed(archive: Archive, segments: list[Segment], since: datetime, until: datetime) -> str | None:
    chapters = [
        Chapter(piece.segment.path.as_posix(), piece, look(archive.storage, piece.segment))
        for piece in splice(segments, since, until)
    ]
    return render(chapters)


def take(storage: Path, address: str, size: str, place: str) -> bytes:
    file = storage / unquote(address)
    if not file.exists():
        file = file.with_name(file.name + layout.PART_SUFFIX)
    data = file.read_bytes()[int(place) : int(place) + int(size)]
    assert len(data) == int(size)
    return data


def parse(storage: Path, text: str | None) -> list[Section]:
    """As a player does (RFC 8216, 4.3), and strictly: no tag is there that is not expected here."""
    assert text is not None
    lines = text.splitlines()
    assert lines[:2] == ["#EXTM3U", "#EXT-X-VERSION:7"]
    assert lines[3:5] == ["#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-MEDIA-SEQUENCE:0"]
    assert lines[-1] == "#EXT-X-ENDLIST"
    sections: list[Section] = []
    body, header = iter(lines[5:-1]), b""
    for line in body:
        if line == "#EXT-X-DISCONTINUITY":
            assert sections
            line = next(body)
        if found := re.fullmatch(r'#EXT-X-MAP:URI="(.*)",BYTERANGE="(\d+)@(\d+)"', line):
            header = take(storage, *found.groups())
            line = next(body)
        if line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            assert header
            sections.append(Section(header, parse_instant(line.partition(":")[2], instant(0))))
            continue
        extinf = re.fullmatch(r"#EXTINF:([\d.]+),", line)
        byterange = re.fullmatch(r"#EXT-X-BYTERANGE:(\d+)@(\d+)", next(body))
        assert extinf
        assert byterange
        sections[-1].lengths.append(float(extinf[1]))
        sections[-1].entries.append(take(storage, next(body), byterange[1], byterange[2]))
    longest = max(length for section in sections for length in section.lengths)
    assert lines[2] == f"#EXT-X-TARGETDURATION:{math.ceil(longest)}"
    return sections


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """20 s in two files that follow each other, a key frame every second."""
    folder = tmp_path_factory.mktemp("long")
    return Archive(folder / "storage", write(folder / "tape.mp4", frames=500))


@pytest.fixture(scope="module")
def files(long: Archive) -> list[Segment]:
    return [long.add(0, 300), long.add(300, 500)]


def test_every_picture_of_files_closed_salvaged_and_open_is_there_once(archive: Archive, tmp_path: Path) -> None:
    segments = [archive.add(0, 75), archive.add(75, 150, state="salvaged"), archive.add(150, 200, state="open")]
    sections = parse(archive.storage, listed(archive, segments, instant(0), instant(200)))
    delay = 2 * FRAME if archive.tape.stem == "b-frames" else timedelta()
    assert [section.start for section in sections] == [instant(0), instant(75), instant(150)]
    for first, held, section in zip((0, 75, 150), (75, segments[1].packets, 39), sections, strict=True):
        pictures = section.play(tmp_path)
        assert len(pictures) == held
        assert [picture.number for picture in pictures][: held - 2] == list(range(first, first + held - 2))
        assert sum(section.lengths) == pytest.approx(held / 25, abs=1e-4)
        for picture in pictures:
            at = section.start + timedelta(microseconds=picture.at_us)
            assert picture.number is not None
            assert abs(at - instant(picture.number) - delay) <= TICK


def test_entries_are_of_about_the_target_length_and_follow_each_other(long: Archive, files: list[Segment]) -> None:
    sections = parse(long.storage, listed(long, files, instant(0), instant(500)))
    assert [len(section.entries) for section in sections] == [3, 2]
    for section in sections:
        assert all(TARGET_S <= length < TARGET_S + 0.6 for length in section.lengths[:-1])
        for place, (length, entry) in enumerate(zip(section.lengths, section.entries, strict=True)):
            alone = Section(section.map, section.start, [length], [entry])
            assert alone.packets() == round(length * 25), place


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 19), st.integers(1, 300))
def test_a_span_is_there_once_and_little_more(
    tmp_path_factory: pytest.TempPathFactory, long: Archive, files: list[Segment], second: int, frames: int
) -> None:
    """From a key frame on; what is more is of the same half seconds."""
    first, end = second * 25, min(500, second * 25 + frames)
    sections = parse(long.storage, listed(long, files, instant(first), instant(end)))
    folder = tmp_path_factory.mktemp("play")
    numbers = [picture.number for section in sections for picture in section.play(folder) if picture.number is not None]
    assert set(range(first, end)) <= set(numbers)
    assert sorted(set(numbers)) == numbers
    assert numbers[0] > first - 13
    assert numbers[-1] < end + 13
    lengths = sum(sum(section.lengths) for section in sections)
    assert (end - first) / 25 - 1e-3 <= lengths <= (end - first + 26) / 25


def test_it_begins_with_the_key_frame_before(long: Archive, tmp_path: Path) -> None:
    own = Archive(tmp_path / "storage", long.tape)
    [section] = parse(own.storage, listed(own, [own.add(0, 100)], instant(45), instant(90)))
    assert {*range(45, 90)} <= {picture.number for picture in section.play(tmp_path)}


def test_files_that_are_no_part_of_the_span_are_not_named(long: Archive, files: list[Segment]) -> None:
    text = listed(long, files, instant(325), instant(350))
    assert text is not None
    assert files[0].path.as_posix() not in text
    assert text.count(files[1].path.as_posix()) == 2, "the header and one entry"
    assert "DISCONTINUITY" not in text


def test_a_hole_is_a_discontinuity_with_the_time_after_it(long: Archive, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "storage", long.tape)
    segments = [archive.add(0, 50), archive.add(100, 150)]
    first, second = parse(archive.storage, listed(archive, segments, instant(0), instant(150)))
    assert (first.start, second.start) == (instant(0), instant(100))
    assert [each.number for each in first.play(tmp_path)] == list(range(50))
    assert [each.number for each in second.play(tmp_path)] == list(range(100, 150))


def test_a_header_is_named_again_where_the_format_is_another(long: Archive, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "storage", long.tape)
    other = Archive(archive.storage, write(tmp_path / "other.mp4", frames=150, codec="libx265"))
    segments = [archive.add(0, 25), archive.add(25, 50), other.add(50, 100), archive.add(100, 125, state="salvaged")]
    text = listed(archive, segments, instant(0), instant(125))
    assert text is not None
    assert (text.count("#EXT-X-MAP"), text.count("#EXT-X-DISCONTINUITY")) == (3, 3)
    numbers = [picture.number for section in parse(archive.storage, text) for picture in section.play(tmp_path)]
    assert numbers == [*range(100), *range(100, 100 + segments[3].packets)]


def test_nothing_to_play_is_no_playlist(long: Archive, files: list[Segment]) -> None:
    assert render([]) is None
    assert listed(long, files, instant(500), instant(600)) is None
    piece = splice(files[:1], instant(0), instant(300))[0]
    seen = look(long.storage, files[1])
    beyond = Chapter("x.mp4", type(piece)(files[1], instant(900), instant(901), True), seen)
    assert render([beyond]) is None
    [only] = parse(
        long.storage, render([beyond, Chapter(files[0].path.as_posix(), piece, look(long.storage, files[0]))])
    )
    assert sum(only.lengths) == pytest.approx(12)

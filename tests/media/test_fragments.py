"""The fragments of a file are what FFmpeg finds in it, whatever the file went through."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvr import layout
from nvr.media.fragments import Fragments, opened, read_fragments
from nvr.model import Segment, SegmentState
from tests.fakes.archive import Archive
from tests.fakes.clip import write

STATES: list[SegmentState] = ["closed", "salvaged", "open"]


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """With sound."""
    folder = tmp_path_factory.mktemp("heard")
    made = Archive(folder / "storage", write(folder / "tape.mp4", frames=200, audio="aac"))
    yield made
    made.close()


def seen(archive: Archive, segment: Segment) -> Fragments:
    with opened(archive.storage, segment) as file:
        return read_fragments(file)


def demuxed(archive: Archive, segment: Segment, kind: str = "video") -> list[Any]:
    with opened(archive.storage, segment) as file, av.open(file, "r") as container:
        return [each for each in container.demux() if each.size and each.stream.type == kind]


def assert_same(found: Fragments, packets: list[Any], heard: list[Any]) -> None:
    video = [sample for each in found.fragments for sample in each.video.samples()]
    assert [(each.size, each.key, each.duration) for each in video] == [
        (each.size, each.is_keyframe, each.duration) for each in packets
    ]
    audio = [sample for each in found.fragments if each.audio for sample in each.audio.samples()]
    assert [each.size for each in audio] == [each.size for each in heard]
    at = 0
    for each in found.fragments:
        assert each.video.start == at
        at = each.video.end()


@pytest.mark.parametrize("state", STATES)
def test_they_hold_what_ffmpeg_finds_in_the_file(archive: Archive, state: SegmentState) -> None:
    segment = archive.add(25, 150, state=state)
    found, packets = seen(archive, segment), demuxed(archive, segment)
    assert len(packets) == {"closed": 125, "salvaged": 117, "open": 117}[state], "half-second fragments"
    assert_same(found, packets, [])
    assert (found.video.kind, found.audio) == ("vide", None)
    assert found.mime == f'video/mp4; codecs="{found.video.codec}"'


@pytest.mark.parametrize("state", STATES)
def test_sound_is_found_with_the_pictures(heard: Archive, state: SegmentState) -> None:
    segment = heard.add(STATES.index(state) * 50, STATES.index(state) * 50 + 50, state=state, sound=True)
    found = seen(heard, segment)
    assert_same(found, demuxed(heard, segment), demuxed(heard, segment, "audio"))
    assert found.audio is not None
    assert found.mime.endswith(',mp4a.40.2"')
    assert all(each.audio is not None for each in found.fragments)


def test_init_and_fragments_are_a_video_by_themselves(archive: Archive, tmp_path: Path) -> None:
    """A closed file hides them: what is sent of it is the file that it was before."""
    segments = [archive.add(0, 100), archive.add(100, 200, state="salvaged")]
    for segment in segments:
        found = seen(archive, segment)
        data = (archive.storage / segment.path).read_bytes()
        copy = tmp_path / "copy.mp4"
        parts = [data[each.place : each.place + each.length] for each in found.fragments]
        copy.write_bytes(b"".join([found.init, *parts]))
        with av.open(str(copy)) as container:
            packets = [(each.dts, each.pts, bytes(each)) for each in container.demux(video=0) if each.size]
        assert packets == [(each.dts, each.pts, bytes(each)) for each in demuxed(archive, segment)]


def test_key_frames_are_where_ffmpeg_sees_them(archive: Archive) -> None:
    found = seen(archive, archive.add(0, 100))
    keys = [(start, shown) for each in found.fragments for _, start, shown in each.video.key_frames()]
    second = found.video.timescale
    delay = keys[0][1]
    assert [start for start, _ in keys] == [place * second for place in range(4)]
    assert [shown - start for start, shown in keys] == [delay] * 4
    assert delay == (2 * second // 25 if archive.tape.stem == "b-frames" else 0)


def test_what_broke_off_in_the_middle_of_a_fragment_ends_before_it(archive: Archive) -> None:
    segment = archive.add(0, 100, state="salvaged")
    whole = seen(archive, segment)
    last = whole.fragments[-1]
    for length in (last.place + last.length - 1, last.place + 8, last.place + 1, last.place):
        os.truncate(archive.storage / segment.path, length)
        assert seen(archive, segment).fragments == whole.fragments[:-1]


def test_a_file_without_a_fragment_is_a_value_error(archive: Archive) -> None:
    segment = archive.add(0, 50, state="salvaged")
    first = seen(archive, segment).fragments[0]
    for length in (first.place + first.length - 1, first.place, 100, 8, 0):
        os.truncate(archive.storage / segment.path, length)
        with pytest.raises(ValueError, match=r"no fragments|no track"):
            seen(archive, segment)


def test_a_file_is_found_under_either_name(archive: Archive) -> None:
    segment = archive.add(0, 50)
    found = seen(archive, segment)
    file = archive.storage / segment.path
    file.rename(file.with_name(file.name + layout.PART_SUFFIX))
    assert seen(archive, segment) == found
    assert seen(archive, replace(segment, state="open")) == found
    file.with_name(file.name + layout.PART_SUFFIX).unlink()
    with pytest.raises(FileNotFoundError, match=re.escape(segment.path.name)):
        seen(archive, segment)


@pytest.fixture(scope="module")
def files(heard: Archive) -> list[bytes]:
    """A closed one and one that was salvaged."""
    segments = [heard.add(150, 175, sound=True), heard.add(175, 200, sound=True, state="salvaged")]
    return [(heard.storage / segment.path).read_bytes() for segment in segments]


DAMAGE = st.tuples(st.floats(0, 1), st.one_of(st.binary(min_size=1, max_size=8), st.integers(1, 3000).map(bytes)))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1), st.floats(0, 1), st.booleans(), st.lists(DAMAGE, max_size=4))
def test_damage_costs_fragments_at_most(
    files: list[bytes], which: int, cut: float, in_headers: bool, damage: list[tuple[float, bytes]]
) -> None:
    whole = files[which]
    data = bytearray(whole[: round(len(whole) * max(cut, 0.1))])
    reach = 2000 if in_headers else len(data)
    for place, with_what in damage:
        at = round(place * reach)
        data[at : at + len(with_what)] = with_what[: max(0, len(data) - at)]
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            found = read_fragments(file)
            for each in found.fragments:
                each.video.samples()
        except ValueError:
            return
    assert len(found.fragments) <= 2, "a second of video"
    assert all(each.place + each.length <= len(data) for each in found.fragments)

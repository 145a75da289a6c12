"""An excerpt has every picture of its span at its instant, out of whatever files hold it."""

from __future__ import annotations

import gc
import itertools
import math
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvr.clock import duration_us
from nvr.media import excerpt as excerpts
from nvr.media.excerpt import Excerpt, excerpt, look, read
from nvr.media.fragments import Fragment, Fragments
from nvr.model import Segment
from tests.fakes.archive import FRAME, Archive, instant, shown
from tests.fakes.clip import write

ORIGIN = instant(-100)
FRAGMENT = 13
"""Pictures in half a second, at most: where an excerpt ends, whole fragments do."""
TICK_US = math.ceil(1_000_000 / 12_800)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 s, a key frame every second, no B-frames, with sound."""
    return write(tmp_path_factory.mktemp("plain") / "tape.mp4", frames=200, audio="aac")


@pytest.fixture
def simple(tmp_path: Path, plain: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "simple", plain)
    yield made
    made.close()


def delay(archive: Archive) -> timedelta:
    """With B-frames an instant is that of decoding: pictures are shown so much later."""
    return 2 * FRAME if archive.tape.stem == "b-frames" else timedelta()


def take(archive: Archive, segments: list[Segment], since: datetime, until: datetime) -> Excerpt:
    found = excerpt(archive.storage, segments, since, until, ORIGIN)
    assert found is not None
    return found


def save(archive: Archive, found: Excerpt) -> Path:
    """What a client gets; as long as was said."""
    file = archive.storage / "excerpt.mp4"
    file.write_bytes(found.init + b"".join(data for part in found.parts for data in read(archive.storage, part)))
    assert file.stat().st_size == found.bytes
    for part in found.parts:
        assert sum(map(len, read(archive.storage, part))) == part.bytes
    return file


def play(archive: Archive, found: Excerpt) -> list[int]:
    """The numbers of its pictures, each of which is where its number says."""
    numbers = []
    for picture in shown(save(archive, found)):
        assert picture.number is not None
        at_us = duration_us(instant(picture.number) + delay(archive) - ORIGIN)
        assert abs(picture.at_us - at_us) <= TICK_US
        numbers.append(picture.number)
    return numbers


def until_whole(file_begin: int, until: int, file_end: int) -> int:
    """Where the fragment ends in which picture ``until`` would be the next."""
    return min(file_end, file_begin + math.ceil((until - file_begin) / FRAGMENT) * FRAGMENT)


def sound(file: Path) -> list[tuple[int, bytes]]:
    """Its pieces of sound and when each is heard, samples at 16 kHz."""
    with av.open(str(file)) as container:
        packets = [each for each in container.demux(audio=0) if each.size]
    return [(round((each.pts or 0) * (each.time_base or 0) * 16_000), bytes(each)) for each in packets]


@pytest.mark.parametrize(
    ("since", "until", "key"), [(0, 60, 0), (24, 26, 0), (25, 60, 25), (49, 100, 25), (62, 63, 50)]
)
def test_it_begins_with_the_last_key_frame_by_then_and_has_all_until_the_end(
    archive: Archive, since: int, until: int, key: int
) -> None:
    found = take(archive, [archive.add(0, 100)], instant(since) + delay(archive), instant(until))
    end = until_whole(0, until, 100)
    numbers = play(archive, found)
    if not delay(archive):
        assert numbers == list(range(key, end))
    assert numbers[: until - key - 2] == list(range(key, until - 2))
    assert len(numbers) == end - key
    assert (found.start, found.end) == (instant(key), instant(end))


def test_it_goes_on_over_files_closed_salvaged_and_open_and_over_a_hole(archive: Archive) -> None:
    segments = [archive.add(0, 50), archive.add(50, 75), archive.add(100, 125, run="run-2", state="salvaged")]
    segments.append(archive.add(125, 200, run="run-2", state="open"))
    segments[2] = replace(segments[2], end=instant(125))
    found = take(archive, segments, instant(30) + delay(archive), instant(180))
    numbers = play(archive, found)
    held = segments[2].packets
    assert len(found.parts) == 4
    assert sorted(numbers)[:50] == list(range(25, 75))
    assert {*range(100, 100 + held - 2), *range(125, 175)} <= set(numbers) <= {*range(25, 75), *range(100, 192)}
    assert len(set(numbers)) == len(numbers)
    assert found.end - instant(numbers[-1] + 1) <= 2 * FRAME


def test_a_span_that_begins_in_a_hole_begins_with_the_next_picture(simple: Archive) -> None:
    segments = [simple.add(0, 50), simple.add(100, 150)]
    found = take(simple, segments, instant(70), instant(113))
    assert play(simple, found) == list(range(100, 113))
    assert found.start == instant(100)


def test_nothing_recorded_is_nothing(simple: Archive) -> None:
    segment = simple.add(0, 50)
    assert excerpt(simple.storage, [segment], instant(50), instant(90), ORIGIN) is None
    assert excerpt(simple.storage, [], instant(0), instant(90), ORIGIN) is None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 148), st.integers(1, 60))
def test_any_span_of_two_files_is_whole(
    tmp_path_factory: pytest.TempPathFactory, plain: Path, at: int, long: int
) -> None:
    archive = Archive(tmp_path_factory.mktemp("any"), plain)
    found = take(archive, [archive.add(0, 75), archive.add(75, 150)], instant(at), instant(at + long))
    end = until_whole(0, at + long, 75) if at + long <= 75 else until_whole(75, at + long, 150)
    assert play(archive, found) == list(range(at // 25 * 25, end))


@pytest.mark.parametrize("cut", [5, 12, 13, 26, 39, 45, 60])
def test_where_the_clock_was_set_back_the_later_recording_has_the_time(simple: Archive, cut: int) -> None:
    """Pictures of the earlier one up to where the later begins: time never goes back."""
    earlier, later = simple.add(0, 100), simple.add(100, 150, at=instant(cut), run="run-2")
    found = take(simple, [earlier, later], instant(0), instant(cut + 50))
    assert [part.segment.run for part in found.parts] == ["run-1", "run-2"]
    with av.open(str(save(simple, found))) as container:
        times = [(each.pts or 0) * (each.time_base or 0) for each in container.demux(video=0) if each.size]
    expected = [(number + 100) / 25 for number in range(cut + 50)]
    assert times == pytest.approx(expected, abs=TICK_US / 1e6)


def test_after_an_overlap_the_earlier_recording_goes_on_with_a_key_frame_of_its_own(simple: Archive) -> None:
    earlier, later = simple.add(0, 125), simple.add(125, 150, at=instant(39), run="run-2")
    found = take(simple, [earlier, later], instant(0), instant(125))
    assert [part.segment.run for part in found.parts] == ["run-1", "run-2", "run-1"]
    numbers = [picture.number for picture in shown(save(simple, found))]
    assert numbers == [*range(39), *range(125, 150), *range(75, 125)]


def test_another_format_ends_it(tmp_path: Path, simple: Archive) -> None:
    other = Archive(simple.storage, write(tmp_path / "other.mp4", frames=150, codec="libx265"))
    found = take(simple, [simple.add(0, 50), other.add(50, 100), simple.add(100, 150)], instant(0), instant(150))
    assert play(simple, found) == list(range(50))
    assert found.end == instant(50)
    assert found.mime.startswith('video/mp4; codecs="avc1.')


def test_a_track_of_sound_that_comes_or_goes_ends_it(simple: Archive) -> None:
    found = take(simple, [simple.add(0, 50), simple.add(50, 100, sound=True)], instant(0), instant(100))
    assert play(simple, found) == list(range(50))


@pytest.mark.parametrize("damage", ["gone", "empty", "zeros", "headless", "last table"])
def test_a_file_that_is_gone_or_damaged_is_left_out(simple: Archive, damage: str) -> None:
    segments = [simple.add(0, 50), simple.add(50, 100), simple.add(100, 150)]
    file = simple.storage / segments[1].path
    if damage == "gone":
        file.unlink()
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "zeros":
        file.write_bytes(bytes(file.stat().st_size))
    elif damage == "headless":
        file.write_bytes(file.read_bytes().replace(b"trak", b"xxxx"))
    else:  # the number of samples in the last fragment
        data = bytearray(file.read_bytes())
        place = data.rindex(b"trun") + 8
        data[place : place + 4] = b"\xff" * 4
        file.write_bytes(data)
    found = take(simple, segments, instant(10), instant(150))
    assert play(simple, found) == [*range(50), *range(100, 150)]


def test_a_file_that_becomes_shorter_meanwhile_is_an_error(simple: Archive) -> None:
    segment = simple.add(0, 100)
    found = take(simple, [segment], instant(0), instant(100))
    os.truncate(simple.storage / segment.path, 5000)
    with pytest.raises(EOFError, match="shorter than it was"):
        list(read(simple.storage, found.parts[0]))


def test_sound_is_where_it_was_recorded(simple: Archive) -> None:
    """Heard from the first whole fragment on: the one made anew to begin with a key frame has none."""
    segments = [simple.add(0, 100, sound=True), simple.add(125, 200, sound=True)]
    found = take(simple, segments, instant(0), instant(200))
    assert found.mime.endswith(',mp4a.40.2"')
    assert play(simple, found) == [*range(100), *range(125, 200)]
    recorded, heard = set(sound(simple.tape)), sound(save(simple, found))
    offset = round((instant(0) - ORIGIN).total_seconds() * 16_000)
    assert len(heard) == sum(len(sound(simple.storage / segment.path)) for segment in segments)
    moved = [(at - offset, data) for at, data in heard if (at - offset, data) not in recorded]
    # FFmpeg begins a file's sound at its 0, though the first piece of it comes 56 ms after the first picture
    assert [(at + 896, data) in recorded for at, data in moved] == [True]


def test_sound_goes_on_with_the_first_whole_fragment(simple: Archive) -> None:
    """The one made anew to begin with a key frame has none."""
    found = take(simple, [simple.add(0, 100, sound=True)], instant(30), instant(100))
    heard = sound(save(simple, found))
    offset = round((instant(0) - ORIGIN).total_seconds() * 16_000)
    assert {(at - offset, data) for at, data in heard} <= set(sound(simple.tape))
    assert found.start == instant(25)
    assert abs(heard[0][0] - offset - 26 * 640) < 1024, "the fragment of pictures 26 to 38"


def test_each_file_is_looked_at_once_and_only_if_it_is_of_the_span(simple: Archive) -> None:
    segments = [simple.add(0, 50), simple.add(50, 100), simple.add(100, 150)]
    looked: list[Segment] = []

    def counted(storage: Path, segment: Segment) -> Fragments:
        looked.append(segment)
        return look(storage, segment)

    assert excerpt(simple.storage, segments, instant(60), instant(90), ORIGIN, counted) is not None
    assert looked == [segments[1]]


@pytest.mark.parametrize("sound", [False, True])
@pytest.mark.parametrize(("since", "key"), [(0, 0), (25, 25), (49, 25), (63, 50), (120, 100)])
def test_without_an_origin_media_time_begins_with_the_first_picture(
    simple: Archive, since: int, key: int, sound: bool
) -> None:
    segments = [simple.add(0, 75, sound=sound), simple.add(75, 100, sound=sound), simple.add(100, 150, sound=sound)]
    found = excerpt(simple.storage, segments, instant(since), instant(141))
    assert found is not None
    assert found.start == instant(key)
    file = save(simple, found)
    assert [picture.number for picture in shown(file)] == list(range(key, 150))
    with av.open(str(file)) as container:
        for stream in container.streams:
            packets = [each for each in container.demux(stream) if each.size]
            ticks = [each.dts or 0 for each in packets]
            assert all(0 <= one < other for one, other in itertools.pairwise(ticks))
            if stream.type == "video":
                assert ticks == [512 * number for number in range(150 - key)]
                assert {each.duration for each in packets} == {512}
            container.seek(0)


@pytest.mark.parametrize("since", [25, 49, 62])
def test_without_an_origin_any_kind_of_file_plays(archive: Archive, since: int) -> None:
    """With B-frames the first picture is decoded at 0, and shown so much later."""
    found = excerpt(archive.storage, [archive.add(0, 100)], instant(since) + delay(archive), instant(100))
    assert found is not None
    key = since // 25 * 25
    pictures = shown(save(archive, found))
    assert len(pictures) == 100 - key
    at_us = [picture.at_us for picture in pictures]
    assert at_us == pytest.approx(
        [40_000 * number + delay(archive) / FRAME * 40_000 for number in range(100 - key)], abs=80
    )


def test_sound_that_begins_before_the_origin_is_left_out(simple: Archive) -> None:
    """A whole fragment's, where a clock would have to be below 0 for it; what follows is where it was recorded."""
    segment = simple.add(0, 100, sound=True)
    seen = look(simple.storage, segment)
    head, *rest = seen.fragments
    assert head.audio is not None
    seen = replace(seen, fragments=(replace(head, audio=replace(head.audio, start=-2000)), *rest))
    found = excerpt(simple.storage, [segment], instant(0), instant(100), None, lambda *_: seen)
    assert found is not None
    assert found.parts[0].first, "made anew, without sound"
    heard = sound(save(simple, found))
    assert heard[0][0] >= 13 * 640 - 1024
    assert [picture.number for picture in shown(simple.storage / "excerpt.mp4")] == list(range(100))


@pytest.mark.parametrize("since", [20, 24, 27])
def test_an_overlap_that_begins_where_the_excerpt_does_is_cut_all_the_same(simple: Archive, since: int) -> None:
    """Within the one fragment that the earlier recording has of it."""
    earlier, later = simple.add(0, 100), simple.add(100, 150, at=instant(30), run="run-2")
    found = take(simple, [earlier, later], instant(since), instant(70))
    numbers = [picture.number for picture in shown(save(simple, found))]
    assert numbers == [*range(since // 25 * 25, 30), *range(100, 150)]


def test_it_says_where_it_ends_also_where_its_last_fragment_was_cut(simple: Archive) -> None:
    earlier, later = simple.add(0, 100), simple.add(100, 150, at=instant(45), run="run-2")
    (simple.storage / later.path).unlink()
    found = take(simple, [earlier, later], instant(0), instant(90))
    assert play(simple, found) == list(range(45))
    assert found.end == instant(45)


def test_between_two_overlaps_nothing_is_shown_where_no_key_frame_is(simple: Archive) -> None:
    earlier = simple.add(0, 100)
    laters = [simple.add(100 + 25 * n, 125 + 25 * n, at=instant(10 + 35 * n), run=f"run-{n + 2}") for n in range(2)]
    found = take(simple, [earlier, *laters], instant(0), instant(70))
    assert [part.segment.run for part in found.parts] == ["run-1", "run-2", "run-3"]
    assert [picture.number for picture in shown(save(simple, found))] == [*range(10), *range(100, 150)]


@pytest.mark.parametrize("chunk", [700, 1001, 4096])
def test_headers_that_lie_between_two_readings_are_put_off_as_well(
    archive: Archive, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = [archive.add(0, 100), archive.add(100, 150)]
    found = take(archive, segments, instant(0) + delay(archive), instant(150))
    whole = save(archive, found).read_bytes()
    monkeypatch.setattr(excerpts, "CHUNK", chunk)
    assert save(archive, found).read_bytes() == whole


def test_what_is_damaged_while_it_is_being_sent_is_an_error(simple: Archive) -> None:
    segment = simple.add(0, 100)
    found = take(simple, [segment], instant(0), instant(100))
    file = simple.storage / segment.path
    data = file.read_bytes()
    for broken in (data.replace(b"tfdt", b"xxxx"), bytes(len(data))):
        file.write_bytes(broken)
        with pytest.raises(ValueError, match="damaged"):
            list(read(simple.storage, found.parts[0]))


def test_what_waits_to_be_sent_does_not_hold_its_fragments(simple: Archive) -> None:
    """A day of them took 160 MB for as long as somebody downloaded it."""
    segments = [simple.add(25 * n, 25 * (n + 1), sound=True) for n in range(8)]
    found = take(simple, segments, instant(10), instant(200))
    gc.collect()
    reached, waiting = set[int](), list[object](found.parts)
    while waiting:
        each = waiting.pop()
        if id(each) not in reached and not isinstance(each, type):
            reached.add(id(each))
            waiting += gc.get_referents(each)
            assert not isinstance(each, Fragments | Fragment)


def test_a_file_that_is_closed_before_it_is_sent_is_sent_as_it_was_looked_at(simple: Archive) -> None:
    segment = simple.add(0, 100, sound=True, state="open")
    found = take(simple, [segment], instant(0), instant(70))
    before = save(simple, found).read_bytes()
    simple.close()
    final = simple.storage / segment.path
    final.with_name(f"{final.name}.part").rename(final)
    assert save(simple, found).read_bytes() == before

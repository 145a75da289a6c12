"""Footage gives each wanted picture at its instant, whatever file it is in, and decodes no more than it must."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from nvr.media.footage import Footage, length
from nvr.model import Frame, Segment
from tests.fakes.archive import FRAME, Archive, instant
from tests.fakes.clip import HEIGHT, WIDTH
from tests.fakes.footage import frame_number


@pytest.fixture
def plain(tmp_path: Path, clip_h264: Path) -> Archive:
    """Of a tape of 4 s without B-frames."""
    return Archive(tmp_path / "storage", clip_h264)


def delay(archive: Archive) -> timedelta:
    """With B-frames an instant is that of decoding: pictures are shown so much later."""
    return 2 * FRAME if archive.tape.stem == "b-frames" else timedelta()


def footage(
    archive: Archive,
    segments: list[Segment],
    since: datetime,
    until: datetime,
    interval: timedelta = timedelta(),
    **more: Any,
) -> Footage:
    return Footage(archive.storage, segments, since, until, interval=interval, **more)


def numbers(frames: Iterator[Frame] | Footage) -> list[int | None]:
    return [frame_number(frame.luma) for frame in frames]


@pytest.mark.parametrize("state", ["closed", "salvaged"])
@pytest.mark.parametrize("threads", [1, 2])
def test_every_picture_comes_once_at_its_instant(
    archive: Archive, state: Literal["closed", "salvaged"], threads: int
) -> None:
    segments = [archive.add(0, 100, state=state), archive.add(100, 200, state=state)]
    frames = list(footage(archive, segments, instant(0), instant(210), threads=threads))
    found = numbers(iter(frames))
    assert all(
        number is not None and frame.at == instant(number) + delay(archive)
        for number, frame in zip(found, frames, strict=True)
    )
    if state == "closed":
        assert found == list(range(200))
    else:
        assert found[:70] == list(range(70)), "the end of each is lost"
        assert len(found) > 150
    assert {(frame.width, frame.height, frame.i420.shape) for frame in frames} == {
        (WIDTH, HEIGHT, (HEIGHT * 3 // 2, WIDTH))
    }


@pytest.mark.parametrize("threads", [1, 2])
def test_so_many_a_second_over_segments(archive: Archive, threads: int) -> None:
    segments = [archive.add(0, 75), archive.add(75, 200)]
    frames = list(footage(archive, segments, instant(0), instant(200), 5 * FRAME, threads=threads))
    assert numbers(iter(frames)) == list(range(0, 196, 5))
    assert [frame.sequence for frame in frames] == list(range(1, 41))


def test_a_rate_that_the_camera_has_not_is_not_exceeded(plain: Archive) -> None:
    found = numbers(footage(plain, [plain.add(0, 100)], instant(0), instant(100), timedelta(milliseconds=130)))
    assert found == list(range(0, 100, 4))


def test_an_interval_that_is_rounded_up_loses_no_picture(plain: Archive) -> None:
    found = numbers(
        footage(plain, [plain.add(0, 100)], instant(0), instant(100), 5 * FRAME + timedelta(milliseconds=2))
    )
    assert found == list(range(0, 100, 5))


def test_the_span_is_kept_to_the_picture(archive: Archive) -> None:
    segments = [archive.add(0, 100), archive.add(100, 200)]
    shift = delay(archive)
    found = numbers(footage(archive, segments, instant(37) + shift, instant(141) + shift))
    assert found[0] == 37
    assert found[-1] == 140
    assert len(found) == 104


def test_a_picture_that_began_before_the_span_is_none_of_it(plain: Archive) -> None:
    found = numbers(footage(plain, [plain.add(0, 100)], instant(37) + timedelta(milliseconds=2), instant(50)))
    assert found == list(range(38, 50))


def test_only_key_frames(archive: Archive) -> None:
    frames = footage(archive, [archive.add(0, 200)], instant(0), instant(200), key_frames_only=True)
    assert numbers(frames) == [0, 25, 50, 75, 100, 125, 150, 175]


def test_what_no_wanted_picture_needs_is_not_decoded(plain: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = 0
    whole = Footage._decode

    def counted(self: Footage, context: object, packet: object) -> Iterator[object]:
        nonlocal decoded
        decoded += packet is not None
        return whole(self, context, packet)  # type: ignore[arg-type]

    monkeypatch.setattr(Footage, "_decode", counted)
    found = numbers(footage(plain, [plain.add(0, 100)], instant(0), instant(100), 30 * FRAME))
    assert found == [0, 30, 60, 90]
    assert decoded == 1 + 6 + 11 + 16


def test_what_is_being_written_counts_as_far_as_it_is_whole(archive: Archive) -> None:
    found = numbers(footage(archive, [archive.add(0, 200, state="open")], instant(0), instant(200)))
    assert found[:100] == list(range(100))
    assert 100 < len(found) < 200


def test_a_gap_gives_nothing_and_goes_on_after_it(plain: Archive) -> None:
    segments = [plain.add(0, 25), plain.add(75, 100)]
    assert numbers(footage(plain, segments, instant(0), instant(100), 10 * FRAME)) == [0, 10, 20, 75, 85, 95]
    assert numbers(footage(plain, segments, instant(30), instant(70))) == []
    assert length(segments, instant(0), instant(100)) == 50 * FRAME
    assert length(segments, instant(20), instant(80)) == 10 * FRAME
    assert length(segments, instant(30), instant(70)) == length(segments, instant(80), instant(20)) == timedelta()


def test_where_the_clock_was_set_back_no_moment_comes_twice(plain: Archive) -> None:
    earlier = plain.add(0, 50)
    later = plain.add(50, 100, at=instant(25), run="run-2")
    frames = list(footage(plain, [earlier, later], instant(0), instant(100)))
    assert numbers(iter(frames)) == [*range(25), *range(50, 100)]
    assert [frame.at for frame in frames] == sorted(frame.at for frame in frames)
    assert length([earlier, later], instant(0), instant(100)) == 75 * FRAME


def test_large_pictures_are_scaled_down_and_small_ones_stay(plain: Archive) -> None:
    segments = [plain.add(0, 25)]
    (frame, *_) = footage(plain, segments, instant(0), instant(25), widest=160)
    assert (frame.width, frame.height, frame.i420.shape) == (160, 90, (135, 160))
    assert frame_number(frame.luma) == 0
    (frame, *_) = footage(plain, segments, instant(0), instant(25), widest=640)
    assert (frame.width, frame.height) == (WIDTH, HEIGHT)
    (frame, *_) = footage(plain, segments, instant(0), instant(25), widest=181)
    assert (frame.width, frame.height) == (180, 102)


def test_a_file_that_is_gone_or_no_video_costs_itself_alone(plain: Archive) -> None:
    segments = [plain.add(first, first + 25) for first in (0, 25, 50, 75)]
    (plain.storage / segments[1].path).unlink()
    (plain.storage / segments[2].path).write_bytes(b"nothing of the kind")
    read = footage(plain, segments, instant(0), instant(100), 5 * FRAME)
    assert numbers(read) == [0, 5, 10, 15, 20, 75, 80, 85, 90, 95]
    gone, damaged = read.notes
    assert gone == f"{segments[1].path} is gone: nothing of it was looked at"
    assert damaged.startswith(f"{segments[2].path} is damaged (")
    assert damaged.endswith("nothing of it was looked at")


def test_damage_in_the_middle_is_told_and_no_damaged_picture_is_given(plain: Archive) -> None:
    segments = [plain.add(0, 50), plain.add(50, 100)]
    file = plain.storage / segments[0].path
    content = bytearray(file.read_bytes())
    middle = content.find(b"moof") + len(content) // 4
    content[middle : middle + 3000] = bytes(range(256)) * 12
    file.write_bytes(content)
    read = footage(plain, segments, instant(0), instant(100))
    found = numbers(read)
    assert found[-50:] == list(range(50, 100)), "the next file is whole"
    assert 0 < len(found) < 100
    assert None not in found
    (note,) = read.notes
    assert note.startswith(f"{segments[0].path} is damaged")


def test_nothing_asked_for_gives_nothing(plain: Archive) -> None:
    assert list(footage(plain, [], instant(0), instant(100))) == []
    assert list(footage(plain, [plain.add(0, 25)], instant(25), instant(100))) == []


def test_a_row_that_promises_more_than_its_file_has_is_no_error(plain: Archive) -> None:
    segment = replace(plain.add(0, 25), end=instant(30))
    read = footage(plain, [segment], instant(0), instant(100))
    assert len(list(read)) == 25
    assert read.notes == []

"""The picture of an instant is the one that the video shows then, wherever it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import pytest

from nvr import layout
from nvr.media.instant import OLDEST, shown_at
from nvr.model import Segment
from tests.fakes.archive import FRAME, Archive, instant
from tests.fakes.clip import HEIGHT, WIDTH
from tests.fakes.footage import frame_number

MOMENT = timedelta(milliseconds=1)


def number(archive: Archive, segments: list[Segment], at: datetime) -> int | None:
    found = shown_at(archive.storage, segments, at)
    if found is None:
        return None
    assert found.at <= at
    assert found.i420.shape == (HEIGHT * 3 // 2, WIDTH)
    return frame_number(found.i420[:HEIGHT])


def delay(archive: Archive) -> timedelta:
    """With B-frames an instant is that of decoding: pictures are shown so much later."""
    return 2 * FRAME if archive.tape.stem == "b-frames" else timedelta()


@pytest.mark.parametrize("state", ["closed", "salvaged"])
def test_every_picture_is_found_at_its_instant_and_until_the_next(
    archive: Archive, state: Literal["closed", "salvaged"]
) -> None:
    segments = [archive.add(0, 100, state=state), archive.add(100, 200, state=state)]
    first = 0 if not delay(archive) else 2
    for wanted in [first, 1 + first, 24, 25, 26, 49, 74, 90]:
        at = instant(wanted) + delay(archive)
        assert number(archive, segments, at + MOMENT) == wanted
        assert number(archive, segments, at + FRAME - 2 * MOMENT) == wanted
    if not delay(archive):
        for wanted in (90, 100, 124, 180):
            assert number(archive, segments, instant(wanted) + MOMENT) == wanted
            assert number(archive, segments, instant(wanted)) == wanted, "to the microsecond"


def test_what_is_being_written_counts_as_far_as_it_is_whole(archive: Archive) -> None:
    segment = archive.add(0, 200, state="open")
    assert number(archive, [segment], instant(60) + delay(archive) + MOMENT) == 60
    last = number(archive, [segment], instant(199))
    assert last is not None
    assert 100 < last < 199, "the end of it is still in memory"


def test_the_first_picture_of_a_file_that_shows_it_late_is_found_before_it(archive: Archive) -> None:
    """Between the row's start of a segment and its first picture the one before is shown."""
    before = archive.add(0, 50)
    after = replace(archive.add(50, 100), start=before.end)
    at = after.start + delay(archive) / 2
    assert number(archive, [before, after], at) in (47, 48, 49, 50)


def test_a_gap_has_no_picture(archive: Archive) -> None:
    segments = [archive.add(0, 50), archive.add(150, 200)]
    end = segments[0].end
    assert number(archive, segments, end + OLDEST - MOMENT) in (47, 49)
    assert number(archive, segments, end + OLDEST) is None
    assert number(archive, segments, instant(0) - MOMENT) is None
    assert number(archive, [], instant(0)) is None


def test_where_the_clock_was_set_back_the_later_recording_is_shown(archive: Archive) -> None:
    earlier = archive.add(0, 100)
    later = archive.add(100, 200, at=instant(50) + MOMENT, run="run-2")
    assert number(archive, [earlier, later], instant(60) + 2 * MOMENT + delay(archive)) == 110
    assert number(archive, [earlier, later], instant(40) + MOMENT + delay(archive)) == 40


def test_a_file_that_is_gone_or_damaged_gives_no_picture(archive: Archive) -> None:
    segment = archive.add(0, 100)
    file = archive.storage / segment.path
    file.write_bytes(file.read_bytes()[:300])
    assert number(archive, [segment], instant(10)) is None
    file.unlink()
    assert number(archive, [segment], instant(10)) is None


def test_a_file_that_is_closed_meanwhile_is_found(archive: Archive) -> None:
    segment = replace(archive.add(0, 100), state="open")
    assert number(archive, [segment], instant(10) + delay(archive) + MOMENT) == 10
    file = archive.storage / segment.path
    file.rename(file.with_name(file.name + layout.PART_SUFFIX))
    assert number(archive, [segment], instant(10) + delay(archive) + MOMENT) == 10


def test_without_exactness_it_is_the_key_frame_before_the_instant(archive: Archive) -> None:
    segments = [archive.add(0, 100), archive.add(100, 200, state="salvaged")]
    for wanted, key in [(0, 0), (24, 0), (25, 25), (49, 25), (99, 75), (100, 100), (124, 100), (130, 125)]:
        at = instant(wanted) + delay(archive) + MOMENT
        found = shown_at(archive.storage, segments, at, exact=False)
        assert found is not None
        assert frame_number(found.i420[:HEIGHT]) == key
        assert abs(found.at - instant(key) - delay(archive)) < MOMENT

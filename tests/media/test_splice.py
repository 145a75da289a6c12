"""Every moment is shown once, by the recording that began last."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.media.splice import Piece, covered, splice, stretches
from nvr.model import Segment
from tests.catalogue.rows import at, segment

MINUTE = timedelta(minutes=1)
SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 10), st.sampled_from(["a", "b"])), max_size=12)


def rows(spans: list[tuple[int, int, str]]) -> list[Segment]:
    return [
        segment(start, start + length, run=run, path=f"{number}.mp4")
        for number, (start, length, run) in enumerate(spans)
    ]


def end_of(piece: Piece) -> timedelta:
    return (piece.end or piece.segment.end) - at(0)


def test_segments_that_follow_each_other_are_whole() -> None:
    pieces = splice([segment(0, 1), segment(1, 2), segment(5, 6, run="r2")], at(0.5), at(5.5))
    assert [(piece.start, piece.end, piece.early) for piece in pieces] == [
        (at(0.5), None, True),
        (at(1), None, False),
        (at(5), at(5.5), False),
    ]


def test_a_segment_that_ends_a_little_after_the_next_begins_keeps_its_last_picture() -> None:
    one = replace(segment(0, 1), end=at(1) + timedelta(microseconds=400))
    assert [piece.end for piece in splice([one, segment(1, 2)], at(0), at(2))] == [None, None]


def test_where_the_clock_was_set_back_a_stretch_is_not_broken() -> None:
    old = [segment(minute, minute + 1, path=f"old{minute}") for minute in range(4)]
    new = [segment(minute + 1.5, minute + 2.5, path=f"new{minute}") for minute in range(3)]
    pieces = splice([*old, *new], at(0), at(10))
    assert [piece.segment.path.name for piece in pieces] == ["old0", "old1", "new0", "new1", "new2"]
    assert pieces[1].end == at(1.5)
    assert covered([*old, *new], at(0), at(10)) == 2.5 * MINUTE


@given(SPANS, st.integers(0, 40), st.integers(1, 30))
def test_pieces_never_overlap_and_leave_out_nothing(spans: list[tuple[int, int, str]], first: int, length: int) -> None:
    segments = rows(spans)
    since, until = at(first), at(first + length)
    pieces = splice(segments, since, until)
    shown = {
        minute
        for piece in pieces
        for minute in range(round((piece.start - at(0)) / MINUTE), round(end_of(piece) / MINUTE))
    }
    there = {minute for start, lasts, _ in spans for minute in range(start, start + lasts)}
    assert shown & set(range(first, first + length)) == there & set(range(first, first + length))
    for before, after in itertools.pairwise(pieces):
        assert end_of(before) <= after.start - at(0)
    assert covered(segments, since, until) >= timedelta()


@given(SPANS)
def test_every_segment_is_in_one_stretch(spans: list[tuple[int, int, str]]) -> None:
    segments = rows(spans)
    found = stretches(segments)
    assert sorted(each.path for stretch in found for each in stretch.segments) == sorted(each.path for each in segments)
    for stretch in found:
        assert all(one.end == two.start for one, two in itertools.pairwise(stretch.segments))


@pytest.mark.parametrize(("apart_ms", "pictures", "one"), [
    (2, 1500, True), (50, 1500, True), (51, 1500, False), (-2, 1500, True), (-30, 1500, True), (-41, 1500, False),
    (-2, 60_000, False), (-51, 1, False),
])  # fmt: skip
def test_files_of_a_run_overlap_a_little_where_its_clock_was_put_right(apart_ms: int, pictures: int, one: bool) -> None:
    """By less than a picture, so that the last one still comes before what follows."""
    apart = timedelta(milliseconds=apart_ms)
    first = replace(segment(0, 1), packets=pictures)
    second = replace(segment(1, 2), start=at(1) + apart, end=at(2) + apart)
    assert len(stretches([first, second])) == (1 if one else 2)
    pieces = splice([first, second], at(0), at(3))
    assert pieces[0].end == (None if one or apart > timedelta() else second.start)
    assert len(stretches([first, replace(second, run="r2")])) == 2
    assert covered([first, second], at(0), at(3)) == (-apart if not one and apart < timedelta() else timedelta())


@pytest.mark.parametrize("apart_ms", [-60, 0, 60])
def test_a_week_of_minutes_is_spliced_at_once(apart_ms: int) -> None:
    """As many as there are, not as many times as many: whatever the clock does."""
    step = MINUTE + timedelta(milliseconds=apart_ms)
    segments = [
        replace(segment(0, 1, path=f"{n:05}.mp4"), start=at(0) + n * step, end=at(0) + n * step + MINUTE)
        for n in range(10_000)
    ]
    began = time.monotonic()
    assert len(splice(segments, at(0), at(10_100))) == 10_000
    assert time.monotonic() - began < 3, "0.2 s where nothing else runs; it was half a minute"

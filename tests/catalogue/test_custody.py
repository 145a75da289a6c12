from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.catalogue.custody import ROW_US, SEAM_US, CameraUsage, pieces
from nvr.catalogue.recordings import CameraSummary
from nvr.catalogue.store import Catalogue
from nvr.model import Gap, Segment
from nvr.reason import Reason
from tests.catalogue.rows import START, at, event, gap, segment

MINUTE_US = 60_000_000


def store(catalogue: Catalogue, minutes: range, camera: str = "hik1") -> list[Segment]:
    stored = [segment(minute, minute + 1, camera=camera) for minute in minutes]
    for one in stored:
        catalogue.add_segment(one)
    return stored


def deleted(catalogue: Catalogue, camera: str = "hik1") -> list[tuple[object, object, str]]:
    return [(one.start, one.end, one.detail) for one in catalogue.gaps(START, camera=camera)]


@pytest.mark.parametrize("state", ["deleting", "missing"])
def test_what_is_no_footage_any_more_is_in_no_listing_and_no_sum(
    catalogue: Catalogue, state: Literal["deleting", "missing"]
) -> None:
    store(catalogue, range(3))
    last = segment(2, 3)
    catalogue.set_state([last.path], state)
    assert list(catalogue.segments(START)) == [segment(0, 1), segment(1, 2)]
    assert list(catalogue.segments(START, camera="hik1")) == [segment(0, 1), segment(1, 2)]
    assert list(catalogue.segment_paths("hik1")) == [segment(0, 1).path, segment(1, 2).path]
    assert catalogue.segment_at("hik1", at(2.5)) is None
    assert catalogue.summary(at(9)) == [CameraSummary("hik1", 2, at(2))]
    assert catalogue.usage() == [CameraUsage("hik1", 2, 30_000_000, at(0), at(2))]
    assert list(catalogue.recorded("hik1", START)) == [(at(0), at(2))]
    assert catalogue.edges("hik1", at(8), at(8)) == (at(2), at(2), None)
    assert catalogue.has_segment(last.path)
    assert list(catalogue.segments_in_state(state)) == [dataclasses.replace(last, state=state)]


def test_segments_in_a_state_are_listed_oldest_first_and_by_camera(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nvr.catalogue.spans.PAGE", 2)
    mine, other = store(catalogue, range(5)), store(catalogue, range(5), "hik2")
    catalogue.mark_deleting([*other, *mine], "continuous 7d", at(9))
    assert [one.start for one in catalogue.segments_in_state("deleting")] == sorted(2 * [one.start for one in mine])
    assert [one.path for one in catalogue.segments_in_state("deleting", "hik2")] == [one.path for one in other]
    assert list(catalogue.segments_in_state("missing")) == []
    with pytest.raises(ValueError, match="closed are not looked for"):
        catalogue.segments_in_state("closed")


def test_deleting_leaves_a_gap_that_tells_the_rule_and_when(catalogue: Catalogue) -> None:
    doomed = store(catalogue, range(2))
    catalogue.mark_deleting(doomed, "continuous 7d", at(9.5))
    (found,) = catalogue.gaps(START)
    assert (found.reason, found.start, found.end) == (Reason.DELETED, at(0), at(2))
    assert found.detail == "continuous 7d, 2026-11-22T13:14:30Z"
    catalogue.drop_segments(one.path for one in doomed)
    assert not catalogue.has_segment(doomed[0].path)
    assert list(catalogue.segments_in_state("deleting")) == []
    assert len(list(catalogue.gaps(START))) == 1


def test_marking_again_changes_nothing(catalogue: Catalogue) -> None:
    doomed = store(catalogue, range(2))
    catalogue.mark_deleting(doomed, "continuous 7d", at(9))
    catalogue.mark_deleting(doomed, "size 1TB", at(10))
    catalogue.mark_deleting([segment(5, 6)], "continuous 7d", at(10))  # has no row
    assert [detail for *_, detail in deleted(catalogue)] == ["continuous 7d, 2026-11-22T13:14:00Z"]


def test_a_gap_row_tells_of_fifteen_minutes_at_most(catalogue: Catalogue) -> None:
    catalogue.mark_deleting(store(catalogue, range(1200)), "continuous 7d", at(2000))
    rows = deleted(catalogue)
    assert [row[0] for row in rows] == [at(minute) for minute in range(0, 1200, 15)]
    assert all(end == after[0] for (_, end, _), after in pairwise(rows))


def test_a_hole_in_the_footage_is_not_said_to_be_deleted(catalogue: Catalogue) -> None:
    catalogue.mark_deleting(store(catalogue, range(2)) + store(catalogue, range(3, 4)), "continuous 7d", at(9))
    assert [row[:2] for row in deleted(catalogue)] == [(at(0), at(2)), (at(3), at(4))]


def test_footage_deleted_a_minute_at_a_time_shares_rows(catalogue: Catalogue) -> None:
    for one in store(catalogue, range(20)):
        catalogue.mark_deleting([one], "continuous 7d", one.start.replace(day=29))
    first, second = deleted(catalogue)
    assert first == (at(0), at(15), "continuous 7d, 2026-11-29T13:19:00Z")
    assert second == (at(15), at(20), "continuous 7d, 2026-11-29T13:24:00Z")


@pytest.mark.parametrize(("rule", "minutes"), [("size 1TB", 1), ("continuous 7d", 16), ("continuous 7d", -16)], ids=str)
def test_what_another_rule_or_another_hour_deleted_has_a_row_of_its_own(
    catalogue: Catalogue, rule: str, minutes: int
) -> None:
    first, second = store(catalogue, range(2))
    catalogue.mark_deleting([first], "continuous 7d", at(100))
    catalogue.mark_deleting([second], rule, at(100 + minutes))
    assert [row[:2] for row in deleted(catalogue)] == [(at(0), at(1)), (at(1), at(2))]


def test_cameras_share_no_row(catalogue: Catalogue) -> None:
    both = store(catalogue, range(2)) + store(catalogue, range(2, 4), "hik2")
    catalogue.mark_deleting(both, "continuous 7d", at(9))
    assert [row[:2] for row in deleted(catalogue, "hik1")] == [(at(0), at(2))]
    assert [row[:2] for row in deleted(catalogue, "hik2")] == [(at(2), at(4))]


def test_a_missing_file_is_a_gap_until_it_is_found_again(catalogue: Catalogue) -> None:
    gone = store(catalogue, range(3))[1]
    catalogue.set_state([gone.path], "missing")
    catalogue.set_state([gone.path], "missing")
    (found,) = catalogue.gaps(START)
    assert (found.reason, found.start, found.end) == (Reason.MISSING, at(1), at(2))
    catalogue.set_state([gone.path], "closed")
    assert list(catalogue.recorded("hik1", START)) == [(at(0), at(3))]
    assert list(catalogue.segments_in_state("missing")) == []


def test_a_file_that_is_stored_again_is_kept_again(catalogue: Catalogue) -> None:
    (one,) = store(catalogue, range(1))
    catalogue.mark_deleting([one], "continuous 7d", at(9))
    catalogue.add_segment(one)
    assert list(catalogue.segments(START)) == [one]


def test_thousands_of_files_are_dropped_at_once(catalogue: Catalogue) -> None:
    paths = [one.path for one in store(catalogue, range(1201))]
    catalogue.drop_segments([*paths[:-1], Path("segments/hik1/never.mp4")])
    assert [one.path for one in catalogue.segments(START)] == paths[-1:]


def test_usage_is_by_camera_and_from_the_oldest_to_the_newest(catalogue: Catalogue) -> None:
    catalogue.add_camera("empty", at(0))
    store(catalogue, range(2, 5), "hik2")
    store(catalogue, range(1))
    assert catalogue.usage() == [
        CameraUsage("hik1", 1, 15_000_000, at(0), at(1)),
        CameraUsage("hik2", 3, 45_000_000, at(2), at(5)),
    ]


def test_a_lock_is_the_users(catalogue: Catalogue) -> None:
    opened = event(end=None)
    id = catalogue.open_event(opened)
    assert catalogue.lock_event(id, True)
    catalogue.update_event(dataclasses.replace(opened, id=id, end=at(5)))  # by the analyzer, which knows of no lock
    found = catalogue.event(id)
    assert found is not None
    assert (found.locked, found.end) == (True, at(5))
    assert catalogue.lock_event(id, False)
    assert [one.locked for one in catalogue.events(START)] == [False]


@pytest.mark.parametrize("id", [2, 0, -1, 1 << 63])
def test_an_event_that_is_not_there_cannot_be_locked(catalogue: Catalogue, id: int) -> None:
    catalogue.open_event(event())
    assert not catalogue.lock_event(id, True)


def test_events_are_deleted_by_their_ids(catalogue: Catalogue) -> None:
    ids = [catalogue.open_event(event(minute)) for minute in range(3)]
    catalogue.delete_events([ids[0], ids[2], 99])
    assert [one.id for one in catalogue.events(START)] == [ids[1]]


def test_a_segment_without_a_row_before_continues_no_gap_of_another_reason(catalogue: Catalogue) -> None:
    catalogue.put_gap(gap("g1", 0, 1, Reason.STALLED))
    catalogue.mark_deleting(store(catalogue, range(1, 2)), "continuous 7d", at(9))
    assert [one.reason for one in catalogue.gaps(START)] == [Reason.STALLED, Reason.DELETED]
    assert isinstance(next(catalogue.gaps(START)), Gap)


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 1200)), max_size=30))
def test_pieces_hold_every_span_in_order_and_little_else(drawn: list[tuple[int, int]]) -> None:
    spans = [(start * 1_000_000, (start + length) * 1_000_000) for start, length in drawn]
    joined = pieces(spans)
    for start, end in spans:
        assert any(first <= start and end <= last for first, last in joined)
    longest = max((end - start for start, end in spans), default=0)
    assert all(end - start <= max(ROW_US, longest) for start, end in joined)
    assert joined == sorted(joined)


def test_pieces_join_what_a_frame_parts() -> None:
    assert pieces([(0, MINUTE_US), (MINUTE_US + SEAM_US, 2 * MINUTE_US)]) == [(0, 2 * MINUTE_US)]
    assert len(pieces([(0, MINUTE_US), (MINUTE_US + SEAM_US + 1, 2 * MINUTE_US)])) == 2

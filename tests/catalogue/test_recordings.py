from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nvr.catalogue.recordings import CameraSummary
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.errors import CatalogueError
from tests.catalogue.rows import START, at, run, segment


def test_a_run_comes_back_as_it_was_stored(catalogue: Catalogue) -> None:
    stored = run(end=5)
    catalogue.start_run(stored)
    assert list(catalogue.runs(START)) == [stored]


def test_a_run_is_completed_when_its_picture_is_known_and_when_it_ends(catalogue: Catalogue) -> None:
    unknown = dataclasses.replace(run(), codec=None, width=None, height=None)
    catalogue.start_run(unknown)
    assert list(catalogue.runs(START)) == [unknown]
    catalogue.start_run(run())
    catalogue.end_run("r1", at(3), "camera closed the connection")
    catalogue.start_run(unknown)
    (found,) = catalogue.runs(START)
    assert found == dataclasses.replace(run(), end=at(3), end_reason="camera closed the connection")


def test_the_end_of_an_unknown_run_is_logged(catalogue: Catalogue, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        catalogue.end_run("lost", at(1), "stopped")
    assert "run lost ended (stopped) but was never stored" in caplog.text
    assert list(catalogue.runs(START)) == []


def test_a_segment_comes_back_as_it_was_stored(catalogue: Catalogue) -> None:
    stored = dataclasses.replace(segment(), state="salvaged")
    catalogue.add_segment(stored)
    assert list(catalogue.segments(START)) == [stored]
    assert catalogue.has_segment(stored.path)
    assert not catalogue.has_segment(Path("segments/hik1/other.mp4"))


def test_microseconds_survive(catalogue: Catalogue) -> None:
    stored = dataclasses.replace(segment(), start=START.replace(microsecond=1), end=at(1).replace(microsecond=999_999))
    catalogue.add_segment(stored)
    assert list(catalogue.segments(START)) == [stored]


def test_a_segment_whose_run_was_lost_is_stored_with_a_run(catalogue: Catalogue) -> None:
    catalogue.add_segment(segment(2, 3, run="lost"))
    catalogue.add_segment(segment(1, 2, run="lost"))
    (found,) = catalogue.runs(START)
    assert (found.id, found.camera, found.start, found.end) == ("lost", "hik1", at(1), None)
    late = run("lost", start=0.9)
    catalogue.start_run(late)
    assert list(catalogue.runs(START)) == [late]


def test_no_camera_was_added_after_video_of_it(catalogue: Catalogue) -> None:
    """The clock was set back, or a power cut took the row that told when it was added."""
    catalogue.add_segment(segment(60, 61))
    catalogue.add_segment(segment(0, 1))
    catalogue.add_segment(segment(30, 31))
    assert catalogue.cameras() == {"hik1": segment(0, 1).start}


def test_the_same_path_again_replaces_the_row(catalogue: Catalogue) -> None:
    catalogue.add_segment(segment(0, 1))
    again = dataclasses.replace(segment(0, 2), run="r2", bytes=7, packets=1, state="salvaged")
    catalogue.add_segment(again)
    assert list(catalogue.segments(START)) == [again]


def test_segments_of_one_camera_leave_out_the_others(catalogue: Catalogue) -> None:
    mine, other = segment(camera="hik1"), segment(camera="hik2", run="r2")
    catalogue.add_segment(mine)
    catalogue.add_segment(other)
    assert list(catalogue.segments(START, camera="hik2")) == [other]
    assert list(catalogue.segment_paths("hik1")) == [mine.path]
    assert list(catalogue.segments(START, camera="nobody")) == []


def test_segment_at_finds_the_file_of_an_instant(catalogue: Catalogue) -> None:
    first, second = segment(0, 1), segment(1, 2)
    catalogue.add_segment(first)
    catalogue.add_segment(second)
    assert catalogue.segment_at("hik1", at(0)) == first
    assert catalogue.segment_at("hik1", at(0.99)) == first
    assert catalogue.segment_at("hik1", at(1)) == second
    assert catalogue.segment_at("hik1", at(2)) is None
    assert catalogue.segment_at("hik2", at(0)) is None


def test_where_two_segments_hold_an_instant_the_later_one_is_found(catalogue: Catalogue) -> None:
    catalogue.add_segment(segment(0, 90))
    catalogue.add_segment(segment(80, 81))
    assert catalogue.segment_at("hik1", at(80.5)) == segment(80, 81)


def test_dangling_runs_end_with_their_last_segment(catalogue: Catalogue) -> None:
    catalogue.start_run(run("recorded"))
    catalogue.add_segment(segment(0, 1, run="recorded"))
    catalogue.add_segment(segment(1, 2, run="recorded"))
    catalogue.start_run(run("empty", start=3))
    catalogue.start_run(run("ended", start=4, end=5))
    catalogue.start_run(run("mine", start=10))
    assert catalogue.close_dangling(at(10)) == 2
    found = {one.id: (one.end, one.end_reason) for one in catalogue.runs(START)}
    assert found == {
        "recorded": (at(2), "killed"),
        "empty": (at(3), "killed"),
        "ended": (at(5), "stopped"),
        "mine": (None, None),
    }
    assert catalogue.close_dangling() == 1
    assert catalogue.close_dangling() == 0


def test_the_summary_tells_how_much_and_until_when(catalogue: Catalogue) -> None:
    catalogue.start_run(run(camera="hik2"))
    catalogue.add_segment(segment(0, 1, camera="hik1", run="r2"))
    catalogue.add_segment(segment(1, 2, camera="hik1", run="r2"))
    catalogue.add_segment(segment(500, 501, camera="hik1", run="r2"))  # from before the clock was set right
    assert catalogue.summary(at(3)) == [CameraSummary("hik1", 3, at(2)), CameraSummary("hik2", 0, None)]


def test_a_segment_that_cannot_be_stored_leaves_no_run_behind(catalogue: Catalogue) -> None:
    broken = dataclasses.replace(segment(), bytes=None)  # type: ignore[arg-type]  # a bug somewhere else
    with pytest.raises(CatalogueError, match="NOT NULL"):
        catalogue.add_segment(broken)
    assert list(catalogue.runs(START)) == []
    assert catalogue.summary(START) == []


def test_recorded_joins_what_touches_and_keeps_apart_what_does_not(catalogue: Catalogue) -> None:
    for start, end in ((0, 1), (1, 2), (1.5, 1.6), (3, 4), (3.9, 5)):
        catalogue.add_segment(segment(start, end))
    catalogue.add_segment(segment(2, 3, camera="hik2"))
    assert list(catalogue.recorded("hik1", START)) == [(at(0), at(2)), (at(3), at(5))]
    assert list(catalogue.recorded("hik1", at(1.7), at(3))) == [(at(1), at(2))]
    assert list(catalogue.recorded("hik2", START)) == [(at(2), at(3))]
    assert list(catalogue.recorded("nobody", START)) == []


def test_edges_tell_the_newest_and_what_lies_on_both_sides(catalogue: Catalogue) -> None:
    for start in (0, 1, 5, 6):
        catalogue.add_segment(segment(start, start + 1))
    assert catalogue.edges("hik1", at(3), at(4)) == (at(7), at(2), at(5))
    assert catalogue.edges("hik1", at(0), at(5)) == (at(7), None, at(5))
    assert catalogue.edges("hik1", at(9), at(9)) == (at(7), at(7), None)
    assert catalogue.edges("nobody", at(9), at(9)) == (None, None, None)


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 90)), max_size=12, unique_by=lambda span: span[0]),
    st.integers(0, 400),
    st.integers(1, 400),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_spans_are_what_the_segments_cover(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int]], since: int, length: int
) -> None:
    """In minutes: some are longer than an hour, and are found by another index."""
    path = tmp_path_factory.mktemp("catalogue") / "nvr.db"
    upgrade(path)
    with Catalogue.open(path) as catalogue:
        for start, minutes in spans:
            catalogue.add_segment(segment(start, start + minutes))
        found = list(catalogue.recorded("hik1", at(since), at(since + length)))
    there = sorted((start, start + minutes) for start, minutes in spans)
    there = [(start, end) for start, end in there if start < since + length and end > since]
    expected: list[tuple[int, int]] = []
    for start, end in there:
        if expected and start <= expected[-1][1]:
            expected[-1] = expected[-1][0], max(expected[-1][1], end)
        else:
            expected.append((start, end))
    assert found == [(at(start), at(end)) for start, end in expected]

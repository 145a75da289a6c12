from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.catalogue import trail
from nvr.model import Box, Waypoint
from tests.catalogue.rows import START

EDGES = st.floats(0, 1)
POINTS = st.builds(
    Waypoint,
    st.integers(-10_000_000, 10**11).map(lambda us: START + timedelta(microseconds=us)),
    st.builds(Box, EDGES, EDGES, EDGES, EDGES),
)


def test_a_path_is_compact_text() -> None:
    path = [
        Waypoint(START, Box(0.1, 0.2, 0.3, 0.8)),
        Waypoint(START + timedelta(seconds=0.2), Box(1 / 3, 0, 1, 2 / 3)),
    ]
    assert trail.to_text(path, START) == "[[0,0.1,0.2,0.3,0.8],[200,0.3333,0,1,0.6667]]"


@given(st.lists(POINTS, max_size=20))
def test_a_path_comes_back_in_the_order_of_time_to_the_millisecond_and_four_digits(path: list[Waypoint]) -> None:
    back = trail.from_text(trail.to_text(path, START), START)
    wanted = sorted(path, key=lambda point: point.at)
    assert len(back) == len(wanted)
    for one, other in zip(back, wanted, strict=True):
        assert abs(one.at - other.at) <= timedelta(milliseconds=0.5)
        for edge in ("left", "top", "right", "bottom"):
            assert getattr(one.box, edge) == pytest.approx(getattr(other.box, edge), abs=0.000051)


def test_a_long_path_keeps_its_ends_and_is_thinned_evenly_between() -> None:
    path = [Waypoint(START + timedelta(seconds=second), Box(0, 0, 1, 1)) for second in range(36_000)]
    back = trail.from_text(trail.to_text(path, START), START)
    assert len(back) == trail.MOST
    assert (back[0].at, back[-1].at) == (path[0].at, path[-1].at)
    steps = {after.at - before.at for before, after in pairwise(back)}
    assert steps == {timedelta(seconds=36), timedelta(seconds=37)}


def test_no_number_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        trail.to_text([Waypoint(START, Box(float("nan"), 0, 1, 1))], START)

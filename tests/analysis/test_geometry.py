from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.analysis.geometry import area, distance, is_cut, overlap
from nvr.model import Box

fraction = st.floats(0, 1)
boxes = st.builds(Box, fraction, fraction, fraction, fraction)


def test_area_is_the_share_of_the_picture() -> None:
    assert area(Box(0.25, 0.5, 0.75, 1)) == 0.25


def test_a_box_turned_inside_out_has_no_area() -> None:
    assert area(Box(0.6, 0.6, 0.4, 0.4)) == 0


@pytest.mark.parametrize(
    ("other", "want"),
    [
        (Box(0, 0, 0.4, 0.4), 1.0),
        (Box(0.2, 0, 0.6, 0.4), 1 / 3),
        (Box(0.4, 0, 0.8, 0.4), 0.0),
        (Box(0.6, 0.6, 0.9, 0.9), 0.0),
    ],
)
def test_overlap_is_intersection_over_union(other: Box, want: float) -> None:
    assert overlap(Box(0, 0, 0.4, 0.4), other) == pytest.approx(want)


@given(boxes, boxes)
def test_overlap_is_symmetric_and_a_share(box: Box, other: Box) -> None:
    assert overlap(box, other) == pytest.approx(overlap(other, box))
    assert 0 <= overlap(box, other) <= 1 + 1e-9


def test_distance_counts_in_own_widths_and_heights() -> None:
    box = Box(0.1, 0.1, 0.2, 0.3)
    assert distance(box, box) == pytest.approx(0)
    assert distance(box, Box(0.3, 0.1, 0.4, 0.3)) == pytest.approx(2)
    assert distance(box, Box(0.1, 0.4, 0.2, 0.6)) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        (Box(0.1, 0.1, 0.9, 0.9), False),
        (Box(0.0, 0.1, 0.9, 0.9), True),
        (Box(0.1, 0.002, 0.9, 0.9), True),
        (Box(0.1, 0.1, 0.998, 0.9), True),
        (Box(0.1, 0.1, 0.9, 1.0), True),
    ],
)
def test_a_box_at_the_border_is_cut(box: Box, cut: bool) -> None:
    assert is_cut(box) is cut

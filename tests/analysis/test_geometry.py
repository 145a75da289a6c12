from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.analysis.geometry import WHOLE, area, distance, is_cut, overlap, share_inside, shared, touches
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


@pytest.mark.parametrize(
    ("other", "want"),
    [
        (Box(0.1, 0.1, 0.3, 0.3), 0.04),
        (Box(0.2, 0.2, 0.9, 0.9), 0.04),
        (Box(0.4, 0.0, 0.8, 0.4), 0.0),
        (Box(0.6, 0.6, 0.9, 0.9), 0.0),
    ],
)
def test_what_two_boxes_share_is_a_part_of_the_picture(other: Box, want: float) -> None:
    assert shared(Box(0, 0, 0.4, 0.4), other) == pytest.approx(want)


@pytest.mark.parametrize(
    ("box", "other", "want"),
    [
        (Box(0.1, 0.1, 0.2, 0.2), WHOLE, 1.0),
        (WHOLE, Box(0.1, 0.1, 0.2, 0.2), 0.01),
        (Box(0.1, 0.1, 0.3, 0.2), Box(0.2, 0.0, 0.9, 0.9), 0.5),
        (Box(0.1, 0.1, 0.2, 0.2), Box(0.2, 0.1, 0.3, 0.2), 0.0),
        (Box(0.1, 0.1, 0.1, 0.2), WHOLE, 0.0),
    ],
)
def test_how_much_of_a_box_is_inside_another_is_a_share_of_the_box(box: Box, other: Box, want: float) -> None:
    assert share_inside(box, other) == pytest.approx(want)


@given(boxes, boxes)
def test_shares_are_shares_and_no_larger_than_the_smaller(box: Box, other: Box) -> None:
    assert 0 <= share_inside(box, other) <= 1 + 1e-9
    assert 0 <= shared(box, other) <= min(area(box), area(other)) + 1e-12
    assert overlap(box, other) <= max(share_inside(box, other), share_inside(other, box)) + 1e-9


@pytest.mark.parametrize(
    ("box", "want"),
    [
        (Box(0.3, 0.3, 0.5, 0.5), False),
        (Box(0.2, 0.3, 0.5, 0.5), True),
        (Box(0.3, 0.2, 0.5, 0.5), True),
        (Box(0.3, 0.3, 0.8, 0.5), True),
        (Box(0.3, 0.3, 0.5, 0.8), True),
        (Box(0.3, 0.3, 0.797, 0.5), True),
        (Box(0.1, 0.3, 0.5, 0.5), True),
    ],
)
def test_a_box_touches_a_frame_that_it_reaches_or_goes_beyond(box: Box, want: bool) -> None:
    assert touches(box, Box(0.2, 0.2, 0.8, 0.8)) is want


def test_the_distance_of_boxes_without_a_size_is_a_number() -> None:
    assert distance(Box(0.5, 0.5, 0.5, 0.5), Box(0.5, 0.5, 0.5, 0.5)) == 0
    assert distance(Box(0.5, 0.5, 0.5, 0.5), Box(0.6, 0.5, 0.6, 0.5)) > 1

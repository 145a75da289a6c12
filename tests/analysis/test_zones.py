"""Zones, lines, masks and filters: what is where."""

from __future__ import annotations

import math
import pickle
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvr.analysis.zones import (
    Filter,
    Line,
    Point,
    Polygon,
    Rules,
    Zone,
    admits,
    awake,
    contains,
    crossing,
    distance,
    foot,
    has_area,
    least_score,
    mask_raster,
    masked,
    self_crossing,
    without_scores,
)
from nvr.model import Box, Detection
from nvr.schedule import parse

SQUARE: Polygon = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
STEP: Polygon = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.5), (0.5, 0.5), (0.5, 0.9), (0.1, 0.9))
DOWN = Line("gate", ((0.2, 0.4), (0.8, 0.4)))

fractions = st.integers(0, 1000).map(lambda step: step / 1000)
points = st.tuples(fractions, fractions)


@st.composite
def stars(draw: st.DrawFn) -> Polygon:
    """Simple polygons: corners around a centre, at growing angles, as near or far as they like."""
    turns = draw(st.lists(st.integers(0, 359), min_size=3, max_size=12, unique=True).map(sorted))
    if max(after - before for before, after in zip(turns, [*turns[1:], turns[0] + 360], strict=True)) >= 180:
        turns = [0, 100, 200, 300]
    reaches = [draw(st.floats(0.05, 0.5)) for _ in turns]
    return tuple(
        (0.5 + reach * math.cos(math.radians(turn)), 0.5 + reach * math.sin(math.radians(turn)))
        for turn, reach in zip(turns, reaches, strict=True)
    )


def winding(polygon: Polygon, point: Point) -> int:
    """How often the outline goes round a point that is not on it, by adding up angles."""
    total = 0.0
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        before, after = math.atan2(y1 - point[1], x1 - point[0]), math.atan2(y2 - point[1], x2 - point[0])
        total += (after - before + math.pi) % math.tau - math.pi
    return abs(round(total / math.tau))


def nearest(polygon: Polygon, point: Point) -> float:
    return min(distance(edge, point) for edge in zip(polygon, (*polygon[1:], polygon[0]), strict=True))


def test_an_object_is_where_it_stands() -> None:
    assert foot(Box(0.2, 0.1, 0.4, 0.9)) == pytest.approx((0.3, 0.9))


@pytest.mark.parametrize(
    ("polygon", "point", "expected"),
    [
        (SQUARE, (0.5, 0.5), True),
        (SQUARE, (0.2, 0.5), True),
        (SQUARE, (0.8, 0.5), True),
        (SQUARE, (0.5, 0.2), True),
        (SQUARE, (0.5, 0.8), True),
        (SQUARE, (0.2, 0.2), True),
        (SQUARE, (0.8, 0.8), True),
        (SQUARE, (0.1, 0.2), False),  # in one line with a horizontal edge
        (SQUARE, (0.9, 0.8), False),
        (SQUARE, (0.2, 0.9), False),
        (STEP, (0.7, 0.7), False),
        (STEP, (0.7, 0.5), True),
        (STEP, (0.3, 0.5), True),  # level with the edge of the step
        (STEP, (0.05, 0.5), False),
        (STEP, (0.95, 0.5), False),
        (((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)), (0.5, 0.0), True),
        (((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)), (0.9, 0.5), False),
        (((0.1, 0.1), (0.7, 0.3), (0.1, 0.9)), (0.4, 0.2), True),  # on a slanted edge, as far as floats go
    ],
)
def test_the_border_of_a_polygon_counts_as_inside(polygon: Polygon, point: Point, expected: bool) -> None:
    assert contains(polygon, point) is expected
    assert contains(tuple(reversed(polygon)), point) is expected


@settings(deadline=None)
@given(stars(), points)
def test_inside_is_what_the_outline_goes_round(polygon: Polygon, point: Point) -> None:
    if nearest(polygon, point) > 1e-6:
        assert contains(polygon, point) is (winding(polygon, point) == 1)


@settings(max_examples=30, deadline=None)
@given(stars(), st.integers(8, 40), st.integers(8, 40))
def test_a_mask_covers_the_pixels_whose_centre_it_contains(polygon: Polygon, width: int, height: int) -> None:
    raster = mask_raster(Rules(masks=(polygon,)), width, height)
    assert raster is not None
    assert raster.shape == (height, width)
    assert raster.dtype == np.uint8
    for row in range(height):
        for column in range(width):
            centre = ((column + 0.5) / width, (row + 0.5) / height)
            if nearest(polygon, centre) > 1e-6:
                assert raster[row, column] == (0 if contains(polygon, centre) else 255)


def test_masks_that_overlap_stay_masks() -> None:
    raster = mask_raster(Rules(masks=(SQUARE, SQUARE)), 10, 10)
    assert raster is not None
    assert raster[5, 5] == 0
    assert raster[0, 0] == 255


def test_without_a_mask_there_is_no_raster() -> None:
    assert mask_raster(Rules(zones=(Zone("yard", SQUARE),)), 10, 10) is None


@pytest.mark.parametrize(
    ("line", "before", "after", "expected"),
    [
        (DOWN, (0.5, 0.3), (0.5, 0.5), "in"),  # towards the camera: from the left of who walks right to his right
        (DOWN, (0.5, 0.5), (0.5, 0.3), "out"),
        (DOWN, (0.1, 0.3), (0.1, 0.5), None),  # past its end
        (DOWN, (0.3, 0.3), (0.6, 0.39), None),
        (DOWN, (0.3, 0.4), (0.6, 0.4), None),  # along it
        (DOWN, (0.5, 0.3), (0.5, 0.3), None),
        (Line("up", ((0.5, 0.9), (0.5, 0.1))), (0.4, 0.5), (0.6, 0.5), "in"),
        (Line("v", ((0.2, 0.2), (0.5, 0.6), (0.8, 0.2))), (0.1, 0.4), (0.9, 0.4), None),  # over both its arms
        (Line("v", ((0.2, 0.2), (0.5, 0.6), (0.8, 0.2))), (0.5, 0.3), (0.5, 0.9), "in"),  # through its corner
        (Line("z", ((0.2, 0.4), (0.6, 0.4), (0.4, 0.6), (0.8, 0.6))), (0.5, 0.1), (0.5, 0.9), "in"),
    ],
)
def test_a_line_is_crossed_from_left_to_right_or_back(
    line: Line, before: Point, after: Point, expected: str | None
) -> None:
    assert crossing(line, before, after) == expected


eighths = st.tuples(st.integers(0, 8).map(lambda step: step / 8), st.integers(0, 8).map(lambda step: step / 8))
"""So few points that ways lead along lines and through their ends."""


@settings(deadline=None)
@given(st.lists(eighths | points, min_size=2, max_size=6, unique=True), eighths | points, eighths | points)
def test_the_way_back_is_the_other_way_and_so_is_a_line_drawn_backwards(
    course: list[Point], before: Point, after: Point
) -> None:
    other = {"in": "out", "out": "in", None: None}
    line, backwards = Line("a", tuple(course)), Line("b", tuple(reversed(course)))
    assert crossing(line, after, before) == other[crossing(line, before, after)]
    assert crossing(backwards, before, after) == other[crossing(line, before, after)]


@settings(deadline=None)
@given(st.floats(0.3, 0.7), st.floats(0.3, 0.7))
def test_who_stops_on_a_line_and_goes_on_has_crossed_it_once(x: float, to: float) -> None:
    way = [crossing(DOWN, (x, 0.3), (x, 0.4)), crossing(DOWN, (x, 0.4), (to, 0.5))]
    assert sorted(way, key=str) == ["in", None] or way == [None, "in"]


@pytest.mark.parametrize(
    ("polygon", "expected"),
    [
        (SQUARE, None),
        (STEP, None),
        (((0.1, 0.5), (0.9, 0.5), (0.1, 1.0), (0.9, 1.0)), (2, 4)),
        (((0.0, 0.0), (1.0, 0.0), (0.5, 0.0), (0.5, 1.0)), (1, 2)),  # back on itself
        (((0.2, 0.0), (0.6, 0.0), (0.6, 1.0), (0.9, 0.0)), (1, 4)),  # in its last corner
        (((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.3, 0.1), (0.1, 0.9)), (1, 3)),  # touches with a corner
        (((0.0, 0.0), (0.3, 0.0), (0.6, 0.0), (0.6, 1.0)), None),  # straight on is no fold
        (((0.0, 0.0), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0)), (1, 2)),  # an edge without a length
    ],
)
def test_where_an_outline_crosses_itself(polygon: Polygon, expected: tuple[int, int] | None) -> None:
    assert self_crossing(polygon) == expected


@settings(deadline=None)
@given(stars())
def test_a_star_does_not_cross_itself(polygon: Polygon) -> None:
    rounded = tuple((round(x, 6), round(y, 6)) for x, y in polygon)
    assert self_crossing(rounded) is None
    assert has_area(rounded)


@pytest.mark.parametrize(
    "polygon", [((0.1, 0.1), (0.2, 0.2), (0.7, 0.7)), ((0.3, 0.3),) * 3, ((0.1, 0.5), (0.9, 0.5), (0.2, 0.5))]
)
def test_what_lies_on_one_line_has_no_area(polygon: Polygon) -> None:
    assert not has_area(polygon)


def test_what_stands_in_a_mask_does_not_count() -> None:
    rules = Rules(masks=(SQUARE,))
    head, feet = Box(0.4, 0.5, 0.6, 0.95), Box(0.4, 0.0, 0.6, 0.5)
    assert not masked(rules, head)
    assert masked(rules, feet)
    assert admits(rules, Detection(head, "person", 0.1))
    assert not admits(rules, Detection(feet, "person", 0.9))


@pytest.mark.parametrize(("side", "expected"), [(0.09, False), (0.101, True), (0.3, True), (0.51, False)])
def test_a_filter_bounds_the_size_of_its_label_alone(side: float, expected: bool) -> None:
    rules = Rules(filters=(Filter("person", min_size=0.01, max_size=0.25),))
    box = Box(0.2, 0.2, 0.2 + side, 0.2 + side)
    assert admits(rules, Detection(box, "person", 0.5)) is expected
    assert admits(rules, Detection(box, "car", 0.5))


def test_the_least_score_is_that_of_the_labels_filter_or_that_for_all() -> None:
    rules = Rules(filters=(Filter("person", min_score=0.6), Filter("car", min_size=0.1), Filter("dog", min_score=0.0)))
    assert [least_score(rules, label, 0.45) for label in ("person", "car", "cat", "dog")] == [0.6, 0.45, 0.45, 0.0]


def test_there_are_events_within_the_hours_alone() -> None:
    rules = Rules(schedule=parse({"mon-sun": "22:00-06:00"}, UTC))
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert not awake(rules, noon)
    assert awake(rules, noon + timedelta(hours=10))
    assert awake(Rules(), noon)


def test_rules_go_to_another_process() -> None:
    zone = Zone("yard", SQUARE, ("person",), timedelta(seconds=3), parse({"mon": "07:00-19:00"}))
    rules = Rules((zone,), (DOWN,), (STEP,), (Filter("person"),), ("yard", "gate"), zone.schedule)
    assert pickle.loads(pickle.dumps(rules)) == rules
    assert hash(rules) == hash(pickle.loads(pickle.dumps(rules)))


def test_one_score_for_all_leaves_sizes_as_they_are() -> None:
    rules = Rules(filters=(Filter("person", 0.9, 0.1, 0.5),))
    assert without_scores(rules) == Rules(filters=(Filter("person", None, 0.1, 0.5),))

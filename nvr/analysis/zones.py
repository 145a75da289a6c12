"""Zones, lines, masks and filters of one camera: plain values, and their geometry. Pure.

Points are fractions of the picture, (0, 0) left top, as boxes are. An object is where it stands: at its foot, the
middle of its box's lower edge. Zones are places on the ground, and a head that reaches over a fence is not behind it.
Where an object is over time is ``presence``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from nvr.clock import to_us
from nvr.model import Box, Detection
from nvr.schedule import Schedule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Point = tuple[float, float]
"""Across and down, fractions of the picture."""
Polygon = tuple[Point, ...]
"""Corners in order; the last is joined to the first."""
Edge = tuple[Point, Point]
Direction = Literal["in", "out"]
_ON_BORDER = 1e-9
"""Fraction of the picture: what rounding makes of a point on a slanted edge."""
_GRID = 1_000_000
"""Steps of the picture's width and height on which edges are compared exactly: decimals as people write them."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A place on the ground. Who has stayed for ``dwell`` has entered it; no ``labels`` are all of the camera's."""

    name: str
    points: Polygon
    labels: tuple[str, ...] = ()
    dwell: timedelta = timedelta()
    schedule: Schedule | None = None
    """Hours in which the zone is there at all; None is always."""

    def wants(self, label: str) -> bool:
        """Whether an object of this label can enter it."""
        return not self.labels or label in self.labels

    def awake(self, at: datetime) -> bool:
        """Whether an instant (UTC) is within its hours."""
        return _covers(self.schedule, at)


@dataclass(frozen=True, slots=True)
class Line:
    """A line on the ground, of one piece or several. ``in`` is from its left to its right, walking along its points."""

    name: str
    points: tuple[Point, ...]
    direction: Literal["both", "in", "out"] = "both"
    labels: tuple[str, ...] = ()

    def wants(self, label: str, direction: Direction) -> bool:
        """Whether it is of interest that an object of this label crosses it so."""
        return (not self.labels or label in self.labels) and self.direction in ("both", direction)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a detection of one label must be. Sizes are shares of the picture that a box covers, 0..1."""

    label: str
    min_score: float | None = None
    min_size: float = 0.0
    max_size: float = 1.0


@dataclass(frozen=True, slots=True)
class Rules:
    """All that a camera's configuration says of where, how large, how sure and when. The default says nothing."""

    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    masks: tuple[Polygon, ...] = ()
    filters: tuple[Filter, ...] = ()
    required: tuple[str, ...] = ()
    """Names of zones and lines: an object is an event only once it was in one of them. Empty: anywhere."""
    schedule: Schedule | None = None
    """Hours in which there are events at all; None is always."""


def foot(box: Box) -> Point:
    """Where what is in the box stands."""
    return (box.left + box.right) / 2, box.bottom


def edges(polygon: Polygon) -> Iterator[Edge]:
    """The edges in order; the last goes back to the first corner."""
    return zip(polygon, (*polygon[1:], polygon[0]), strict=True)


def contains(polygon: Polygon, point: Point) -> bool:
    """Whether the point is in the polygon or on its border. Even-odd rule (Shimrat, CACM 5(8), 1962)."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in edges(polygon):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside or min(distance(edge, point) for edge in edges(polygon)) <= _ON_BORDER


def distance(edge: Edge, point: Point, width: float = 1.0, height: float = 1.0) -> float:
    """From a point to the nearest of an edge, in units of ``width`` across and ``height`` down."""
    (x1, y1), (x2, y2) = edge
    dx, dy = (x2 - x1) / width, (y2 - y1) / height
    px, py = (point[0] - x1) / width, (point[1] - y1) / height
    length = dx * dx + dy * dy
    along = min(max((px * dx + py * dy) / length, 0.0), 1.0) if length else 0.0
    return math.hypot(px - along * dx, py - along * dy)


def crossing(line: Line, before: Point, after: Point) -> Direction | None:
    """Which way a straight movement leads over a line, whatever direction is wanted of it.

    None where it does not, or as often one way as the other. A point on the line is always taken to be on the same
    side of it, so that who steps onto it and then goes on has crossed it once; and the way back is the other way.
    """
    first, last = sorted((before, after))
    backwards = first != before
    total = 0
    for start, end in pairwise(line.points):
        left, right = sorted((start, end))
        from_right, to_right = _right_of(left, right, first), _right_of(left, right, last)
        if from_right != to_right and _right_of(first, last, start) != _right_of(first, last, end):
            inwards = to_right ^ (left != start) ^ backwards
            total += 1 if inwards else -1
    return "in" if total > 0 else "out" if total < 0 else None


def _right_of(start: Point, end: Point, point: Point) -> bool:
    """Whether a point is to the right of who walks from ``start`` to ``end``; down the picture is to the right of
    across it."""
    (x1, y1), (x2, y2) = start, end
    return (x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1) > 0


def self_crossing(polygon: Polygon) -> tuple[int, int] | None:
    """The first two edges, counted from 1, that cross or touch where they should not; None for a simple polygon."""
    grid = [(round(x * _GRID), round(y * _GRID)) for x, y in polygon]
    count = len(grid)
    for first in range(count):
        for second in range(first + 1, count):
            a, b = grid[first], grid[(first + 1) % count]
            c, d = grid[second], grid[(second + 1) % count]
            if second == first + 1:
                wrong = _folds(a, b, d)
            elif first == 0 and second == count - 1:
                wrong = _folds(c, a, b)
            else:
                wrong = _touch(a, b, c, d)
            if wrong:
                return first + 1, second + 1
    return None


def has_area(polygon: Polygon) -> bool:
    """Whether not all corners are on one line."""
    grid = [(round(x * _GRID), round(y * _GRID)) for x, y in polygon]
    apart = next((corner for corner in grid if corner != grid[0]), grid[0])
    return any(_turn(grid[0], apart, corner) for corner in grid)


_Cell = tuple[int, int]


def _turn(a: _Cell, b: _Cell, c: _Cell) -> int:
    """1 to the right, -1 to the left, 0 straight on or back."""
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (cross > 0) - (cross < 0)


def _folds(a: _Cell, b: _Cell, c: _Cell) -> bool:
    """Whether the way from a over b to c goes back on itself, or stands."""
    return _turn(a, b, c) == 0 and (a[0] - b[0]) * (c[0] - b[0]) + (a[1] - b[1]) * (c[1] - b[1]) >= 0


def _touch(a: _Cell, b: _Cell, c: _Cell, d: _Cell) -> bool:
    """Whether two edges have a point in common."""
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] != turns[1] and turns[2] != turns[3]:
        return True
    ends = zip(turns, ((a, b, c), (a, b, d), (c, d, a), (c, d, b)), strict=True)
    return any(turn == 0 and _between(*three) for turn, three in ends)


def _between(a: _Cell, b: _Cell, c: _Cell) -> bool:
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def masked(rules: Rules, box: Box) -> bool:
    """Whether what is in the box stands in a mask."""
    return any(contains(mask, foot(box)) for mask in rules.masks)


def admits(rules: Rules, detection: Detection) -> bool:
    """Whether a detection counts by its size and its place; of its score see ``least_score``."""
    box = detection.box
    size = max(box.right - box.left, 0.0) * max(box.bottom - box.top, 0.0)
    fits = all(each.min_size <= size <= each.max_size for each in rules.filters if each.label == detection.label)
    return fits and not masked(rules, box)


def least_score(rules: Rules, label: str, default: float) -> float:
    """How sure a detection of a label must be, 0..1: what its filter says, else ``default``."""
    scores = (each.min_score for each in rules.filters if each.label == label)
    return next((score for score in scores if score is not None), default)


def without_scores(rules: Rules) -> Rules:
    """The rules without scores of their own, for whoever asks for one score of all labels."""
    return replace(rules, filters=tuple(replace(each, min_score=None) for each in rules.filters))


def awake(rules: Rules, at: datetime) -> bool:
    """Whether an instant (UTC) is within the hours in which there are events."""
    return _covers(rules.schedule, at)


def mask_raster(rules: Rules, width: int, height: int) -> NDArray[np.uint8] | None:
    """Where motion counts in a picture of this many pixels: uint8 (height, width), 255 there, 0 in masks.

    None where there is no mask. A pixel is where its centre is. Some milliseconds a mask: make it once for each size.
    """
    if not rules.masks:
        return None
    import numpy as np  # not for a listing, which reads the configuration and so this module

    x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    covered = np.zeros((height, width), np.bool_)
    for mask in rules.masks:
        inside = np.zeros_like(covered)
        for (x1, y1), (x2, y2) in edges(mask):
            beside = (y1 > y) != (y2 > y)
            inside[beside] ^= x < (x1 + (y[beside] - y1) * (x2 - x1) / (y2 - y1 or 1.0))[:, None]
        covered |= inside
    return np.where(covered, np.uint8(0), np.uint8(255))


def _covers(schedule: Schedule | None, at: datetime) -> bool:
    return schedule is None or schedule.covers(to_us(at))

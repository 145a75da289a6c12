"""Target: one object as the tracker follows it: where it is, how it moves, what it looks like.

An alpha-beta filter with time constants in place of gains, so that it does not matter how often it is looked at. A box
that suddenly is narrower or lower than it was has lost a side behind something: the side that is where it was expected
is believed, and the size is kept. Pure but for its state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from nvr.model import Box, Detection

if TYPE_CHECKING:
    from numpy.typing import NDArray


_FOLLOW = timedelta(seconds=0.15)
_RESIZE = timedelta(seconds=0.4)
_ACCELERATE = timedelta(seconds=0.4)
"""Time constants of position, size and velocity."""
_HIDDEN = 0.8
"""Share of its expected width or height below which a side of a box is hidden."""
_FORGET = timedelta(seconds=2)
"""Time constant of the size while a side is hidden: who sits down behind a wall is smaller in the end."""
_RECOLOUR = 0.2
"""Share by which a look changes what is known of the appearance."""
_LEAVE = 0.2
"""Share of its own width or height by which both opposite edges must leave a place to have left it: a box trembles by
less, and who walks by in front hides one edge, not both."""
_AWAY = 2
"""Looks in a row that must find it away: one box may be anything."""
_ENOUGH, _SELDOM = 3, 0.4
"""Looks that make a thing one that stands, and the share of them, at most, in which something moved there: somebody
passed in front of it. Where it was itself that moved, none of them."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A detection and what else is known of its place in the picture."""

    detection: Detection
    moving: bool = True
    """Something moves there, or that is not known."""
    appearance: NDArray[np.float32] | None = field(default=None, compare=False)


class Target:
    """What is known of one track. Corners are (left, top, right, bottom) in fractions, velocity is per second."""

    def __init__(self, id: int, at: datetime, first: Sighting, still_after: timedelta) -> None:
        self.id = id
        self.first_seen = self.last_seen = self.placed = at
        self.missed = timedelta(0)
        """For how long it was looked for and not seen."""
        self.detection = first.detection
        self.appearance = first.appearance
        self.moved = False
        self.corners = self.expected = self._place = corners(first.detection.box)
        self._still_after = still_after
        self._velocity: NDArray[np.float64] = np.zeros(2)
        self._seen, self._moving, self._away = 1, int(first.moving), 0
        self._votes = {first.detection.label: first.detection.score}

    @property
    def label(self) -> str:
        return max(self._votes, key=self._votes.__getitem__)

    @property
    def box(self) -> Box:
        """Where it is, as far as that is in the picture."""
        left, top, right, bottom = (float(edge) for edge in np.clip(self.corners, 0.0, 1.0))
        return Box(left, top, right, bottom)

    def expect(self, at: datetime, limit: timedelta) -> None:
        """Where it would be at ``at``: it keeps its velocity for ``limit`` at most."""
        passed = max(timedelta(0), min(at - self.last_seen, limit))
        self.expected = self.corners + np.tile(self._velocity, 2) * passed.total_seconds()

    def miss(self, looked: timedelta) -> None:
        """It was not seen in a look that stands for so much time."""
        self.missed += max(looked, timedelta(microseconds=1))

    def see(self, at: datetime, detection: Detection, *, moving: bool, appearance: NDArray[np.float32] | None) -> None:
        """Take in the detection that was matched; ``expect(at)`` came before."""
        passed = max(timedelta(0), at - self.last_seen)
        seen = corners(detection.box)
        across = self._follow(seen, 0, passed)
        down = self._follow(seen, 1, passed)
        self.corners = np.array([across[0], down[0], across[1], down[1]])
        if passed:
            shift = np.array([across[2], down[2]]) / passed.total_seconds()
            self._velocity = self._velocity + shift * _gain(passed, _ACCELERATE)
        if appearance is not None:
            old = self.appearance
            self.appearance = appearance if old is None else old + (appearance - old) * np.float32(_RECOLOUR)
        self.last_seen, self.missed, self.detection = at, timedelta(0), detection
        self.first_seen, self.placed = min(self.first_seen, at), min(self.placed, at)  # the clock was set back
        self._seen, self._moving = self._seen + 1, self._moving + moving
        self._votes[detection.label] = self._votes.get(detection.label, 0.0) + detection.score
        self._away = self._away + 1 if self._has_left() else 0
        if self._away >= _AWAY:
            self.moved, self.placed, self._place, self._away = True, at, self.corners, 0

    def is_still(self, at: datetime) -> bool:
        """Whether it stands: has not left its place for long, or hardly anything ever moved there."""
        most = 0 if self.moved else self._seen * _SELDOM
        return at - self.placed >= self._still_after or (self._seen >= _ENOUGH and self._moving <= most)

    def _follow(self, seen: NDArray[np.float64], axis: int, passed: timedelta) -> tuple[float, float, float]:
        """Both edges along an axis, and by how much it is further than expected."""
        low, high = self.expected[axis], self.expected[axis + 2]
        off_low, off_high = seen[axis] - low, seen[axis + 2] - high
        length, seen_length = high - low, seen[axis + 2] - seen[axis]
        hidden = seen_length < _HIDDEN * length
        follow = _gain(passed, _FOLLOW)
        length += (seen_length - length) * _gain(passed, _FORGET if hidden else _RESIZE)
        if not hidden:
            off = (off_low + off_high) / 2
            middle = (low + high) / 2 + off * follow
            return middle - length / 2, middle + length / 2, off
        if abs(off_low) < abs(off_high):
            low += off_low * follow
            return low, low + length, off_low
        high += off_high * follow
        return high - length, high, off_high

    def _has_left(self) -> bool:
        left, top, right, bottom = np.abs(self.corners - self._place)
        width, height = self._place[2:] - self._place[:2]
        return bool(min(left, right) > _LEAVE * width or min(top, bottom) > _LEAVE * height)


def corners(box: Box) -> NDArray[np.float64]:
    """(left, top, right, bottom)."""
    return np.array([box.left, box.top, box.right, box.bottom])


def overlaps(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of boxes, corners in the last axis."""
    low = np.maximum(some[..., :2], others[..., :2])
    high = np.minimum(some[..., 2:], others[..., 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = np.prod(some[..., 2:] - some[..., :2], axis=-1) + np.prod(others[..., 2:] - others[..., :2], axis=-1)
    return np.asarray(shared / np.maximum(areas - shared, 1e-12))


def enlarged(places: NDArray[np.float64], margin: float) -> NDArray[np.float64]:
    """Boxes with this share of their width and height added on each side."""
    sides = (places[..., 2:] - places[..., :2]) * margin
    return np.concatenate([places[..., :2] - sides, places[..., 2:] + sides], axis=-1)


def _gain(passed: timedelta, constant: timedelta) -> float:
    """Share of an error that is corrected after ``passed``."""
    return 1 - math.exp(-passed / constant)

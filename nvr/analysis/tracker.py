"""Tracker: which detection of this look is which object of the looks before?

Two-stage association (Zhang et al., "ByteTrack", arXiv:2110.06864): sure detections are matched first, then doubtful
ones to the tracks that are left, because somebody half hidden scores low where he was expected; only sure ones begin
tracks. Likeness is the overlap (IoU) with where constant velocity would have brought the track, of boxes enlarged on
all sides (Yang et al., arXiv:2211.14317): between two looks a walker far away leaves his own box.
Pure but for its state; thinks in seconds: looks are missing by design, and a detector that slept saw nothing rather
than nobody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from nvr.model import Box, Detection

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_TRACKS = 200
_DOUBTFUL = 0.6
"""Share of the score that begins a track from which a detection may continue one."""
_MARGIN, _MAX_MARGIN = 0.4, 3.0
"""Share of its own width and height by which a box is enlarged on each side to be compared, at least and at most."""
_MARGIN_TIME = timedelta(seconds=0.8)
"""Between two looks for which a box is enlarged by all of its width and height."""
_LIKE_SURE, _LIKE_DOUBTFUL = 0.15, 0.3
"""Likeness a match needs, sure and doubtful."""
_OTHER_LABEL = 0.3
"""Likeness that a match across labels has to make up for: a van is a car in one look and a truck in the next."""
_HAS_STOOD = 0.25
"""The same for what has stood still: it does not become its neighbour when it is hidden."""
_DUPLICATE = 0.5
"""Likeness to a detection already taken from which another is the same object seen twice."""
_MISSES = 3
"""Looks in which a thing that stood still must be missing before it is taken to be gone."""
_ABSENCE = timedelta(seconds=10)
"""After which a thing that moved is not looked for where nobody looked for it before."""
_FOLLOW = timedelta(seconds=0.1)
"""Time constants of position and of velocity (alpha-beta filter)."""
_ACCELERATE = timedelta(seconds=0.4)
_LEAVE = 0.2
"""Share of its own width or height by which both opposite edges must leave a place to have left it: a box trembles by
less, and who walks by in front hides one edge, not both."""
_AWAY = 2
"""Looks in a row that must find it away: one box may be anything."""


@dataclass(frozen=True, slots=True)
class Track:
    """One object over looks. Seen in the look at ``at`` exactly where ``last_seen == at``.

    ``label`` is what most of its detections said, weighted by score; ``box`` and ``score`` are of the last one.
    ``moved``: it has left the place where it was first seen. ``stationary_since``: since when it has been where it is,
    None until that is ``still_after`` ago.
    """

    id: int
    label: str
    box: Box
    score: float
    first_seen: datetime
    last_seen: datetime
    moved: bool = False
    stationary_since: datetime | None = None


class Tracker:
    """The tracks of one camera. Lives in the analyzer process, one thread.

    ``min_score`` begins tracks; hand in detections from ``floor`` up. ``lost_after``: a track not seen for so long is
    over. ``still_after``: a track that has not left its place for so long stands still. A track that stands still
    outlives any time in which nobody looked (the detector sleeps when nothing moves), so that a parked car stays one.
    """

    def __init__(
        self,
        *,
        min_score: float = 0.45,
        lost_after: timedelta = timedelta(seconds=2),
        still_after: timedelta = timedelta(seconds=10),
    ) -> None:
        self._min_score = min_score
        self._lost_after = lost_after
        self._still_after = still_after
        self._looked: datetime | None = None
        self._objects: list[_Object] = []
        self._next_id = 1

    @property
    def floor(self) -> float:
        """The lowest score of a detection that can be of use here."""
        return self._min_score * _DOUBTFUL

    def update(self, at: datetime, detections: Sequence[Detection]) -> tuple[Track, ...]:
        """Take the detections of a look at ``at`` (UTC) and return all tracks that live, also those not seen in it."""
        living = [each for each in self._objects if not self._is_over(each, at)]
        margin = min(max(_MARGIN, (at - (self._looked or at)) / _MARGIN_TIME), _MAX_MARGIN)
        for each in living:
            each.expect(at, self._lost_after, margin)
        sure = [each for each in detections if each.score >= self._min_score]
        doubtful = [each for each in detections if self.floor <= each.score < self._min_score]
        unseen, new = _match(at, living, sure, _LIKE_SURE)
        unseen, _ = _match(at, unseen, doubtful, _LIKE_DOUBTFUL)
        for each in unseen:
            each.missed += 1
        self._looked = at
        self._objects = [each for each in living if not self._is_over(each, at)]
        self._begin(at, new)
        return tuple(each.track(at) for each in self._objects)

    def _is_over(self, each: _Object, at: datetime) -> bool:
        unseen = abs(at - each.last_seen)  # a clock that was set back far ends tracks as a long absence does
        if each.is_still(each.last_seen):
            return unseen > self._lost_after and each.missed >= _MISSES
        return unseen > (self._lost_after if each.missed else _ABSENCE)

    def _begin(self, at: datetime, detections: Sequence[Detection]) -> None:
        for each in sorted(detections, key=lambda detection: -detection.score)[: MAX_TRACKS - len(self._objects)]:
            seen = [known for known in self._objects if known.last_seen == at]
            places, margins = [known.corners for known in seen], [_MARGIN] * len(seen)
            if not seen or _likeness(seen, places, margins, [each]).max() <= _DUPLICATE:
                self._objects.append(_Object(self._next_id, at, each, self._still_after))
                self._next_id += 1


class _Object:
    """What is known of one track. Corners are (left, top, right, bottom) in fractions, velocity is per second."""

    def __init__(self, id: int, at: datetime, first: Detection, still_after: timedelta) -> None:
        self.id = id
        self.first_seen = self.last_seen = self._placed = at
        self.missed = 0
        self.margin = _MARGIN
        self._still_after = still_after
        self.corners = self.expected = self._place = _corners(first.box)
        self._velocity: NDArray[np.float64] = np.zeros(4)
        self._moved = False
        self._away = 0
        self._last = first
        self._votes = {first.label: first.score}

    @property
    def label(self) -> str:
        return max(self._votes, key=self._votes.__getitem__)

    def expect(self, at: datetime, limit: timedelta, margin: float) -> None:
        """Where it would be at ``at``, and how far off: what moves keeps its velocity for ``limit`` at most."""
        self.margin = _MARGIN if self.is_still(self.last_seen) else margin
        passed = max(timedelta(0), min(at - self.last_seen, limit))
        self.expected = self.corners + self._velocity * passed.total_seconds()

    def see(self, at: datetime, detection: Detection) -> None:
        """Take in the detection that was matched; ``expect(at)`` came before."""
        passed = max(timedelta(0), at - self.last_seen)
        error = _corners(detection.box) - self.expected
        self.corners = self.expected + error * _gain(passed, _FOLLOW)
        if passed:
            shift = (error[:2] + error[2:]) / 2 / passed.total_seconds()
            self._velocity = self._velocity + np.tile(shift, 2) * _gain(passed, _ACCELERATE)
        self.last_seen, self.missed, self._last = at, 0, detection
        self._votes[detection.label] = self._votes.get(detection.label, 0.0) + detection.score
        self._away = self._away + 1 if self._has_left() else 0
        if self._away >= _AWAY:
            self._moved, self._placed, self._place, self._away = True, at, self.corners, 0

    def _has_left(self) -> bool:
        left, top, right, bottom = np.abs(self.corners - self._place)
        width, height = self._place[2:] - self._place[:2]
        return bool(min(left, right) > _LEAVE * width or min(top, bottom) > _LEAVE * height)

    def is_still(self, at: datetime) -> bool:
        return at - self._placed >= self._still_after

    def track(self, at: datetime) -> Track:
        still = self._placed if self.is_still(at) else None
        last = self._last
        return Track(self.id, self.label, last.box, last.score, self.first_seen, self.last_seen, self._moved, still)


def _match(
    at: datetime, objects: Sequence[_Object], detections: Sequence[Detection], least: float
) -> tuple[list[_Object], list[Detection]]:
    """Pair greedily, likest first; a pair's object sees its detection. Returns what is left of both."""
    lonely, untaken = dict(enumerate(objects)), dict(enumerate(detections))
    if objects and detections:
        likeness = _likeness(
            objects, [each.expected for each in objects], [each.margin for each in objects], detections
        )
        likeness -= _HAS_STOOD * np.array([each.is_still(at) for each in objects])[:, None]
        order = np.argsort(-likeness, axis=None, kind="stable")
        for row, column in zip(*np.unravel_index(order, likeness.shape), strict=True):
            if likeness[row, column] < least:
                break
            if row in lonely and column in untaken:
                lonely.pop(row).see(at, untaken.pop(column))
    return list(lonely.values()), list(untaken.values())


def _corners(box: Box) -> NDArray[np.float64]:
    return np.array([box.left, box.top, box.right, box.bottom])


def _likeness(
    objects: Sequence[_Object],
    places: Sequence[NDArray[np.float64]],
    margins: Sequence[float],
    detections: Sequence[Detection],
) -> NDArray[np.float64]:
    """How well each object, were it at its place, goes with each detection: (objects, detections), at most 1."""
    margin = np.array(margins)[:, None]
    there = _enlarged(np.stack(places)[:, None], margin)
    overlap = _overlap(there, _enlarged(np.stack([_corners(each.box) for each in detections])[None], margin))
    labels, others = [each.label for each in objects], [each.label for each in detections]
    return np.asarray(overlap - _OTHER_LABEL * (np.array(labels)[:, None] != np.array(others)))


def _overlap(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of boxes, corners in the last axis."""
    low = np.maximum(some[..., :2], others[..., :2])
    high = np.minimum(some[..., 2:], others[..., 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = np.prod(some[..., 2:] - some[..., :2], axis=-1) + np.prod(others[..., 2:] - others[..., :2], axis=-1)
    return np.asarray(shared / np.maximum(areas - shared, 1e-12))


def _enlarged(corners: NDArray[np.float64], margin: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = (corners[..., 2:] - corners[..., :2]) * margin[..., None]
    return np.concatenate([corners[..., :2] - sides, corners[..., 2:] + sides], axis=-1)


def _gain(passed: timedelta, constant: timedelta) -> float:
    """Share of an error that is corrected after ``passed``."""
    return 1 - math.exp(-passed / constant)

"""Tracker: which detection of this look is which object of the looks before?

Two-stage association (Zhang et al., "ByteTrack", arXiv:2110.06864): sure detections are matched first, then doubtful
ones to the tracks that are left, because somebody half hidden scores low where he was expected; only sure ones begin
tracks. Likeness is the overlap (IoU) with where constant velocity would have brought the track, of boxes enlarged on
all sides (Yang et al., arXiv:2211.14317), and the likeness of the colours. Where the background says that nothing moves
there, a detection continues nothing that was not there before: what stands is asked first whether it is its own.
Pure but for its state; thinks in seconds: looks are missing by design, and a detector that slept, or looked at another
part of the picture, saw nothing rather than nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from nvr.analysis.appearance import difference
from nvr.analysis.geometry import WHOLE
from nvr.analysis.target import Sighting, Target, corners, enlarged, overlaps
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
_LIKE_SURE, _LIKE_DOUBTFUL, _LIKE_STANDING = 0.15, 0.3, 0.4
"""Likeness a match needs: sure, doubtful, and of something that stood and walks on."""
_OTHER_LABEL = 0.3
"""Likeness that a match across labels has to make up for: a van is a car in one look and a truck in the next."""
_OTHER_COLOURS = 30.0
"""Difference of appearance, grey levels, of two that have nothing in common; half of it says nothing."""
_SAME_PLACE = 0.5
"""Plain overlap of a detection where nothing moves with the track that it continues."""
_STANDS_THERE = 0.6
"""Plain overlap with what stands from which a detection is that, whoever walks by in front of it."""
_DUPLICATE = 0.5
"""Plain overlap with something seen already from which a detection is the same seen twice."""
_ABSENCE = timedelta(seconds=10)
"""After which a thing that moved is not looked for where nobody looked for it before; and how long what stands is
missing, while looked for, until it is taken to be gone."""
_LONGEST_LOOK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Track:
    """One object over looks. Seen in the look at ``at`` exactly where ``last_seen == at``.

    ``label`` is what most of its detections said, weighted by score. ``box`` is where it is, freed of the detector's
    trembling and of what hides a side of it; ``detection`` is the last as it came. ``moved``: it has left the place
    where it was first seen. ``stationary_since``: since when it has been where it is, None until that is
    ``still_after`` ago, or nothing ever moved there. ``sure``: the last detection could have begun it.
    """

    id: int
    label: str
    box: Box
    detection: Detection
    first_seen: datetime
    last_seen: datetime
    moved: bool = False
    stationary_since: datetime | None = None
    sure: bool = True
    appearance: NDArray[np.float32] | None = field(default=None, compare=False)


class Tracker:
    """The tracks of one camera. Lives in the analyzer process, one thread.

    ``min_score`` begins tracks; hand in detections from ``floor`` up. ``lost_after``: a track not seen for so long is
    over. ``still_after``: a track that has not left its place for so long stands still. A track that stands still
    outlives any time in which nobody looked (the detector sleeps when nothing moves), so that a parked car stays one.
    """

    def __init__(
        self,
        *,
        min_score: float = 0.5,
        lost_after: timedelta = timedelta(seconds=2),
        still_after: timedelta = timedelta(seconds=10),
    ) -> None:
        self._min_score = min_score
        self._lost_after = lost_after
        self._still_after = still_after
        self._looked: datetime | None = None
        self._targets: list[Target] = []
        self._next_id = 1

    @property
    def floor(self) -> float:
        """The lowest score of a detection that can be of use here."""
        return self._min_score * _DOUBTFUL

    def places(self) -> tuple[Box, ...]:
        """Where the tracks are that have not come to stand: what the detector has to look at."""
        return tuple(each.box for each in self._targets if not each.is_still(each.last_seen))

    def update(self, at: datetime, sightings: Sequence[Sighting], window: Box = WHOLE) -> tuple[Track, ...]:
        """Take what a look at ``at`` (UTC) found in ``window``; all tracks that live, also those not seen in it."""
        passed = abs(at - (self._looked or at))
        self._looked = at
        living = [each for each in self._targets if not self._is_over(each, at)]
        for each in living:
            each.expect(at, self._lost_after)
        margin = min(max(_MARGIN, passed / _MARGIN_TIME), _MAX_MARGIN)
        unseen, new = self._match(at, living, sightings, margin)
        for each in unseen:
            if _within(each.expected, window):
                each.miss(min(passed, _LONGEST_LOOK))
        self._targets = [each for each in living if not self._is_over(each, at)]
        self._begin(at, new)
        return tuple(self._track(each, at) for each in self._targets)

    def _match(
        self, at: datetime, living: list[Target], sightings: Sequence[Sighting], margin: float
    ) -> tuple[list[Target], list[Sighting]]:
        """The tracks that were not seen, and the sure sightings that are of none of them."""
        useful = [each for each in sightings if each.detection.score >= self.floor]
        standing = [each for each in living if each.is_still(at)]
        moving = [each for each in living if not each.is_still(at)]
        standing, useful = _claim(at, standing, moving, useful)
        sure = [each for each in useful if each.detection.score >= self._min_score]
        doubtful = [each for each in useful if each.detection.score < self._min_score]
        moving, sure = _pair(at, moving, sure, margin, _LIKE_SURE)
        moving, _ = _pair(at, moving, [each for each in doubtful if each.moving], margin, _LIKE_DOUBTFUL)
        moving, _ = _pair(at, moving, [each for each in doubtful if not each.moving], margin, _LIKE_DOUBTFUL)
        standing, sure = _pair(at, standing, sure, _MARGIN, _LIKE_STANDING)  # it goes nowhere while nobody looks
        return moving + standing, sure

    def _is_over(self, each: Target, at: datetime) -> bool:
        if each.is_still(each.last_seen):
            return each.missed >= _ABSENCE
        unseen = abs(at - each.last_seen)  # a clock that was set back far ends tracks as a long absence does
        return unseen > (self._lost_after if each.missed else _ABSENCE)

    def _begin(self, at: datetime, sightings: Sequence[Sighting]) -> None:
        ordered = sorted(sightings, key=lambda sighting: -sighting.detection.score)
        for each in ordered[: MAX_TRACKS - len(self._targets)]:
            seen = [known.corners for known in self._targets if known.last_seen == at]
            if not seen or overlaps(np.stack(seen), corners(each.detection.box)[None]).max() <= _DUPLICATE:
                self._targets.append(Target(self._next_id, at, each, self._still_after))
                self._next_id += 1

    def _track(self, each: Target, at: datetime) -> Track:
        return Track(
            id=each.id,
            label=each.label,
            box=each.box,
            detection=each.detection,
            first_seen=each.first_seen,
            last_seen=each.last_seen,
            moved=each.moved,
            stationary_since=each.placed if each.is_still(at) else None,
            sure=each.detection.score >= self._min_score,
            appearance=each.appearance,
        )


def _claim(
    at: datetime, standing: Sequence[Target], moving: Sequence[Target], sightings: Sequence[Sighting]
) -> tuple[list[Target], list[Sighting]]:
    """What stands takes what is seen at its very place, unless something that moves is expected there even more."""
    if not standing or not sightings:
        return list(standing), list(sightings)
    boxes = np.stack([corners(each.detection.box) for each in sightings])
    there = overlaps(np.stack([each.corners for each in standing])[:, None], boxes[None])
    if moving:
        expected = overlaps(np.stack([each.expected for each in moving])[:, None], boxes[None]).max(axis=0)
        there = np.where(there >= expected[None], there, 0.0)
    return _greedy(at, standing, sightings, there, _STANDS_THERE)


def _pair(
    at: datetime, targets: Sequence[Target], sightings: Sequence[Sighting], margin: float, least: float
) -> tuple[list[Target], list[Sighting]]:
    """Pair what moves with what was seen; what is left of both."""
    if not targets or not sightings:
        return list(targets), list(sightings)
    boxes = np.stack([corners(each.detection.box) for each in sightings])
    expected = np.stack([each.expected for each in targets])
    likeness = overlaps(enlarged(expected, margin)[:, None], enlarged(boxes, margin)[None])
    near = likeness > 0
    likeness += _alike(targets, sightings)
    labels, others = [each.label for each in targets], [each.detection.label for each in sightings]
    likeness -= _OTHER_LABEL * (np.array(labels)[:, None] != np.array(others))
    same_place = overlaps(np.stack([each.corners for each in targets])[:, None], boxes[None]) >= _SAME_PLACE
    moving = np.array([each.moving for each in sightings])
    return _greedy(at, targets, sightings, np.where(near & (moving[None] | same_place), likeness, 0.0), least)


def _alike(targets: Sequence[Target], sightings: Sequence[Sighting]) -> NDArray[np.float64]:
    """From -0.5 for other colours to 0.5 for the same; 0 where they are not known."""
    some = [each.appearance for each in targets if each.appearance is not None]
    others = [each.appearance for each in sightings if each.appearance is not None]
    if len(some) < len(targets) or len(others) < len(sightings):
        return np.zeros((len(targets), len(sightings)))
    apart = difference(np.stack(some)[:, None], np.stack(others)[None])
    return np.asarray(0.5 - np.minimum(apart / _OTHER_COLOURS, 1.0), np.float64)


def _greedy(
    at: datetime,
    targets: Sequence[Target],
    sightings: Sequence[Sighting],
    likeness: NDArray[np.float64],
    least: float,
) -> tuple[list[Target], list[Sighting]]:
    """Pair the likest first, down to ``least``; a pair's target sees its sighting. What is left of both."""
    lonely, untaken = dict(enumerate(targets)), dict(enumerate(sightings))
    order = np.argsort(-likeness, axis=None, kind="stable")
    for row, column in zip(*np.unravel_index(order, likeness.shape), strict=True):
        if likeness[row, column] < least:
            break
        if row in lonely and column in untaken:
            seen = untaken.pop(column)
            lonely.pop(row).see(at, seen.detection, moving=seen.moving, appearance=seen.appearance)
    return list(lonely.values()), list(untaken.values())


def _within(place: NDArray[np.float64], window: Box) -> bool:
    """Whether the middle of a place, corners, is in a window."""
    x, y = (place[:2] + place[2:]) / 2
    return bool(window.left <= x <= window.right and window.top <= y <= window.bottom)

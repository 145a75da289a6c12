"""Subject: what an event that lasts is about: since when, where it went, and how good its best picture is.

Pure but for its state. Doubtful sightings count only once a sure one follows: who is hidden goes on, who is gone does
not live on in a lamp post.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nvr.analysis.actions import Action, Better, Closed, Seen
from nvr.analysis.appearance import difference
from nvr.analysis.geometry import area, distance, is_cut
from nvr.analysis.tracker import Track
from nvr.model import Box, Waypoint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TELL = timedelta(seconds=1)
"""Between two ``Seen`` of an event, at least."""
_BETTER = 1.25
"""A snapshot is replaced by one so much better: at most some thirty times in an event, usually two or three."""
_AT_BORDER = 0.5  # worth of a picture whose subject the border cuts
_PENDING = 100
"""Doubtful waypoints that wait for a sure one, at most."""
_WIDTH_TIME = timedelta(seconds=1)  # in which what is hidden gets further by its own width or height
_OTHER_COLOURS = 25.0
"""Difference of appearance, grey levels, from which it is somebody else who came into sight."""
_VEHICLES = frozenset({"car", "truck", "bus"})
"""Labels that a detector takes for one another."""


@dataclass(slots=True)
class Subject:
    """An event that lasts: when its subject was last seen (and last told of), where, and how good its snapshot is."""

    key: int
    label: str
    seen: datetime
    box: Box
    best: float = 0.0
    zones: tuple[str, ...] = ()
    appearance: NDArray[np.float32] | None = field(default=None, compare=False)
    told: datetime = field(init=False)
    visible: datetime = field(init=False)
    """Last in sight, though perhaps standing still, or doubtful."""
    standing: bool = False
    patience: timedelta = timedelta()
    """How much longer than usual it is waited for: after a restart of the analyzer."""
    sharpness: float | None = None
    """Of the first picture, against which others are compared; None while it is not known."""
    pending: list[Waypoint] = field(default_factory=list)
    """Doubtful ones since ``seen``."""
    _new: list[Waypoint] = field(default_factory=list)
    _reached: datetime = field(init=False)
    """Of the last waypoint: a path goes forward in time, whatever the clock does."""

    def __post_init__(self) -> None:
        self._reached = self.pending[-1].at if self.pending else self.seen
        self.told = self.visible = self._reached

    def is_over(self, at: datetime, hold: timedelta, linger: timedelta) -> bool:
        """Also where the clock was set far back: no later look could tell how long ago it was seen."""
        return abs(at - self.seen) >= (linger if self.standing else hold) + self.patience

    def go(self, at: datetime, box: Box, *, sure: bool) -> None:
        """It was seen at a place."""
        self.box, self.visible = box, max(self.visible, at)
        if at > self._reached:
            self._reached = at
            self.pending.append(Waypoint(at, box))
        if sure:
            self.seen = self._reached
            self._new += self.pending
        if sure or len(self.pending) > _PENDING:
            self.pending.clear()

    def stand(self, at: datetime, box: Box) -> None:
        """It is in sight and stands still, so that it counts as seen no longer."""
        self.box, self.visible = box, max(self.visible, at)

    def apart(self, track: Track) -> float | None:
        """How far from it, in widths or heights, a track came into sight that may be its subject again; else None."""
        hidden, far = track.first_seen - self.visible, distance(self.box, track.box)
        if hidden <= timedelta(0) or far > 1 + hidden / _WIDTH_TIME:
            return None
        return far if _same_label(self.label, track.label) and self._same_colours(track) else None

    def _same_colours(self, track: Track) -> bool:
        """Also where they are not known."""
        if self.appearance is None or track.appearance is None:
            return True
        return float(difference(self.appearance, track.appearance)) < _OTHER_COLOURS

    def may_show(self, worth: float) -> bool:
        """Whether a picture of this worth were the better one if it were crisp."""
        return worth * 2 > self.best * _BETTER

    def show(self, at: datetime, label: str, score: float, worth: float, box: Box) -> Iterator[Action]:
        """The picture of this look, and what it is worth."""
        if worth > self.best * _BETTER:
            self.best, self.label = worth, label
            yield Better(self.key, at, label, score, box)

    def tell(self, at: datetime, zones: tuple[str, ...]) -> Iterator[Action]:
        """What is to be known of it elsewhere: about once a second while it moves, and when it has entered a zone."""
        new = tuple(zone for zone in zones if zone not in self.zones)
        if new or (at - self.told >= TELL and not self.standing):
            self.zones, self.told = self.zones + new, at
            yield Seen(self.key, self.seen, self.label, self.zones, self.take_path())

    def take_path(self) -> tuple[Waypoint, ...]:
        """The waypoints that were not told yet."""
        path, self._new = tuple(self._new), []
        return path

    def closed(self, why: str) -> Closed:
        return Closed(self.key, self.seen, why, self.take_path())


def worth(score: float, box: Box) -> float:
    """How good a picture is by its box alone: sure, large, and not cut off by the border."""
    return score * math.sqrt(area(box)) * (_AT_BORDER if is_cut(box) else 1.0)


def clarity(sharpness: float, usual: float) -> float:
    """What a picture's sharpness makes of its worth: 1 where it is as usual, from 0 for blurred to 2 for crisp."""
    return 2 * sharpness / (sharpness + usual) if sharpness + usual > 0 else 1.0


def _same_label(label: str, other: str) -> bool:
    return label == other or {label, other} <= _VEHICLES

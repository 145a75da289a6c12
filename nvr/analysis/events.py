"""Events: when does what the camera sees become something that happened, and when is it over?

Pure state machines, one per camera, in the analyzer process. Each look goes in (instant, motion, tracks) and actions
come out, plain values that the analyzer turns into rows and snapshots; nothing here knows of either. An event ends at
the last instant its subject was seen, which is known only when ``hold`` has passed without it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Protocol

from nvr.analysis.geometry import area, distance, is_cut, overlap
from nvr.analysis.motion import Motion
from nvr.analysis.tracker import Track
from nvr.model import Box, EventKind

HOLD = timedelta(seconds=5)
_WINDOW, _ENOUGH = 5, 3  # an event opens after something was seen in 3 of 5 looks
_TELL = timedelta(seconds=1)  # between two ``Seen`` of an event, at least
_RECENTLY = timedelta(seconds=1)
_PATIENCE = timedelta(seconds=10)  # the detector's, while nothing at all moves but a track has not come to stand
_COVERS = 0.5
"""Overlap (IoU) of a track and a moving region that makes them one: a passer-by has not the shape of a parked car."""
_BETTER = 1.25
"""A snapshot is replaced by one so much better: at most some thirty times in an event, usually two or three."""
_AT_BORDER = 0.5  # worth of a picture whose subject the border cuts
_WIDTH_TIME = timedelta(seconds=1)  # in which what is hidden gets further by its own width or height


@dataclass(frozen=True, slots=True)
class Opened:
    """An event began; the picture of this look is its first snapshot. ``key`` names it from now on, per camera."""

    key: int
    kind: EventKind
    label: str
    start: datetime
    seen: datetime
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Better:
    """The picture of this look, at ``at``, is a clearly better snapshot of the event."""

    key: int
    at: datetime
    label: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Seen:
    """The event's subject was seen at ``at``; told once a second, so that a crash loses no more than that."""

    key: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """The event is over; ``end`` is when its subject was last seen."""

    key: int
    end: datetime


Action = Opened | Better | Seen | Closed


class Events(Protocol):
    """What the analyzer needs of a camera's state machine; for each look ``wants_detector``, then ``look``."""

    def wants_detector(self, at: datetime, motion: Motion) -> bool:
        """Whether this look is worth the detector's time."""

    def look(self, at: datetime, motion: Motion, tracks: tuple[Track, ...] | None = None) -> tuple[Action, ...]:
        """Take in a look at ``at`` (UTC); None for ``tracks`` where the detector was not asked, no motion where no
        picture comes."""

    def flush(self) -> tuple[Action, ...]:
        """Close all, for an analyzer that stops."""


class MotionEvents:
    """``detect: motion``: one event of kind and label motion while something moves. Its score is the moving share."""

    def __init__(self, *, hold: timedelta = HOLD) -> None:
        self._hold = hold
        self._keys = count(1)
        self._window: deque[tuple[datetime, bool]] = deque(maxlen=_WINDOW)
        self._event: _Open | None = None

    def wants_detector(self, at: datetime, motion: Motion) -> bool:
        return False

    def look(self, at: datetime, motion: Motion, tracks: tuple[Track, ...] | None = None) -> tuple[Action, ...]:
        return tuple(self._look(at, motion))

    def _look(self, at: datetime, motion: Motion) -> Iterator[Action]:
        if self._event and self._event.is_over(at, self._hold):
            yield from self.flush()
        if self._window and abs(at - self._window[-1][0]) >= self._hold:
            self._window.clear()
        self._window.append((at, bool(motion.boxes)))
        if not motion.boxes:
            return
        box = motion.boxes[0]
        moving = [when for when, moved in self._window if moved]
        if self._event:
            yield from self._event.see(at, motion.area, motion.area, box)
        elif len(moving) >= _ENOUGH:
            self._event = _Open(next(self._keys), "motion", seen=at, best=motion.area, box=box)
            yield Opened(self._event.key, "motion", "motion", moving[0], at, motion.area, box)

    def flush(self) -> tuple[Action, ...]:
        event, self._event = self._event, None
        return (event.closed(),) if event else ()


class ObjectEvents:
    """``detect: objects``: one event per object that moves, however often it is hidden for a moment.

    What only stands there, a parked car, is no event, and an event whose subject has come to stand is over, so that
    its end does not depend on what else keeps the detector awake.
    """

    def __init__(self, *, hold: timedelta = HOLD) -> None:
        self._hold = hold
        self._keys = count(1)
        self._events: dict[int, _Open] = {}
        """By the id of the track they follow."""
        self._windows: dict[int, deque[tuple[datetime, bool] | None]] = {}
        """Of each track its last looks: when it was seen and whether something like it moved there, None if unseen."""
        self._looked: datetime | None = None
        self._moved: datetime | None = None
        self._restless = False

    def wants_detector(self, at: datetime, motion: Motion) -> bool:
        """While something moves or moved a moment ago, and while a track has not come to stand."""
        if motion.boxes:
            return True
        patience = _PATIENCE if self._restless else _RECENTLY
        return self._moved is not None and abs(at - self._moved) <= patience

    def look(self, at: datetime, motion: Motion, tracks: tuple[Track, ...] | None = None) -> tuple[Action, ...]:
        if motion.boxes:
            self._moved = at
        over = [track for track, event in self._events.items() if event.is_over(at, self._hold)]
        actions: list[Action] = [self._events.pop(track).closed() for track in over]
        if tracks is not None:
            self._remember(at, motion, tracks)
            for track in tracks:
                if track.last_seen == at:
                    actions += self._see(at, track)
        return tuple(actions)

    def flush(self) -> tuple[Action, ...]:
        events, self._events = self._events, {}
        return tuple(event.closed() for event in events.values())

    def _remember(self, at: datetime, motion: Motion, tracks: tuple[Track, ...]) -> None:
        if self._looked is None or abs(at - self._looked) >= self._hold:
            self._windows.clear()
        self._looked = at
        self._restless = any(track.stationary_since is None for track in tracks)
        self._windows = {track.id: self._windows.get(track.id, deque(maxlen=_WINDOW)) for track in tracks}
        for track in tracks:
            moving = any(overlap(track.box, region) >= _COVERS for region in motion.boxes)
            self._windows[track.id].append((at, moving) if track.last_seen == at else None)
            if track.last_seen == at and (event := self._events.get(track.id)):
                event.box, event.visible = track.box, at

    def _see(self, at: datetime, track: Track) -> Iterator[Action]:
        looks = [look for look in self._windows[track.id] if look]
        event = self._events.get(track.id)
        if event is None and len(looks) >= _ENOUGH:
            event = self._take_over(at, track)
        if track.stationary_since is not None:
            return
        if event is not None:
            yield from event.see(at, track.score, _worth(track), track.box)
        elif len(looks) >= _ENOUGH and (track.moved or sum(moving for _, moving in looks) >= _ENOUGH):
            yield self._open(at, track, looks[0][0])

    def _open(self, at: datetime, track: Track, first_look: datetime) -> Opened:
        event = _Open(next(self._keys), track.label, seen=at, best=_worth(track), box=track.box)
        self._events[track.id] = event
        start = track.first_seen if abs(at - track.first_seen) < self._hold else first_look
        return Opened(event.key, "object", track.label, start, at, track.score, track.box)

    def _take_over(self, at: datetime, track: Track) -> _Open | None:
        """The event whose subject was lost from sight where this track, new since then, came into sight."""
        near = [
            (distance(event.box, track.box), followed)
            for followed, event in self._events.items()
            if event.label == track.label and track.first_seen > event.visible
            if distance(event.box, track.box) <= 1 + (track.first_seen - event.visible) / _WIDTH_TIME
        ]
        if not near:
            return None
        self._events[track.id] = event = self._events.pop(min(near)[1])
        event.box, event.visible = track.box, at
        return event


@dataclass(slots=True)
class _Open:
    """An event that lasts: when its subject was last seen (and last told of), where, and how good its snapshot is."""

    key: int
    label: str
    seen: datetime
    best: float
    box: Box
    told: datetime = field(init=False)
    visible: datetime = field(init=False)  # last in sight, though perhaps standing still

    def __post_init__(self) -> None:
        self.told = self.visible = self.seen

    def is_over(self, at: datetime, hold: timedelta) -> bool:
        """Also where the clock was set far back: no later look could tell how long ago it was seen."""
        return abs(at - self.seen) >= hold

    def closed(self) -> Closed:
        return Closed(self.key, self.seen)

    def see(self, at: datetime, score: float, worth: float, box: Box) -> Iterator[Action]:
        self.seen = max(self.seen, at)
        if worth > self.best * _BETTER:
            self.best = worth
            yield Better(self.key, at, self.label, score, box)
        if at - self.told >= _TELL:
            self.told = at
            yield Seen(self.key, at)


def _worth(track: Track) -> float:
    """How good a snapshot this is: sure, large, and not cut off by the border."""
    return track.score * math.sqrt(area(track.box)) * (_AT_BORDER if is_cut(track.box) else 1.0)

"""Events: when does what the camera sees become something that happened, and when is it over?

Pure state machines, one per camera, in the analyzer process. Each look goes in (instant, motion, tracks) and actions
come out, plain values that the analyzer turns into rows and snapshots; nothing here knows of either. An event ends at
the last instant its subject was seen, which is known only when ``hold`` has passed without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Protocol

from nvr.analysis.actions import Action, Opened
from nvr.analysis.evidence import RECENTLY, Evidence
from nvr.analysis.geometry import WHOLE, is_cut, overlap, share_inside
from nvr.analysis.motion import Motion
from nvr.analysis.presence import Presence
from nvr.analysis.subject import Subject, clarity, worth
from nvr.analysis.tracker import Track
from nvr.analysis.zones import Rules, awake, least_score
from nvr.model import Box, Event

HOLD = timedelta(seconds=5)
LINGER = timedelta(seconds=30)
"""How long an event waits for a subject that has come to stand, to walk on."""
RESUMED = timedelta(seconds=15)
"""How much longer an event that was open before a restart waits for its subject to be found again."""
_PATIENCE = timedelta(seconds=10)  # the detector's, while nothing at all moves but a track has not come to stand
_COVERS = 0.5
"""Overlap (IoU) of a track and a moving region that makes them one: a passer-by has not the shape of a parked car."""
_PART = 0.85
"""Share of a box inside another of the same label from which it is a part of that: a head is nobody of its own."""
_CURIOUS = timedelta(seconds=3)
"""How long a motion that no track explains is worth more looks than usual: a tree moves all day."""
NO_RULES = Rules()


class Events(Protocol):
    """What the analyzer needs of a camera's state machine; for each look ``wants_detector``, then ``look``."""

    def wants_detector(self, at: datetime, motion: Motion) -> bool:
        """Whether this look is worth the detector's time."""

    def is_urgent(self) -> bool:
        """Whether something is seen of which more has to be known soon; else looks may be further apart."""

    def look(
        self,
        at: datetime,
        motion: Motion,
        tracks: tuple[Track, ...] | None = None,
        sharpness: Callable[[Box], float] | None = None,
    ) -> tuple[Action, ...]:
        """Take in a look at ``at`` (UTC); None for ``tracks`` where the detector was not asked, no motion where no
        picture comes. ``sharpness`` tells of a part of the picture of this look."""

    def flush(self, why: str) -> tuple[Action, ...]:
        """Close all, for an analyzer that stops."""


class ObjectEvents:
    """``detect: objects``: one event per object that moves, however often it is hidden for a moment.

    What only stands there, a parked car, is no event. An event whose subject has come to stand waits for it to walk on
    (``LINGER``), and is then over where it came to stand, so that its end does not depend on what else keeps the
    detector awake. ``resumed`` are events that a killed analyzer left open: their keys are their ids, negative.
    """

    def __init__(
        self,
        rules: Rules = NO_RULES,
        *,
        min_score: float = 0.0,
        hold: timedelta = HOLD,
        resumed: Sequence[Event] = (),
    ) -> None:
        self._rules = rules
        self._min_score = min_score
        self._hold = hold
        self._keys = count(1)
        self._events: dict[int, Subject] = {}
        """By the id of the track they follow, or their key where they have none yet."""
        self._tracks: dict[int, Evidence] = {}
        self._looked: datetime | None = None
        self._moved: datetime | None = None
        self._restless = self._urgent = False
        self._curious: datetime | None = None
        for event in resumed:
            assert event.id is not None
            subject = Subject(-event.id, event.label, event.seen, event.box or WHOLE, zones=event.zones)
            subject.patience = RESUMED
            subject.best = worth(event.score, subject.box) if event.snapshot else 0.0  # killed before its picture
            self._events[-event.id] = subject

    def wants_detector(self, at: datetime, motion: Motion) -> bool:
        """While something moves, or may, or moved a moment ago, and while a track has not come to stand."""
        if motion.boxes or motion.blind:
            return True
        patience = _PATIENCE if self._restless else RECENTLY
        return self._moved is not None and abs(at - self._moved) <= patience

    def is_urgent(self) -> bool:
        return self._urgent

    def look(
        self,
        at: datetime,
        motion: Motion,
        tracks: tuple[Track, ...] | None = None,
        sharpness: Callable[[Box], float] | None = None,
    ) -> tuple[Action, ...]:
        if motion.boxes:
            self._moved = at
        actions: list[Action] = list(self._end(at))
        if tracks is None:
            self._urgent, self._curious = bool(motion.boxes), None
            return tuple(actions)
        here = [track for track in tracks if track.last_seen == at]
        self._remember(at, motion, tracks, here)
        self._take_over(here)
        for track in here:
            actions += self._see(at, track, sharpness)
        self._urgent = self._is_curious(at, motion, here)
        return tuple(actions)

    def _is_curious(self, at: datetime, motion: Motion, here: Sequence[Track]) -> bool:
        new = (track for track in here if track.id not in self._events and track.stationary_since is None)
        if any(self._tracks[track.id].is_in_sight for track in new):
            return True
        explained = all(any(share_inside(box, track.box) >= _COVERS for track in here) for box in motion.boxes)
        self._curious = None if explained else self._curious or at
        return self._curious is not None and abs(at - self._curious) < _CURIOUS

    def flush(self, why: str) -> tuple[Action, ...]:
        events, self._events = self._events, {}
        return tuple(event.closed(why) for event in events.values())

    def _end(self, at: datetime) -> Iterator[Action]:
        over = [track for track, event in self._events.items() if event.is_over(at, self._hold, LINGER)]
        for track in over:
            event = self._events.pop(track)
            if event.standing:
                yield event.closed("came to stand")
            elif event.patience:
                yield event.closed("not found again after a restart")
            else:
                yield event.closed("left the picture" if is_cut(event.box) else "lost from sight")

    def _remember(self, at: datetime, motion: Motion, tracks: Sequence[Track], here: Sequence[Track]) -> None:
        if self._looked is None or not timedelta(0) <= at - self._looked < self._hold:
            for evidence in self._tracks.values():
                evidence.forget()
        self._looked = at
        self._restless = any(track.stationary_since is None for track in tracks)
        self._tracks = {track.id: self._tracks.get(track.id) or Evidence(Presence(self._rules)) for track in tracks}
        for track in tracks:
            if track.last_seen != at or (track.id not in self._events and _is_part(track, here)):
                self._tracks[track.id].miss(at)
            else:
                moving = any(overlap(track.box, region) >= _COVERS for region in motion.boxes)
                self._tracks[track.id].see(at, track, moving=moving)

    def _take_over(self, here: Sequence[Track]) -> None:
        """Events whose subject was lost from sight go on with the track, new since then, that came up nearest to it."""
        new = [track for track in here if track.id not in self._events and self._tracks[track.id].is_enough]
        apart = [(event.apart(track), track.id, lost) for track in new for lost, event in self._events.items()]
        for _, track, lost in sorted((far, track, lost) for far, track, lost in apart if far is not None):
            if track not in self._events and lost in self._events:
                self._events[track] = event = self._events.pop(lost)
                event.patience = timedelta()

    def _see(self, at: datetime, track: Track, sharpness: Callable[[Box], float] | None) -> Iterator[Action]:
        evidence = self._tracks[track.id]
        if event := self._events.get(track.id):
            yield from self._follow(at, event, track, evidence, sharpness)
        elif self._is_event(at, track, evidence):
            yield self._open(at, track, evidence, sharpness)

    def _is_event(self, at: datetime, track: Track, evidence: Evidence) -> bool:
        if track.stationary_since is None:
            moves = track.moved or evidence.is_moving
        else:  # who stays where he must not is one though he stands there
            moves = track.moved and bool(self._rules.required) and evidence.has_stayed(at)
        return (
            moves
            and evidence.is_enough
            and evidence.score >= least_score(self._rules, track.label, self._min_score)
            and evidence.presence.counts
            and awake(self._rules, at)
        )

    def _follow(
        self, at: datetime, event: Subject, track: Track, evidence: Evidence, sharpness: Callable[[Box], float] | None
    ) -> Iterator[Action]:
        event.standing = track.stationary_since is not None
        event.appearance = track.appearance
        if event.standing:
            event.stand(at, track.box)
        else:
            event.go(at, track.box, sure=track.sure)
            value = worth(track.detection.score, track.box)
            if sharpness is not None and event.may_show(value):
                crisp = sharpness(track.box)
                event.sharpness = crisp if event.sharpness is None else event.sharpness
                value *= clarity(crisp, event.sharpness)
            yield from event.show(at, track.label, track.detection.score, value, track.detection.box)
        yield from event.tell(at, evidence.presence.inside)

    def _open(self, at: datetime, track: Track, evidence: Evidence, sharpness: Callable[[Box], float] | None) -> Opened:
        start = evidence.start(at, track, self._hold)
        seen = evidence.seen_until(start)
        way = evidence.way(start)
        event = Subject(
            key=next(self._keys),
            label=track.label,
            seen=seen,
            box=track.box,
            best=worth(track.detection.score, track.box),
            zones=evidence.presence.inside if evidence.stood else evidence.presence.zones,
            appearance=track.appearance,
            standing=track.stationary_since is not None,
            sharpness=sharpness(track.box) if sharpness is not None else None,
            pending=[point for point in way if point.at > seen],
        )
        self._events[track.id] = event
        return Opened(
            event.key, "object", track.label, start, seen, track.detection.score, track.detection.box,
            evidence.reason, event.zones, tuple(point for point in way if point.at <= seen),
        )  # fmt: skip


def _is_part(track: Track, others: Sequence[Track]) -> bool:
    """Whether it is nothing but a part of another one that is seen in the same look."""
    return any(
        other.id < track.id and other.label == track.label and share_inside(track.box, other.box) >= _PART
        for other in others
    )

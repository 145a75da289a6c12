"""Evidence: what the looks at one track have shown so far, and whether that makes it an event.

Pure but for its state; one per track, in the analyzer process.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nvr.analysis.presence import Presence
from nvr.analysis.tracker import Track
from nvr.model import Waypoint

WINDOW, ENOUGH = 5, 3
"""An event opens after something was seen in 3 of 5 looks;"""
_SPAN = timedelta(seconds=0.4)
"""and for so long, where looks are more frequent than five a second."""
RECENTLY = timedelta(seconds=1)
_MANY = 30
"""Looks in ``RECENTLY``, at most."""
_WAY = 150
"""Waypoints kept: five seconds of the most frequent looks."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look told of one track."""

    at: datetime
    seen: bool
    """Not merely as a part of something else."""
    moving: bool = False
    """Something like it moved there."""


@dataclass(slots=True)
class Evidence:
    """What is remembered of a track: its last looks, where it went, and where it has been."""

    presence: Presence
    score: float = 0.0
    """The best of all its looks."""
    stood: datetime | None = None
    """The last look in which it stood still."""
    _looks: deque[_Look] = field(default_factory=lambda: deque(maxlen=_MANY))
    _way: deque[Waypoint] = field(default_factory=lambda: deque(maxlen=_WAY))
    _sure: datetime | None = None
    """The last look that was no doubtful one."""
    _given: datetime | None = None
    """When there came to be a reason, such as a zone that was entered."""

    def forget(self) -> None:
        """The looks so far say nothing of those to come: there was a pause, or the clock was set back."""
        self._looks.clear()
        self._way.clear()
        self._sure = None

    def miss(self, at: datetime) -> None:
        """It was not seen in a look, or only as a part of something else."""
        self._remember(_Look(at, False))

    def see(self, at: datetime, track: Track, *, moving: bool) -> None:
        """It was seen in a look; ``moving``: something of its shape moved there."""
        self._remember(_Look(at, True, moving))
        if not self._way or self._way[-1].at < at:
            self._way.append(Waypoint(at, track.box))
        self.score = max(self.score, track.detection.score)
        if track.sure:
            self._sure = at
        if track.stationary_since is not None:
            self.stood = at
        self.presence.update(at, track.box, track.label)
        if self._given is None and self.presence.reason:
            self._given = at

    @property
    def is_in_sight(self) -> bool:
        """Whether the last look saw it, and not merely as a part of something else."""
        return bool(self._looks) and self._looks[-1].seen

    @property
    def is_enough(self) -> bool:
        """Whether it was seen often enough, long enough, and not only doubtfully, to be no slip of the detector's."""
        seen = self._seen
        return (
            len(seen) >= ENOUGH
            and len(seen) * WINDOW >= ENOUGH * len(self._looks)
            and seen[-1].at - seen[0].at >= _SPAN
            and self._sure is not None
            and self._sure >= seen[0].at
        )

    @property
    def is_moving(self) -> bool:
        """Whether something of its shape moved where it was, in enough of its last looks."""
        return sum(look.moving for look in self._seen) >= ENOUGH

    @property
    def reason(self) -> str:
        """Why it is an event, if it is one now: what it does rather than what it did before it stood still."""
        if self.stood is not None and (self._given or self.stood) <= self.stood < self._looks[-1].at:
            return "moved off"
        return self.presence.reason or "came into sight"

    def has_stayed(self, at: datetime) -> bool:
        """Whether it has only just been in a zone for as long as that wants."""
        return self._given is not None and at - self._given <= RECENTLY

    def start(self, at: datetime, track: Track, hold: timedelta) -> datetime:
        """Since when it has been what it is now: since it was first seen, where that is no longer ago than ``hold``."""
        return track.first_seen if timedelta(0) <= at - track.first_seen < hold else self._seen[0].at

    def seen_until(self, start: datetime) -> datetime:
        """The last look from ``start`` on that was no doubtful one."""
        return start if self._sure is None else max(start, self._sure)

    def way(self, start: datetime) -> tuple[Waypoint, ...]:
        """Where it was from ``start`` on."""
        return tuple(point for point in self._way if point.at >= start)

    @property
    def _seen(self) -> list[_Look]:
        return [look for look in self._looks if look.seen]

    def _remember(self, look: _Look) -> None:
        """The last five looks, and those of the last second where they are more."""
        self._looks.append(look)
        while len(self._looks) > WINDOW and look.at - self._looks[0].at > RECENTLY:
            self._looks.popleft()

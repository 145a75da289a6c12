"""What happens to an event, as plain values: the state machines say it, ``album`` turns it into rows and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nvr.model import Box, EventKind, Waypoint


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
    began: str = ""
    zones: tuple[str, ...] = ()
    path: tuple[Waypoint, ...] = ()


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
    """The event's subject was seen up to ``at``; told once a second, so that a crash loses no more than that, and at
    once where it enters a zone. ``path`` is what came since the last."""

    key: int
    at: datetime
    label: str
    zones: tuple[str, ...] = ()
    path: tuple[Waypoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """The event is over; ``end`` is when its subject was last seen. ``path`` is what came since the last ``Seen``."""

    key: int
    end: datetime
    ended: str = ""
    path: tuple[Waypoint, ...] = ()


Action = Opened | Better | Seen | Closed

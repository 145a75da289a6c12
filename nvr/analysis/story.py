"""Stories: what a camera's state machines said of its events, gathered until each is over.

Pure. For whoever wants events without rows: ``album`` keeps rows and pictures in step, this keeps values alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from nvr.analysis.actions import Action, Better, Closed, Opened, Seen
from nvr.model import Event, Waypoint

WAYPOINTS = 1000
"""Of an event's path that are kept: when there are more, every other one goes."""


@dataclass(frozen=True, slots=True)
class Story:
    """One event and its path, in the order of time. ``pictured`` is the instant of its best picture, in which its
    subject is in ``event.box``; None where it has none, or that is not known."""

    event: Event
    path: tuple[Waypoint, ...] = ()
    pictured: datetime | None = None


@dataclass(slots=True)
class _Draft:
    event: Event
    pictured: datetime
    path: list[Waypoint] = field(default_factory=list)

    def go(self, path: Iterable[Waypoint]) -> None:
        self.path += path
        if len(self.path) > WAYPOINTS:
            self.path = [*self.path[:-1:2], self.path[-1]]


class Stories:
    """One camera's events that last, out of actions in their order."""

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._drafts: dict[int, _Draft] = {}

    def take(self, actions: Iterable[Action]) -> list[Story]:
        """Note what happened; the stories that are over with it."""
        return [story for action in actions if (story := self._take(action)) is not None]

    def _take(self, action: Action) -> Story | None:
        if isinstance(action, Opened):
            self._drafts[action.key] = _Draft(_begun(self._camera, action), action.seen, list(action.path))
            return None
        draft = self._drafts[action.key]
        event = draft.event
        match action:
            case Better():
                draft.event = replace(event, label=action.label, score=action.score, box=action.box)
                draft.pictured = action.at
            case Seen():
                draft.event = replace(event, seen=action.at, zones=action.zones or event.zones)
                draft.go(action.path)
            case Closed():
                draft.go(action.path)
                del self._drafts[action.key]
                over = replace(event, seen=action.end, end=action.end, ended=action.ended)
                return Story(over, tuple(draft.path), draft.pictured)
        return None


def _begun(camera: str, action: Opened) -> Event:
    return Event(
        camera=camera,
        kind=action.kind,
        label=action.label,
        start=action.start,
        seen=action.seen,
        score=action.score,
        box=action.box,
        zones=action.zones,
        began=action.began,
    )

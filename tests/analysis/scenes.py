"""What the state machines of events are shown in tests: tracks and motion, look by look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from nvr.analysis.actions import Action, Better, Closed, Opened
from nvr.analysis.events import ObjectEvents
from nvr.analysis.motion import Motion
from nvr.analysis.tracker import Track
from nvr.analysis.zones import Zone
from nvr.model import Box, Detection, Event

T0 = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
HERE = Box(0.4, 0.4, 0.5, 0.6)
STILL = Motion()
BLIND = Motion(blind=True)
BEAT = 0.2
"""Seconds between two looks."""
YARD = Zone("yard", ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)))
"""The lower half of the picture; who is ``HERE`` stands in it."""


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def moving(*boxes: Box) -> Motion:
    return Motion(0.02, boxes or (HERE,))


def shifted(box: Box, across: float = 0.0, down: float = 0.0) -> Box:
    return Box(box.left + across, box.top + down, box.right + across, box.bottom + down)


UP = shifted(HERE, down=-0.3)
"""Out of the yard."""


def walker(
    seconds: float,
    box: Box = HERE,
    *,
    id: int = 1,
    first: float = 0,
    seen: float | None = None,
    label: str = "person",
    score: float = 0.7,
    moved: bool = True,
    still: float | None = None,
    sure: bool = True,
    grey: float | None = None,
) -> Track:
    """Somebody who has moved, in a look at ``seconds``, last seen then or at ``seen``, who stands since ``still``."""
    return Track(
        id=id,
        label=label,
        box=box,
        detection=Detection(box, label, score),
        first_seen=after(first),
        last_seen=after(seconds if seen is None else seen),
        moved=moved,
        stationary_since=None if still is None else after(still),
        sure=sure,
        appearance=None if grey is None else np.full(36, grey, np.float32),
    )


def parked(seconds: float, box: Box = HERE, *, id: int = 9, label: str = "car") -> Track:
    """A car that has not moved since it was first seen, 10 s after which it is known to stand still."""
    return walker(seconds, box, id=id, label=label, moved=False, still=0 if seconds >= 10 else None)


Scene = Callable[[float], Sequence[Track] | None]
"""The tracks of the look at so many seconds; None where the detector sleeps."""


def watch(
    events: ObjectEvents,
    start: float,
    stop: float,
    scene: Scene,
    motion: Motion | Callable[[float], Motion] = STILL,
    beat: float = BEAT,
) -> list[Action]:
    """What looks at ``start``, ``beat`` later and so on lead to."""
    actions: list[Action] = []
    for n in range(round((stop - start) / beat)):
        seconds = round(start + n * beat, 3)
        tracks = scene(seconds)
        seen = motion if isinstance(motion, Motion) else motion(seconds)
        actions += events.look(after(seconds), seen, None if tracks is None else tuple(tracks))
    return actions


def one(seconds: float) -> list[Track]:
    return [walker(seconds)]


def nobody(seconds: float) -> list[Track]:
    return []


def as_sharp_as(value: float) -> Callable[[Box], float]:
    return lambda box: value


def opened(actions: Iterable[Action]) -> list[Opened]:
    return [action for action in actions if isinstance(action, Opened)]


def closed(actions: Iterable[Action]) -> list[tuple[int, float, str]]:
    """Key, end in seconds, reason."""
    return [
        (action.key, (action.end - T0).total_seconds(), action.ended)
        for action in actions
        if isinstance(action, Closed)
    ]


def way(actions: Iterable[Action]) -> list[float]:
    """The seconds of all waypoints that were told."""
    path = [point for action in actions if not isinstance(action, Better) for point in action.path]
    return [(point.at - T0).total_seconds() for point in path]


def left_open(
    id: int = 7, *, seen: float = 0, box: Box | None = HERE, label: str = "person", score: float = 0.7
) -> Event:
    begun = Event("hik1", "object", label, after(-10), after(seen), score=score, box=box, zones=("street",), id=id)
    return replace(begun, snapshot=Path("snapshots/hik1/7.jpg"))

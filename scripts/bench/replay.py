"""A film seen through nvr's eyes: an ``Observer`` as the analyzer has it, without camera, slot and database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rich.console import Console
from rich.progress import track
from sequence import EPOCH, Film

from nvr.analysis.actions import Action, Better, Opened
from nvr.analysis.observer import Models, Observation, Observer
from nvr.analysis.sight import Sight
from nvr.model import Box, Waypoint

PEOPLE = Sight(labels=("person",))


@dataclass(frozen=True, slots=True)
class Look:
    """One picture that was looked at: its number in the film, its instant, and what it told."""

    frame: int
    at: datetime
    seen: Observation


@dataclass(slots=True)
class Story:
    """One event as it is when it is over. ``told`` is the instant of the look that opened it."""

    key: int
    label: str
    start: datetime
    told: datetime
    path: list[Waypoint] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Replay:
    """All looks, and the events they made."""

    looks: list[Look]
    stories: list[Story]


def replay(film: Film, every: int, sight: Sight = PEOPLE) -> Replay:
    """Look at each ``every``-th frame of a film."""
    observer, looks, stories = Observer(sight, Models()), [], _Stories()
    count = -(-film.frames // every)
    console = Console(stderr=True)
    for number, frame in track(film.pictures(every), f"every {every}", count, transient=True, console=console):
        looks.append(Look(number, frame.at, observer.observe(frame)))
        stories.take(frame.at, looks[-1].seen.actions)
    stories.take(looks[-1].at, observer.flush())
    return Replay(looks, stories.all())


def live(run: Replay) -> dict[int, list[tuple[int, Box]]]:
    """What was known in each look itself: the tracks seen in it that had moved; what only stands is no event."""
    return {
        look.frame: [
            (track.id, track.box) for track in look.seen.tracks or () if track.last_seen == look.at and track.moved
        ]
        for look in run.looks
    }


def stored(run: Replay) -> dict[int, list[tuple[int, Box]]]:
    """What is left at the end: the paths of all events."""
    frames = {milliseconds(look.at): look.frame for look in run.looks}
    boxes: dict[int, list[tuple[int, Box]]] = {look.frame: [] for look in run.looks}
    for story in run.stories:
        for point in story.path:
            if (frame := frames.get(milliseconds(point.at))) is not None:
                boxes[frame].append((story.key, point.box))
    return boxes


def milliseconds(at: datetime) -> int:
    """Since the film began; paths are stored no finer."""
    return round((at - EPOCH) / timedelta(milliseconds=1))


class _Stories:
    """Gathers events from actions."""

    def __init__(self) -> None:
        self._stories: dict[int, Story] = {}

    def take(self, at: datetime, actions: Iterable[Action]) -> None:
        """Each action brings what was added to its event's path."""
        for action in actions:
            if isinstance(action, Opened):
                self._stories[action.key] = Story(action.key, action.label, action.start, at)
            if not isinstance(action, Better):
                self._stories[action.key].path.extend(action.path)

    def all(self) -> list[Story]:
        return list(self._stories.values())

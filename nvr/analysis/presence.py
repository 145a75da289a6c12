"""Presence: in which zones has one object been, and which lines has it crossed? Pure but for its state.

One look says little: a box's lower edge trembles, and looks are missing. So along each border lies a strip in which
nothing is certain, ``ACROSS`` of the box's own width and ``DOWN`` of its height to either side. Who comes into a zone
is in it once he is beyond the strip, or inside in two looks in a row; he has left it once he is out beyond the strip in
two looks in a row. Who goes over a line has crossed it once he is beyond the strip, or has stayed beyond the line for
``STAY``. So who trembles on a border enters a zone once and crosses no line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from nvr.analysis.zones import Direction, Edge, Line, Point, Rules, Zone, contains, crossing, distance, edges, foot

if TYPE_CHECKING:
    from nvr.model import Box

ACROSS, DOWN = 0.2, 0.1
"""Shares of the box's width and height. Of walkers at five looks a second 97 in 100 feet are no further from where the
looks before and after put them (PETS09-S2L1, the detector that ships)."""
STAY = timedelta(seconds=3)
_AWAY = 2
"""Looks in a row that must find it out of a zone: one box may be anything."""
_LEAST_SIDE = 1e-6


@dataclass(frozen=True, slots=True)
class Entered:
    """It has been in the zone for as long as the zone's dwell; ``at`` (UTC) is the look that told."""

    zone: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Left:
    """It had entered the zone and is out of it, or the zone's hours are over."""

    zone: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Crossed:
    """It has crossed the line in a direction that the line asks for."""

    line: str
    direction: Direction
    at: datetime


Happening = Entered | Left | Crossed


class Presence:
    """Where one track has been. Lives in the analyzer process, one thread.

    Only looks in which it was seen go in. The time between two looks that both found it in a zone was spent there,
    however long nobody looked; where the clock was set back, no time has passed.
    """

    def __init__(self, rules: Rules) -> None:
        self._required = rules.required
        self._zones = tuple(_InZone(zone) for zone in rules.zones)
        self._lines = tuple(_AtLine(line) for line in rules.lines)
        self._last: datetime | None = None
        self._entered: dict[str, None] = {}
        self._counts = not rules.required
        self._reason = ""

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones it has entered and the lines it has crossed so far, each once, in that order."""
        return tuple(self._entered)

    @property
    def inside(self) -> tuple[str, ...]:
        """The zones it has entered and not left, in the order of the configuration."""
        return tuple(each.zone.name for each in self._zones if each.entered)

    @property
    def counts(self) -> bool:
        """Whether it has been where an object must have been to be an event; once true it stays so.

        Whether there are events at this hour (``zones.awake``) is another question.
        """
        return self._counts

    @property
    def reason(self) -> str:
        """What made it count, for people: ``entered yard``, ``stayed 3 s in yard``, ``crossed gate inwards``.

        Where nothing is required, what it did first. Empty while that is nothing.
        """
        return self._reason

    def update(self, at: datetime, box: Box, label: str) -> tuple[Happening, ...]:
        """Take in a look at ``at`` (UTC) that saw it in ``box`` as ``label``; what has happened by that."""
        passed = timedelta(0) if self._last is None else max(at - self._last, timedelta(0))
        self._last = at
        happened: list[Happening] = []
        for zone in self._zones:
            happened += zone.look(at, passed, box, label)
        for line in self._lines:
            happened += line.look(at, passed, box, label)
        for each in happened:
            self._note(each)
        return tuple(happened)

    def _note(self, happening: Happening) -> None:
        if isinstance(happening, Left):
            return
        name = happening.zone if isinstance(happening, Entered) else happening.line
        self._entered.setdefault(name)
        if not self._reason and (not self._required or name in self._required):
            self._counts, self._reason = True, self._say(happening)

    def _say(self, happening: Entered | Crossed) -> str:
        if isinstance(happening, Crossed):
            return f"crossed {happening.line} {happening.direction}wards"
        dwell = next(each.zone.dwell for each in self._zones if each.zone.name == happening.zone)
        return f"stayed {_spell(dwell)} in {happening.zone}" if dwell else f"entered {happening.zone}"


@dataclass(slots=True)
class _InZone:
    """One zone: whether the object is in it, and since it came, for how long."""

    zone: Zone
    entered: bool = False
    stayed: timedelta | None = None
    """None while it is not there."""
    was_inside: bool = False
    away: int = 0

    def look(self, at: datetime, passed: timedelta, box: Box, label: str) -> Iterator[Happening]:
        here = self.stayed is not None or self.zone.wants(label)  # who is in does not leave by another name
        inside = here and self.zone.awake(at) and contains(self.zone.points, foot(box))
        certain = _is_clear(edges(self.zone.points), box) if inside is (self.stayed is None) else False
        if self.stayed is not None:
            self.stayed += passed
            self.away = self.away + 1 if certain else 0
        elif inside and (certain or self.was_inside):
            self.stayed, self.away = passed if self.was_inside else timedelta(0), 0
        self.was_inside = inside
        if self.away >= _AWAY or not self.zone.awake(at):
            if self.entered:
                yield Left(self.zone.name, at)
            self.entered, self.stayed, self.away = False, None, 0
        elif not self.entered and inside and self._has_dwelt() and self.zone.wants(label):
            self.entered = True
            yield Entered(self.zone.name, at)

    def _has_dwelt(self) -> bool:
        return self.stayed is not None and self.stayed >= self.zone.dwell


@dataclass(slots=True)
class _AtLine:
    """One line: over which side the object's way has led it since it was last certain where it was."""

    line: Line
    last: Point | None = None
    over: int = 0
    """How often inwards more than outwards."""
    stayed: timedelta = timedelta()
    """For how long ``over`` has been what it is."""

    def look(self, at: datetime, passed: timedelta, box: Box, label: str) -> Iterator[Happening]:
        point = foot(box)
        way = None if self.last is None else crossing(self.line, self.last, point)
        self.last = point
        self.stayed = timedelta(0) if way else self.stayed + passed
        self.over += {"in": 1, "out": -1, None: 0}[way]
        if self.over and (self.stayed >= STAY or _is_clear(pairwise(self.line.points), box)):
            direction: Direction = "in" if self.over > 0 else "out"
            self.over = 0
            if self.line.wants(label, direction):
                yield Crossed(self.line.name, direction, at)


def _is_clear(border: Iterable[Edge], box: Box) -> bool:
    """Whether the box stands out of the strip along a border."""
    width = max(box.right - box.left, _LEAST_SIDE) * ACROSS
    height = max(box.bottom - box.top, _LEAST_SIDE) * DOWN
    return all(distance(edge, foot(box), width, height) > 1 for edge in border)


def _spell(span: timedelta) -> str:
    """``3 s``, ``1.5 s``, ``2 min``."""
    seconds = span.total_seconds()
    return f"{seconds / 60:g} min" if seconds >= 60 and seconds % 60 == 0 else f"{seconds:g} s"

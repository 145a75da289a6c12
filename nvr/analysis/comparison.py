"""Comparison: which events of then and of now tell the same, which differ, and which are there only once? Pure.

Two tell of one thing that are of one kind, about the same time and at the same place, by their paths where both have
one; of several the one that shares most of time, place and label. The likest are put together first, each event once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from nvr.analysis.geometry import distance
from nvr.analysis.story import Story
from nvr.model import Box, Event, Waypoint

TOLERANCE = timedelta(seconds=2)
"""By how much start or end may differ in events that are the same; and two that are apart by no more may be one."""
_BRIDGE = timedelta(seconds=10)
"""Between two waypoints the way is taken to be straight, if they are apart by no more."""
_NEAR = 1.0
"""Distance of two boxes, in widths or heights, up to which they are at one place."""
_TOGETHER = 0.3
"""Share of the moments that two paths have in common, at least, in which they are at one place."""
_PLACE_UNKNOWN = 0.5
_OTHER_LABEL = 0.4
_MOMENTS = 50
"""At most so many moments of two paths are compared."""

_SHARED = 3
"""Of the shorter of two paths at least a third has to be common time."""

What = Literal["same", "different", "only now", "only then"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs in a pair: ``then`` and ``now`` are labels, zones (joined by commas), or an instant's shift."""

    field: Literal["label", "zones", "start", "end"]
    then: str | datetime
    now: str | datetime


@dataclass(frozen=True, slots=True)
class Match:
    """Two that tell of one thing, or one alone. ``differences`` are empty but in pairs that differ."""

    then: Story | None
    now: Story | None
    differences: tuple[Difference, ...] = ()

    @property
    def what(self) -> What:
        if self.then is None:
            return "only now"
        if self.now is None:
            return "only then"
        return "different" if self.differences else "same"

    @property
    def start(self) -> datetime:
        """When it began; of a pair, as it was told then."""
        story = self.then or self.now
        assert story is not None
        return story.event.start


def compare(then: Sequence[Story], now: Sequence[Story], since: datetime, until: datetime) -> list[Match]:
    """Each story of both in exactly one match, by start. Starts before ``since`` and ends after ``until`` count as
    there: what lies outside is not compared."""
    ranked = sorted(_candidates(then, now), key=lambda each: (-each[0], each[1], each[2]))
    free_then, free_now = set(range(len(then))), set(range(len(now)))
    matches = []
    for _, old, new in ranked:
        if old in free_then and new in free_now:
            free_then.remove(old)
            free_now.remove(new)
            told = tuple(_differences(then[old].event, now[new].event, since, until))
            matches.append(Match(then[old], now[new], told))
    matches += [Match(then[old], None) for old in sorted(free_then)]
    matches += [Match(None, now[new]) for new in sorted(free_now)]
    return sorted(matches, key=lambda match: match.start)


def last(event: Event) -> datetime:
    """When it was over; of one that lasts, when its subject was last seen."""
    return max(event.start, event.seen if event.end is None else event.end)


def _candidates(then: Sequence[Story], now: Sequence[Story]) -> Iterator[tuple[float, int, int]]:
    """Pairs that may be one, with their likeness: (likeness, place in ``then``, place in ``now``)."""
    begun = sorted(
        [(story.event.start, 0, place) for place, story in enumerate(then)]
        + [(story.event.start, 1, place) for place, story in enumerate(now)]
    )
    stories = then, now
    lasting: tuple[list[int], list[int]] = ([], [])
    for start, side, place in begun:
        other = 1 - side
        lasting[other][:] = [each for each in lasting[other] if last(stories[other][each].event) + TOLERANCE >= start]
        for each in lasting[other]:
            old, new = (place, each) if side == 0 else (each, place)
            if likeness := _likeness(then[old], now[new]):
                yield likeness, old, new
        lasting[side].append(place)


def _likeness(one: Story, other: Story) -> float:
    """0 for two that are not of one thing, up to 1."""
    if one.event.kind != other.event.kind:
        return 0.0
    place = _place(one.path, other.path)
    if place is None:
        place = _PLACE_UNKNOWN
    elif place < _TOGETHER:
        return 0.0
    label = 1.0 if one.event.label == other.event.label else _OTHER_LABEL
    return _time(one.event, other.event) * place * label


def _time(one: Event, other: Event) -> float:
    """How much of the time of both is common, 0..1, each made longer by half the tolerance on both sides."""
    common = min(last(one), last(other)) - max(one.start, other.start) + TOLERANCE
    whole = max(last(one), last(other)) - min(one.start, other.start) + TOLERANCE
    return max(common / whole, 0.0)


def _place(one: Sequence[Waypoint], other: Sequence[Waypoint]) -> float | None:
    """In how much of their common time two paths are at one place, 0..1; None where it is not known.

    Where one goes on soon after the other's end it has to begin where that ended.
    """
    if not one or not other:
        return None
    begin, end = max(one[0].at, other[0].at), min(one[-1].at, other[-1].at)
    if begin > end:
        before, after = (one, other) if one[-1].at < other[0].at else (other, one)
        return None if distance(before[-1].box, after[0].box) <= _NEAR else 0.0
    if (end - begin) * _SHARED < min(path[-1].at - path[0].at for path in (one, other)):
        return 0.0  # they met: the one began just before the other was over
    moments = sorted({point.at for path in (one, other) for point in path if begin <= point.at <= end})
    boxes = [(_at(one, moment), _at(other, moment)) for moment in moments[:: -(-len(moments) // _MOMENTS)]]
    near = [distance(first, second) <= _NEAR for first, second in boxes if first is not None and second is not None]
    return sum(near) / len(near) if near else None


def _at(path: Sequence[Waypoint], moment: datetime) -> Box | None:
    """Where a path is at a moment within it; None between two points that are too far apart in time."""
    place = bisect_left(path, moment, key=lambda point: point.at)
    after = path[place]
    before = path[max(place - 1, 0)]
    if after.at == moment or after.at <= before.at:
        return after.box
    if after.at - before.at > _BRIDGE:
        return None
    share = (moment - before.at) / (after.at - before.at)
    first, second = before.box, after.box
    return Box(
        left=first.left + share * (second.left - first.left),
        top=first.top + share * (second.top - first.top),
        right=first.right + share * (second.right - first.right),
        bottom=first.bottom + share * (second.bottom - first.bottom),
    )


def _differences(then: Event, now: Event, since: datetime, until: datetime) -> Iterator[Difference]:
    if then.label != now.label:
        yield Difference("label", then.label, now.label)
    if set(then.zones) != set(now.zones):
        yield Difference("zones", ",".join(then.zones), ",".join(now.zones))
    if abs(max(then.start, since) - max(now.start, since)) > TOLERANCE:
        yield Difference("start", then.start, now.start)
    if abs(min(last(then), until) - min(last(now), until)) > TOLERANCE:
        yield Difference("end", last(then), last(now))

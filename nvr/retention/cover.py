"""Which of a camera's video is around events. Pure, but for the rows that it asks for, a day at a time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from nvr.model import Event, Segment

WINDOW = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
"""What only touches is near, too; spans that are asked for are half-open."""
NOBODY_LOOKED = "not analysed"
"""Label of the events of kind ``health`` that say so: whatever may have been there is kept."""
Span = tuple[datetime, datetime]


class Cover:
    """Events of one camera with what is before and after them; best asked oldest segment first."""

    def __init__(
        self, events: Callable[[datetime, datetime], Iterable[Event]], rolls: tuple[timedelta, timedelta], now: datetime
    ) -> None:
        """``events`` gives those that overlap a span; ``rolls`` says how much before and after an event counts as
        around it. An event that lasts, lasts until ``now``."""
        self._events = events
        self._rolls = rolls
        self._now = now
        self._known: Span | None = None
        self._around = _Spans([])
        self._locked = _Spans([])

    def has_event(self, segment: Segment) -> bool:
        """Whether an event is near, locked or not."""
        self._know(segment)
        return self._around.touch(segment.start, segment.end)

    def has_lock(self, segment: Segment) -> bool:
        """Whether an event is near that the user has locked."""
        self._know(segment)
        return self._locked.touch(segment.start, segment.end)

    def _know(self, segment: Segment) -> None:
        if self._known is not None and self._known[0] <= segment.start and segment.end <= self._known[1]:
            return
        before, after = self._rolls
        self._known = since, until = segment.start, max(segment.end, segment.start + WINDOW)
        found = [event for event in self._events(since - after - INSTANT, until + before + INSTANT) if counts(event)]
        self._around = _Spans(map(self._rolled, found))
        self._locked = _Spans(self._rolled(event) for event in found if event.locked)

    def _rolled(self, event: Event) -> Span:
        before, after = self._rolls
        end = event.end if event.end is not None else max(self._now, event.start)
        return event.start - before, end + after


def counts(event: Event) -> bool:
    """Whether there is something to be seen in the video around an event: not where a person said that there is not,
    and not because of a trouble, unless that was nobody looking.

    Who locks an event knows better than who marked it false.
    """
    return event.locked or not (event.false or (event.kind == "health" and event.label != NOBODY_LOOKED))


class _Spans:
    """Spans as disjoint ones in order, so that one search answers."""

    def __init__(self, spans: Iterable[Span]) -> None:
        joined = list(_joined(sorted(spans)))
        self._begins = [begin for begin, _ in joined]
        self._ends = [end for _, end in joined]

    def touch(self, begin: datetime, end: datetime) -> bool:
        place = bisect_left(self._ends, begin)
        return place < len(self._ends) and self._begins[place] <= end


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    last: Span | None = None
    for begin, end in spans:
        if last is not None and begin <= last[1]:
            last = last[0], max(last[1], end)
            continue
        if last is not None:
            yield last
        last = begin, end
    if last is not None:
        yield last

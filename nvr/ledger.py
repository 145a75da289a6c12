"""What is known of a camera's time: recorded, a gap with its reason, or not scheduled. Pure.

Every moment is exactly one of the three (invariant 4). Rules, from the strongest:

1. A segment covers it: recorded. Segments may overlap (the clock was set back).
2. Footage was there: a gap row says that it was deleted or that its file is missing. What was recorded once parts one
   hole from the next for ever, so that deleting footage changes what is said of its own time and of no other.
3. Before nvr knew the camera: not scheduled.
4. A gap row covers it: of several the one that began last. One that says "not to be recorded then" makes it not
   scheduled. An open row explains only what nvr was running to see.
5. nvr was not running: stopped in order, or killed, or the machine went down (another boot followed).
6. Left over in a hole that has causes: the next one, because causes are noticed late, else the one before.
7. Nothing is known.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from nvr.clock import to_us
from nvr.model import Gap, Stint
from nvr.reason import Reason

Kind = Literal["recorded", "gap", "not scheduled"]
Span = tuple[datetime, datetime]
Piece = tuple[datetime, datetime, Gap | None]

SEAM = timedelta(milliseconds=250)
"""Segments this close follow each other where no row says otherwise: how long a file's last picture lasts is a guess
where the row was made from the file."""

UNKNOWN_CAMERA = "nvr did not know this camera yet"
"""``detail`` of time before a camera was first recorded."""

_LOST = (Reason.DELETED, Reason.MISSING)
_EVER = datetime.max.replace(tzinfo=UTC)
_DAWN = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One span of one camera. ``reason`` is None for what is recorded and before the camera was known."""

    kind: Kind
    start: datetime
    end: datetime
    reason: Reason | None = None
    detail: str = ""

    @property
    def duration(self) -> timedelta:
        return self.end - self.start


def tell(
    camera_added: datetime | None,
    begin: datetime,
    end: datetime,
    recorded: Iterable[Span],
    gaps: Iterable[Gap],
    stints: Sequence[Stint],
) -> list[Entry]:
    """The ledger of [begin, end): entries that follow each other without a hole, neighbours that say the same joined.

    ``camera_added`` is None for a camera that nvr never knew. ``recorded`` comes by start and is read once, one at a
    time; ``gaps`` and ``stints`` in any order. All may lie outside of [begin, end): what is said of a moment depends
    on the whole hole it is in, so give the holes at both ends whole.
    """
    told = _Told(begin, end)
    rows = [gap for gap in gaps if gap.end is None or gap.end > gap.start]
    lost = _Cover(gap for gap in rows if gap.reason in _LOST)
    holes = _Holes(camera_added, _Cover(gap for gap in rows if gap.reason not in _LOST), downtimes(stints), told)
    for hole_start, hole_end, recorded_until in _holes_between(recorded):
        for start, stop, gap in lost.over(hole_start, hole_end):
            if gap is None:
                holes.explain(start, stop)
            else:
                told.add("gap", start, stop, gap.reason, gap.detail)
        if hole_end >= end:
            break
        told.add("recorded", hole_end, recorded_until)
    return told.entries


def downtimes(stints: Sequence[Stint]) -> list[tuple[datetime, datetime, Reason]]:
    """When nvr was not running, oldest first, and how that began; the last one has no end."""
    found = []
    last: Stint | None = None
    for stint in sorted(stints, key=lambda each: (each.start, each.id)):
        if last is not None and stint.start > _death(last):
            found.append((_death(last), stint.start, _end_of(last, stint)))
        if last is None or _death(stint) >= _death(last):
            last = stint
    if last is not None:
        found.append((_death(last), _EVER, _end_of(last, None)))
    return found


def _death(stint: Stint) -> datetime:
    return stint.end or stint.alive


def _end_of(stint: Stint, following: Stint | None) -> Reason:
    if stint.end is not None:
        return Reason.STOPPED
    return Reason.POWER if following is not None and following.boot != stint.boot else Reason.KILLED


class _Told:
    """Collects entries in order, cuts them to the span that was asked for, and joins equal ones."""

    def __init__(self, begin: datetime, end: datetime) -> None:
        self.entries: list[Entry] = []
        self._begin = begin
        self._end = end
        self._last: tuple[Kind, Reason | None, str] | None = None

    def add(self, kind: Kind, start: datetime, end: datetime, reason: Reason | None = None, detail: str = "") -> None:
        same = self._last == (kind, reason, detail)
        self._last = kind, reason, detail
        start, end = max(start, self._begin), min(end, self._end)
        if start >= end:
            return
        if same and self.entries:
            start = self.entries.pop().start
        self.entries.append(Entry(kind, start, end, reason, detail))

    def go_on(self, start: datetime, end: datetime) -> bool:
        """Say of [start, end) what was said last; False where nothing was."""
        if self._last is None:
            return False
        kind, reason, detail = self._last
        self.add(kind, start, end, reason, detail)
        return True


class _Cover:
    """Which gap row tells of a moment. Spans are to be asked for in ascending order: rows are taken in on the way."""

    def __init__(self, gaps: Iterable[Gap]) -> None:
        self._waiting = sorted(gaps, key=lambda gap: (gap.start, gap.id), reverse=True)
        self._covering: list[tuple[bool, int, int, Gap]] = []

    def over(self, start: datetime, end: datetime) -> Iterator[Piece]:
        """[start, end) in pieces, each with the row that tells of it or None; pieces without a row never touch."""
        while start < end:
            while self._waiting and self._waiting[-1].start <= start:
                gap = self._waiting.pop()
                rank = gap.reason is not Reason.DELETED, -to_us(gap.start), len(self._waiting)
                heapq.heappush(self._covering, (*rank, gap))
            while self._covering and (self._covering[0][-1].end or _EVER) <= start:
                heapq.heappop(self._covering)
            top = self._covering[0][-1] if self._covering else None
            stop = min(end, self._waiting[-1].start) if self._waiting else end
            if top is not None and top.end is not None:
                stop = min(stop, top.end)
            yield start, stop, top
            start = stop


class _Holes:
    """Explains holes between footage, asked for in ascending order."""

    def __init__(
        self, added: datetime | None, rows: _Cover, downtimes: list[tuple[datetime, datetime, Reason]], told: _Told
    ) -> None:
        self._added = added or _EVER
        self._rows = rows
        self._down = downtimes[::-1]
        self._told = told

    def explain(self, start: datetime, end: datetime) -> None:
        """Tell of [start, end), a whole hole."""
        if start < self._added:
            self._told.add("not scheduled", start, min(end, self._added), None, UNKNOWN_CAMERA)
            start = self._added
        if start >= end:
            return
        causes = [cause for row in self._rows.over(start, end) for cause in self._with_downtimes(row)]
        if len(causes) == 1 and causes[0][-1] is None and end - start <= SEAM and self._told.go_on(start, end):
            return
        for cause_start, cause_end, cause in _filled(causes):
            reason, detail = cause
            self._told.add("gap" if reason.scheduled else "not scheduled", cause_start, cause_end, reason, detail)

    def _with_downtimes(self, row: Piece) -> Iterator[tuple[datetime, datetime, _Cause | None]]:
        """A row's piece as it is, but where it has no row, or an open one, downtimes tell first."""
        start, end, gap = row
        cause = None if gap is None else (gap.reason, gap.detail)
        if gap is None or gap.end is None:
            while self._down and self._down[-1][1] <= start:
                self._down.pop()
            for down_start, down_end, reason in reversed(self._down):
                if down_start >= end:
                    break
                if start < down_start:
                    yield start, down_start, cause
                start = max(start, down_start)
                yield start, min(end, down_end), (reason, "")
                start = min(end, down_end)
        if start < end:
            yield start, end, cause


_Cause = tuple[Reason, str]


def _filled(
    pieces: Sequence[tuple[datetime, datetime, _Cause | None]],
) -> Iterator[tuple[datetime, datetime, _Cause]]:
    """What has no cause takes the next one in the hole, else the one before, else none is known."""
    following: list[_Cause | None] = []
    cause: _Cause | None = None
    for *_, own in reversed(pieces):
        cause = own or cause
        following.append(cause)
    before: _Cause = (Reason.UNKNOWN, "")
    for (start, end, _), after in zip(pieces, reversed(following), strict=True):
        before = after or before
        yield start, end, before


def _holes_between(recorded: Iterable[Span]) -> Iterator[tuple[datetime, datetime, datetime]]:
    """Each hole, from the beginning of time to its end, and until when it is recorded behind it."""
    done = _DAWN
    open_start = open_end = _DAWN
    for start, end in recorded:
        if start >= end:
            continue
        if open_end > open_start and start <= open_end:
            open_end = max(open_end, end)
            continue
        if open_end > open_start:
            yield done, open_start, open_end
            done = open_end
        open_start, open_end = start, end
    if open_end > open_start:
        yield done, open_start, open_end
        done = open_end
    yield done, _EVER, _EVER

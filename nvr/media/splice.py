"""Which part of which segment shows each moment of a span.

Pure. A stretch is what one run recorded without interruption: segments that follow each other, but for what a clock
that is put right costs or gives. Stretches overlap only where the clock was set back. Then the one that began later
has the time from its start to its end, so that the video does not jump to and fro between two recordings of the same
hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nvr.model import Segment

CONTIGUOUS = timedelta(milliseconds=50)
"""Segments of a run that are apart by no more follow each other, and those that overlap by no more, if that is less
than a picture lasts: a clock that is put right meanwhile (by 500 ppm at most) makes files overlap by so much, where
their rows were read from them."""
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Piece:
    """Packets of ``segment`` from ``start`` to before ``end``; to its last where ``end`` is None.

    It begins with a key frame: the last at or before ``start`` where ``early``, else the first at or after it.
    """

    segment: Segment
    start: datetime
    end: datetime | None
    early: bool


@dataclass(slots=True)
class Stretch:
    """Segments of one run that follow each other, oldest first."""

    segments: list[Segment]

    @property
    def start(self) -> datetime:
        return self.segments[0].start

    @property
    def end(self) -> datetime:
        return self.segments[-1].end


def stretches(segments: Sequence[Segment]) -> list[Stretch]:
    """Segments of one camera as stretches, by their start."""
    found: list[Stretch] = []
    last: dict[str, list[Stretch]] = {}
    for segment in sorted(segments, key=lambda each: (each.start, each.path)):
        # nothing that is still to come follows what has ended long before: it need not be looked at for each
        of_run = [each for each in last.get(segment.run, ()) if segment.start - each.end <= CONTIGUOUS]
        before = next((each for each in of_run if each.end - segment.start <= _overlap(each)), None)
        if before is not None:
            before.segments.append(segment)
        else:
            found.append(Stretch([segment]))
            of_run.append(found[-1])
        last[segment.run] = of_run
    return found


def _overlap(stretch: Stretch) -> timedelta:
    """By how much another segment may begin before the last one's end: its last picture still comes before it."""
    final = stretch.segments[-1]
    return min(CONTIGUOUS, final.duration / max(1, final.packets) - _TICK)


def splice(segments: Sequence[Segment], since: datetime, until: datetime) -> list[Piece]:
    """The pieces that show [since, until), in their order. Empty where no segment overlaps it."""
    found = stretches(segments)
    pieces = []
    for number, stretch in enumerate(found):
        covers = list(_covers(found, number, stretch.end))
        for segment in stretch.segments:
            for start, end in _uncovered(segment, covers):
                if start >= until or end <= since:
                    continue
                whole = end == segment.end and end <= until
                pieces.append(Piece(segment, max(start, since), None if whole else min(end, until), start <= since))
    return sorted(pieces, key=lambda piece: (piece.start, piece.segment.start))


def _covers(found: Sequence[Stretch], number: int, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Start and end of the stretches behind one that begin before it ends."""
    for place in range(number + 1, len(found)):
        if found[place].start >= end:
            return
        yield found[place].start, found[place].end


def covered(segments: Sequence[Segment], since: datetime, until: datetime) -> timedelta:
    """How much video of [since, until) ``splice`` leaves out, because a later stretch has its time."""
    there = [min(each.end, until) - max(each.start, since) for each in segments]
    shown = [(piece.end or piece.segment.end) - piece.start for piece in splice(segments, since, until)]
    return sum((span for span in there if span > timedelta()), timedelta()) - sum(shown, timedelta())


def _uncovered(segment: Segment, covers: list[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """The parts of a segment outside of ``covers``, which are sorted by their start."""
    at = segment.start
    for start, end in covers:
        if start > at:
            yield at, min(start, segment.end)
        at = max(at, end)
        if at >= segment.end:
            return
    yield at, segment.end

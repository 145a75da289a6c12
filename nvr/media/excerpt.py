"""A span of a camera's recording as one fragmented MP4, copied out of its files as it is being sent.

Pure but for reading. Fragments keep their bytes but for the time in their header, so that all are on one time line:
media time 0 is ``origin``, else its first picture. The excerpt begins with the last key frame at or before its start
and ends where the picture's format changes: one fragmented MP4 has one header.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from pathlib import Path

from nvr.clock import from_us, to_us
from nvr.media.atoms import Run, Track, alike, fragment
from nvr.media.fragments import Fragment, Fragments, opened, read_fragments
from nvr.media.splice import Piece, splice
from nvr.model import Segment

CHUNK = 1 << 20
"""Bytes read at once."""


@dataclass(slots=True)
class Part:
    """Fragments of one file, one behind the other in it, and by how much their times are put off, per track."""

    segment: Segment
    fragments: list[Fragment]
    shifts: dict[int, int]
    begin: int
    """When its first picture is decoded, ticks of the file's video."""
    first: bytes = b""
    """In place of the first fragment, made anew to begin with a key frame; empty where it begins with one."""
    last: bytes = b""
    """In place of the last one, made anew to end where a later recording begins; empty where it may end as it does."""

    @property
    def bytes(self) -> int:
        length = sum(each.length for each in self.fragments) + len(self.first) + len(self.last)
        length -= self.fragments[0].length if self.first else 0
        return length - self.fragments[-1].length if self.last else length


@dataclass(slots=True)
class Excerpt:
    """What will be sent: ``init``, then every part. ``start`` and ``end`` are the instants that its pictures cover."""

    mime: str
    init: bytes
    start: datetime
    end: datetime
    parts: list[Part] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return len(self.init) + sum(part.bytes for part in self.parts)


Look = Callable[[Path, Segment], Fragments]
"""Reads a segment's fragments, or has read them before. Raises OSError and ValueError."""


def look(storage: Path, segment: Segment) -> Fragments:
    with opened(storage, segment) as file:
        return read_fragments(file)


def excerpt(
    storage: Path,
    segments: Sequence[Segment],
    since: datetime,
    until: datetime,
    origin: datetime | None = None,
    look: Look = look,
) -> Excerpt | None:
    """What ``segments`` have of [since, until); None where that is nothing. Files that are gone or damaged are left
    out. Without ``origin`` the first picture is at media time 0."""
    found: Excerpt | None = None
    for piece in splice(segments, since, until):
        try:
            seen = look(storage, piece.segment)
            part = _part(storage, piece, seen, until, origin if found is None else origin or found.start)
            if part is None:
                continue
            ends = part.begin, part.fragments[-1].video.end()
        except (OSError, ValueError):
            continue
        start, end = (_instant(piece.segment, seen.video, at) for at in ends)
        if found is None:
            found = Excerpt(seen.mime, seen.init, start, end)
        elif not alike(found.init, seen.init):
            break
        found.parts.append(part)
        found.end = end
    return found


def read(storage: Path, part: Part) -> Iterator[bytes | bytearray]:
    """The bytes of a part, at their new times, about a megabyte at once. Raises OSError, and EOFError for a file that
    became shorter."""
    rest = part.fragments
    with opened(storage, part.segment) as file:
        if part.first:
            yield part.first
            rest = rest[1:]
        if part.last:
            rest = rest[:-1]
        while rest:
            count, length = 0, 0
            while count < len(rest) and (not count or length + rest[count].length <= CHUNK):
                length += rest[count].length
                count += 1
            data = bytearray(length)
            if os.preadv(file.fileno(), [data], rest[0].place) < length:
                raise EOFError(f"{part.segment.path} is shorter than it was")
            for each in rest[:count]:
                for run in (each.video, each.audio):
                    if run is not None:
                        at = each.place - rest[0].place + run.start_at
                        data[at : at + 8] = max(0, run.start + part.shifts[run.track]).to_bytes(8, "big")
            yield data
            rest = rest[count:]
        if part.last:
            yield part.last


def _part(storage: Path, piece: Piece, seen: Fragments, until: datetime, origin: datetime | None) -> Part | None:
    start_us, video = to_us(piece.segment.start), seen.video
    begin = _ticks(to_us(piece.start) - start_us, video)
    end_us = to_us(until) if piece.end is None else min(to_us(piece.end), to_us(until))
    end = _ticks(end_us - start_us, video)
    fragments = [each for each in seen.fragments if each.video.start < end]
    first = _first(fragments, begin, early=piece.early)
    if first is None:
        return None
    place, key = first
    run = fragments[place].video
    samples = run.samples()
    at = run.start + sum(sample.duration for sample in samples[:key])
    zero_us = to_us(origin or _instant(piece.segment, video, at))
    shifts = {track.id: _ticks(start_us - zero_us, track) for track in (video, seen.audio) if track is not None}
    part = Part(piece.segment, fragments[place:], shifts, at)
    sound = fragments[place].audio
    # sound that begins before the origin cannot be told in a file: those pictures go without
    if key or (sound is not None and sound.start + shifts[sound.track] < 0):
        part.first = _cut(storage, piece.segment, fragments[place], slice(key, None), at + shifts[video.id])
    covered = piece.end is not None and piece.end < until
    final = fragments[-1].video
    if covered and final.end() > end and len(part.fragments) > 1:
        kept = sum(start < end for start in _starts(final))
        part.last = _cut(storage, piece.segment, fragments[-1], slice(kept), final.start + shifts[video.id])
    return part


def _starts(run: Run) -> list[int]:
    """When each of its samples is decoded."""
    return list(accumulate((sample.duration for sample in run.samples()[:-1]), initial=run.start))


def _first(fragments: Sequence[Fragment], begin: int, *, early: bool) -> tuple[int, int] | None:
    """Fragment and sample to begin with: the last key frame shown by ``begin``, else (or unless ``early``) the first
    after it."""
    last = len(fragments)
    if early:
        last = next((place for place, each in enumerate(fragments) if each.video.start > begin), last)
        for place in range(last - 1, -1, -1):
            keys = [number for number, _, shown in fragments[place].video.key_frames() if shown <= begin]
            if keys:
                return place, keys[-1]
    for place, each in enumerate(fragments):
        for number, decoded, _ in each.video.key_frames():
            if early or decoded >= begin:
                return place, number
    return None


def _cut(storage: Path, segment: Segment, whole: Fragment, part: slice, start: int) -> bytes:
    """Some of a fragment's pictures, at a new time, without their sound."""
    samples = whole.video.samples()
    before = sum(sample.size for sample in samples[: part.start or 0])
    size = sum(sample.size for sample in samples[part])
    with opened(storage, segment) as file:
        file.seek(whole.place + whole.video.data_at() + before)
        data = file.read(size)
    return fragment(1, whole.video.track, max(0, start), samples[part], data)


def _instant(segment: Segment, track: Track, ticks: int) -> datetime:
    return from_us(to_us(segment.start) + ticks * 1_000_000 // track.timescale)


def _ticks(us: int, track: Track) -> int:
    return (us * track.timescale + 500_000) // 1_000_000

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
from nvr.media.atoms import Run, Track, alike, fragment, put_off
from nvr.media.fragments import Fragment, Fragments, opened, read_fragments
from nvr.media.splice import Piece, splice
from nvr.model import Segment

CHUNK = 1 << 20
"""Bytes read at once."""


@dataclass(slots=True)
class Part:
    """What is sent of one file: ``length`` bytes from ``place`` on, which are whole fragments. ``start`` and ``end``
    are the instants that its pictures cover. No fragment is kept: a day has 200 000 of them."""

    segment: Segment
    shifts: dict[int, int]
    """By how much the times of each track are put off, ticks."""
    start: datetime
    end: datetime
    place: int = 0
    length: int = 0
    first: bytes = b""
    """In place of the first fragment, made anew to begin with a key frame; empty where it begins with one."""
    last: bytes = b""
    """In place of the last one, made anew to end where a later recording begins; empty where it may end as it does."""

    @property
    def bytes(self) -> int:
        return len(self.first) + self.length + len(self.last)


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
        except (OSError, ValueError):
            continue
        if part is None:
            continue
        if found is None:
            found = Excerpt(seen.mime, seen.init, part.start, part.end)
        elif not alike(found.init, seen.init):
            break
        found.parts.append(part)
        found.end = part.end
    return found


def read(storage: Path, part: Part) -> Iterator[bytes | bytearray]:
    """The bytes of a part, at their new times, about a megabyte at once. Raises OSError, EOFError for a file that
    became shorter, and ValueError for one that was damaged meanwhile."""
    with opened(storage, part.segment) as file:
        if part.first:
            yield part.first
        place, end, ahead = part.place, part.place + part.length, 0
        while place < end:
            data = bytearray(min(CHUNK, end - place))
            if os.preadv(file.fileno(), [data], place) < len(data):
                raise EOFError(f"{part.segment.path} is shorter than it was")
            ahead = _put_off(data, part.shifts, ahead, last=place + len(data) == end)
            place += len(data)
            yield data
        if part.last:
            yield part.last


def _put_off(data: bytearray, shifts: dict[int, int], at: int, *, last: bool) -> int:
    """Put off the times in a stretch of fragments, of which the first whole box is at ``at``. A header that the
    stretch ends in is taken off it, to be read with the next. Says how far behind the end the next box begins."""
    while at < len(data):
        size, kind = _box(data, at)
        if size == 0 or (kind == b"moof" and at + size > len(data)):
            if last or at == 0:
                raise ValueError("a fragment is damaged")
            del data[at:]
            break
        if kind == b"moof":
            put_off(data, at, at + size, shifts)
        at += size
    return at - len(data)


def _box(data: bytearray, at: int) -> tuple[int, bytes]:
    """Length and kind of the box at a place; 0 where that is not all there. Raises ValueError for none."""
    size, head = int.from_bytes(data[at : at + 4], "big"), 8
    if size == 1:
        size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
    if at + head > len(data):
        return 0, b""
    if size < head:
        raise ValueError("a fragment is damaged")
    return size, bytes(data[at + 4 : at + 8])


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
    fragments = fragments[place:]
    at = _starts(fragments[0].video)[key]
    covered = piece.end is not None and piece.end < until
    if covered and at >= end:
        return None
    starts = _starts(fragments[-1].video)
    kept = sum(each < end for each in starts) if covered else len(starts)
    ends_at = starts[kept] if kept < len(starts) else fragments[-1].video.end()
    start = _instant(piece.segment, video, at)
    zero_us = to_us(origin or start)
    shifts = {track.id: _ticks(start_us - zero_us, track) for track in (video, seen.audio) if track is not None}
    part = Part(piece.segment, shifts, start, _instant(piece.segment, video, ends_at))
    _fill(storage, part, fragments, key, kept)
    return part


def _fill(storage: Path, part: Part, fragments: list[Fragment], key: int, kept: int) -> None:
    """Give a part what it sends of ``fragments``: from picture ``key`` of the first on, ``kept`` ones of the last."""
    head, tail = fragments[0], fragments[-1]
    # sound that begins before the origin cannot be told in a file: those pictures go without
    makes_first = key > 0 or (head.audio is not None and head.audio.start + part.shifts[head.audio.track] < 0)
    makes_last = kept < len(_starts(tail.video))
    if head is tail and (makes_first or makes_last):
        part.first = _cut(storage, part, head, slice(key, kept))
        return
    if makes_first:
        part.first = _cut(storage, part, head, slice(key, None))
    if makes_last:
        part.last = _cut(storage, part, tail, slice(0, kept))
    whole = fragments[makes_first : len(fragments) - makes_last]
    if whole:
        part.place, part.length = whole[0].place, whole[-1].place + whole[-1].length - whole[0].place


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


def _cut(storage: Path, part: Part, whole: Fragment, pictures: slice) -> bytes:
    """Some of a fragment's pictures, at their new time, without their sound."""
    video, samples = whole.video, whole.video.samples()
    before = sum(sample.size for sample in samples[: pictures.start])
    size = sum(sample.size for sample in samples[pictures])
    with opened(storage, part.segment) as file:
        file.seek(whole.place + video.data_at() + before)
        data = file.read(size)
    start = _starts(video)[pictures.start] + part.shifts[video.track]
    return fragment(1, video.track, max(0, start), samples[pictures], data)


def _instant(segment: Segment, track: Track, ticks: int) -> datetime:
    return from_us(to_us(segment.start) + ticks * 1_000_000 // track.timescale)


def _ticks(us: int, track: Track) -> int:
    return (us * track.timescale + 500_000) // 1_000_000

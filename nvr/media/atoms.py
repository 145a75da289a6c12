"""What nvr reads of and writes into the boxes of fragmented MP4 (ISO/IEC 14496-12). Pure.

A fragment is a ``moof`` with its ``mdat``. Of what FFmpeg writes this knows tracks and their time scales, codecs
(RFC 6381), and for each fragment when it is decoded and where its key frames are. It writes fragments of one video
track, as live video is sent in them, and puts fragments to another time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"}
_NOT_SYNC, _DEPENDS = 0x00010000, 0x01000000
KEY_FLAGS, OTHER_FLAGS = 0x02000000, _DEPENDS | _NOT_SYNC
"""sample_flags of a key frame (depends on no other) and of the other ones (8.8.3.1)."""
MOST_SAMPLES = 100_000
"""Samples of one fragment that are believed."""
_BOX, _TIME = struct.Struct(">I4sB3xI"), struct.Struct(">Q")
"""A box's length and kind, the version that most have, and what some have behind it."""
_TFHD_FIELDS = ((0x01, 8), (0x02, 4), (0x08, 4), (0x10, 4), (0x20, 4))


@dataclass(frozen=True, slots=True)
class Track:
    """A track of an initialisation segment. ``codec`` is as RFC 6381 names it, such as ``avc1.640028``."""

    id: int
    kind: str
    """``vide`` or ``soun``."""
    timescale: int
    codec: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture or piece of sound: bytes, ticks of its track, whether it is a key frame, by how much it is shown
    later than it is decoded."""

    size: int
    duration: int
    key: bool
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A track's part of a fragment: from ``start`` (ticks) on. ``start_at`` is where in the fragment that number is,
    8 bytes. Samples are taken apart when they are asked for: most are passed on as they are."""

    track: int
    start: int
    start_at: int
    defaults: dict[int, int] = field(repr=False)
    table: bytes = field(repr=False)
    """The content of its ``trun``."""

    def samples(self) -> list[Sample]:
        return _samples(self.table, self.defaults)

    def data_at(self) -> int:
        """Where in the fragment the samples' bytes begin."""
        return int.from_bytes(self.table[8:12], "big", signed=True)

    def end(self) -> int:
        return self.start + sum(sample.duration for sample in self.samples())

    def key_frames(self) -> Iterator[tuple[int, int, int]]:
        """Of every key frame: its number among the samples, when it is decoded and shown (ticks)."""
        samples = self.samples()
        starts = accumulate((sample.duration for sample in samples), initial=self.start)
        for number, (sample, start) in enumerate(zip(samples, starts, strict=False)):
            if sample.key:
                yield number, start, start + sample.shift


def boxes(data: bytes | memoryview, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes in a stretch of bytes: kind, where its content begins, where it ends. What is damaged ends it."""
    while start + 8 <= end:
        size, head = int.from_bytes(data[start : start + 4], "big"), 8
        kind = bytes(data[start + 4 : start + 8])
        if size == 1 and start + 16 <= end:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        if size < head or start + size > end:
            return
        yield kind, start + head, start + size
        start += size


def find(data: bytes, *path: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Content of all boxes at a path such as ``moov``, ``trak``."""
    for kind, inside, after in boxes(data, start, len(data) if end is None else end):
        if kind == path[0]:
            if len(path) == 1:
                yield inside, after
            else:
                yield from find(data, *path[1:], start=inside, end=after)


def tracks(init: bytes) -> list[Track]:
    """The tracks of an initialisation segment. Raises ValueError where there is none that can be read."""
    found = []
    for start, end in find(init, b"moov", b"trak"):
        try:
            found.append(_track(init, start, end))
        except (StopIteration, IndexError, struct.error):
            continue
    if not found:
        raise ValueError("its header names no track")
    return found


def _track(data: bytes, start: int, end: int) -> Track:
    head, _ = next(find(data, b"tkhd", start=start, end=end))
    media, _ = next(find(data, b"mdia", b"mdhd", start=start, end=end))
    handler, _ = next(find(data, b"mdia", b"hdlr", start=start, end=end))
    entries, last = next(find(data, b"mdia", b"minf", b"stbl", b"stsd", start=start, end=end))
    id_at, scale_at = (at + (20 if data[at] else 12) for at in (head, media))
    return Track(
        int.from_bytes(data[id_at : id_at + 4], "big"),
        data[handler + 8 : handler + 12].decode("latin-1"),
        int.from_bytes(data[scale_at : scale_at + 4], "big"),
        _codec(data, entries + 8, last),
    )


def _codec(data: bytes, start: int, end: int) -> str:
    kind, inside, after = next(boxes(data, start, end))
    name = kind.decode("latin-1")
    if name in ("avc1", "avc3"):
        at, _ = next(find(data, b"avcC", start=inside + 78, end=after))
        return f"{name}.{data[at + 1 : at + 4].hex()}"
    if name in ("hvc1", "hev1"):
        at, _ = next(find(data, b"hvcC", start=inside + 78, end=after))
        return f"{name}.{_hevc(data[at : at + 13])}"
    if name == "mp4a":
        return "mp4a.40.2"
    return name


def _hevc(record: bytes) -> str:
    """Profile, compatibility, tier, level and constraints of a hvcC record (ISO/IEC 14496-15, E.3)."""
    space = ("", "A", "B", "C")[record[1] >> 6]
    compatible = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
    tier = "H" if record[1] & 0x20 else "L"
    constraints = [f"{byte:X}" for byte in record[6:12].rstrip(b"\0")]
    return ".".join([f"{space}{record[1] & 0x1F}", f"{compatible:X}", f"{tier}{record[12]}", *constraints])


def alike(one: bytes, other: bytes) -> bool:
    """Whether two headers describe the same tracks, whatever else they tell: each names its own start."""
    path = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    described = [[header[start:end] for start, end in find(header, *path)] for header in (one, other)]
    return described[0] == described[1] and tracks(one) == tracks(other)


def runs(moof: bytes) -> list[Run]:
    """What a ``moof`` tells of each of its tracks. Raises ValueError where it is damaged."""
    try:
        return [_run(moof, start, end) for start, end in find(moof, b"moof", b"traf")]
    except (StopIteration, IndexError, struct.error) as error:
        raise ValueError("a fragment's header is damaged") from error


def put_off(data: bytearray, start: int, end: int, shifts: Mapping[int, int]) -> None:
    """Put off, in place, the times that the ``moof`` in a stretch of bytes tells, by ticks for each track. Raises
    ValueError where it is damaged. A walk of its own, ten times as quick as ``runs``: whatever is sent passes here."""
    at, shift, found = start + 8, 0, 0
    while at + _BOX.size <= end:
        size, kind, version, number = _BOX.unpack_from(data, at)
        if kind == b"traf":  # into it: what it holds, and then the next, lies in a row
            at += 8
            continue
        if kind == b"tfhd":
            shift = shifts.get(number, 0)
        elif kind == b"tfdt" and version == 1 and 20 <= size <= end - at:
            [time] = _TIME.unpack_from(data, at + 12)
            _TIME.pack_into(data, at + 12, max(0, time + shift))
            found += 1
        if size < 8:
            break
        at += size
    if not found:
        raise ValueError("a fragment's header is damaged")


def _run(data: bytes, start: int, end: int) -> Run:
    head, _ = next(find(data, b"tfhd", start=start, end=end))
    time, _ = next(find(data, b"tfdt", start=start, end=end))
    flags = int.from_bytes(data[head + 1 : head + 4], "big")
    track, at = int.from_bytes(data[head + 4 : head + 8], "big"), head + 8
    told = {}
    for flag, size in _TFHD_FIELDS:
        if flags & flag:
            told[flag] = int.from_bytes(data[at : at + size], "big")
            at += size
    table, after = next(find(data, b"trun", start=start, end=end))
    if data[time] != 1 or not data[table + 3] & 1:
        raise ValueError("a fragment tells its time in 32 bits, or not where its data is")
    return Run(track, int.from_bytes(data[time + 4 : time + 12], "big"), time + 4, told, data[table:after])


def _samples(table: bytes, told: dict[int, int]) -> list[Sample]:
    flags, count = int.from_bytes(table[1:4], "big"), int.from_bytes(table[4:8], "big")
    place = 12 if flags & 0x1 else 8
    first = None
    if flags & 0x4:
        first = int.from_bytes(table[place : place + 4], "big")
        place += 4
    fields = [flag for flag in (0x100, 0x200, 0x400, 0x800) if flags & flag]
    if place + 4 * len(fields) * count > len(table) or count > MOST_SAMPLES:
        raise ValueError("a fragment's header is damaged")
    words = struct.unpack_from(f">{len(fields) * count}I", table, place)
    samples = []
    for number in range(count):
        values = dict(zip(fields, words[number * len(fields) : (number + 1) * len(fields)], strict=True))
        marks = values.get(0x400, told.get(0x20, 0))
        if number == 0 and first is not None:
            marks = first
        shift = values.get(0x800, 0)
        shift = shift - (1 << 32) if table[0] == 1 and shift >= 1 << 31 else shift
        key = not marks & _NOT_SYNC
        samples.append(Sample(values.get(0x200, told.get(0x10, 0)), values.get(0x100, told.get(0x08, 0)), key, shift))
    return samples


def fragment(number: int, track: int, start: int, samples: Sequence[Sample], data: bytes) -> bytes:
    """A whole fragment of one track, ``start`` in its ticks; ``data`` are the samples' bytes one after the other."""
    rows = b"".join(
        struct.pack(">IIIi", each.duration, each.size, KEY_FLAGS if each.key else OTHER_FLAGS, each.shift)
        for each in samples
    )
    size = 8 + 16 + 8 + 16 + 20 + 20 + len(rows)  # moof, mfhd, traf, tfhd, tfdt, trun
    return b"".join(
        (
            struct.pack(">I4sI4sII", size, b"moof", 16, b"mfhd", 0, number & 0xFFFFFFFF),
            struct.pack(">I4sI4sII", size - 24, b"traf", 16, b"tfhd", 0x020000, track),
            struct.pack(">I4sIQ", 20, b"tfdt", 0x01000000, start),
            struct.pack(">I4sIIi", 20 + len(rows), b"trun", 0x01000F01, len(samples), size + 8),
            rows,
            struct.pack(">I4s", 8 + len(data), b"mdat"),
            data,
        )
    )

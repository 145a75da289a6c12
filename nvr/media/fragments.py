"""The fragments of one recorded file: where they are, when they begin, which hold key frames.

A file being written is fragments; a closed one still holds them, hidden (``nvr.media.boxes``). So any part of it can be
sent as it is. Only headers are read, a few hundred bytes every half second of video.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from nvr import layout
from nvr.media.atoms import Run, Track, runs, tracks
from nvr.media.boxes import boxes
from nvr.model import Segment

_HEADER_MOST = 1 << 16
"""Bytes of a header that are believed."""
_LOOK = 1024
"""Bytes read at once: a fragment's header, and that of its data behind it."""
_FRAGMENT_BYTES, _RUN_BYTES = 130, 410
"""In memory, without the table of a run."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """``place`` and ``length`` of a moof and its mdat in the file; ``video`` and ``audio`` are what it holds."""

    place: int
    length: int
    video: Run
    audio: Run | None


@dataclass(frozen=True, slots=True)
class Fragments:
    """A file's initialisation segment, which is at ``init_place``, and its fragments in their order."""

    init: bytes
    init_place: int
    video: Track
    audio: Track | None
    fragments: tuple[Fragment, ...]

    @property
    def memory(self) -> int:
        """About the bytes that this takes in memory."""
        return len(self.init) + sum(
            _FRAGMENT_BYTES + sum(_RUN_BYTES + len(run.table) for run in (each.video, each.audio) if run is not None)
            for each in self.fragments
        )

    @property
    def mime(self) -> str:
        """For Media Source Extensions: ``video/mp4; codecs="avc1.640028,mp4a.40.2"``."""
        codecs = [track.codec for track in (self.video, self.audio) if track is not None]
        return f'video/mp4; codecs="{",".join(codecs)}"'


@contextmanager
def opened(storage: Path, segment: Segment) -> Iterator[BinaryIO]:
    """A segment's file to read; one that is being closed meanwhile is found by its new name. Raises OSError."""
    final = storage / segment.path
    for file in (final, final.with_name(final.name + layout.PART_SUFFIX), final):
        try:
            with file.open("rb") as found:
                yield found
                return
        except FileNotFoundError:
            continue
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(final))


def read_fragments(file: BinaryIO) -> Fragments:
    """The fragments of an open file, as far as they are whole. Raises OSError, and ValueError for a file that holds
    none or is damaged."""
    place, end = _inside(file)
    init = b""
    init_place = place
    video: Track | None = None
    audio: Track | None = None
    found: list[Fragment] = []
    while place + 8 <= end:
        head = os.pread(file.fileno(), _LOOK, place)
        kind, length = head[4:8], _length(head)
        if length < 8 or place + length > end:
            break
        if kind == b"moov" and video is None:
            init, init_place = _beside(file, init, init_place, place)
            init += os.pread(file.fileno(), min(length, _HEADER_MOST), place)
            told = tracks(init)
            video = next((track for track in told if track.kind == "vide"), None)
            audio = next((track for track in told if track.kind == "soun"), None)
        elif kind == b"ftyp" and video is None:
            init, init_place = head[:length], place
        elif kind == b"moof" and video is not None:
            fragment = _fragment(file, place, end, head, video, audio)
            if fragment is None:
                break
            found.append(fragment)
            length = fragment.length
        place += length
    if video is None or not found:
        raise ValueError("it holds no fragments")
    found[-1].video.end()  # what is damaged there is found now
    return Fragments(init, init_place, video, audio, tuple(found))


def _beside(file: BinaryIO, kind: bytes, kind_place: int, moov: int) -> tuple[bytes, int]:
    """The ``ftyp`` box and where it is: right before ``moov`` where a copy of it is, which stays when the file is
    closed."""
    copy = max(0, moov - len(kind))
    found = os.pread(file.fileno(), len(kind), copy)
    return (kind, copy) if kind and found == kind else (kind, kind_place)


def _inside(file: BinaryIO) -> tuple[int, int]:
    """Where the fragments' boxes begin and end: at the top, or in the one ``mdat`` of a closed file."""
    size = os.fstat(file.fileno()).st_size
    for kind, place, length in boxes(file, size):
        if kind == "moov":
            return 0, size
        if kind == "mdat":
            file.seek(place)
            return place + (16 if file.read(4) == b"\0\0\0\1" else 8), place + length
    return 0, size


def _fragment(file: BinaryIO, place: int, end: int, head: bytes, video: Track, audio: Track | None) -> Fragment | None:
    """The fragment at a place, whose first bytes are ``head``; None where it is not whole, or not there."""
    length = _length(head)
    if length + 16 > len(head):
        head = os.pread(file.fileno(), min(length + 16, _HEADER_MOST), place)
    data = _length(head[length : length + 16])
    if head[length + 4 : length + 8] != b"mdat" or data < 8 or place + length + data > end:
        return None
    by_track = {run.track: run for run in runs(head[:length])}
    if video.id not in by_track:
        return None
    return Fragment(place, length + data, by_track[video.id], by_track.get(audio.id) if audio else None)


def _length(head: bytes) -> int:
    length = int.from_bytes(head[:4], "big")
    return int.from_bytes(head[8:16], "big") if length == 1 else length

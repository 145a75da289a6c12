"""The top-level boxes of a segment file (ISO/IEC 14496-12), and views of it that FFmpeg can read.

Pure but for reading; used by whatever reads files back. A file being written is ``ftyp``, two ``free``, ``moov``, then
fragments (``moof`` with its ``mdat``). Closing it appends a whole ``moov`` and turns the two ``free`` into the head of
one ``mdat``, so that the fragments are still there, hidden (FFmpeg's ``hybrid_fragmented``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO


class View:
    """The first ``size`` bytes of a file, as a file; ``patch`` replaces those from ``at`` on. Nothing is written."""

    def __init__(self, file: BinaryIO, size: int, at: int = 0, patch: bytes = b"") -> None:
        self._file = file
        self._size = size
        self._at = at
        self._patch = patch
        self._file.seek(0)

    def read(self, count: int) -> bytes:
        place = self._file.tell()
        data = self._file.read(max(0, min(count, self._size - place)))
        if self._patch and place < self._at + len(self._patch):
            whole = bytearray(data)
            for number, value in enumerate(self._patch, self._at - place):
                if 0 <= number < len(whole):
                    whole[number] = value
            data = bytes(whole)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            offset, whence = self._size + offset, os.SEEK_SET
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def boxes(file: BinaryIO, size: int) -> Iterator[tuple[str, int, int]]:
    """The whole top-level boxes of the first ``size`` bytes: kind, place, length. Raises OSError."""
    place = 0
    while place + 8 <= size:
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[:4])
        length = int.from_bytes(head[8:16]) if length == 1 else length or size - place
        if length < 8 or place + length > size:
            return
        yield head[4:8].decode("latin-1"), place, length
        place += length


def whole_bytes(file: BinaryIO) -> int:
    """Where the last whole fragment of a fragmented file ends: what lies behind is being written, or broke off.

    0 for a file without fragments at its top level: it is closed, or holds nothing yet. Raises OSError.
    """
    whole, before = 0, ""
    for kind, place, length in boxes(file, os.fstat(file.fileno()).st_size):
        if kind == "mdat" and before == "moof":
            whole = place + length
        before = kind
    return whole


def whole_fragments(file: BinaryIO) -> View | None:
    """A fragmented file as far as it is whole; None for one without fragments at its top level. Raises OSError."""
    whole = whole_bytes(file)
    return View(file, whole) if whole else None


def hidden_fragments(file: BinaryIO) -> View | None:
    """A closed file as the fragments it was written as; None for a file that hides none. Raises OSError."""
    found = [box for box in boxes(file, os.fstat(file.fileno()).st_size) if box[0] != "free"]
    if [kind for kind, _, _ in found] != ["ftyp", "mdat", "moov"]:
        return None
    start = found[0][2]
    for place in (start + 16, start + 16 + start):  # the second free box may hold a copy of ftyp
        file.seek(place + 4)
        if file.read(4) == b"moov":
            head = b"\0\0\0\x08free" + (place - start - 8).to_bytes(4) + b"free"
            return View(file, found[2][1], start, head)
    return None

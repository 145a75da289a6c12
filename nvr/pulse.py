"""The pulse: heartbeat and counters of one process, in shared memory, read without asking the process.

Each process writes its file about once a second, the supervisor and ``nvr status`` read it: a hung process still has
counters, and one that was killed leaves its last ones. The file is one page of two halves that are written in turn,
each with a number and a checksum; a reader takes the newer half that is whole. So a process killed in mid-beat costs
that beat and not the one before, and no order of stores in memory needs to be relied on.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from nvr.errors import StorageError

_PAGE = 4096
_HALF = _PAGE // 2
_HEAD = struct.Struct("<8sQII")  # magic with format, number of the beat, bytes of JSON, CRC-32 of number and JSON
_MAGIC = b"NVRPUL\x00\x01"
_ERROR_CHARACTERS = (300, 100)
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a process says of itself. Counters are since its start, 0 where they do not apply."""

    process: str
    """Its name, such as ``recorder-hik1``."""
    pid: int
    state: str
    """starting, connecting, recording, waiting, failed, analysing, listening, sleeping or stopped."""
    beat_monotonic_us: int
    """CLOCK_MONOTONIC of the machine, so that any process can tell the beat's age."""
    beat_us: int
    """The same moment, microseconds since 1970 UTC."""
    fps: float = 0.0
    bitrate: int = 0
    """Bits per second received."""
    frame_at_us: int = 0
    """Instant of the newest frame, microseconds since 1970 UTC; 0 when there is none."""
    dropped: int = 0
    """Packets or frames lost because something was too slow."""
    skipped: int = 0
    """Frames left out on purpose by the decoder."""
    segments: int = 0
    run: str | None = None
    """Id of the run that is going on."""
    restarts: int = 0
    last_error: str | None = None
    """At most 300 characters are kept."""
    retry_at_us: int = 0
    """When the next try is due, microseconds since 1970 UTC; 0 when none is."""
    buffered: int = 0
    """Bytes of video in memory that the disk has not taken yet."""
    clock_offset_us: int | None = None
    """How far the camera's clock is ahead of ours; None where it does not tell."""
    alerts: int = 0
    """Alerts of the camera's own that were read, heartbeats included."""
    bad_alerts: int = 0
    """Those that could not be read."""
    heard_at_us: int = 0
    """When the camera sent the last byte of its alerts, microseconds since 1970 UTC; 0 before the first."""
    load: float = 0.0
    """Share of its time in which it was at work, 0..1: from about 0.9 on it has too little for what is asked."""
    deaf_since_us: int = 0
    """Since when its alerts cannot be heard, microseconds since 1970 UTC; 0 while they are."""


_FIELDS = tuple(field.name for field in fields(Pulse))


class PulseWriter:
    """The pulse's one writer, in the process it tells of. Goes on with the file of the process before it.

    Raises StorageError where the file cannot be made or shared memory is full.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, _PAGE)
                self._page = mmap.mmap(file, _PAGE)
            finally:
                os.close(file)
            self._number = max(_halves(self._page[:]), default=(0, b""))[0]
        except OSError as error:
            raise StorageError(
                f"cannot write the pulse {path}: {error.strerror}; its folder must be writable and shared memory not "
                "full (Docker: --shm-size)"
            ) from error

    def beat(self, values: Pulse) -> None:
        """Publish ``values``; never waits and never fails."""
        text = _encode(values)
        self._number += 1
        number = self._number.to_bytes(8, "little")
        head = _HEAD.pack(_MAGIC, self._number, len(text), zlib.crc32(text, zlib.crc32(number)))
        place = self._number % 2 * _HALF
        self._page[place : place + len(head) + len(text)] = head + text

    def close(self) -> None:
        """Let go of the file; it stays for its readers."""
        self._page.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read(path: Path) -> Pulse | None:
    """The newest whole beat; None where there is none: no file, not a pulse of this version, no beat yet.

    Runs in any process of the same account. Raises StorageError where the file may not be read.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"cannot read the pulse {path}: {error.strerror}; use the account that recorded") from error
    try:
        for _ in range(_ATTEMPTS):
            if halves := _halves(os.pread(file, _PAGE, 0)):
                return _decode(max(halves)[1])
        return None
    finally:
        os.close(file)


def _halves(page: bytes) -> list[tuple[int, bytes]]:
    """Number and JSON of each half that is whole."""
    whole = []
    for half in (page[:_HALF], page[_HALF:]):
        if len(half) == _HALF:
            magic, number, length, checksum = _HEAD.unpack_from(half)
            text = half[_HEAD.size : _HEAD.size + length]
            if magic == _MAGIC and checksum == zlib.crc32(text, zlib.crc32(half[8:16])):
                whole.append((number, text))
    return whole


def _encode(values: Pulse) -> bytes:
    """JSON that fits a half: an error of control characters takes six bytes for each and is cut shorter still."""
    data = {name: getattr(values, name) for name in _FIELDS}
    error = values.last_error or ""
    for limit in _ERROR_CHARACTERS:
        if len(error) > limit:
            data["last_error"] = error[: limit - 1] + "…"
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        if len(text) <= _HALF - _HEAD.size:
            return text
    raise ValueError(f"a pulse of {len(text)} bytes does not fit: {values}")


def _decode(text: bytes) -> Pulse | None:
    data = json.loads(text)
    return Pulse(**data) if data.keys() == set(_FIELDS) else None

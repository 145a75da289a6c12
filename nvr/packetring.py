"""The ring: shared memory that holds the newest packets of one stream, at least from its newest key frame on.

One file under /dev/shm, mapped by everybody: a header page, then bytes in which the newest packet overwrites the
oldest. The supervisor creates and removes it, the camera's recorder writes, the web process reads: live video without a
second connection to the camera. The writer never waits and never asks whether anybody reads; a reader that is overtaken
goes on at the newest key frame.

Places count bytes since the ring's beginning and never turn back; a byte is at its place modulo the capacity. The
writer first raises ``tail``, below which all may be overwritten, then writes, then raises ``head``. A reader takes what
lies between them, and keeps it if ``tail`` is still below it afterwards and its checksum is right, so that no order of
stores in memory needs to be relied on. The ring grows when it is too small for two key frames and what is between them,
up to ``MOST``; it is allocated for real, so that a full /dev/shm is a StorageError and not a SIGBUS.
"""

from __future__ import annotations

import base64
import fcntl
import json
import mmap
import os
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from nvr import bell
from nvr.errors import StorageError

FIRST, MOST = 1 << 20, 16 << 20
"""Bytes of a new ring, and of the largest."""
_PAGE = 4096
_MAGIC = int.from_bytes(b"NVRRING", "little")
_FORMAT = 1
_IS_RING, _HAS_FORMAT, _GENERATION, _CAPACITY, _TAIL, _HEAD, _KEY = range(7)
_TEXT_AT = 256
_RECORD = struct.Struct("<QIIqqqq")  # place, bytes, CRC-32 of the payload, dts, pts, instant, whether a key frame
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Form:
    """What the packets of a ring are: the codec as FFmpeg names it, the size in pixels, the codec's ``extradata``."""

    codec: str
    width: int
    height: int
    extradata: bytes


class Parcel(NamedTuple):
    """One video packet. Times are microseconds: media time of the run, and the instant (UTC, since 1970) it shows."""

    data: bytes
    dts_us: int
    pts_us: int
    at_us: int
    key: bool


@dataclass(frozen=True, slots=True)
class Catch:
    """What a reader took: ``form`` where it is another than before (what came earlier does not go on), ``skipped``
    where packets were lost to the reader. After either, the first parcel is a key frame."""

    parcels: list[Parcel]
    form: Form | None
    skipped: bool


def create(path: Path) -> None:
    """Make an empty ring; replaces what has this name. Runs in the supervisor. Raises StorageError."""
    header = bytearray(_PAGE)
    memoryview(header).cast("q")[: _KEY + 1] = _words(_MAGIC, _FORMAT, 0, 0, 0, 0, -1)
    part = path.with_name(path.name + ".part")
    try:
        bell.make_folder(path)
        part.touch(mode=0o600)
        part.write_bytes(header)
        part.replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot create the ring {path}: {error.strerror}; its folder must be writable and shared memory not full "
            "(Docker: --shm-size)"
        ) from error


def _words(*values: int) -> memoryview:
    return memoryview(struct.pack(f"={len(values)}q", *values)).cast("q")


class _Mapping:
    """The ring's file, mapped."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self._protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        try:
            self.file = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        except OSError as error:
            raise StorageError(
                f"cannot open the ring {path}: {error.strerror}; is `nvr start` running, under this account?"
            ) from error
        try:
            self.map()
        except BaseException:
            os.close(self.file)
            raise

    def map(self) -> None:
        """Map the file as long as it is now. Raises StorageError where it is no ring of this format."""
        size = os.fstat(self.file).st_size
        if size < _PAGE:
            raise StorageError(f"{self.path} is not a ring of nvr: remove this file and restart `nvr start`")
        self.memory = memoryview(mmap.mmap(self.file, size, flags=mmap.MAP_SHARED, prot=self._protection))
        self.words = self.memory[:_PAGE].cast("q")
        if (self.words[_IS_RING], self.words[_HAS_FORMAT]) != (_MAGIC, _FORMAT):
            raise StorageError(f"{self.path} is not a ring of this nvr: restart `nvr start`")

    def copy(self, place: int, length: int) -> bytes:
        """Bytes from a place on, which may go round the end."""
        capacity = self.words[_CAPACITY]
        start = place % capacity
        first = min(length, capacity - start)
        data = bytes(self.memory[_PAGE + start : _PAGE + start + first])
        return data if first == length else data + bytes(self.memory[_PAGE : _PAGE + length - first])

    def close(self) -> None:
        os.close(self.file)
        self.words.release()
        self.memory.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RingWriter(_Mapping):
    """The one writer of a ring: one thread of the camera's recorder.

    Raises StorageError where the ring is missing, is none, or has another writer.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, writable=True)
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise StorageError(f"the ring {path} has a writer already: is a second `nvr start` running?") from error
        self.dropped = 0
        """Packets too large for it."""
        self._bells = str(bell.folder_of(path))
        self._since_key = 0

    def begin(self, form: Form) -> None:
        """What follows is of this form, and does not go on from what was there. Raises StorageError."""
        if not self.words[_CAPACITY]:
            self._grow(FIRST)
        text = json.dumps([form.codec, form.width, form.height, base64.b64encode(form.extradata).decode()]).encode()
        text = len(text).to_bytes(4, "little") + zlib.crc32(text).to_bytes(4, "little") + text
        if len(text) > _PAGE - _TEXT_AT:
            raise StorageError(f"the ring {self.path}: the stream's description is too long")
        self._start_anew()
        self.memory[_TEXT_AT : _TEXT_AT + len(text)] = text
        self.words[_GENERATION] += 1

    def write(self, parcel: Parcel) -> None:
        """Publish a packet and wake the readers; never waits. Raises StorageError where it finds shared memory full."""
        size = _RECORD.size + -(-len(parcel.data) // 8) * 8
        if parcel.key:
            self._since_key = 0
        self._since_key += size
        if self._since_key * 2 > self.words[_CAPACITY] < MOST:
            kept = self._keep()
            self._grow(min(MOST, max(2 * self.words[_CAPACITY], 1 << (self._since_key * 2).bit_length())))
            for each in kept:
                self._put(each)
        if size > self.words[_CAPACITY]:
            self.dropped += 1
            return
        self._put(parcel)
        bell.ring(self._bells)

    def _put(self, parcel: Parcel) -> None:
        words, data = self.words, parcel.data
        capacity, place = words[_CAPACITY], words[_HEAD]
        head = place + _RECORD.size + -(-len(data) // 8) * 8
        words[_TAIL] = max(words[_TAIL], head - capacity)
        record = (place, len(data), zlib.crc32(data), parcel.dts_us, parcel.pts_us, parcel.at_us, int(parcel.key))
        self._store(place, _RECORD.pack(*record) + data)
        if parcel.key:
            words[_KEY] = place
        words[_HEAD] = head

    def _store(self, place: int, data: bytes) -> None:
        start = place % self.words[_CAPACITY]
        first = min(len(data), self.words[_CAPACITY] - start)
        self.memory[_PAGE + start : _PAGE + start + first] = data[:first]
        if first < len(data):
            self.memory[_PAGE : _PAGE + len(data) - first] = data[first:]

    def _keep(self) -> list[Parcel]:
        """What is there since the newest key frame, to be written again into a larger ring."""
        place, kept = self.words[_KEY], []
        while self.words[_TAIL] <= place < self.words[_HEAD]:
            parcel, place = _read(self, place)
            if parcel is None:
                return []
            kept.append(parcel)
        return kept

    def _grow(self, capacity: int) -> None:
        try:
            os.posix_fallocate(self.file, 0, _PAGE + capacity)
        except OSError as error:
            raise StorageError(
                f"the ring {self.path} needs {capacity / 1e6:.0f} MB of shared memory: {error.strerror}; /dev/shm is "
                "full, enlarge it (Docker: --shm-size)"
            ) from error
        self._start_anew()
        self.words[_CAPACITY] = capacity
        self.map()
        self.words[_GENERATION] += 1

    def _start_anew(self) -> None:
        """Forget all packets: readers that copy just now find their place below the tail."""
        self.words[_KEY] = -1
        self.words[_TAIL] = self.words[_HEAD] = self.words[_HEAD] + self.words[_CAPACITY]


class RingReader(_Mapping):
    """One reader of a ring: one thread of any process. It can only read. Begins with the newest key frame."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, writable=False)
        self._generation = -1
        self._place = -1
        self._lost = False
        """Packets were overwritten before they were taken, and that was not told yet."""
        self._bell: bell.Bell | None = None

    @property
    def generation(self) -> int:
        """Counts the forms, and the sizes of the ring."""
        return self.words[_GENERATION]

    def form(self) -> Form | None:
        """What its packets are; None while nobody has written. Raises StorageError once the ring was removed."""
        if os.fstat(self.file).st_nlink == 0:
            raise StorageError(f"the ring {self.path} is gone: nvr was stopped or restarted")
        for _ in range(_ATTEMPTS):
            head = bytes(self.memory[_TEXT_AT : _TEXT_AT + 8])
            text = bytes(self.memory[_TEXT_AT + 8 : _TEXT_AT + 8 + min(int.from_bytes(head[:4], "little"), _PAGE)])
            if text and zlib.crc32(text) == int.from_bytes(head[4:], "little"):
                codec, width, height, extradata = json.loads(text)
                return Form(codec, width, height, base64.b64decode(extradata))
        return None

    def take(self) -> Catch:
        """All that has come since the last look. Raises StorageError once the ring was removed or replaced."""
        form, generation = None, self.words[_GENERATION]
        if generation != self._generation:
            form = self.form()
            if form is None or self.words[_KEY] < 0:
                return Catch([], None, False)
            if self.words[_CAPACITY] + _PAGE > len(self.memory):
                self.map()
            self._generation, self._place = generation, -1
        elif os.fstat(self.file).st_nlink == 0:
            raise StorageError(f"the ring {self.path} is gone: nvr was stopped or restarted")
        parcels = self._read_on()
        if self.words[_GENERATION] != generation or (form is not None and not parcels):
            self._generation, self._place, self._lost = (
                -1,
                -1,
                False,
            )  # nobody knows what was read: anew, at the next look
            return Catch([], None, False)
        skipped = self._lost and bool(parcels) and parcels[0].key and form is None
        self._lost = self._place < 0
        return Catch(parcels, form, skipped)

    def _read_on(self) -> list[Parcel]:
        """What follows, or where that was overwritten, what there is from the newest key frame on."""
        if 0 <= self._place < self.words[_TAIL]:
            self._lost, self._place = True, -1
        if self._place < 0:
            self._place = self.words[_KEY]
        parcels: list[Parcel] = []
        while 0 <= self._place < self.words[_HEAD]:
            parcel, place = _read(self, self._place)
            if parcel is None:  # overtaken meanwhile: on at the newest key frame, at the next look
                self._place = -1
                break
            parcels.append(parcel)
            self._place = place
        return parcels

    def fileno(self) -> int:
        """Readable after every packet, and once at the start; then ``drain``, and only then ``take``."""
        if self._bell is None:
            self._bell = bell.Bell(self.path)
        return self._bell.pipe

    def drain(self) -> None:
        """Forget the wakes so far."""
        if self._bell is not None:
            self._bell.drain()

    def close(self) -> None:
        if self._bell is not None:
            with suppress(OSError):
                self._bell.close()
        super().close()


def _read(ring: _Mapping, place: int) -> tuple[Parcel | None, int]:
    """The packet at a place and the place after it; None where it was overwritten meanwhile."""
    head = ring.copy(place, _RECORD.size)
    if len(head) < _RECORD.size:  # the ring grew meanwhile, and this is behind what is mapped
        return None, place
    own, size, checksum, dts_us, pts_us, at_us, key = _RECORD.unpack(head)
    if own != place or size > ring.words[_CAPACITY]:
        return None, place
    data = ring.copy(place + _RECORD.size, size)
    if place < ring.words[_TAIL] or zlib.crc32(data) != checksum:
        return None, place
    return Parcel(data, dts_us, pts_us, at_us, bool(key)), place + _RECORD.size + -(-size // 8) * 8

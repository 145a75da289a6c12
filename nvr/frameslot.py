"""The slot: shared memory that holds the newest decoded frame of one camera, and never anything else.

One file under /dev/shm, mapped by everybody: a header page, then a ring of three I420 frames. The supervisor creates
and removes it, the camera's recorder writes, any process of the same account reads. Invariant 7, and what keeps it:

- *Never torn.* A frame lies between two counters. The writer sets ``begin``, then the pixels, then ``end``; a reader
  wants both equal before its copy and ``begin`` unchanged after it. A writer killed in between leaves them unequal.
- *Never blocks its writer.* Nobody waits for anybody: the writer fills the oldest of the three entries and rings a
  pipe that refuses when it is full. The only lock is the kernel's (``flock``, against a second writer), so a killed
  process leaves nothing locked.
- *Never grows.* It is three frames of the largest resolution so far, allocated for real, so that a full /dev/shm is a
  StorageError and not a SIGBUS. The file never shrinks either, so an old mapping stays valid.

Memory order: CPython has no fences. Each counter is one aligned 64-bit store; x86-64 keeps stores and loads in order,
and a woken reader is ordered behind the writer by the pipe's lock in the kernel. For weaker machines (ARM) a private
lock is released and taken where order matters, which is a full barrier there; tried on x86-64 only. See docs/slot.md.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import select
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from nvr import bell
from nvr.clock import Clock, SystemClock, duration_us, from_us
from nvr.errors import StorageError
from nvr.model import Frame

Plane = tuple[memoryview, int]
"""One plane of a picture and its line size: bytes from one row to the next, at least the row's width."""
Pixels = NDArray[np.uint8]
T = TypeVar("T")

_PAGE = 4096
_MAGIC = int.from_bytes(b"NVRSLOT", "little")
_FORMAT = 1
_ENTRIES = 3
_ATTEMPTS = 16
# The header is 64-bit words: these seven and a spare one, then the eight of an _Entry for each place in the ring.
_IS_SLOT, _HAS_FORMAT, _GENERATION, _WIDTH, _HEIGHT, _CAPACITY, _NEWEST = range(7)
_BEGIN, _END, _META = range(3)


class _Entry(NamedTuple):
    """What the header says of one frame, in the order of its words. ``begin`` and ``end`` are its sequence."""

    begin: int
    end: int
    offset: int
    generation: int
    width: int
    height: int
    at_us: int
    pts_us: int


class Peek(NamedTuple):
    """What is newest: number of the frame, instant of capture (microseconds since 1970 UTC), number of resolution."""

    sequence: int
    at_us: int
    generation: int


@dataclass(frozen=True, slots=True)
class Luma:
    """The brightness of one frame, every ``step``-th pixel: uint8, shape (height // step, width // step)."""

    pixels: Pixels
    at: datetime
    sequence: int
    generation: int


def create(path: Path) -> None:
    """Make the slot, one page until its first frame. Runs in the supervisor, before the writer starts.

    Replaces what has this name; readers of a slot that a killed supervisor left get a StorageError and open the new
    one. Raises StorageError where the folder cannot be written or shared memory is full.
    """
    header = np.zeros(_PAGE // 8, np.int64)
    header[[_IS_SLOT, _HAS_FORMAT, _NEWEST]] = _MAGIC, _FORMAT, -1
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        bell.make_folder(path)
        part.touch(mode=0o600)
        part.write_bytes(header.tobytes())
        part.replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot create the slot {path}: {error.strerror}; its folder must be writable and shared memory "
            "not full (Docker: --shm-size)"
        ) from error


def remove(path: Path) -> None:
    """Take the slot away. Runs in the supervisor; readers that hold it are woken and get a StorageError."""
    with suppress(StorageError), _Mapping(path, writable=False) as slot:
        path.unlink(missing_ok=True)
        slot.ring()
    path.unlink(missing_ok=True)
    bell.remove_folder(path)


def _entry_word(index: int) -> int:
    return 8 + index * 8


class _Mapping:
    """The slot's file, mapped: ``words`` is its header, ``pixels`` all of it."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self.bells = str(bell.folder_of(path))
        self._mode = os.O_RDWR if writable else os.O_RDONLY
        self._protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        self._barrier = threading.Lock()
        self._barrier.acquire()
        try:
            self.file = os.open(path, self._mode | os.O_CLOEXEC)
        except OSError as error:
            raise StorageError(
                f"cannot open the slot {path}: {error.strerror}; is `nvr start` running, under this account?"
            ) from error
        try:
            self.map()
        except BaseException:
            os.close(self.file)
            raise

    def map(self) -> None:
        """Map the file as long as it is now. Raises StorageError where it is not a slot of this format."""
        size = os.fstat(self.file).st_size
        if size < _PAGE or int.from_bytes(os.pread(self.file, 8, 0), "little") != _MAGIC:
            raise StorageError(f"{self.path} is not a slot of nvr: remove this file and restart `nvr start`")
        memory = mmap.mmap(self.file, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE, prot=self._protection)
        self.words = memoryview(memory)[:_PAGE].cast("q")
        self.pixels: Pixels = np.frombuffer(memory, np.uint8)
        if self.words[_HAS_FORMAT] != _FORMAT:
            raise StorageError(
                f"the slot {self.path} has format {self.words[_HAS_FORMAT]}, this nvr reads format {_FORMAT}: two "
                "versions of nvr are running; restart `nvr start`"
            )

    def fence(self) -> None:
        """Keep what is before and after this line apart in memory, also on ARM (0.1 µs)."""
        self._barrier.release()
        self._barrier.acquire()

    def ring(self) -> None:
        """Wake every reader."""
        bell.ring(self.bells)

    def close(self) -> None:
        """Let go of the file and the memory."""
        os.close(self.file)
        self.words.release()
        del self.pixels

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SlotWriter(_Mapping):
    """The one writer of a slot: one thread of the camera's recorder.

    Raises StorageError where the slot is missing, is no slot, or has another writer.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, writable=True)
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise StorageError(f"the slot {path} has a writer already: is a second `nvr start` running?") from error
        counters = [_entry_word(index) + count for index in range(_ENTRIES) for count in (_BEGIN, _END)]
        self.sequence = max(self.words[word] for word in counters)
        """Number of the newest frame; goes on rising when the writer is restarted."""

    def write(self, planes: Sequence[Plane], width: int, height: int, at_us: int, pts_us: int) -> int:
        """Publish one picture, wake the readers and return its sequence; never waits.

        ``planes`` are Y, U and V of 8 bit 4:2:0. An odd last column or row is left out, since I420 is made of 2×2
        blocks. ``at_us`` is the instant of capture, microseconds since 1970 UTC, ``pts_us`` the media time. Raises
        StorageError where a new resolution finds shared memory full; the slot then stays as it was.
        """
        width, height = width & ~1, height & ~1
        shapes = (height, width), (height // 2, width // 2), (height // 2, width // 2)
        sources: list[Pixels] = [
            np.ndarray(shape, np.uint8, buffer, strides=(line, 1))
            for shape, (buffer, line) in zip(shapes, planes, strict=True)
        ]
        if (width, height) != (self.words[_WIDTH], self.words[_HEIGHT]):
            self._resize(width, height)
        words, sequence = self.words, self.sequence + 1
        index = (words[_NEWEST] + 1) % _ENTRIES
        entry, offset = _entry_word(index), _PAGE + index * words[_CAPACITY]
        words[entry + _BEGIN] = sequence
        self.fence()
        start = offset
        for source in sources:
            self.pixels[start : start + source.size].reshape(source.shape)[:] = source
            start += source.size
        for word, value in enumerate((offset, words[_GENERATION], width, height, at_us, pts_us), entry + _META):
            words[word] = value
        self.fence()
        words[entry + _END] = sequence
        self.fence()
        words[_NEWEST] = index
        self.sequence = sequence
        self.ring()
        return sequence

    def _resize(self, width: int, height: int) -> None:
        """Begin a generation. Where its frames need more memory, that is taken before anything is changed."""
        capacity = -(-width * height * 3 // 2 // _PAGE) * _PAGE
        if capacity > self.words[_CAPACITY]:
            try:
                os.posix_fallocate(self.file, 0, _PAGE + _ENTRIES * capacity)
            except OSError as error:
                needed = _ENTRIES * (capacity - self.words[_CAPACITY]) / 1e6
                raise StorageError(
                    f"the slot {self.path} needs {needed:.1f} MB more shared memory for {width}x{height}: "
                    f"{error.strerror}; /dev/shm is full, enlarge it (Docker: --shm-size)"
                ) from error
            self.words[_NEWEST] = -1
            for index in range(_ENTRIES):  # frames move: what somebody copies just now may be overwritten
                self.words[_entry_word(index) + _BEGIN] = self.sequence + 1
            self.fence()
            self.words[_CAPACITY] = capacity
            self.map()
        self.words[_GENERATION] += 1
        self.words[_WIDTH], self.words[_HEIGHT] = width, height


class SlotReader(_Mapping):
    """One reader of a slot: one thread of any process. It can only read the slot.

    Every method raises StorageError once the slot was removed or replaced; open another reader then.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        super().__init__(path, writable=False)
        self._clock = clock or SystemClock()
        self._bell: bell.Bell | None = None
        self._seen = 0

    def peek(self) -> Peek | None:
        """What ``read`` would give, without a copy of it; None when there is no frame yet."""
        found = self._verified(lambda entry: None)
        return Peek(found[0].end, found[0].at_us, found[0].generation) if found else None

    def read(self, into: Pixels | None = None) -> Frame | None:
        """A private copy of the newest frame; None when there is none yet (or the writer overtook 16 copies).

        ``into`` is the ``i420`` of an earlier frame, whose memory is used again if it has the right shape.
        """

        def copy(entry: _Entry) -> Pixels:
            shape = entry.height * 3 // 2, entry.width
            target = into if into is not None and into.shape == shape else np.empty(shape, np.uint8)
            target[:] = self.pixels[entry.offset :][: target.size].reshape(shape)
            return target

        found = self._verified(copy)
        if found is None:
            return None
        entry, pixels = found
        self._seen, at = entry.end, from_us(entry.at_us)
        return Frame(pixels, entry.width, entry.height, at, entry.pts_us, entry.end, entry.generation)

    def luma(self, step: int = 1) -> Luma | None:
        """A private copy of every ``step``-th luma pixel of the newest frame, for the motion gate; None as in read."""

        def copy(entry: _Entry) -> Pixels:
            plane = self.pixels[entry.offset :][: entry.width * entry.height].reshape(entry.height, entry.width)
            return plane[::step, ::step][: entry.height // step, : entry.width // step].copy()

        found = self._verified(copy)
        if found is None:
            return None
        entry, pixels = found
        self._seen = entry.end
        return Luma(pixels, from_us(entry.at_us), entry.end, entry.generation)

    def wait(self, timeout: timedelta) -> bool:
        """Sleep until there is a newer frame than the last one taken; False when ``timeout`` passes first."""
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        end_us = self._clock.monotonic_us() + duration_us(timeout)
        while not self._fresh():
            left_us = end_us - self._clock.monotonic_us()
            if left_us <= 0 or not poll.poll(left_us / 1000):
                return self._fresh()
            self.drain()
        return True

    def fileno(self) -> int:
        """For ``poll`` over many slots: readable after every frame, and once at the start.

        Then ``drain``, and only then ``read``: a frame that comes in between makes it readable again.
        """
        if self._bell is None:
            self._bell = bell.Bell(self.path)
        return self._bell.pipe

    def drain(self) -> None:
        """Forget the wakes so far."""
        self.fileno()
        assert self._bell is not None
        self._bell.drain()

    def close(self) -> None:
        """Take the bell away, let go of the file and the memory."""
        if self._bell is not None:
            self._bell.close()
        super().close()

    def _fresh(self) -> bool:
        newest = self.peek()
        return newest is not None and newest.sequence > self._seen

    def _verified(self, take: Callable[[_Entry], T]) -> tuple[_Entry, T] | None:
        """The newest entry and what ``take`` makes of it, if the writer left the entry alone meanwhile.

        None when there is no frame, or when the writer overtook every one of a bounded number of attempts.
        """
        if os.fstat(self.file).st_nlink == 0:
            raise StorageError(f"the slot {self.path} is gone: nvr was stopped or restarted; open the slot again")
        for _ in range(_ATTEMPTS):
            index = self.words[_NEWEST]
            if index < 0:
                return None
            word = _entry_word(index)
            sequence = self.words[word + _END]
            self.fence()
            entry = _Entry(*self.words[word : word + 8].tolist())
            if entry.begin != sequence or self.words[_NEWEST] != index:  # half written, or whole but not yet published
                continue
            if entry.offset + entry.width * entry.height * 3 // 2 > self.pixels.size:
                self.map()
                continue
            taken = take(entry)
            self.fence()
            if self.words[word + _BEGIN] == sequence:
                return entry, taken
        return None

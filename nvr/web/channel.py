"""One live stream for all who watch it: its ring is read once, and each viewer gets what it can take.

Lives in the web process's event loop. Fragments since the newest key frame are kept, so that a new viewer has a picture
at once. A viewer that is behind by more than ``BEHIND_US`` goes on at the newest key frame: it is never waited for and
nothing is kept for it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from nvr.errors import StorageError
from nvr.media.live import Fragmenter, Opening, Piece
from nvr.model import StreamName
from nvr.packetring import Form, Parcel, RingReader

KEPT_BYTES = 24 << 20
BEHIND_US = 2_000_000
log = logging.getLogger(__name__)
REOPEN_S = 1.0
"""How often a ring that is not there is looked for."""


class Channel:
    """Reads while somebody watches; ``changed`` is set anew with every piece."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opening: Opening | None = None
        self.epoch = 0
        """Counts the openings: pieces of another one do not go on from those before."""
        self.reason = "the camera sends nothing at the moment"
        """Why there is nothing to show, where there is no opening."""
        self.watchers = 0
        self.changed = asyncio.Event()
        self._pieces: deque[tuple[int, Piece]] = deque()
        self._numbers = itertools.count(1)
        self._bytes = 0
        self._key = 0
        self._reader: RingReader | None = None
        self._form: Form | None = None
        self._fragmenter: Fragmenter | None = None
        self._last: Parcel | None = None
        self._retry: asyncio.TimerHandle | None = None

    def enter(self) -> None:
        """Somebody watches."""
        self.watchers += 1
        if self.watchers == 1:
            self._open()

    def leave(self) -> None:
        """Somebody watches no longer; the last one lets the ring be."""
        self.watchers -= 1
        if not self.watchers:
            self._close()
            self._forget("")

    def after(self, number: int) -> tuple[list[Piece], int, bool]:
        """Pieces behind ``number`` (0: from the newest key frame on), the last one's number, and whether some were left
        out because the viewer was too slow."""
        if not self._pieces:
            return [], number, False
        newest = self._pieces[-1]
        first = next((piece for place, piece in self._pieces if place > number), None)
        late = first is not None and newest[1].at_us - first.at_us > BEHIND_US
        lost = self._pieces[0][0] > number + 1
        start = number
        if number < self._key and (number == 0 or late or lost):
            start = self._key - 1
        elif number == 0 or lost:
            return [], number, False  # no key frame is kept: the next one will do
        found = [piece for place, piece in self._pieces if place > start]
        return found, newest[0], number > 0 and start > number

    def _open(self) -> None:
        self._retry = None
        try:
            self._reader = RingReader(self.path)
            asyncio.get_running_loop().add_reader(self._reader.fileno(), self._take)
        except StorageError as error:
            self._again(error)

    def _again(self, error: StorageError) -> None:
        """Look for the ring again soon: its recorder, or all of nvr, was started anew."""
        log.debug("%s", error)  # where it is on this machine is nothing for viewers
        self._close()
        self._forget("nvr does not receive it at the moment: is `nvr start` running?")
        self._retry = asyncio.get_running_loop().call_later(REOPEN_S, self._open)

    def _close(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._reader is not None:
            asyncio.get_running_loop().remove_reader(self._reader.fileno())
            self._reader.close()
            self._reader = None

    def _forget(self, reason: str) -> None:
        self.opening, self._fragmenter, self._last, self._form = None, None, None, None
        self._pieces.clear()
        self._bytes = self._key = 0
        self.reason = reason or self.reason
        self._tell()

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def _take(self) -> None:
        """What the ring has. Runs in the loop, for a millisecond or less."""
        assert self._reader is not None
        self._reader.drain()
        try:
            catch = self._reader.take()
        except StorageError as error:
            self._again(error)
            return
        if catch.form is not None:
            grown = catch.form == self._form and self._goes_on(catch.parcels)
            self._form = catch.form
            if not grown:
                self._fragmenter = None
        if catch.skipped:
            self._fragmenter = None
        added = sum(self._add(parcel) for parcel in catch.parcels)
        if added:
            self._tell()

    def _goes_on(self, parcels: list[Parcel]) -> bool:
        """Whether a ring that was made larger gives again what it gave before."""
        return self._last is not None and any(
            (parcel.dts_us, parcel.at_us) == (self._last.dts_us, self._last.at_us) for parcel in parcels
        )

    def _add(self, parcel: Parcel) -> bool:
        if self._fragmenter is not None and self._last is not None and parcel.dts_us <= self._last.dts_us:
            return False
        self._last = parcel
        if self._fragmenter is None:
            return self._begin(parcel)
        try:
            piece = self._fragmenter.push(parcel)
        except ValueError:
            self._fragmenter = None
            return self._begin(parcel)
        return piece is not None and self._keep(piece)

    def _begin(self, parcel: Parcel) -> bool:
        """Begin a new opening with a key frame; until one comes there is nothing to show."""
        if not parcel.key or self._form is None:
            return False
        try:
            self._fragmenter = Fragmenter(self._form, parcel)
            self._fragmenter.push(parcel)
        except ValueError as error:
            self._forget(str(error))
            return False
        self.opening = self._fragmenter.opening
        self.epoch += 1
        self._pieces.clear()
        self._bytes = self._key = 0
        return True

    def _keep(self, piece: Piece) -> bool:
        number = next(self._numbers)
        if piece.key:
            while self._pieces and self._pieces[0][0] < self._key:  # a viewer may still be at what is before this one
                self._drop()
            self._key = number
        self._pieces.append((number, piece))
        self._bytes += len(piece.data)
        while self._bytes > KEPT_BYTES:
            self._drop()
            if self._pieces[0][0] > self._key:
                self._key = 0
        return True

    def _drop(self) -> None:
        self._bytes -= len(self._pieces.popleft()[1].data)


class Offer(NamedTuple):
    """A stream that can be watched now."""

    stream: StreamName
    opening: Opening


class Channels:
    """All that can be watched, by camera and stream."""

    def __init__(self, rings: Callable[[str], Mapping[StreamName, Path]]) -> None:
        self._rings = rings
        self._channels: dict[Path, Channel] = {}
        self._openings: dict[Path, tuple[int, Opening]] = {}
        self._lock = threading.Lock()

    def get(self, camera: str, stream: StreamName) -> Channel | None:
        """None where the camera has no such stream."""
        path = self._rings(camera).get(stream)
        if path is None:
            return None
        return self._channels.setdefault(path, Channel(path))

    def of(self, camera: str) -> list[Offer]:
        """What can be watched of a camera now. In any thread."""
        with self._lock:
            found = [(stream, self._opening(path)) for stream, path in self._rings(camera).items()]
        return [Offer(stream, opening) for stream, opening in found if opening is not None]

    @property
    def watchers(self) -> int:
        return sum(channel.watchers for channel in self._channels.values())

    def _opening(self, path: Path) -> Opening | None:
        try:
            with RingReader(path) as ring:
                generation, known = ring.generation, self._openings.get(path)
                if known is not None and known[0] == generation:
                    return known[1]
                catch = ring.take()
            if catch.form is None or not catch.parcels:
                return None
            opening = Fragmenter(catch.form, catch.parcels[0]).opening
        except (StorageError, ValueError):
            return None
        self._openings[path] = generation, opening
        return opening

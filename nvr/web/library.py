"""Recorded files for players: what is there of a span, and where in its files.

In threads of the web process. What was read of closed files is remembered, the last of them, so that a seek reads
little.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta
from pathlib import Path

from nvr.media.excerpt import look
from nvr.media.fragments import Fragments
from nvr.media.gathering import gather
from nvr.model import Segment
from nvr.web.state import State

KNOWN_BYTES = 32 << 20
"""What remembered fragments may take, about: a minute of video takes 100 KB."""
BEFORE = timedelta(seconds=20)
"""How far before a span the key frame may be that it begins with."""


class Library:
    """Reads what players ask for. May be used from any thread."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: OrderedDict[Path, Fragments] = OrderedDict()
        self._taken = 0
        self._lock = threading.Lock()

    def segments(self, camera: str, since: datetime, until: datetime) -> list[Segment]:
        """All that overlaps [since, until), what is being written now included. Raises CatalogueError."""
        storage, rows = self._state.storage, self._state.catalogue().segments(since, until, camera)
        return gather(storage, camera, rows, since, until)

    def look(self, storage: Path, segment: Segment) -> Fragments:
        """A file's fragments. Raises OSError, ValueError."""
        with self._lock:
            known = self._known.get(segment.path)
            if known is not None:
                self._known.move_to_end(segment.path)
                return known
        found = look(storage, segment)
        if segment.state != "open":
            self._remember(segment.path, found)
        return found

    def _remember(self, path: Path, found: Fragments) -> None:
        with self._lock:
            before = self._known.pop(path, None)
            self._known[path] = found
            self._taken += found.memory - (before.memory if before is not None else 0)
            while self._taken > KNOWN_BYTES:
                self._taken -= self._known.popitem(last=False)[1].memory

    def next_after(self, camera: str, at: datetime) -> datetime | None:
        """The instant from which on there is video again."""
        for segment in self._state.catalogue().segments(at, None, camera, 1):
            return max(segment.start, at)
        live = self.segments(camera, at, self._state.now())
        return max(live[0].start, at) if live else None

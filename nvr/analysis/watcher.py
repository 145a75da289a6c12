"""One camera as the analyzer sees it: its slot, and what a look at it leads to.

Lives in the analyzer process. A look takes the newest picture and never an older one; pictures that came while the last
look was busy are not missed but left.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nvr.analysis.album import Album
from nvr.analysis.observer import Models, Observer
from nvr.clock import Clock, duration_us, from_us
from nvr.frameslot import SlotReader

if TYPE_CHECKING:
    from nvr.analysis.task import Look

STALE = timedelta(seconds=2)


class Watcher:
    """Looks at one camera at most every ``interval``."""

    def __init__(self, look: Look, models: Models, album: Album, clock: Clock) -> None:
        """Raises ModelError for a model that cannot be used, or labels it does not know."""
        self.camera = look.camera
        self.due_us = 0
        self.looks = 0
        self.detections = 0
        """Looks at which the detector ran."""
        self.album = album
        self.frame_at: datetime | None = None
        self._interval_us = duration_us(look.interval)
        self._clock = clock
        self._reader = SlotReader(look.slot, clock)
        self._observer = Observer(look.sight, models)

    def fileno(self) -> int:
        """Readable when a picture came; for ``poll``."""
        return self._reader.fileno()

    def look(self) -> bool:
        """Look at the newest picture, if there is one that was not seen; whether there was."""
        self._reader.drain()
        frame = self._reader.read()
        if frame is None or frame.at == self.frame_at:
            return False
        self.due_us = self._clock.monotonic_us() + self._interval_us
        self.frame_at = frame.at
        self.looks += 1
        seen = self._observer.observe(frame)
        self.detections += seen.detections is not None
        for action in seen.actions:
            self.album.take(action, frame)
        self.album.store()
        return True

    def rest(self) -> None:
        """While no picture comes: let events end, and store what waits. About once a second."""
        now = from_us(self._clock.now_us())
        if self.frame_at is not None and now - self.frame_at > STALE:
            for action in self._observer.rest(now):
                self.album.take(action, None)
        self.album.store()

    def close(self) -> None:
        """End all events where their subject was last seen."""
        for action in self._observer.flush():
            self.album.take(action, None)
        self.album.store()
        self._reader.close()

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
LONG_US = 500_000
"""A look, of a large model, in which others with a quick one miss who walks by."""
CALM = 2
"""Times the interval until the next look, while the detector runs and all that is there is known: a track bridges it,
and half the work is half the work."""


class Watcher:
    """Looks at one camera at most every ``interval``, and less often while nothing new is to be found out."""

    def __init__(self, look: Look, models: Models, album: Album, clock: Clock) -> None:
        """Goes on with the events that a killed analyzer left open.

        Raises ModelError for a model that cannot be used, or labels it does not know, CatalogueError.
        """
        self.camera = look.camera
        self.due_us = 0
        """From when on a new picture is looked at, monotonic."""
        self.looked_us = 0
        self.alone = True
        """No other camera is looked at. Else a long look is followed by as much time for the others as it took."""
        self.looks = 0
        self.detections = 0
        """Looks at which the detector ran."""
        self.album = album
        self.frame_at: datetime | None = None
        self._interval_us = duration_us(look.interval)
        self._clock = clock
        self._started = from_us(clock.now_us())
        self._observer = Observer(look.sight, models, album.resume())
        self._reader = SlotReader(look.slot, clock)

    def fileno(self) -> int:
        """Readable when a picture came; for ``poll``."""
        return self._reader.fileno()

    def look(self) -> bool:
        """Look at the newest picture, if there is one that was not seen; whether there was."""
        self._reader.drain()
        frame = self._reader.read()
        if frame is None or frame.at == self.frame_at:
            return False
        self.looked_us = self._clock.monotonic_us()
        self.frame_at = frame.at
        self.looks += 1
        seen = self._observer.observe(frame)
        self.detections += seen.detections is not None
        calm = seen.detections is not None and not seen.urgent
        self.due_us = self.looked_us + self._interval_us * (CALM if calm else 1)
        took_us = self._clock.monotonic_us() - self.looked_us
        if took_us > LONG_US and not self.alone:
            self.due_us = max(self.due_us, self.looked_us + 2 * took_us)
        for action in seen.actions:
            self.album.take(action, frame)
        if not self.album.error:  # else ``rest`` tries again: a locked database is not waited for at every look
            self.album.store()
        return True

    def rest(self) -> None:
        """While no picture comes: let events end, and store what waits. About once a second."""
        now = from_us(self._clock.now_us())
        if now - (self.frame_at or self._started) > STALE:
            for action in self._observer.rest(now):
                self.album.take(action, None)
        self.album.store()

    def close(self) -> None:
        """End all events where their subject was last seen."""
        for action in self._observer.flush():
            self.album.take(action, None)
        self.album.store()
        self._reader.close()

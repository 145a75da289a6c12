"""One camera as the analyzer sees it: its slot, and what a look at it leads to.

Lives in the analyzer process. A look takes the newest picture and never an older one; pictures that came while the last
look was busy are not missed but left.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nvr.analysis.album import Album
from nvr.analysis.events import Events, MotionEvents, ObjectEvents
from nvr.analysis.motion import Motion, MotionGate
from nvr.analysis.tracker import Tracker
from nvr.clock import Clock, duration_us, from_us
from nvr.frameslot import SlotReader

if TYPE_CHECKING:
    from nvr.analysis.detector import OnnxDetector, OnnxModel
    from nvr.analysis.task import Look

STALE = timedelta(seconds=2)


class Models:
    """Loaded model files, each once for all cameras."""

    def __init__(self) -> None:
        self._loaded: dict[Path, OnnxModel] = {}

    def get(self, path: Path) -> OnnxModel:
        """Raises ModelError for a file that cannot be used."""
        from nvr.analysis.detector import OnnxModel  # 40 MB: not where motion alone is looked for

        if path not in self._loaded:
            self._loaded[path] = OnnxModel(path)
        return self._loaded[path]


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
        self._gate = MotionGate()
        self._tracker = Tracker(min_score=look.min_score)
        self._models = models
        self._look = look
        self._detector: OnnxDetector | None = None
        self._size = (0, 0)
        self._events: Events = MotionEvents()
        if look.mode == "objects":
            self._events = ObjectEvents()
            self._detector = self._make_detector(16, 9)

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
        if self._detector is not None and (frame.width, frame.height) != self._size:
            self._size = (frame.width, frame.height)
            self._detector = self._make_detector(frame.width, frame.height)
        motion = self._gate.look(frame.at, frame.luma)
        tracks = None
        if self._detector is not None and self._events.wants_detector(frame.at, motion):
            self.detections += 1
            found = self._detector.detect(frame.i420, frame.width, frame.height)
            tracks = self._tracker.update(frame.at, found)
        for action in self._events.look(frame.at, motion, tracks):
            self.album.take(action, frame)
        self.album.store()
        return True

    def _make_detector(self, width: int, height: int) -> OnnxDetector:
        from nvr.analysis.detector import OnnxDetector, default_model

        model = self._models.get(self._look.model or default_model(width, height))
        return OnnxDetector(model, self._look.labels, self._tracker.floor)

    def rest(self) -> None:
        """While no picture comes: let events end, and store what waits. About once a second."""
        now = from_us(self._clock.now_us())
        if self.frame_at is not None and now - self.frame_at > STALE:
            for action in self._events.look(now, Motion(), None):
                self.album.take(action, None)
        self.album.store()

    def close(self) -> None:
        """End all events where their subject was last seen."""
        for action in self._events.flush():
            self.album.take(action, None)
        self.album.store()
        self._reader.close()

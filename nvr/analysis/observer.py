"""One camera's pictures in, what happened in them out: motion, objects, tracks and events joined.

The same for a live camera (``watcher``), for recorded footage and for a benchmark; knows no slot, no file, no row and
no clock but the instants of its pictures. Lives in one thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nvr.analysis.events import Action, Events, MotionEvents, ObjectEvents
from nvr.analysis.motion import Motion, MotionGate
from nvr.analysis.tracker import Tracker

if TYPE_CHECKING:
    from nvr.analysis.detector import OnnxDetector, OnnxModel
    from nvr.analysis.sight import Sight
    from nvr.analysis.tracker import Track
    from nvr.model import Detection, Frame


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


@dataclass(frozen=True, slots=True)
class Observation:
    """What one picture told. ``detections`` and ``tracks`` are None where the detector was not asked."""

    motion: Motion
    detections: tuple[Detection, ...] | None
    tracks: tuple[Track, ...] | None
    actions: tuple[Action, ...]


class Observer:
    """The state of one camera. Pictures come in the order of their instants; any may be missing."""

    def __init__(self, sight: Sight, models: Models) -> None:
        """Raises ModelError for a model that cannot be used, or labels it does not know."""
        self._sight = sight
        self._models = models
        self._gate = MotionGate()
        self._tracker = Tracker(min_score=sight.min_score)
        self._size = (16, 9)
        self._events: Events = MotionEvents()
        self._detector: OnnxDetector | None = None
        if sight.mode == "objects":
            self._events = ObjectEvents()
            self._detector = self._make_detector(*self._size)

    def observe(self, frame: Frame) -> Observation:
        """Look at a picture."""
        motion = self._gate.look(frame.at, frame.luma)
        found = tracks = None
        if self._detector is not None and self._events.wants_detector(frame.at, motion):
            found = tuple(self._detector_for(frame).detect(frame.i420, frame.width, frame.height))
            tracks = self._tracker.update(frame.at, found)
        return Observation(motion, found, tracks, self._events.look(frame.at, motion, tracks))

    def rest(self, now: datetime) -> tuple[Action, ...]:
        """While no picture comes: let events end."""
        return self._events.look(now, Motion(), None)

    def flush(self) -> tuple[Action, ...]:
        """End all events where their subject was last seen."""
        return self._events.flush()

    def _detector_for(self, frame: Frame) -> OnnxDetector:
        assert self._detector is not None
        if (frame.width, frame.height) != self._size:
            self._size = (frame.width, frame.height)
            self._detector = self._make_detector(frame.width, frame.height)
        return self._detector

    def _make_detector(self, width: int, height: int) -> OnnxDetector:
        from nvr.analysis.detector import OnnxDetector, default_model

        model = self._models.get(self._sight.model or default_model(width, height))
        return OnnxDetector(model, self._sight.labels, self._tracker.floor)

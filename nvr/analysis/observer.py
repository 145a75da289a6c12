"""One camera's pictures in, what happened in them out: motion, objects, tracks and events joined.

The same for a live camera (``watcher``), for recorded footage and for a benchmark; knows no slot, no file, no row and
no clock but the instants of its pictures. Lives in one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nvr.analysis.actions import Action
from nvr.analysis.appearance import appearance
from nvr.analysis.choice import ModelChoice
from nvr.analysis.events import Events, ObjectEvents
from nvr.analysis.geometry import WHOLE
from nvr.analysis.motion import Motion, MotionGate
from nvr.analysis.motionevents import MotionEvents
from nvr.analysis.sharpness import sharpness
from nvr.analysis.target import Sighting
from nvr.analysis.tracker import Tracker
from nvr.analysis.window import is_cut_off, window
from nvr.analysis.zones import admits, least_score, mask_raster
from nvr.model import Box

if TYPE_CHECKING:
    from nvr.analysis.detector import OnnxDetector, OnnxModel
    from nvr.analysis.sight import Sight
    from nvr.analysis.tracker import Track
    from nvr.model import Detection, Event, Frame

MOVING = 0.15
"""Share of a detection's box that moves where what is in it moves: nearly all of people who walk have it, of what a
detector sees in a lamp post hardly any."""
_LOOK_ROUND = timedelta(seconds=2)
"""How long the detector may look at a part of the picture alone."""


class Models:
    """Loaded model files, each once for all cameras."""

    def __init__(self) -> None:
        self._loaded: dict[ModelChoice, OnnxModel] = {}

    def get(self, choice: ModelChoice) -> OnnxModel:
        """Raises ModelError for a file that cannot be used."""
        from nvr.analysis.detector import OnnxModel  # 40 MB: not where motion alone is looked for

        if choice not in self._loaded:
            self._loaded[choice] = OnnxModel(choice)
        return self._loaded[choice]


@dataclass(frozen=True, slots=True)
class Observation:
    """What one picture told. ``detections`` and ``tracks`` are None where the detector was not asked.

    ``window`` is the part of the picture that the detector looked at. ``urgent``: the next look should come soon.
    """

    motion: Motion
    detections: tuple[Detection, ...] | None
    tracks: tuple[Track, ...] | None
    actions: tuple[Action, ...]
    window: Box = WHOLE
    urgent: bool = False


class Observer:
    """The state of one camera. Pictures come in the order of their instants; any may be missing."""

    def __init__(self, sight: Sight, models: Models, resumed: Sequence[Event] = ()) -> None:
        """``resumed`` are events that are open and have an id: they go on where their subject is found again.

        Raises ModelError for a model that cannot be used, or labels it does not know.
        """
        self._sight = sight
        self._models = models
        self._rules = sight.rules
        self._gate = MotionGate(raster=lambda width, height: mask_raster(sight.rules, width, height))
        scores = [least_score(sight.rules, label, sight.min_score) for label in sight.labels]
        self._tracker = Tracker(min_score=min(scores, default=sight.min_score))
        self._size = (16, 9)
        self._looked_round: datetime | None = None
        self._events: Events = MotionEvents(self._rules, resumed=resumed)
        self._detector: OnnxDetector | None = None
        if sight.mode == "objects":
            self._events = ObjectEvents(self._rules, min_score=sight.min_score, resumed=resumed)
            self._detector = self._make_detector(*self._size)

    def observe(self, frame: Frame) -> Observation:
        """Look at a picture."""
        motion = self._gate.look(frame.at, frame.luma)
        found = tracks = None
        part = WHOLE
        if self._detector is not None and self._events.wants_detector(frame.at, motion):
            part, found = self._detect(self._detector_for(frame), frame, motion)
            sightings = [_sighting(detection, frame, motion) for detection in found]
            tracks = self._tracker.update(frame.at, sightings, part)
        actions = self._events.look(frame.at, motion, tracks, lambda box: sharpness(frame.luma, box))
        return Observation(motion, found, tracks, actions, part, self._events.is_urgent())

    def rest(self, now: datetime) -> tuple[Action, ...]:
        """While no picture comes: let events end."""
        return self._events.look(now, Motion(), None)

    def flush(self, why: str = "nvr stopped") -> tuple[Action, ...]:
        """End all events where their subject was last seen."""
        return self._events.flush(why)

    def _detect(self, detector: OnnxDetector, frame: Frame, motion: Motion) -> tuple[Box, tuple[Detection, ...]]:
        """What is in the picture, or in the part of it that matters, and which part that was."""
        from nvr.analysis.detector import aligned

        size = frame.width, frame.height
        part = None
        if self._looked_round is not None and timedelta(0) <= frame.at - self._looked_round < _LOOK_ROUND:
            part = window((*motion.boxes, *self._tracker.places()), size, detector.size)
        if part is None:
            self._looked_round = frame.at
        else:
            part = aligned(part, *size)
        found = detector.detect(frame.i420, *size, part)
        whole = [each for each in found if part is None or not is_cut_off(each.box, part)]
        return part or WHOLE, tuple(each for each in whole if admits(self._rules, each))

    def _detector_for(self, frame: Frame) -> OnnxDetector:
        assert self._detector is not None
        if (frame.width, frame.height) != self._size:
            self._size = (frame.width, frame.height)
            self._detector = self._make_detector(frame.width, frame.height)
        return self._detector

    def _make_detector(self, width: int, height: int) -> OnnxDetector:
        from nvr.analysis.detector import OnnxDetector, default_model

        model = self._models.get(self._sight.model or ModelChoice(default_model(width, height)))
        return OnnxDetector(model, self._sight.labels, self._tracker.floor)


def _sighting(detection: Detection, frame: Frame, motion: Motion) -> Sighting:
    """A detection where it would be in a picture of a camera that stands still."""
    box, (right, down) = detection.box, motion.shift
    steady = Box(box.left - right, box.top - down, box.right - right, box.bottom - down)
    moving = motion.share(box) >= MOVING
    return Sighting(replace(detection, box=steady), moving, appearance(frame.i420, box))

"""How often a camera is really looked at, as ``nvr status`` shows it. Lives in the analyzer process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from nvr import layout
from nvr.clock import Clock, to_us
from nvr.pulse import Pulse, PulseWriter
from nvr.recording.rate import Rate

if TYPE_CHECKING:
    from nvr.analysis.watcher import Watcher


class Gauge:
    """One camera's pulse ``looks.CAMERA``: its looks a second, and whether the detector is at work."""

    def __init__(self, folder: Path, watcher: Watcher, clock: Clock) -> None:
        """Raises StorageError where shared memory is full."""
        self._name = f"looks.{watcher.camera}"
        self._pulse = PulseWriter(layout.pulse_path(folder, self._name))
        self._watcher = watcher
        self._clock = clock
        self._rate = Rate()
        self._detections = 0

    def beat(self) -> None:
        """About once a second."""
        now_us = self._clock.monotonic_us()
        self._rate.frames = self._watcher.looks
        self._rate.mark(now_us)
        awake = self._watcher.detections > self._detections
        self._detections = self._watcher.detections
        self._pulse.beat(
            Pulse(
                process=self._name,
                pid=os.getpid(),
                state="analysing" if awake else "sleeping",
                beat_monotonic_us=now_us,
                beat_us=self._clock.now_us(),
                fps=self._rate.fps,
                frame_at_us=to_us(self._watcher.frame_at) if self._watcher.frame_at else 0,
            )
        )

"""What a recorder shows of itself, about once a second: its pulse, and warnings about clocks.

Lives in the recorder process, used by its first thread.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from nvr.clock import Clock
from nvr.pulse import Pulse, PulseWriter
from nvr.reason import Reason
from nvr.recording.clockwatch import ClockWatch
from nvr.recording.gaps import Gaps
from nvr.recording.outbox import Outbox
from nvr.recording.rate import Rate
from nvr.recording.spool import Spool
from nvr.recording.task import Task

if TYPE_CHECKING:
    from nvr.media.source import Source
    from nvr.recording.feeder import Feeder
    from nvr.recording.session import Session

log = logging.getLogger(__name__)
BEAT_US = 1_000_000
KEY_FRAME_US = 10_000_000
"""A run without a key frame for so long is a gap with a reason of its own."""


class Monitor:
    """Counters over all runs, and the run that goes on. ``state`` and ``error`` are set by the recorder."""

    def __init__(self, task: Task, spool: Spool, gaps: Gaps, outbox: Outbox, clock: Clock) -> None:
        self.state = "starting"
        self.error = ""
        self.retry_at_us = 0
        self.rate = Rate()
        self.feeder: Feeder | None = None
        self._task = task
        self._spool = spool
        self._gaps = gaps
        self._outbox = outbox
        self._clock = clock
        self._pulse = PulseWriter(task.pulse)
        self._clocks = ClockWatch()
        self._run: tuple[Session, Source] | None = None
        self._segments = self._dropped = 0
        self._beat_us = 0

    def begin(self, session: Session, source: Source) -> None:
        """A run goes on."""
        self._run = session, source
        self.state, self.error, self.retry_at_us = "recording", "", 0

    def end(self) -> None:
        """The run has ended; its counters stay."""
        if self._run is not None:
            session, _ = self._run
            self._segments += session.segments
            self._dropped += session.dropped
        self._run = None

    def beat_if_due(self) -> bool:
        """For every packet: beat about once a second, and say whether it did."""
        if self._clock.monotonic_us() - self._beat_us < BEAT_US:
            return False
        self.beat()
        return True

    def beat(self) -> None:
        """Show life now."""
        now_us = self._beat_us = self._clock.monotonic_us()
        self._look_at_clocks(now_us)
        self.rate.mark(now_us)
        session, source = self._run or (None, None)
        feeder, disk = self.feeder, self._spool.error
        dropped = self._dropped + (session.dropped if session else 0)
        self._pulse.beat(
            Pulse(
                process=f"recorder.{self._task.camera}",
                pid=os.getpid(),
                state=self.state,
                beat_monotonic_us=now_us,
                beat_us=self._clock.now_us(),
                fps=self.rate.fps,
                bitrate=self.rate.bitrate,
                frame_at_us=feeder.frame_at_us if feeder else 0,
                dropped=dropped + self._spool.lost + self._outbox.dropped,
                skipped=feeder.skipped + feeder.dropped if feeder else 0,
                segments=self._segments + (session.segments if session else 0),
                run=session.run.id if session else None,
                restarts=self._task.restarts,
                last_error=(str(disk) if disk else "") or self.error or (feeder.error if feeder else "") or None,
                retry_at_us=self.retry_at_us,
                buffered=self._spool.waiting_bytes,
                clock_offset_us=source.clock_offset_us if source else None,
            )
        )

    def _look_at_clocks(self, now_us: int) -> None:
        """Was our clock set, is the camera's far off, does a key frame fail to come?"""
        wall_us = self._clock.now_us()
        stepped = self._clocks.stepped(now_us, wall_us)
        if self._run is None:
            return
        session, source = self._run
        if stepped:
            session.clock_stepped()
        if not session.writing and now_us - session.begun_us > KEY_FRAME_US and not session.dropped:
            self._gaps.begin(wall_us, Reason.NO_KEY_FRAME)
        if self._clocks.is_news(source.clock_offset_us):
            log.warning(
                "%s: the camera's clock is %+.1f s off; set its time server. Video is placed by this machine's clock",
                self._task.camera,
                (source.clock_offset_us or 0) / 1e6,
            )

"""What the supervisor itself knows for the ledger: when ``nvr start`` lived, and what recorders can no longer say.

Lives in the supervisor's process. A recorder tells of its gaps itself; when it dies it cannot, so the supervisor begins
a gap in its place and hands it to the next recorder, whose first picture ends it. When the supervisor dies, too, the
next start learns from the last stint when that was, and from the kernel's boot id whether the machine went with it.
"""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from nvr.catalogue.intake import Intake
from nvr.catalogue.store import Catalogue
from nvr.clock import Clock, from_us
from nvr.errors import CatalogueError
from nvr.model import Gap, Stint
from nvr.reason import Reason
from nvr.supervisor import End

log = logging.getLogger(__name__)
ALIVE_US = 5_000_000
"""How often the stint is said to be alive: this commit also syncs the events that others committed."""
_REASONS = {End.KILLED: Reason.KILLED, End.HUNG: Reason.HUNG, End.CRASHED: Reason.CRASHED, End.LEFT: Reason.CRASHED}


class Logbook:
    """One stint's notes. ``begin`` first; the open gap of each camera is then known."""

    def __init__(self, catalogue: Catalogue, intake: Intake, clock: Clock, boot: str) -> None:
        self._catalogue = catalogue
        self._intake = intake
        self._clock = clock
        self._boot = boot
        self._open: dict[str, Gap] = {}
        self._stint = 0
        self._alive_us = clock.monotonic_us()

    def begin(self, cameras: Iterable[str]) -> None:
        """Begin a stint that records ``cameras``, and explain what passed since the last one. Raises CatalogueError."""
        now, last = from_us(self._clock.now_us()), self._catalogue.last_stint()
        for camera in cameras:
            self._catalogue.add_camera(camera, now)
        for gap in self._catalogue.open_gaps():  # oldest first: of several the newest counts
            self._replace(gap.camera, gap)
        if last is not None:
            for camera in self._catalogue.cameras():
                self._explain_pause(camera, last, now)
        self._stint = self._catalogue.begin_stint(now, self._boot)

    def gap(self, camera: str) -> Gap | None:
        """The gap that is open, for the camera's next recorder to end."""
        return self._open.get(camera)

    def hear(self, gap: Gap) -> None:
        """Store what a recorder tells."""
        self._intake.put(gap)
        if gap.end is None:
            self._open[gap.camera] = gap
        elif (known := self._open.get(gap.camera)) is not None and known.id == gap.id:
            del self._open[gap.camera]

    def ended(self, camera: str, end: End, how: str) -> None:
        """A camera's recorder has died: unless it had told of a gap already, one begins."""
        if camera not in self._open:
            self._begin_gap(camera, from_us(self._clock.now_us()), _REASONS[end], how)

    def tick(self) -> None:
        """Say that this stint lives, now and then. What the database refuses is said again later."""
        now_us = self._clock.monotonic_us()
        if now_us - self._alive_us >= ALIVE_US:
            self._alive_us = now_us
            with contextlib.suppress(CatalogueError):
                self._catalogue.touch_stint(self._stint, from_us(self._clock.now_us()))

    def close(self) -> None:
        """The stint ends as its operator wanted."""
        with contextlib.suppress(CatalogueError):
            self._catalogue.end_stint(self._stint, from_us(self._clock.now_us()))

    def _explain_pause(self, camera: str, last: Stint, now: datetime) -> None:
        """From the end of the last stint on nothing was recorded because nvr did not run, whatever was known before."""
        known, since = self._open.get(camera), last.end or last.alive
        if known is not None and known.reason is Reason.STOPPED:
            return
        if known is not None and known.reason is Reason.OFF:  # nothing was to be recorded, whether it ran or not
            self._replace(camera, None, now)
            return
        died = Reason.POWER if last.boot != self._boot else Reason.KILLED
        reason = died if last.end is None else Reason.STOPPED
        since = since if known is None else max(since, known.start)
        self._replace(camera, None, since)
        self._begin_gap(camera, since, reason, "")

    def _begin_gap(self, camera: str, start: datetime, reason: Reason, detail: str) -> None:
        gap = Gap(uuid.uuid4().hex, camera, start, reason, detail)
        self._open[camera] = gap
        self._intake.put(gap)

    def _replace(self, camera: str, gap: Gap | None, end: datetime | None = None) -> None:
        known = self._open.pop(camera, None)
        if known is not None:
            self._intake.put(replace(known, end=end or max(known.start, gap.start if gap else known.start)))
        if gap is not None:
            self._open[camera] = gap

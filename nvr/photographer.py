"""Pictures for what cameras tell: the newest frame where the camera is analysed, else one that it takes itself.

Lives in the listener process, in a thread of its own: a camera that gives no picture delays no event. OpenCV and
NumPy are imported only when a frame has to become a JPEG; what a camera gives is stored as it is.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from nvr import layout
from nvr.clock import Clock, from_us
from nvr.errors import LoginError, NvrError, SourceError, StorageError
from nvr.isapi.device import Device
from nvr.isapi.task import Ear
from nvr.model import Event, Frame
from nvr.reason import Reason

log = logging.getLogger(__name__)
WAITING = 16
"""Pictures that are asked for at a time; further events get none."""
FRESH = timedelta(seconds=2)
"""A frame that is older does not show what the camera tells of."""
LATE = timedelta(seconds=10)
"""After the last that was heard of an event a picture shows something else: it gets none. Only a locked database, or a
camera that is slow with many of them, makes orders wait for so long."""
REFUSED_US = 1_800_000_000
"""How long a camera is not asked again after it said that this user may not have pictures."""


@dataclass(frozen=True, slots=True)
class _Order:
    number: int
    ear: Ear
    event: Event
    """Stored: it has an id."""


class Photographer:
    """``ask`` never waits; pictures that were stored are told to ``done`` in the photographer's thread."""

    def __init__(self, storage: Path, clock: Clock, done: Callable[[int, Path], None]) -> None:
        """``done`` gets the event's number and the picture's path, relative to the storage folder."""
        self.failed = 0
        """Events that got no picture."""
        self._storage = storage
        self._clock = clock
        self._done = done
        self._orders: queue.Queue[_Order | None] = queue.Queue(WAITING)
        self._refused_us: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name="photographer", daemon=True)
        self._thread.start()

    def ask(self, number: int, ear: Ear, event: Event) -> None:
        """Have a picture made for an event that has an id."""
        try:
            self._orders.put_nowait(_Order(number, ear, event))
        except queue.Full:
            self.failed += 1

    def close(self) -> None:
        """Make no more; what is being made is not waited for."""
        while True:
            try:
                self._orders.put_nowait(None)
                return
            except queue.Full:
                self._orders.get_nowait()

    def _run(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                self._done(order.number, self._make(order))
            except (NvrError, OSError) as error:
                self.failed += 1
                log.debug("%s: event %s has no picture: %s", order.ear.camera, order.event.id, error)

    def _make(self, order: _Order) -> Path:
        """Take and store a picture. Raises SourceError, StorageError and OSError."""
        event = order.event
        assert event.id is not None
        if from_us(self._clock.now_us()) - event.seen > LATE:
            raise SourceError(f"{event.camera}: it is too late for a picture of event {event.id}")
        frame = self._frame(order.ear)
        if frame is not None:
            from nvr.analysis.snapshot import render

            at, picture = frame.at, render(frame, event.box, event.label, event.score, frame.at, event.camera)
        else:
            at, picture = self._ask_camera(order.ear)
        layout.require_marker(self._storage)
        path = layout.snapshot_path(event.camera, at, event.label, event.id)
        layout.write_durably(self._storage / path, picture)
        return path

    def _frame(self, ear: Ear) -> Frame | None:
        """The camera's newest frame, if it shows this moment."""
        if ear.slot is None:
            return None
        from nvr.frameslot import SlotReader

        try:
            with SlotReader(ear.slot) as slot:
                frame = slot.read()
        except StorageError:
            return None
        fresh = frame is not None and from_us(self._clock.now_us()) - frame.at <= FRESH
        return frame if fresh else None

    def _ask_camera(self, ear: Ear) -> tuple[datetime, bytes]:
        now_us = self._clock.monotonic_us()
        if now_us - self._refused_us.get(ear.camera, -REFUSED_US) < REFUSED_US:
            raise SourceError(f"{ear.place.url}: pictures were refused in the last 30 min", Reason.FORBIDDEN)
        with closing(Device(ear.place)) as device:
            try:
                picture = device.picture(ear.channel)
            except SourceError as error:
                if isinstance(error, LoginError) or error.reason in (Reason.FORBIDDEN, Reason.NOT_FOUND):
                    self._refused_us[ear.camera] = now_us
                    log.warning("%s: its events get no pictures for 30 min: %s", ear.camera, error)
                raise
        return from_us(self._clock.now_us()), picture

"""Whether a camera is being looked at: without that, "no event" says nothing about its video.

For cameras with ``record: events``. With ``detect: camera`` the camera itself looks, as long as its alerts are heard.
A time in which nobody looked is an event of its own, kind ``health``: it is listed, and its video is kept like that of
any other event. Runs in the janitor process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from nvr import layout, pulse
from nvr.catalogue.store import Catalogue
from nvr.clock import Clock, from_us
from nvr.errors import StorageError
from nvr.model import Event
from nvr.retention.cover import NOBODY_LOOKED
from nvr.retention.policy import SETTLE

STALE_US = 10_000_000
PICTURE_US = 60_000_000
"""How old the newest picture of a camera may be; one with ``frames: key`` sees few."""
NOTE = timedelta(seconds=10)
"""A shorter time without a look is no event: the next look tells of what moved meanwhile."""


def blind_since(folder: Path, camera: str, clock: Clock, *, told: bool = False) -> int | None:
    """Since when a camera is not looked at, microseconds since 1970 UTC, 0 for never at all; None while it is.

    ``folder`` has the pulses; one that may not be read tells nothing. ``told``: the camera does the looking.
    """
    try:
        return _deaf_since(folder, camera, clock) if told else _blind_since(folder, camera, clock)
    except StorageError:
        return 0


def _blind_since(folder: Path, camera: str, clock: Clock) -> int | None:
    now_us = clock.monotonic_us()
    analyzer = pulse.read(layout.pulse_path(folder, "analyzer"))
    if analyzer is None:
        return 0
    fresh = now_us - analyzer.beat_monotonic_us <= STALE_US
    if not fresh or analyzer.state not in ("analysing", "sleeping") or analyzer.last_error:
        return analyzer.beat_us
    recorder = pulse.read(layout.pulse_path(folder, f"recorder.{camera}"))
    if recorder is None or recorder.state != "recording" or now_us - recorder.beat_monotonic_us > STALE_US:
        return None  # nothing is recorded that could be looked at
    return recorder.frame_at_us if recorder.beat_us - recorder.frame_at_us > PICTURE_US else None


def _deaf_since(folder: Path, camera: str, clock: Clock) -> int | None:
    """The same for a camera that tells what it sees: whether anybody hears it."""
    beat = pulse.read(layout.pulse_path(folder, f"alerts.{camera}"))
    if beat is None:
        return 0
    fresh = clock.monotonic_us() - beat.beat_monotonic_us <= STALE_US
    if not fresh:
        return beat.beat_us
    return None if beat.state == "listening" else beat.deaf_since_us


def watched(folder: Path, cameras: Iterable[str], clock: Clock, told: Collection[str] = ()) -> set[str]:
    """Those of the cameras that are looked at just now; by themselves those that are ``told`` of."""
    return {camera for camera in cameras if blind_since(folder, camera, clock, told=camera in told) is None}


class Vigil:
    """Notes when nobody looks. ``look`` is to be called about once a second."""

    def __init__(
        self, cameras: Iterable[str], folder: Path, catalogue: Catalogue, clock: Clock, told: Collection[str] = ()
    ) -> None:
        """``told`` names those of the cameras that do the looking themselves."""
        self.watched: set[str] = set()
        """The cameras that were looked at when last asked."""
        self._cameras = tuple(cameras)
        self._told = told
        self._folder = folder
        self._catalogue = catalogue
        self._clock = clock
        self._blind: dict[str, datetime] = {}
        self._events: dict[str, Event] = {}

    def look(self) -> None:
        """Raises CatalogueError where an event could not be stored; that is tried again."""
        now = from_us(self._clock.now_us())
        blind = {
            camera: blind_since(self._folder, camera, self._clock, told=camera in self._told)
            for camera in self._cameras
        }
        self.watched = {camera for camera, since_us in blind.items() if since_us is None}
        for camera, since_us in blind.items():
            if since_us is not None:
                since = self._blind.setdefault(camera, min(now, from_us(since_us)) if since_us else now)
                self._extend(camera, since, now)
                continue
            self._blind.pop(camera, None)
            event = self._events.get(camera)
            if event is not None and event.end is None:
                self._store(replace(event, end=now, seen=now))

    def _extend(self, camera: str, since: datetime, now: datetime) -> None:
        """Begin or go on with the event of a time without a look; one that returns soon is the same."""
        event = self._events.get(camera)
        if event is not None and event.end is not None and since - event.end > SETTLE:
            event = None
        if event is None and now - since > NOTE:
            self._store(Event(camera, "health", NOBODY_LOOKED, start=since, seen=now))
        elif event is not None and (event.end is not None or now - event.seen > NOTE):
            self._store(replace(event, end=None, seen=now))

    def _store(self, event: Event) -> None:
        if event.id is None:
            event = replace(event, id=self._catalogue.open_event(event))
        else:
            self._catalogue.update_event(event)
        self._events[event.camera] = event

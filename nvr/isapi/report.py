"""From what a camera says to events of kind ``camera``: what begins, goes on, and is over. Pure; one per camera.

A camera repeats an alert while it lasts, and says ``inactive`` at its end, or nothing. Each region and target of a type
is an event of its own. Instants are nvr's (``placement``); the camera's own time stands in the event's detail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from nvr.clock import duration_us, format_duration
from nvr.isapi.alert import Alert, Region
from nvr.model import Event

OPEN = 64
"""Events of one camera at a time; what it tells beyond is not noted."""
SEEN = timedelta(seconds=1)
"""How often a row is told that its event goes on."""
RESUMED = timedelta(minutes=1)
"""An event that was open when nvr was killed goes on if it was heard of so recently."""
_TARGETS = {"human": "person", "vehicle": "vehicle"}
_LABELS = {"vmd": "motion", "shelteralarm": "tamper", "tamperdetection": "tamper"}
_TIME = "camera time "
_Key = tuple[str, str, str]
"""Type in small letters, label, zone or nothing."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an event is now. ``number`` stays the same over its life in this process."""

    number: int
    event: Event


class _Lasting:
    """An event that has not ended."""

    def __init__(self, number: int, event: Event, heard_us: int) -> None:
        self.number = number
        self.event = event
        self.heard_us = heard_us
        """Monotonic: when it was told last."""
        self.stored = event.seen
        """What its row says of ``seen``."""


class Reporter:
    """One camera's events."""

    def __init__(self, camera: str, hold: timedelta, types: Iterable[str], numbers: Iterator[int]) -> None:
        """``types`` are those that make events, in any case, all where it is empty; ``hold`` is how long an event may
        go without a repeat; ``numbers`` count the events of the process."""
        self._camera = camera
        self._hold = hold
        self._types = {each.lower() for each in types}
        self._numbers = numbers
        self._lasting: dict[_Key, _Lasting] = {}

    def hear(self, alert: Alert, at: datetime, received: datetime, now_us: int) -> Iterator[Report]:
        """Take an alert of this camera. ``at`` is its instant, ``received`` when it came, both UTC by nvr's clock."""
        kind = alert.type.lower()
        if kind == "duration" or (alert.heartbeat and alert.active):
            return
        if self._types and kind not in self._types:
            return
        if not alert.active:
            yield from self._end(kind, {_zone(region) for region in alert.regions} - {""}, at)
            return
        for region in alert.regions or (None,):
            report = self._go_on(kind, alert, region, at, received, now_us)
            if report is not None:
                yield report

    def expire(self, now_us: int) -> Iterator[Report]:
        """End what was not repeated, where it was told last."""
        due_us = now_us - duration_us(self._hold)
        for key in [key for key, lasting in self._lasting.items() if lasting.heard_us < due_us]:
            yield self._over(key, None, f"not repeated for {format_duration(self._hold)}")

    def resume(self, events: Iterable[Event], now: datetime, now_us: int) -> Iterator[Report]:
        """Take on what a killed process left open; what was last told long ago ends there."""
        for event in events:
            lasting = _Lasting(next(self._numbers), event, now_us)
            key = _key_of(event)
            if now - event.seen <= RESUMED and key not in self._lasting:
                self._lasting[key] = lasting
            else:
                yield Report(lasting.number, replace(event, end=event.seen, ended="nvr was killed"))

    def close(self) -> Iterator[Report]:
        """End everything where it was told last: nobody listens any more."""
        for key in list(self._lasting):
            yield self._over(key, None, "nvr ended")

    def _go_on(
        self, kind: str, alert: Alert, region: Region | None, at: datetime, received: datetime, now_us: int
    ) -> Report | None:
        label = _label(kind, region)
        key = (kind, label, "" if region is None else _zone(region))
        lasting = self._lasting.get(key)
        if lasting is None:
            if len(self._lasting) >= OPEN:
                return None
            event = self._begun(alert, region, label, at, received)
            lasting = self._lasting[key] = _Lasting(next(self._numbers), event, now_us)
            return Report(lasting.number, event)
        lasting.heard_us = now_us
        lasting.event = replace(lasting.event, seen=max(lasting.event.seen, at))
        if lasting.event.seen - lasting.stored < SEEN:
            return None
        lasting.stored = lasting.event.seen
        return Report(lasting.number, lasting.event)

    def _begun(self, alert: Alert, region: Region | None, label: str, at: datetime, received: datetime) -> Event:
        zone = "" if region is None else _zone(region)
        return Event(
            camera=self._camera,
            kind="camera",
            label=label,
            start=at,
            seen=at,
            box=None if region is None else region.box,
            zones=(zone,) if zone else (),
            began="told by the camera",
            received=received,
            detail=_detail(alert, region),
        )

    def _end(self, kind: str, zones: set[str], at: datetime) -> Iterator[Report]:
        """End what is of a type and, where both name a region, of that."""
        for key in list(self._lasting):
            if key[0] == kind and (not key[2] or not zones or key[2] in zones):
                yield self._over(key, at, "the camera said so")

    def _over(self, key: _Key, at: datetime | None, why: str) -> Report:
        lasting = self._lasting.pop(key)
        seen = lasting.event.seen if at is None else max(lasting.event.seen, at)
        return Report(lasting.number, replace(lasting.event, seen=seen, end=seen, ended=why))


def _label(kind: str, region: Region | None) -> str:
    """What the event is called: what the camera recognised, else the type of its alert."""
    target = _TARGETS.get(region.target) if region is not None else None
    return target or _LABELS.get(kind) or re.sub(r"[^a-z0-9_-]+", "-", kind)[:40]


def _zone(region: Region) -> str:
    return f"region-{region.id}" if region.id else ""


def _detail(alert: Alert, region: Region | None) -> str:
    """``fielddetection: Intrusion alarm; region 1; camera time 2026-11-22T14:05:00+01:00``."""
    parts = [alert.type]
    if alert.description and alert.description.lower() != alert.type.lower():
        parts = [f"{alert.type}: {alert.description}"]
    if region is not None and region.id:
        parts.append(f"region {region.id}")
    if alert.said:
        parts.append(_TIME + alert.said[:40])
    return "; ".join(parts)


def _key_of(event: Event) -> _Key:
    """The key under which an event goes on, from its row."""
    kind = re.split("[:;]", event.detail, maxsplit=1)[0].strip().lower()
    return kind, event.label, event.zones[0] if event.zones else ""

"""A store in memory that a plan can be made of, in the same order and to the same bounds as the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nvr.model import Event, Segment
from nvr.retention.plan import Disk
from nvr.retention.policy import Limits, Policy

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
MB = 1_000_000
ROOMY = Disk(10**15, 10**9, 10**10)
"""A disk on which nothing has to go for room."""


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def segment(end: datetime, camera: str = "hik1", seconds: float = 60, size: int = 10 * MB) -> Segment:
    start = end - timedelta(seconds=seconds)
    path = Path(f"segments/{camera}/{start:%Y-%m-%d/%H-%M-%S.%f}.mp4")
    return Segment(camera, "r1", path, start, end, size, 1500, "h264", 320, 180)


def event(start: datetime, end: datetime | None, camera: str = "hik1", *, locked: bool = False, id: int = 1) -> Event:
    return Event(camera, "object", "person", start, end or start, end, locked=locked, id=id)


def policy(cameras: dict[str, Limits] | None = None, *, min_free: int = 0, **keys: object) -> Policy:
    usual = Limits(timedelta(days=7), timedelta(days=30))
    return replace(Policy(usual, cameras or {}, min_free), **keys)  # type: ignore[arg-type]  # keys of Policy


@dataclass(frozen=True, slots=True)
class Taken:
    camera: str
    bytes: int
    newest: datetime


class Store:
    """Segments and events."""

    def __init__(self, segments: Sequence[Segment], events: Sequence[Event] = ()) -> None:
        self.rows = sorted(segments, key=lambda one: one.start)
        self.happened = list(events)
        self.read = 0
        """Segments that were asked for."""

    def segments(self, since: datetime, until: datetime | None = None, camera: str | None = None) -> Iterator[Segment]:
        for one in self.rows:
            if one.end > since and (until is None or one.start < until) and camera in (None, one.camera):
                self.read += 1
                yield one

    def events(self, since: datetime, until: datetime | None = None, camera: str | None = None) -> Iterator[Event]:
        for one in reversed(self.happened):
            within = one.end is None or one.end > since or one.start >= since
            if within and (until is None or one.start < until) and camera in (None, one.camera):
                yield one

    def usage(self) -> list[Taken]:
        found = {one.camera: [other for other in self.rows if other.camera == one.camera] for one in self.rows}
        return [
            Taken(camera, sum(one.bytes for one in rows), max(one.end for one in rows))
            for camera, rows in found.items()
        ]

    def without(self, gone: Sequence[Segment]) -> Store:
        paths = {one.path for one in gone}
        return Store([one for one in self.rows if one.path not in paths], self.happened)

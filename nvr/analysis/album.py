"""An event's pictures and its row, kept in step.

Lives in the analyzer process. A picture is written whole before the row names it (invariant 6), and a better one
replaces it under a name of its own, so that a reader never finds half a picture; the old one goes only when the row
names the new one. When the database or the disk cannot be written, what is known waits, at most ``WAITING`` events
and ``PICTURES`` bytes of pictures, and is tried again.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from nvr import layout
from nvr.analysis.actions import Action, Better, Closed, Opened, Seen
from nvr.analysis.snapshot import render, thumbnail
from nvr.catalogue.store import Catalogue
from nvr.errors import CatalogueError, RowError, StorageError
from nvr.model import Event, EventKind, Frame, Waypoint

log = logging.getLogger(__name__)
WAITING = 1000
PICTURES = 16_000_000
"""Bytes of a camera's pictures that wait for the disk: of more the oldest go, their events stay."""
WAYPOINTS = 1000
"""Of an event's path that are kept: when there are so many, every other one goes, and of later ones as many."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """What is to become the snapshot and, but for motion, the thumbnail: JPEG of the picture at an instant."""

    at: datetime
    snapshot: bytes
    thumbnail: bytes

    @property
    def bytes(self) -> int:
        return len(self.snapshot) + len(self.thumbnail)


@dataclass(slots=True)
class _Page:
    """One event that lasts."""

    event: Event
    path: list[Waypoint] = field(default_factory=list)
    picture: _Picture | None = None
    old: set[Path] = field(default_factory=set)
    """Pictures that go when the row names others."""
    moved: bool = False
    """The path is longer than the row knows."""
    last: Waypoint | None = None
    """Where the path ends, though it may be one of those that were left out."""
    every: int = 1
    """One of so many waypoints is kept."""
    left_out: int = 0

    def go(self, path: Sequence[Waypoint]) -> None:
        for point in path:
            self.last, self.moved = point, True
            self.left_out = (self.left_out + 1) % self.every
            if self.left_out == 0:
                self.path.append(point)
            if len(self.path) >= WAYPOINTS:
                self.path, self.left_out, self.every = self.path[::2], self.every, self.every * 2

    @property
    def whole(self) -> list[Waypoint]:
        """The path from its first waypoint to its last."""
        if self.last is None or self.path[-1:] == [self.last]:
            return self.path
        return [*self.path, self.last]


class Album:
    """One camera's events: takes actions, keeps rows and pictures."""

    def __init__(self, camera: str, storage: Path, catalogue: Catalogue) -> None:
        self.dropped = 0
        """Events that could not be stored."""
        self.error = ""
        self._camera = camera
        self._storage = storage
        self._catalogue = catalogue
        self._pages: dict[int, _Page] = {}
        self._dirty: OrderedDict[int, _Page] = OrderedDict()

    def resume(self) -> tuple[Event, ...]:
        """The events that a killed analyzer left open here: their keys are their ids, negative.

        Raises CatalogueError.
        """
        events = self._catalogue.open_events(self._camera, kinds=("object", "motion"))
        for event in events:
            assert event.id is not None
            self._pages[-event.id] = _Page(event, list(self._catalogue.path_of(event.id)))
        return tuple(events)

    def take(self, action: Action, frame: Frame | None) -> None:
        """Note what happened; ``frame`` is the picture of this look. Nothing is written before ``store``."""
        page = self._pages.get(action.key)
        if isinstance(action, Opened):
            page = self._pages[action.key] = _Page(_begun(self._camera, action))
        elif page is None:  # dropped while the database could not be written
            return
        elif isinstance(action, Better):
            page.event = replace(page.event, label=action.label, score=action.score, box=action.box)
        elif isinstance(action, Seen):
            page.event = replace(page.event, seen=action.at, zones=action.zones or page.event.zones)
        elif isinstance(action, Closed):
            page.event = replace(page.event, end=action.end, seen=action.end, ended=action.ended)
        if not isinstance(action, Better):
            page.go(action.path)
        self._dirty[action.key] = page
        if frame is not None and isinstance(action, Opened | Better):
            page.picture = _picture(self._camera, frame, page.event.kind, action)

    def store(self) -> None:
        """Write rows and pictures of what changed; what the database or the disk refuses waits for the next call."""
        for key in list(self._dirty):
            try:
                self._store_one(key, self._dirty[key])
                self.error = ""
            except RowError as error:
                log.error("%s: event not stored, and never will be: %s", self._camera, error)
                self._drop(key)
            except (CatalogueError, StorageError, OSError) as error:
                if str(error) != self.error:
                    log.error("%s: event not stored: %s", self._camera, error)
                self.error = str(error)
                self._bound()
                return

    def _store_one(self, key: int, page: _Page) -> None:
        if page.event.id is None:
            page.event = replace(page.event, id=self._catalogue.open_event(page.event))
            log.info("%s: %s (event %d)", self._camera, page.event.label, page.event.id)
        id = page.event.id
        assert id is not None
        if page.picture is not None:
            self._show(page, id, page.picture)
        self._catalogue.update_event(page.event)
        if page.moved:
            self._catalogue.put_path(id, page.whole)
        page.picture, page.moved = None, False
        for picture in page.old - {page.event.snapshot, page.event.thumbnail}:
            (self._storage / picture).unlink(missing_ok=True)
        page.old.clear()
        self._dirty.pop(key)
        if page.event.end is not None:
            del self._pages[key]

    def _show(self, page: _Page, id: int, picture: _Picture) -> None:
        """Write a picture, from now on the event's; the row does not name it yet."""
        layout.require_marker(self._storage)
        label, small = page.event.label, None
        path = layout.snapshot_path(self._camera, picture.at, label, id)
        layout.write_durably(self._storage / path, picture.snapshot)
        if picture.thumbnail:
            small = layout.thumbnail_path(self._camera, picture.at, label, id)
            layout.write_durably(self._storage / small, picture.thumbnail)
        page.old |= {old for old in (page.event.snapshot, page.event.thumbnail) if old is not None}
        page.event = replace(page.event, snapshot=path, thumbnail=small)

    def _bound(self) -> None:
        for key in list(self._dirty)[: max(0, len(self._dirty) - WAITING)]:
            self._drop(key)
        held = 0
        for page in reversed(self._dirty.values()):
            held += page.picture.bytes if page.picture is not None else 0
            if held > PICTURES:
                page.picture = None

    def _drop(self, key: int) -> None:
        self._dirty.pop(key)
        self._pages.pop(key, None)
        self.dropped += 1


def _picture(camera: str, frame: Frame, kind: EventKind, action: Better | Opened) -> _Picture:
    box = None if kind == "motion" else action.box
    snapshot = render(frame, box, action.label, action.score, frame.at, camera)
    return _Picture(frame.at, snapshot, b"" if box is None else thumbnail(frame, box))


def _begun(camera: str, action: Opened) -> Event:
    return Event(
        camera,
        action.kind,
        action.label,
        action.start,
        action.seen,
        score=action.score,
        box=action.box,
        zones=action.zones,
        began=action.began,
    )

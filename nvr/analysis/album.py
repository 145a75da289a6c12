"""An event's snapshot and its row, kept in step.

Lives in the analyzer process. A snapshot is written whole before its row names it (invariant 6), and a better one
replaces it under a name of its own, so that a reader never finds half a picture. When the database cannot be written,
what is known waits, at most ``WAITING`` events, and is tried again.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

from nvr import layout
from nvr.analysis.events import Action, Better, Closed, Opened, Seen
from nvr.analysis.snapshot import render
from nvr.catalogue.store import Catalogue
from nvr.errors import CatalogueError, StorageError
from nvr.model import Event, Frame

log = logging.getLogger(__name__)
WAITING = 1000


class Album:
    """One camera's events: takes actions, keeps rows and pictures."""

    def __init__(self, camera: str, storage: Path, catalogue: Catalogue) -> None:
        self.dropped = 0
        """Events that could not be stored."""
        self.error = ""
        self._camera = camera
        self._storage = storage
        self._catalogue = catalogue
        self._open: dict[int, Event] = {}
        self._dirty: OrderedDict[int, Event] = OrderedDict()
        self._pictures: dict[int, tuple[Frame, Better | Opened]] = {}

    def take(self, action: Action, frame: Frame | None) -> None:
        """Note what happened; ``frame`` is the picture of this look. Nothing is written before ``store``."""
        event = self._open.get(action.key)
        if isinstance(action, Opened):
            event = Event(self._camera, action.kind, action.label, action.start, action.seen, score=action.score)
            event = replace(event, box=action.box)
        elif event is None:  # dropped while the database could not be written
            return
        elif isinstance(action, Better):
            event = replace(event, label=action.label, score=action.score, box=action.box)
        elif isinstance(action, Seen):
            event = replace(event, seen=action.at)
        elif isinstance(action, Closed):
            event = replace(event, end=action.end, seen=action.end)
        self._open[action.key] = self._dirty[action.key] = event
        if frame is not None and isinstance(action, Opened | Better):
            self._pictures[action.key] = (frame, action)

    def store(self) -> None:
        """Write rows and snapshots of what changed; what the database or the disk refuses waits for the next call."""
        for key in list(self._dirty):
            try:
                self._store_one(key)
                self.error = ""
            except (CatalogueError, StorageError, OSError) as error:
                if str(error) != self.error:
                    log.error("%s: event not stored: %s", self._camera, error)
                self.error = str(error)
                self._bound()
                return

    def _store_one(self, key: int) -> None:
        event = self._open[key]
        if event.id is None:
            event = self._open[key] = replace(event, id=self._catalogue.open_event(event))
            log.info("%s: %s (event %d)", self._camera, event.label, event.id)
        old = event.snapshot
        if key in self._pictures:
            event = self._open[key] = replace(event, snapshot=self._picture(key, event))
        self._catalogue.update_event(event)
        self._pictures.pop(key, None)
        self._dirty.pop(key)
        if old is not None and old != event.snapshot:
            (self._storage / old).unlink(missing_ok=True)
        if event.end is not None:
            del self._open[key]

    def _picture(self, key: int, event: Event) -> Path:
        frame, action = self._pictures[key]
        assert event.id is not None
        layout.require_marker(self._storage)
        path = layout.snapshot_path(self._camera, frame.at, event.label, event.id)
        box = None if event.kind == "motion" else action.box
        picture = render(frame, box, action.label, action.score, frame.at, self._camera)
        layout.write_durably(self._storage / path, picture)
        return path

    def _bound(self) -> None:
        while len(self._dirty) > WAITING:
            key, _ = self._dirty.popitem(last=False)
            self._open.pop(key, None)
            self._pictures.pop(key, None)
            self.dropped += 1

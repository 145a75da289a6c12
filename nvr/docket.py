"""The rows of what cameras tell: events of kind ``camera`` and the outages of their alerts.

Lives in the listener process. A database that is locked delays rows and nothing else: what is known waits, at most
``WAITING`` events, and is tried again.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

from nvr.catalogue.store import Catalogue
from nvr.errors import CatalogueError, RowError
from nvr.isapi.report import Report
from nvr.model import Event

log = logging.getLogger(__name__)
WAITING = 1000
KNOWN = 500
"""Events that are over and may still get a picture."""


class Docket:
    """Takes reports at once and stores them when the database lets it. Use from one thread."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.dropped = 0
        """Events that could not be stored."""
        self.error = ""
        self._catalogue = catalogue
        self._known: OrderedDict[int, Event] = OrderedDict()
        self._waiting: OrderedDict[int, None] = OrderedDict()

    def note(self, report: Report) -> None:
        """Take what an event is now. Its id and its picture, once known, are kept."""
        before = self._known.pop(report.number, None)
        event = report.event
        if before is not None:
            event = replace(event, id=before.id, snapshot=before.snapshot)
        self._known[report.number] = event
        self._waiting[report.number] = None
        self._bound()

    def attach(self, number: int, snapshot: Path) -> None:
        """An event's picture is in its place, relative to the storage folder."""
        if number in self._known:
            self._known[number] = replace(self._known[number], snapshot=snapshot)
            self._waiting[number] = None

    def store(self) -> list[Report]:
        """Write what waits, oldest first; what the database refuses for now is left for the next call.

        Returns the events that are new in the catalogue, with their ids.
        """
        new = []
        for number in list(self._waiting):
            try:
                if self._store_one(number):
                    new.append(Report(number, self._known[number]))
                self.error = ""
            except RowError as error:  # the database works: it is this row that it will never take
                self._drop(number)
                log.error("an event was given up: %s", error)
            except CatalogueError as error:
                if str(error) != self.error:
                    log.error("%s; %d event(s) wait", error, len(self._waiting))
                self.error = str(error)
                break
        return new

    def _store_one(self, number: int) -> bool:
        """Write one; whether its row is new."""
        event = self._known[number]
        new = event.id is None
        if new:
            event = self._known[number] = replace(event, id=self._catalogue.open_event(event))
            log.info("%s: %s %s (event %d)", event.camera, event.label, event.detail, event.id)
        else:
            self._catalogue.update_event(event)
        del self._waiting[number]
        return new

    def _bound(self) -> None:
        while len(self._waiting) > WAITING:
            self._drop(next(iter(self._waiting)))
        if len(self._known) > KNOWN + WAITING:
            over = (number for number, event in self._known.items() if event.end is not None)
            gone = next((number for number in over if number not in self._waiting), None)
            if gone is not None:
                del self._known[gone]

    def _drop(self, number: int) -> None:
        self._waiting.pop(number, None)
        self._known.pop(number, None)
        self.dropped += 1

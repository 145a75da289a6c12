"""Rows on their way into the catalogue: what recorders reported and the database has not taken yet.

Lives in the supervisor's process. A database that is locked or full delays rows and nothing else: files describe
themselves, and rows that are lost here are read back from them at the next start. A gap may come again while it waits:
both are stored, in their order, and the later one stands.
"""

from __future__ import annotations

import logging
from collections import deque

from nvr.catalogue.store import Catalogue
from nvr.errors import CatalogueError, RowError
from nvr.model import Gap, Run, Segment

log = logging.getLogger(__name__)
LIMIT = 10_000


class Intake:
    """Takes rows at once and stores them in their order, when the database lets it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.lost = 0
        """Rows given up: too many waited, or the database will never take them."""
        self._catalogue = catalogue
        self._waiting: deque[Run | Segment | Gap] = deque()
        self._error = ""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, row: Run | Segment | Gap) -> None:
        """Take a row; beyond ``LIMIT`` waiting ones the oldest is given up."""
        if len(self._waiting) >= LIMIT:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(row)

    def store(self) -> None:
        """Store what waits, in its order, as far as the database lets it; the rest is tried again at the next call."""
        while self._waiting:
            try:
                self._store_one(self._waiting[0])
            except RowError as error:  # the database works: it is this row that it will never take
                self.lost += 1
                log.error("a row was given up: %s (%s)", self._waiting[0], error)
            except CatalogueError as error:
                self._report(error)
                return
            self._waiting.popleft()

    def _store_one(self, row: Run | Segment | Gap) -> None:
        if isinstance(row, Run):
            self._catalogue.start_run(row)
        elif isinstance(row, Gap):
            self._catalogue.put_gap(row)
        else:
            self._catalogue.add_segment(row)
        self._error = ""

    def _report(self, error: CatalogueError) -> None:
        if str(error) != self._error:
            log.error("%s; %d row(s) wait, recording goes on", error, len(self._waiting))
        self._error = str(error)

"""The catalogue as the rest of nvr sees it: values of ``nvr.model`` in and out, errors as ``CatalogueError``.

Importing it costs SQLAlchemy but not Alembic: commands that only read import it too. Whoever can do without a database
(``nvr --help``) imports it late.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from nvr.catalogue import recordings
from nvr.catalogue.accounts import Accounts
from nvr.catalogue.chronicle import Chronicle
from nvr.catalogue.custody import Custody
from nvr.catalogue.database import BUSY_TIMEOUT, Database, may_write
from nvr.catalogue.diary import Diary
from nvr.catalogue.recordings import (
    CameraSummary,
    select_footage,
    select_runs,
    select_segments,
    to_run,
    to_segment,
)
from nvr.catalogue.revision import require_head
from nvr.catalogue.schema import runs, segments
from nvr.catalogue.spans import overlapping
from nvr.clock import EPOCH, from_us, to_us
from nvr.errors import CatalogueError
from nvr.model import Run, Segment

log = logging.getLogger(__name__)
_EVER_US = 2**63 - 1


class Catalogue(Accounts, Chronicle, Custody, Diary):
    """One open catalogue. May be used from any thread of the process that opened it; several processes may have it
    open at once, each waits for the other's write (up to the busy timeout) and readers never wait.

    Every method raises CatalogueError where the database cannot be used. A write has been committed when its method
    returns, and survives a kill of any process.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(
        cls, path: Path, *, readonly: bool = False, busy_timeout: timedelta = BUSY_TIMEOUT, durable: bool = False
    ) -> Catalogue:
        """Open an existing catalogue of this version's schema. A reader works on a read-only disk too.

        ``durable``: what is committed here, and what anybody committed before, outlives a power cut as well.

        Raises CatalogueError where there is none, it is not ours, older or newer than this nvr, locked, or, unless
        ``readonly``, where the file or its folder cannot be written.
        """
        if not path.is_file() or path.stat().st_size == 0:
            raise CatalogueError(f"no catalogue at {path}; nvr rebuild makes it from the files, nvr start a new one")
        if not readonly and not (may_write(path) and may_write(path.parent)):
            raise CatalogueError(
                f"the catalogue {path} cannot be written: give this user write permission on the file and its folder"
            )
        database = Database(path, "read" if readonly else "write", busy_timeout=busy_timeout, durable=durable)
        try:
            require_head(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Writes

    def start_run(self, run: Run) -> None:
        """Store a run; again with the same id to complete it (codec, size), in whatever order messages arrive."""
        with self._database.writing() as connection:
            recordings.write_run(connection, run)

    def end_run(self, run: str, end: datetime, reason: str) -> None:
        """Store why a run ended. An id that is not known is logged and left alone: there is nothing to end."""
        with self._database.writing() as connection:
            known = recordings.end_run(connection, run, end, reason)
        if not known:
            log.warning("run %s ended (%s) but was never stored", run, reason)

    def add_segment(self, segment: Segment) -> None:
        """Store a segment, and its run where its row was lost; the same path again replaces the row."""
        with self._database.writing() as connection:
            recordings.write_segment(connection, segment)

    def close_dangling(self, now: datetime | None = None) -> int:
        """End what a killed process left open, and return how many rows that were; called at start.

        Events end where they were last seen; runs end with their last segment (or where they began), reason "killed".
        Rows that start at ``now`` or later are left alone: they belong to whoever calls this. So are gaps: an open
        one goes on until there is video again.
        """
        before_us = None if now is None else to_us(now)
        closed = self.close_events(before=now)
        with self._database.writing() as connection:
            return closed + recordings.close_runs(connection, before_us)

    # Reads

    def segments(
        self, since: datetime, until: datetime | None = None, camera: str | None = None, limit: int | None = None
    ) -> Iterator[Segment]:
        """Segments that overlap [since, until), oldest first, read as they are asked for.

        Like all that speaks of footage, without those that are being deleted or whose file is missing.
        """
        query = select_footage(camera)
        return map(to_segment, overlapping(self._database, segments, query, since, until, limit=limit))

    def segment_at(self, camera: str, at: datetime) -> Segment | None:
        """The segment that holds an instant; where two do (clocks step), the one that began later."""
        found: Segment | None = None
        for found in self.segments(at, at + timedelta(microseconds=1), camera):  # noqa: B007
            pass
        return found

    def segment_paths(self, camera: str) -> Iterator[Path]:
        """The path of every segment of a camera, relative to the storage folder, oldest first."""
        query = select_footage(camera).with_only_columns(segments.c.id, segments.c.start_us, segments.c.path)
        return (Path(row.path) for row in overlapping(self._database, segments, query, EPOCH, None))

    def recorded(
        self, camera: str, since: datetime, until: datetime | None = None
    ) -> Iterator[tuple[datetime, datetime]]:
        """Start and end of footage that overlaps [since, until), by start; segments that touch are one span."""
        until_us = _EVER_US if until is None else to_us(until)
        with self._database.reading() as connection:
            spans = recordings.recorded(connection, camera, to_us(since), until_us)
        return ((from_us(start_us), from_us(end_us)) for start_us, end_us in spans)

    def edges(
        self, camera: str, since: datetime, until: datetime
    ) -> tuple[datetime | None, datetime | None, datetime | None]:
        """When the footage that began last of all ends, that which began last before ``since``, and when the first
        begins at ``until`` or later."""
        with self._database.reading() as connection:
            found = recordings.edges(connection, camera, to_us(since), to_us(until))
        newest, before, after = (None if us is None else from_us(us) for us in found)
        return newest, before, after

    def has_segment(self, path: Path) -> bool:
        """Whether a file, relative to the storage folder, has its row, in whatever state."""
        query = select_segments(None).where(segments.c.path == path.as_posix())
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def runs(
        self, since: datetime, until: datetime | None = None, camera: str | None = None, limit: int | None = None
    ) -> Iterator[Run]:
        """Runs that overlap [since, until), oldest first, read as they are asked for."""
        return map(to_run, overlapping(self._database, runs, select_runs(camera), since, until, limit=limit))

    def summary(self, now: datetime) -> list[CameraSummary]:
        """Every camera, by name. Segments that start after ``now`` (the clock stepped back) give no ``last_end``."""
        with self._database.reading() as connection:
            return recordings.summaries(connection, to_us(now))

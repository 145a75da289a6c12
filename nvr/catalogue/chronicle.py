"""What the ledger is made of beside segments: cameras, gaps, and the lives of ``nvr start``.

``Chronicle`` is that part of ``Catalogue``; its methods keep what ``store.py`` promises of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select, text, update
from sqlalchemy.dialects.sqlite import Insert, insert

from nvr.catalogue.database import Database
from nvr.catalogue.recordings import camera_id, of_camera
from nvr.catalogue.schema import OPEN_OR_LONG, cameras, gaps, stints
from nvr.catalogue.spans import overlapping
from nvr.clock import from_us, to_us
from nvr.model import Gap, Stint
from nvr.reason import Reason

_CODES = frozenset(Reason)


class Chronicle:
    """Cameras, gaps and stints of one open catalogue."""

    _database: Database

    def add_camera(self, name: str, at: datetime) -> None:
        """Make a camera known from ``at`` on; one that is known already stays what it is."""
        with self._database.writing() as connection:
            connection.execute(insert(cameras).values(name=name, added_us=to_us(at)).on_conflict_do_nothing())

    def cameras(self) -> dict[str, datetime]:
        """Every camera ever known, by name, and from when on it is."""
        with self._database.reading() as connection:
            rows = connection.execute(select(cameras.c.name, cameras.c.added_us).order_by(cameras.c.name))
            return {name: from_us(added_us) for name, added_us in rows}

    def put_gap(self, gap: Gap) -> None:
        """Store a gap; the same id again replaces it: its end, or a better reason."""
        with self._database.writing() as connection:
            write_gaps(connection, [gap])

    def gaps(
        self, since: datetime, until: datetime | None = None, camera: str | None = None, limit: int | None = None
    ) -> Iterator[Gap]:
        """Gaps that overlap [since, until), oldest first, read as they are asked for. Segments win over them."""
        return map(_to_gap, overlapping(self._database, gaps, _select_gaps(camera), since, until, limit=limit))

    def open_gaps(self) -> list[Gap]:
        """Every gap that lasts, oldest first."""
        query = _select_gaps(None).where(gaps.c.end_us.is_(None), text(f"({OPEN_OR_LONG})"))
        query = query.with_hint(gaps, "INDEXED BY ix_gaps_open_or_long", "sqlite")
        with self._database.reading() as connection:
            return [_to_gap(row) for row in connection.execute(query.order_by(gaps.c.start_us, gaps.c.id))]

    def begin_stint(self, start: datetime, boot: str) -> int:
        """Note that ``nvr start`` began, under the kernel's boot id ``boot``. Returns the stint's id."""
        start_us = to_us(start)
        new = insert(stints).values(start_us=start_us, alive_us=start_us, boot=boot).returning(stints.c.id)
        with self._database.writing() as connection:
            number: int = connection.execute(new).scalar_one()
        return number

    def touch_stint(self, id: int, at: datetime) -> None:
        """Note that ``nvr start`` still runs: once killed, it is known to have lived until ``at``."""
        with self._database.writing() as connection:
            connection.execute(update(stints).where(stints.c.id == id).values(alive_us=to_us(at)))

    def end_stint(self, id: int, at: datetime) -> None:
        """Note that ``nvr start`` ended as its operator wanted."""
        with self._database.writing() as connection:
            connection.execute(update(stints).where(stints.c.id == id).values(alive_us=to_us(at), end_us=to_us(at)))

    def stints(self, since: datetime, until: datetime | None = None, *, neighbours: bool = False) -> list[Stint]:
        """Stints that overlap [since, until), oldest first; one that was killed lasted until it was last alive.

        With ``neighbours`` also the one before and the one after: what lies between stints is told by both.
        """
        since_us, until_us = to_us(since), None if until is None else to_us(until)
        start, last = stints.c.start_us, func.coalesce(stints.c.end_us, stints.c.alive_us)
        after = or_(start >= since_us, last > since_us)
        before = None if until_us is None else start < until_us
        if neighbours:
            after = or_(after, start == select(func.max(start)).where(start < since_us).scalar_subquery())
            if before is not None:
                before = start <= func.coalesce(
                    select(func.min(start)).where(start >= until_us).scalar_subquery(), until_us
                )
        query = select(stints).where(after).order_by(start, stints.c.id)
        if before is not None:
            query = query.where(before)
        with self._database.reading() as connection:
            return [_to_stint(row) for row in connection.execute(query)]

    def last_stint(self) -> Stint | None:
        """The one that began last, whatever the clock said then; None before the first."""
        with self._database.reading() as connection:
            row = connection.execute(select(stints).order_by(stints.c.id.desc()).limit(1)).first()
        return None if row is None else _to_stint(row)


def write_gaps(connection: Connection, written: list[Gap]) -> None:
    """Insert gaps, or replace those of the same id."""
    if not written:
        return
    numbers = {gap.camera: gap.start for gap in reversed(written)}
    ids = {camera: camera_id(connection, camera, to_us(start)) for camera, start in numbers.items()}
    values = [
        {
            "id": gap.id,
            "camera_id": ids[gap.camera],
            "start_us": to_us(gap.start),
            "end_us": None if gap.end is None else to_us(gap.end),
            "reason": gap.reason.value,
            "detail": gap.detail,
        }
        for gap in written
    ]
    connection.execute(_replaced_gap(), values)


@cache
def _replaced_gap() -> Insert:
    new = insert(gaps)
    replaced = {column.name: new.excluded[column.name] for column in gaps.c if column.name != "id"}
    return new.on_conflict_do_update(index_elements=["id"], set_=replaced)


def _select_gaps(camera: str | None) -> Select[Any]:
    name = select(cameras.c.name).where(cameras.c.id == gaps.c.camera_id).scalar_subquery().label("camera")
    return of_camera(select(gaps, name), gaps.c.camera_id, camera)


def _to_gap(row: Row[Any]) -> Gap:
    return Gap(
        id=row.id,
        camera=row.camera,
        start=from_us(row.start_us),
        reason=Reason(row.reason) if row.reason in _CODES else Reason.UNKNOWN,  # of an nvr that was newer
        detail=row.detail,
        end=None if row.end_us is None else from_us(row.end_us),
    )


def _to_stint(row: Row[Any]) -> Stint:
    return Stint(
        id=row.id,
        start=from_us(row.start_us),
        alive=from_us(row.alive_us),
        end=None if row.end_us is None else from_us(row.end_us),
        boot=row.boot,
    )

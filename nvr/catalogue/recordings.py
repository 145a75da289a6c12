"""Rows of cameras, runs and segments: how they are written, and how they become ``Run`` and ``Segment``.

Takes a connection inside a transaction that ``store.py`` opened. The statements that write are built once and when
first needed: building one costs SQLAlchemy more than running it, and a command that only reads needs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, TextClause, Update, bindparam, func, select, text, update
from sqlalchemy.dialects.sqlite import Insert, insert

from nvr.catalogue.schema import FOOTAGE, LEFT_OUT, LONG_US, OPEN_OR_LONG, cameras, runs, segments
from nvr.clock import from_us, to_us
from nvr.model import Run, Segment

KILLED = "killed"
"""``end_reason`` of a run whose recorder was killed and could not say."""


@dataclass(frozen=True, slots=True)
class CameraSummary:
    """What the catalogue holds of one camera: the number of its segments, and the instant up to which it has video."""

    camera: str
    segments: int
    last_end: datetime | None


def camera_id(connection: Connection, name: str, at_us: int) -> int:
    """The number of a camera, given now where it is new."""
    number = connection.scalar(_camera_number(), {"name": name})
    if number is None:
        new = insert(cameras).values(name=name, added_us=at_us).returning(cameras.c.id)
        number = connection.execute(new).scalar_one()
    return number


@cache
def _camera_number() -> Select[int]:
    return select(cameras.c.id).where(cameras.c.name == bindparam("name"))


def select_runs(camera: str | None) -> Select[Any]:
    name = select(cameras.c.name).where(cameras.c.id == runs.c.camera_id).scalar_subquery().label("camera")
    return of_camera(select(runs, name), runs.c.camera_id, camera)


def select_segments(camera: str | None) -> Select[Any]:
    name = select(cameras.c.name).where(cameras.c.id == segments.c.camera_id).scalar_subquery().label("camera")
    return of_camera(select(segments, name), segments.c.camera_id, camera)


def select_footage(camera: str | None) -> Select[Any]:
    """Segments whose video is there and stays: not those that are being deleted or missing."""
    return select_segments(camera).where(text(FOOTAGE))


def of_camera(query: Select[Any], column: Any, camera: str | None) -> Select[Any]:
    """``query`` narrowed to one camera. By subquery: a join would let SQLite read cameras first and sort afterwards."""
    if camera is None:
        return query
    return query.where(column == select(cameras.c.id).where(cameras.c.name == camera).scalar_subquery())


def write_run(connection: Connection, run: Run) -> None:
    """Insert a run or complete what is known of it. What it already has is kept where the new value is None."""
    values = {
        "id": run.id,
        "camera_id": camera_id(connection, run.camera, to_us(run.start)),
        "stream": run.stream,
        "start_us": to_us(run.start),
        "end_us": None if run.end is None else to_us(run.end),
        "end_reason": run.end_reason,
        "codec": run.codec,
        "width": run.width,
        "height": run.height,
    }
    connection.execute(_completed_run(), values)


@cache
def _completed_run() -> Insert:
    new = insert(runs)
    merged = {column.name: func.coalesce(new.excluded[column.name], column) for column in runs.c if column.name != "id"}
    return new.on_conflict_do_update(index_elements=["id"], set_=merged)


@cache
def _run_of_segment() -> Insert:
    new = insert(runs)
    earliest = {"start_us": func.min(runs.c.start_us, new.excluded.start_us)}
    return new.on_conflict_do_update(index_elements=["id"], set_=earliest)


@cache
def _camera_since() -> Update:
    known_later = (cameras.c.id == bindparam("camera"), cameras.c.added_us > bindparam("since"))
    return update(cameras).where(*known_later).values(added_us=bindparam("since"))


@cache
def _replaced_segment() -> Insert:
    new = insert(segments)
    replaced = {column.name: new.excluded[column.name] for column in segments.c if column.name not in ("id", "path")}
    return new.on_conflict_do_update(index_elements=["path"], set_=replaced)


def end_run(connection: Connection, run: str, end: datetime, reason: str) -> bool:
    """Whether there is such a run."""
    done = connection.execute(update(runs).where(runs.c.id == run).values(end_us=to_us(end), end_reason=reason))
    return done.rowcount > 0


def write_segment(connection: Connection, segment: Segment) -> None:
    """Insert a segment or replace the row of the same path.

    A run that is not known yet gets a row too, no run begins after a segment of its own, and no camera was added after
    one: after
    ``nvr rebuild`` the files, in whatever order they were found, are all that is known of it.
    """
    known = {
        "camera_id": camera_id(connection, segment.camera, to_us(segment.start)),
        "start_us": to_us(segment.start),
        "codec": segment.codec,
        "width": segment.width,
        "height": segment.height,
    }
    connection.execute(_run_of_segment(), known | {"id": segment.run, "stream": "main"})
    connection.execute(_camera_since(), {"camera": known["camera_id"], "since": known["start_us"]})
    values = known | {
        "run_id": segment.run,
        "path": segment.path.as_posix(),
        "end_us": to_us(segment.end),
        "bytes": segment.bytes,
        "packets": segment.packets,
        "state": segment.state,
    }
    connection.execute(_replaced_segment(), values)


def close_runs(connection: Connection, before_us: int | None) -> int:
    """End every open run with its last segment, or at its start where it has none. Returns how many there were."""
    last = select(func.max(segments.c.end_us)).where(segments.c.run_id == runs.c.id).scalar_subquery()
    dangling = update(runs).where(runs.c.end_us.is_(None))
    if before_us is not None:
        dangling = dangling.where(runs.c.start_us < before_us)
    return connection.execute(dangling.values(end_us=func.coalesce(last, runs.c.start_us), end_reason=KILLED)).rowcount


def summaries(connection: Connection, now_us: int) -> list[CameraSummary]:
    of_this = segments.c.camera_id == cameras.c.id
    number = select(func.count()).select_from(segments).where(of_this).scalar_subquery()
    left_out = select(func.count()).select_from(segments).where(of_this, text(LEFT_OUT))  # few: its index is quick
    left_out = left_out.with_hint(segments, "INDEXED BY ix_segments_left_out", "sqlite")
    last = (
        select(segments.c.end_us)
        .where(of_this, segments.c.start_us <= now_us, text(FOOTAGE))
        .order_by(segments.c.start_us.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(cameras.c.name, number - left_out.scalar_subquery(), last).order_by(cameras.c.name)
    return [
        CameraSummary(name, count, None if end is None else from_us(end))
        for name, count, end in connection.execute(query)
    ]


def recorded(connection: Connection, camera: str, since_us: int, until_us: int) -> list[tuple[int, int]]:
    """Start and end of footage that overlaps [since, until), by start; segments that touch are one span.

    Straight from the driver: SQLAlchemy's rows would cost several times as much, and a day has 1440.
    """
    values = {"camera": camera, "since": since_us, "until": until_us, "turn": since_us - LONG_US}
    found = connection.exec_driver_sql(_RECORDED, values)
    spans: list[tuple[int, int]] = []
    begun_us = ended_us = None
    while rows := found.cursor.fetchmany(_TAKEN):
        for start_us, end_us in rows:
            if ended_us is not None and begun_us is not None and start_us > ended_us:
                spans.append((begun_us, ended_us))
                begun_us = ended_us = None
            if begun_us is None or ended_us is None:
                begun_us, ended_us = start_us, end_us
            elif end_us > ended_us:
                ended_us = end_us
    found.close()
    if begun_us is not None and ended_us is not None:
        spans.append((begun_us, ended_us))
    return spans


_TAKEN = 10_000
_FOOTAGE_OF = (
    "SELECT start_us, end_us FROM segments {index} WHERE "
    f"camera_id = (SELECT id FROM cameras WHERE name = :camera) AND {FOOTAGE} AND end_us > :since AND "
)
_RECORDED = (  # long ones first: all of them begin before the others
    f"SELECT * FROM ({_FOOTAGE_OF.format(index='INDEXED BY ix_segments_open_or_long')}({OPEN_OR_LONG}) "
    f"AND start_us < :turn ORDER BY start_us) "
    f"UNION ALL SELECT * FROM ({_FOOTAGE_OF.format(index='')}start_us >= :turn AND start_us < :until ORDER BY start_us)"
)


def edges(
    connection: Connection, camera: str, since_us: int, until_us: int
) -> tuple[int | None, int | None, int | None]:
    """End of the footage that began last of all, of that which began last before ``since_us``, and start of the first
    at ``until_us`` or later."""
    row = connection.execute(_edges(), {"camera": camera, "since": since_us, "until": until_us}).one()
    return row.newest_us, row.before_us, row.after_us


@cache
def _edges() -> TextClause:
    footage = f"FROM segments WHERE camera_id = (SELECT id FROM cameras WHERE name = :camera) AND {FOOTAGE}"
    return text(
        f"SELECT (SELECT end_us {footage} ORDER BY start_us DESC LIMIT 1) AS newest_us, "
        f"(SELECT end_us {footage} AND start_us < :since ORDER BY start_us DESC LIMIT 1) AS before_us, "
        f"(SELECT start_us {footage} AND start_us >= :until ORDER BY start_us LIMIT 1) AS after_us"
    )


def to_run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        camera=row.camera,
        stream=row.stream,
        start=from_us(row.start_us),
        end=None if row.end_us is None else from_us(row.end_us),
        end_reason=row.end_reason,
        codec=row.codec,
        width=row.width,
        height=row.height,
    )


def to_segment(row: Row[Any]) -> Segment:
    return Segment(
        camera=row.camera,
        run=row.run_id,
        path=Path(row.path),
        start=from_us(row.start_us),
        end=from_us(row.end_us),
        bytes=row.bytes,
        packets=row.packets,
        codec=row.codec,
        width=row.width,
        height=row.height,
        state=row.state,
    )

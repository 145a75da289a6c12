"""Rows of events: how they are written, chosen, and become ``Event``.

Takes a connection inside a transaction that ``diary.py`` opened. The statements that write are built once.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, bindparam, case, exists, func, select, text, true, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql.dml import ReturningInsert

from nvr.catalogue.recordings import camera_id, of_camera
from nvr.catalogue.schema import DENIED, LONG_US, OPEN_OR_LONG, cameras, events
from nvr.clock import from_us, to_us
from nvr.model import Box, Event

EventSpan = tuple[int, str, int, int | None, str, int]
"""id, camera, start and end (microseconds since 1970), label, whether locked."""
OTHERS = {"id", "camera_id", "locked", "marked_false", "same_as"}
"""Columns that an update leaves alone: they never change, or the user sets them, or this package."""


def select_events(
    camera: str | None = None, kind: str | None = None, label: str | None = None, zone: str | None = None
) -> Select[Any]:
    name = select(cameras.c.name).where(cameras.c.id == events.c.camera_id).scalar_subquery().label("camera")
    query = of_camera(select(events, name), events.c.camera_id, camera)
    if kind is not None:
        query = query.where(events.c.kind == kind)
    if label is not None:
        query = query.where(events.c.label == label)
    if zone is not None:
        names = func.json_each(events.c.zones).table_valued("value")
        query = query.where(exists(select(names.c.value).where(names.c.value == zone)))
    return query


def find_event(connection: Connection, id: int | None) -> Event | None:
    row = None if id is None else connection.execute(_one(), {"sought": id}).first()
    return None if row is None else to_event(row)


def write_event(connection: Connection, event: Event, before: Event | None) -> int:
    """Insert an event, or replace the row that was ``before``, but for what is not its writer's (OTHERS).

    An event stays at its camera. Returns its id.
    """
    values = _values(event)
    if before is not None and before.id is not None:
        connection.execute(_changed(), values | {"sought": before.id})
        return before.id
    values |= {
        "camera_id": camera_id(connection, event.camera, to_us(event.start)),
        "id": event.id,
        "locked": int(event.locked),
        "marked_false": int(event.false),
    }
    return connection.execute(_new(), values).scalar_one()


def _values(event: Event) -> dict[str, Any]:
    box = event.box
    return {
        "kind": event.kind,
        "label": event.label,
        "start_us": to_us(event.start),
        "seen_us": to_us(event.seen),
        "end_us": _us(event.end),
        "score": event.score,
        "box_left": None if box is None else box.left,
        "box_top": None if box is None else box.top,
        "box_right": None if box is None else box.right,
        "box_bottom": None if box is None else box.bottom,
        "zones": json.dumps(event.zones, ensure_ascii=False),
        "snapshot": _text(event.snapshot),
        "thumbnail": _text(event.thumbnail),
        "began": event.began,
        "ended": event.ended,
        "received_us": _us(event.received),
        "detail": event.detail,
    }


@cache
def _one() -> Select[Any]:
    return select_events().where(events.c.id == bindparam("sought"))


@cache
def _new() -> ReturningInsert[int]:
    return insert(events).returning(events.c.id)


@cache
def _changed() -> Update:
    written: dict[str, Any] = {column.name: bindparam(column.name) for column in events.c if column.name not in OTHERS}
    return update(events).where(events.c.id == bindparam("sought")).values(written)


def select_open(camera: str | None = None, kinds: Collection[str] | None = None) -> Select[Any]:
    """Events that last, oldest first."""
    query = select_events(camera).where(events.c.end_us.is_(None), _of_kinds(kinds))
    query = query.with_hint(events, "INDEXED BY ix_events_open_or_long", "sqlite")
    return query.order_by(events.c.start_us, events.c.id)


def close_events(
    connection: Connection,
    before: datetime | None = None,
    camera: str | None = None,
    kinds: Collection[str] | None = None,
    reason: str = "",
) -> list[int]:
    """End open events where their subject was last seen; ``reason`` goes to those that say none. Returns their ids."""
    dangling = update(events).where(events.c.end_us.is_(None), _of_kinds(kinds))
    if before is not None:
        dangling = dangling.where(events.c.start_us < to_us(before))
    if camera is not None:
        dangling = dangling.where(
            events.c.camera_id == select(cameras.c.id).where(cameras.c.name == camera).scalar_subquery()
        )
    ended = case((events.c.ended == "", reason), else_=events.c.ended)
    change = dangling.values(end_us=events.c.seen_us, ended=ended).returning(events.c.id)
    return sorted(connection.scalars(change))


def count_denied(connection: Connection, chosen: Select[Any], since: datetime, until: datetime | None) -> int:
    """How many of ``chosen`` that overlap [since, until) a person has denied: few, and found by their own index."""
    start, end, since_us = events.c.start_us, events.c.end_us, to_us(since)
    lasts = end.is_(None) | (end > since_us) | (start >= since_us)
    before = true() if until is None else start < to_us(until)
    query = chosen.with_only_columns(func.count()).where(text("marked_false = 1"), lasts, before)
    return connection.scalar(query.with_hint(events, "INDEXED BY ix_events_denied", "sqlite")) or 0


_SPANS_OF = (
    "SELECT events.id, cameras.name, start_us, end_us, label, locked FROM events INDEXED BY {index} "
    "CROSS JOIN cameras ON cameras.id = events.camera_id "
    f"WHERE same_as IS NULL AND NOT {DENIED} AND (end_us IS NULL OR end_us > :since OR start_us >= :since) AND "
)
_SPANS = (
    f"{_SPANS_OF.format(index='ix_events_open_or_long')}({OPEN_OR_LONG}) AND start_us < :turn "
    f"UNION ALL {_SPANS_OF.format(index='ix_events_start')}start_us >= :turn AND start_us < :until"
)


def event_spans(connection: Connection, since_us: int, until_us: int) -> list[EventSpan]:
    """Of events that overlap [since, until), but for twins and those marked false: what a time line draws of them.

    Straight from the driver: SQLAlchemy's rows cost five times as much, and there are ten thousand a day.
    """
    values = {"since": since_us, "until": until_us, "turn": since_us - LONG_US}
    found = connection.exec_driver_sql(_SPANS, values)
    rows = [*found.cursor.fetchall()]
    found.close()
    return rows


def to_event(row: Row[Any]) -> Event:
    """A row of ``select_events``. Taken apart by place: by name it costs a listing a tenth of its time."""
    (id, _, kind, label, start_us, seen_us, end_us, score, left, top, right, bottom, zones, snapshot, *rest) = tuple(
        row
    )
    (locked, thumbnail, began, ended, false, received_us, detail, same_as, camera) = rest
    return Event(
        camera=camera,
        kind=kind,
        label=label,
        start=from_us(start_us),
        seen=from_us(seen_us),
        end=None if end_us is None else from_us(end_us),
        score=score,
        box=None if left is None else Box(left, top, right, bottom),
        zones=tuple(json.loads(zones)),
        snapshot=None if snapshot is None else Path(snapshot),
        id=id,
        locked=bool(locked),
        thumbnail=None if thumbnail is None else Path(thumbnail),
        began=began,
        ended=ended,
        false=bool(false),
        received=None if received_us is None else from_us(received_us),
        detail=detail,
        same_as=same_as,
    )


def _of_kinds(kinds: Collection[str] | None) -> Any:
    return true() if kinds is None else events.c.kind.in_(sorted(kinds))


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)


def _text(path: Path | None) -> str | None:
    return None if path is None else path.as_posix()

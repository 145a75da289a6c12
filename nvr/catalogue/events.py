"""Rows of events: how they are written, and how they become ``Event``.

Takes a connection inside a transaction that ``store.py`` opened.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.sql.dml import ReturningInsert

from nvr.catalogue.recordings import camera_id, of_camera
from nvr.catalogue.schema import cameras, events
from nvr.clock import from_us, to_us
from nvr.model import Box, Event


def select_events(camera: str | None = None, kind: str | None = None, label: str | None = None) -> Select[Any]:
    name = select(cameras.c.name).where(cameras.c.id == events.c.camera_id).scalar_subquery().label("camera")
    query = of_camera(select(events, name), events.c.camera_id, camera)
    if kind is not None:
        query = query.where(events.c.kind == kind)
    if label is not None:
        query = query.where(events.c.label == label)
    return query


def write_event(connection: Connection, event: Event) -> int:
    """Insert an event, or replace the one of the same id, but for its lock: the user may have set that meanwhile.

    Returns its id.
    """
    box = event.box
    values = {
        "camera_id": camera_id(connection, event.camera, to_us(event.start)),
        "kind": event.kind,
        "label": event.label,
        "start_us": to_us(event.start),
        "seen_us": to_us(event.seen),
        "end_us": None if event.end is None else to_us(event.end),
        "score": event.score,
        "box_left": None if box is None else box.left,
        "box_top": None if box is None else box.top,
        "box_right": None if box is None else box.right,
        "box_bottom": None if box is None else box.bottom,
        "zones": json.dumps(event.zones, ensure_ascii=False),
        "snapshot": None if event.snapshot is None else event.snapshot.as_posix(),
        "locked": int(event.locked),
    }
    if event.id is None:
        return connection.execute(_new_event(), values).scalar_one()
    connection.execute(_replaced_event(), values | {"id": event.id})
    return event.id


@cache
def _new_event() -> ReturningInsert[int]:
    return insert(events).returning(events.c.id)


@cache
def _replaced_event() -> Insert:
    new = insert(events)
    replaced = {column.name: new.excluded[column.name] for column in events.c if column.name not in ("id", "locked")}
    return new.on_conflict_do_update(index_elements=["id"], set_=replaced)


def close_events(connection: Connection, before_us: int | None) -> int:
    """End every open event where its subject was last seen. Returns how many there were."""
    dangling = update(events).where(events.c.end_us.is_(None))
    if before_us is not None:
        dangling = dangling.where(events.c.start_us < before_us)
    return connection.execute(dangling.values(end_us=events.c.seen_us)).rowcount


def to_event(row: Row[Any]) -> Event:
    return Event(
        camera=row.camera,
        kind=row.kind,
        label=row.label,
        start=from_us(row.start_us),
        seen=from_us(row.seen_us),
        end=None if row.end_us is None else from_us(row.end_us),
        score=row.score,
        box=None if row.box_left is None else Box(row.box_left, row.box_top, row.box_right, row.box_bottom),
        zones=tuple(json.loads(row.zones)),
        snapshot=None if row.snapshot is None else Path(row.snapshot),
        id=row.id,
        locked=bool(row.locked),
    )

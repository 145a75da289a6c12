"""What a camera told and what nvr saw of the same, put together as either is written.

Takes the connection of the transaction that writes: two processes that write the two halves come one after the other,
and the later one finds the earlier. ``twin.py`` has the rule.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select, bindparam, func, select, text, union_all, update

from nvr.catalogue.changes import note
from nvr.catalogue.events import select_events, to_event
from nvr.catalogue.schema import ALONE, LONG_US, OPEN_OR_LONG, cameras, events
from nvr.catalogue.twin import SLACK, closest, tells_same
from nvr.clock import duration_us, to_us
from nvr.model import Event

FURTHEST_US = duration_us(timedelta(days=1))
"""An event that began longer before than that is not looked for."""


def pair(connection: Connection, event: Event) -> None:
    """See whether there is a twin of an event that was just written, as it is stored, and remember it."""
    if event.kind == "camera" and event.same_as is None:
        own = closest(event, _near(connection, event, told=False))
        if own is not None:
            _join(connection, event, own)
    elif event.kind in ("object", "motion") and not event.false:
        for told in _near(connection, event, told=True):
            if tells_same(told, event):
                _join(connection, told, event)


def _join(connection: Connection, told: Event, own: Event) -> None:
    assert told.id is not None
    assert own.id is not None
    connection.execute(update(events).where(events.c.id == told.id).values(same_as=own.id))
    for id in (told.id, own.id):
        note(connection, id, ["update"])


def _near(connection: Connection, event: Event, *, told: bool) -> list[Event]:
    """Events of the same camera about the same time: those that cameras ``told`` and are alone, or nvr's own."""
    slack_us = duration_us(SLACK)
    last = max(event.start, event.seen if event.end is None else event.end)
    values = {
        "camera": event.camera,
        "first": to_us(event.start) - slack_us,
        "last": to_us(last) + slack_us,
        "turn": to_us(event.start) - slack_us - LONG_US,
        "furthest": to_us(event.start) - slack_us - FURTHEST_US,
    }
    return [to_event(row) for row in connection.execute(_of_time(told), values)]


@cache
def _of_time(told: bool) -> CompoundSelect[Any]:
    """Both the short ones and the long ones (``spans.py`` says why) in one statement: this runs at every write."""
    index = "ix_events_alone" if told else "ix_events_camera"
    short = _of_kind(told).with_hint(events, f"INDEXED BY {index}", "sqlite")
    short = short.where(events.c.start_us.between(bindparam("turn"), bindparam("last")))
    long = _of_kind(told).with_hint(events, "INDEXED BY ix_events_open_or_long", "sqlite")
    long = long.where(
        text(f"({OPEN_OR_LONG})"), events.c.start_us.between(bindparam("furthest"), bindparam("turn") - 1)
    )
    return union_all(short, long)


def _of_kind(told: bool) -> Select[Any]:
    camera = select(cameras.c.id).where(cameras.c.name == bindparam("camera")).scalar_subquery()
    wanted = text(ALONE) if told else text("kind IN ('object', 'motion')")
    lasts = func.coalesce(events.c.end_us, events.c.seen_us) >= bindparam("first")
    return select_events().where(
        events.c.camera_id == camera, wanted, lasts | (events.c.start_us >= bindparam("first"))
    )

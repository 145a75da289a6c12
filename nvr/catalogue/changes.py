"""What became of events, in the order in which it was written, so that whoever follows them asks for what is new.

Takes a connection inside a transaction that ``diary.py`` opened. There is one writer at a time, so numbers rise in the
order of commits: who has read up to one misses nothing by asking for those above it. The newest ``KEPT`` are kept, in a
table of their own: an index on a column of a million events would cost more than the feed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select
from sqlalchemy.sql.dml import ReturningInsert

from nvr.catalogue.events import select_events, to_event
from nvr.catalogue.schema import changes, events
from nvr.model import Event

KEPT = 10_000
SWEEP = 256
"""The oldest are deleted so many at a time."""

What = Literal["begin", "update", "end"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change. ``event`` is the event as it is when this is read; None where it was deleted since."""

    number: int
    what: What
    id: int
    event: Event | None


def between(before: Event | None, after: Event) -> list[What]:
    """What somebody who follows events would want to be told; that it was seen again, or somewhat better, is not."""
    if before is None:
        return ["begin"] if after.end is None else ["begin", "end"]
    if before.end is None and after.end is not None:
        return ["end"]
    return ["update"] if _visible(before) != _visible(after) else []


def _visible(event: Event) -> tuple[Any, ...]:
    return (
        event.kind,
        event.label,
        event.start,
        event.end,
        event.zones,
        event.snapshot,
        event.thumbnail,
        event.began,
        event.ended,
        event.detail,
    )


def note(connection: Connection, id: int, what: Iterable[What]) -> None:
    """Add to the feed."""
    for one in what:
        number = connection.execute(_new(), {"event_id": id, "change": one}).scalar_one()
        if number % SWEEP == 0:
            connection.execute(delete(changes).where(changes.c.number <= number - KEPT))


def since(connection: Connection, number: int, limit: int) -> list[Change]:
    """At most ``limit`` changes after ``number``, in their order."""
    found = connection.execute(_after(), {"number": number, "most": limit}).all()
    ids = {id for _, id, _ in found}
    now = (
        {row.id: to_event(row) for row in connection.execute(select_events().where(events.c.id.in_(ids)))}
        if ids
        else {}
    )
    return [Change(number, what, id, now.get(id)) for number, id, what in found]


def bounds(connection: Connection) -> tuple[int, int]:
    """The oldest number and the newest one; 0 and 0 where there is none."""
    oldest = connection.scalar(select(func.min(changes.c.number)))
    newest = connection.scalar(select(func.max(changes.c.number)))
    return oldest or 0, newest or 0


@cache
def _new() -> ReturningInsert[int]:
    return insert(changes).returning(changes.c.number)


@cache
def _after() -> Select[Any]:
    query = select(changes).where(changes.c.number > bindparam("number"))
    return query.order_by(changes.c.number).limit(bindparam("most"))

"""Events: written, closed, listed, followed, with their paths and their twins.

``Diary`` is that part of ``Catalogue``; its methods keep what ``store.py`` promises of all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text, tuple_
from sqlalchemy.dialects.sqlite import insert

from nvr.catalogue import changes, trail
from nvr.catalogue.changes import Change
from nvr.catalogue.database import Database
from nvr.catalogue.events import (
    EventSpan,
    close_events,
    count_denied,
    event_spans,
    find_event,
    select_events,
    select_open,
    to_event,
    write_event,
)
from nvr.catalogue.pairing import pair
from nvr.catalogue.schema import DENIED, cameras, events, paths
from nvr.catalogue.spans import overlapping
from nvr.clock import from_us, to_us
from nvr.model import Event, EventKind, Waypoint

TAKEN = 500
"""Changes read at once."""
_BEYOND = 1 << 63
"""SQLite has no ids from here on."""
_TICK = timedelta(microseconds=1)


class Diary:
    """The events of one open catalogue."""

    _database: Database

    def open_event(self, event: Event) -> int:
        """Store a new event and return its id. Raises ValueError where it has one already.

        ``same_as`` is found here, whatever the event says: for what a camera told, nvr's own event of the same.
        """
        if event.id is not None:
            raise ValueError(f"event {event.id} is stored already: use update_event")
        return self._write(event)

    def update_event(self, event: Event) -> None:
        """Store what an event is now, its end included; ``locked``, ``false`` and ``same_as`` stay as they are stored.

        A row that was lost is made again. Raises ValueError where the event has no id.
        """
        if event.id is None:
            raise ValueError("an event without id was never stored: use open_event")
        self._write(event)

    def _write(self, event: Event) -> int:
        with self._database.writing() as connection:
            before = find_event(connection, event.id)
            id = write_event(connection, event, before)
            changes.note(connection, id, changes.between(before, event))
            false, same_as = (event.false, None) if before is None else (before.false, before.same_as)
            pair(connection, replace(event, id=id, false=false, same_as=same_as))
        return id

    def open_events(self, camera: str, kinds: Collection[EventKind] | None = None) -> list[Event]:
        """A camera's events that last, oldest first: for who goes on with them after a restart."""
        with self._database.reading() as connection:
            return [to_event(row) for row in connection.execute(select_open(camera, kinds))]

    def close_events(
        self,
        camera: str | None = None,
        *,
        kinds: Collection[EventKind] | None = None,
        before: datetime | None = None,
        reason: str = "",
    ) -> int:
        """End events that a killed process left open where their subject was last seen; returns how many.

        Of one camera or all, of these kinds or all, those that began ``before`` then or all. ``reason`` becomes the
        ``ended`` of those that have none.
        """
        with self._database.writing() as connection:
            closed = close_events(connection, before, camera, kinds, reason)
            for id in closed:
                changes.note(connection, id, ["end"])
        return len(closed)

    def put_path(self, event: int, path: Sequence[Waypoint]) -> None:
        """Store where an event's subject was, in place of what was stored of it: edges to four digits, instants to the
        millisecond, at most ``trail.MOST`` points. Without points, or without such an event, nothing is stored."""
        with self._database.writing() as connection:
            connection.execute(delete(paths).where(paths.c.event_id == event))
            start_us = connection.scalar(select(events.c.start_us).where(events.c.id == event))
            if path and start_us is not None:
                points = trail.to_text(path, from_us(start_us))
                connection.execute(insert(paths).values(event_id=event, start_us=start_us, points=points))

    def path_of(self, event: int) -> tuple[Waypoint, ...]:
        """Where an event's subject was, by time; empty where nothing is stored of that."""
        if not 0 < event < _BEYOND:
            return ()
        query = select(paths.c.points, paths.c.start_us).where(paths.c.event_id == event)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return () if row is None else trail.from_text(row.points, from_us(row.start_us))

    def event(self, id: int) -> Event | None:
        if not 0 < id < _BEYOND:
            return None
        with self._database.reading() as connection:
            return find_event(connection, id)

    def events(
        self,
        since: datetime,
        until: datetime | None = None,
        camera: str | None = None,
        kind: str | None = None,
        label: str | None = None,
        limit: int | None = None,
        *,
        zone: str | None = None,
        twins: bool = True,
        denied: bool | None = None,
        locked: bool | None = None,
        among: Collection[str] | None = None,
        before: Event | None = None,
    ) -> Iterator[Event]:
        """Events that overlap [since, until), newest first, read as they are asked for.

        ``among`` are the cameras whose events are wanted; ``before`` is the last event of the page before.

        Without ``twins`` each thing that happened is there once: not what a camera told of one that nvr saw, too.
        ``denied`` True gives only those that a person has marked false, False only the others.
        """
        query = select_events(camera, kind, label, zone)
        if not twins:
            query = query.where(events.c.same_as.is_(None))
        if denied is not None:
            query = query.where(text(DENIED if denied else f"NOT {DENIED}"))
        if locked is not None:
            query = query.where(events.c.locked == int(locked))
        if among is not None:
            query = query.where(events.c.camera_id.in_(select(cameras.c.id).where(cameras.c.name.in_(list(among)))))
        if before is not None:
            query = query.where(tuple_(events.c.start_us, events.c.id) < tuple_(to_us(before.start), before.id))
            latest = max(before.start, since) + _TICK  # what began before the span may reach into it
            until = latest if until is None else min(until, latest)
        return map(
            to_event,
            overlapping(self._database, events, query, since, until, newest_first=True, limit=limit),
        )

    def event_spans(self, since: datetime, until: datetime) -> list[EventSpan]:
        """Of events that overlap [since, until), without twins and those marked false, oldest first: id, camera, start
        and end (microseconds since 1970), label, whether locked. For whoever draws thousands of them."""
        with self._database.reading() as connection:
            return event_spans(connection, to_us(since), to_us(until))

    def event_labels(self, among: Collection[str] | None = None) -> list[str]:
        """Every label that an event has, of all cameras or of these."""
        if among is not None:
            chosen = select(cameras.c.id).where(cameras.c.name.in_(list(among)))
            query = select(events.c.label).where(events.c.camera_id.in_(chosen)).distinct().order_by(events.c.label)
            with self._database.reading() as connection:
                return list(connection.scalars(query))
        # one step of an index for each label, not for each event
        walk = text(
            "WITH RECURSIVE found(label) AS (SELECT min(label) FROM events UNION ALL "
            "SELECT (SELECT min(label) FROM events WHERE label > found.label) FROM found WHERE label IS NOT NULL) "
            "SELECT label FROM found WHERE label IS NOT NULL"
        )
        with self._database.reading() as connection:
            return list(connection.scalars(walk))

    def count_denied(
        self,
        since: datetime,
        until: datetime | None = None,
        camera: str | None = None,
        kind: str | None = None,
        label: str | None = None,
        *,
        zone: str | None = None,
    ) -> int:
        """How many of these events a person has marked false; twins are not counted."""
        query = select_events(camera, kind, label, zone).where(events.c.same_as.is_(None))
        with self._database.reading() as connection:
            return count_denied(connection, query, since, until)

    def twins_of(self, ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
        """Ids of the camera's events that tell the same as these; those that have none are left out."""
        wanted = set(ids)
        if not wanted:
            return {}
        found: dict[int, list[int]] = defaultdict(list)
        query = select(events.c.same_as, events.c.id).order_by(events.c.id)
        query = query.where(events.c.same_as.between(min(wanted), max(wanted)))  # a list of ids costs more to send
        with self._database.reading() as connection:
            for own, told in connection.execute(query):
                if own in wanted:
                    found[own].append(told)
        return {own: tuple(told) for own, told in found.items()}

    def changes(self, after: int) -> list[Change]:
        """What became of events since change ``after``, in its order, at most ``TAKEN`` changes: ask again behind the
        last one. The newest 10 000 are known; ``change_numbers`` tells whether some were missed."""
        with self._database.reading() as connection:
            return changes.since(connection, after, TAKEN)

    def change_numbers(self) -> tuple[int, int]:
        """The numbers of the oldest change that is known and of the newest; 0 and 0 before the first."""
        with self._database.reading() as connection:
            return changes.bounds(connection)

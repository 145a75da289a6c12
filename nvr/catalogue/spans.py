"""Rows that overlap a span of time, in order, a page at a time.

Both ends matter to "overlaps", but an index is sorted by one: an index on the start alone would have to be read from
the beginning, because the oldest row may still last. So rows are told apart by length. Those shorter than ``LONG_US``
began at most that long before the span, which is one range of an index; the few that are longer, or still open, have
a partial index of their own. Reading costs what is found, not what is stored.

Each page is a transaction of its own that goes on where the last row ended: a slow reader (``nvr events list | less``)
neither holds the write-ahead log back nor needs memory for more than a page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

from sqlalchemy import Row, Select, Table, Text, or_, text, tuple_

from nvr.catalogue.database import Database
from nvr.catalogue.schema import LONG_US, OPEN_OR_LONG
from nvr.clock import to_us

PAGE = 500
"""Rows read in one transaction."""

_FIRST, _LAST = -(2**63), 2**63 - 1  # the least and the greatest INTEGER of SQLite


def overlapping(
    database: Database,
    table: Table,
    query: Select[Any],
    since: datetime,
    until: datetime | None,
    *,
    newest_first: bool = False,
    limit: int | None = None,
) -> Iterator[Row[Any]]:
    """Rows of ``query`` (which selects from ``table``, with ``id`` and ``start_us``) that overlap [since, until).

    A row of no length is in the span that holds its start; a row without an end lasts for ever; ``until`` None is no
    bound. Ordered by start, then id. Raises CatalogueError.
    """
    start, end = table.c.start_us, table.c.end_us
    since_us = to_us(since)
    until_us = _LAST if until is None else to_us(until)
    if until_us <= since_us:
        return iter(())
    turn_us = since_us - LONG_US
    lasts = or_(end.is_(None), end > since_us)
    long = query.where(lasts, text(f"({OPEN_OR_LONG})"))
    # Told by name: without statistics SQLite prefers any index with an equality, however many rows it leaves.
    long = long.with_hint(table, f"INDEXED BY ix_{table.name}_open_or_long", "sqlite")
    short = query.where(or_(start >= since_us, lasts))
    size = PAGE if limit is None else min(PAGE, limit)
    older = _pages(database, table, long, (_FIRST, turn_us), newest_first, size)
    newer = _pages(database, table, short, (turn_us, until_us), newest_first, size)
    pages = chain(newer, older) if newest_first else chain(older, newer)
    return islice(chain.from_iterable(pages), limit)


def in_order(database: Database, table: Table, query: Select[Any]) -> Iterator[Row[Any]]:
    """All rows of ``query`` by start, then id, a page at a time. Raises CatalogueError."""
    return chain.from_iterable(_pages(database, table, query, (_FIRST, _LAST), False, PAGE))


def _pages(
    database: Database, table: Table, query: Select[Any], starts: tuple[int, int], newest_first: bool, size: int
) -> Iterator[Sequence[Row[Any]]]:
    """Rows whose start is in the half-open range ``starts``, ``size`` at a time.

    The range's bound from which reading goes on is replaced by the last row's place, not joined by it: SQLite searches
    an index by one bound only, and with the wrong one every page would read again all that went before.
    """
    start, id_ = table.c.start_us, table.c.id
    key = tuple_(start, id_)
    least: int | str = "" if isinstance(id_.type, Text) else 0  # less than any id
    if newest_first:
        query = query.where(start >= starts[0]).order_by(start.desc(), id_.desc())
    else:
        query = query.where(start < starts[1]).order_by(start, id_)
    place = (starts[1] if newest_first else starts[0], least)
    while True:
        after = key < tuple_(*place) if newest_first else key > tuple_(*place)
        with database.reading() as connection:
            rows = connection.execute(query.where(after).limit(size)).all()
        yield rows
        if len(rows) < size:
            return
        place = (rows[-1].start_us, rows[-1].id)

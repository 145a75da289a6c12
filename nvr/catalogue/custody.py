"""What is kept and what goes: states of segments, the gaps that deleting them leaves, marks on events, sums.

``Custody`` is that part of ``Catalogue``; its methods keep what ``store.py`` promises of all of them. Nothing here
touches a file: retention marks, unlinks, drops, in that order (invariant 6).
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, text, update

from nvr.catalogue.changes import note
from nvr.catalogue.chronicle import write_gaps
from nvr.catalogue.database import Database
from nvr.catalogue.recordings import select_segments, to_segment
from nvr.catalogue.schema import FOOTAGE, LEFT_OUT, cameras, events, gaps, segments
from nvr.catalogue.spans import in_order
from nvr.clock import duration_us, from_us
from nvr.model import Gap, Segment, SegmentState
from nvr.reason import Reason

CHUNK = 500
"""Rows named in one statement."""

ROW_US = duration_us(timedelta(minutes=15))
"""How much deleted footage one gap row tells of at most, and how far apart in time it may have been deleted."""

SEAM_US = 250_000
"""Segments that are no further apart follow each other: what a file says of its end is not exact to the frame."""

Item = TypeVar("Item")
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CameraUsage:
    """What a camera's footage comes to: ``bytes`` of ``segments`` files, from ``oldest`` to ``newest``."""

    camera: str
    segments: int
    bytes: int
    oldest: datetime
    newest: datetime


class Custody:
    """States of segments, and marks that the user sets on events, of one open catalogue."""

    _database: Database

    def segments_in_state(self, state: SegmentState, camera: str | None = None) -> Iterator[Segment]:
        """Segments that are "deleting" or "missing", oldest first, read as they are asked for. Raises ValueError for
        another state: those are listed by ``segments``."""
        if state not in ("deleting", "missing"):
            raise ValueError(f"segments that are {state} are not looked for by their state")
        query = select_segments(camera).where(segments.c.state == state, text(f"({LEFT_OUT})"))
        query = query.with_hint(segments, "INDEXED BY ix_segments_left_out", "sqlite")
        return map(to_segment, in_order(self._database, segments, query))

    def mark_deleting(self, doomed: Sequence[Segment], rule: str, at: datetime) -> None:
        """Note that files are about to be deleted by a rule of retention, and in the ledger that they were.

        ``rule`` is its words for people, such as ``continuous 7d``. Rows that are marked already are left alone.
        """
        when = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self._database.writing() as connection:
            spans = _change_state(connection, (one.path for one in doomed), "deleting", rule)
            for camera, parts in spans.items():
                _note(connection, camera, parts, Reason.DELETED, f"{rule}, {when}")

    def set_state(self, paths: Iterable[Path], state: SegmentState) -> None:
        """Change what is known of files. Where they become "missing" the ledger says so for the time they held."""
        with self._database.writing() as connection:
            spans = _change_state(connection, paths, state, None)
            if state == "missing":
                for camera, parts in spans.items():
                    _note(connection, camera, parts, Reason.MISSING, "")

    def drop_segments(self, paths: Iterable[Path]) -> None:
        """Forget segments: their files are gone. What the ledger says of their time stays."""
        with self._database.writing() as connection:
            for chunk in _chunks(path.as_posix() for path in paths):
                connection.execute(delete(segments).where(segments.c.path.in_(chunk)))

    def lock_event(self, id: int, locked: bool) -> bool:
        """Keep an event's video and snapshot for good, or no longer. False where there is no such event."""
        if not 0 < id < 1 << 63:  # SQLite has no other ids
            return False
        with self._database.writing() as connection:
            change = update(events).where(events.c.id == id).values(locked=int(locked))
            found = connection.execute(change).rowcount > 0
            if found:
                note(connection, id, ["update"])
        return found

    def mark_false(self, id: int, false: bool) -> bool:
        """Note that an event was no such thing, or take that back; of what a camera told of it, too, which is its twin.

        False where there is no such event.
        """
        if not 0 < id < 1 << 63:
            return False
        with self._database.writing() as connection:
            both = or_(events.c.id == id, events.c.same_as == id)
            change = update(events).where(both).values(marked_false=int(false)).returning(events.c.id)
            marked = sorted(connection.scalars(change))
            for one in marked:
                note(connection, one, ["update"])
        return id in marked

    def delete_events(self, ids: Iterable[int]) -> None:
        """Forget events; ids that there are not are no error."""
        with self._database.writing() as connection:
            for chunk in _chunks(ids):
                connection.execute(delete(events).where(events.c.id.in_(chunk)))

    def usage(self) -> list[CameraUsage]:
        """What each camera's footage comes to, by name; a camera without any is left out."""
        sums = (
            select(
                segments.c.camera_id,
                func.count().label("number"),
                func.sum(segments.c.bytes).label("bytes"),
                func.min(segments.c.start_us).label("oldest"),
                func.max(segments.c.end_us).label("newest"),
            )
            .where(text(FOOTAGE))
            .group_by(segments.c.camera_id)
            .with_hint(segments, "INDEXED BY ix_segments_camera", "sqlite")
            .subquery()
        )
        query = select(cameras.c.name, sums).join(sums, sums.c.camera_id == cameras.c.id).order_by(cameras.c.name)
        with self._database.reading() as connection:
            return [
                CameraUsage(row.name, row.number, row.bytes, from_us(row.oldest), from_us(row.newest))
                for row in connection.execute(query)
            ]


def pieces(spans: Sequence[Span]) -> list[Span]:
    """Spans in microseconds, joined where they follow each other, but to no more than ``ROW_US``."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] <= SEAM_US and max(end, joined[-1][1]) - joined[-1][0] <= ROW_US:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _change_state(
    connection: Connection, paths: Iterable[Path], state: SegmentState, rule: str | None
) -> dict[str, list[Span]]:
    """Give segments a state. Returns the spans of those that had another, by camera."""
    name = select(cameras.c.name).where(cameras.c.id == segments.c.camera_id).scalar_subquery().label("camera")
    changed: dict[str, list[Span]] = defaultdict(list)
    for chunk in _chunks(path.as_posix() for path in paths):
        change = update(segments).where(segments.c.path.in_(chunk), segments.c.state != state)
        change = change.values(state=state, rule=rule)
        for row in connection.execute(change.returning(name, segments.c.start_us, segments.c.end_us)):
            changed[row.camera].append((row.start_us, row.end_us))
    return changed


def _note(connection: Connection, camera: str, spans: list[Span], reason: Reason, detail: str) -> None:
    """Gap rows for the time of segments that are no footage any more; the first continues a row that ends there."""
    first, *others = pieces(spans)
    id = uuid.uuid4().hex
    before = connection.execute(_row_before(camera, reason, first)).first()
    if before is not None and _same(before.detail, detail):
        id, first = before.id, (before.start_us, max(first[1], before.end_us))
    written = [(id, first), *((uuid.uuid4().hex, other) for other in others)]
    write_gaps(
        connection,
        [Gap(id, camera, from_us(start), reason, detail, from_us(end)) for id, (start, end) in written],
    )


def _row_before(camera: str, reason: Reason, span: Span) -> Any:
    """The gap row of the same reason that ends where ``span`` starts and has room for it."""
    start, end = span
    number = select(cameras.c.id).where(cameras.c.name == camera).scalar_subquery()
    near: list[ColumnElement[bool]] = [
        gaps.c.camera_id == number,
        gaps.c.start_us >= end - ROW_US,
        gaps.c.start_us <= start,
        gaps.c.end_us.between(start - SEAM_US, start),
        gaps.c.reason == reason.value,
    ]
    return select(gaps).where(*near).order_by(gaps.c.start_us.desc()).limit(1)


def _same(before: str, now: str) -> bool:
    """Whether two details name the same rule and times close together."""
    if before == now:
        return True
    (rule, _, then), (new_rule, _, when) = before.rpartition(", "), now.rpartition(", ")
    return rule == new_rule and abs(_us(when) - _us(then)) <= ROW_US


def _us(when: str) -> int:
    return duration_us(datetime.fromisoformat(when) - from_us(0))


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk

"""What was recorded, what was not and why, and what happened meanwhile."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import dropwhile, islice
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from nvr import model
from nvr.history import Background, condensed, entries, moment, recording
from nvr.ledger import Entry
from nvr.web.access import Guest, seen
from nvr.web.state import Here, State
from nvr.web.wire import Instant, instant, span, to_json, told

router = APIRouter(tags=["what was recorded"])
LONGEST = timedelta(days=31)
Cameras = Annotated[list[str] | None, Query(alias="camera", max_length=256, description="May be repeated.")]
From = Annotated[Instant, Query(alias="from")]
Until = Annotated[Instant | None, Query(alias="to")]


Cell = float | int | str | bool | None


class Row(BaseModel):
    """One camera's day. Starts and ends are seconds after ``from``; an event that lasts has null as its end."""

    camera: str
    recorded: Annotated[list[list[float]], Field(description="start, end")]
    gaps: Annotated[list[list[Cell]], Field(description="start, end, reason, what it means, what else is known")]
    off: Annotated[list[list[Cell]], Field(description="not to be recorded then: start, end, why")]
    events: Annotated[
        list[list[Cell]], Field(description="id, start, end, place of its label in labels, whether it is locked")
    ]


class Ledger(BaseModel):
    labels: list[str]
    cameras: list[Row]


class Gap(BaseModel):
    """``end`` null while it lasts."""

    camera: str
    start: str
    end: str | None
    duration: float
    reason: str | None
    meaning: str | None
    detail: str


class Gaps(BaseModel):
    gaps: list[Gap]


class Moment(BaseModel):
    camera: str
    at: str
    kind: Literal["recorded", "gap", "not scheduled", "to come"]
    start: str | None = None
    end: str | None = None
    reason: str | None = None
    meaning: str | None = None
    detail: str = ""
    path: str | None = None


class Segment(BaseModel):
    camera: str
    path: str
    start: str
    end: str
    duration: float
    bytes: int
    codec: str
    width: int
    height: int
    state: str


class Segments(BaseModel):
    segments: list[Segment]
    next: str | None


@router.get("/ledger", responses={200: {"model": Ledger}})
def ledger(visitor: Guest, state: Here, since: From, until: Until = None, cameras: Cameras = None) -> Response:
    """All that is known of a span, for one time line of all cameras; at most 31 days."""
    begin, end = span(since, until, state.clock, LONGEST)
    names = seen(visitor, state, cameras)
    labels: dict[str, int] = {}
    events: dict[str, list[list[Any]]] = {name: [] for name in names}
    begin_us = round(begin.timestamp() * 1_000_000)
    for id, camera, start_us, end_us, label, locked in state.catalogue().event_spans(begin, end):
        if camera in events:
            last = None if end_us is None else (end_us - begin_us) // 1000 / 1000
            place = labels.setdefault(label, len(labels))
            events[camera].append([id, (start_us - begin_us) // 1000 / 1000, last, place, bool(locked)])
    rows = [
        {"camera": name, **_told(found, begin), "events": events[name]}
        for name, found in _entries(state, names, begin, end)
    ]
    body = {"from": told(begin), "to": told(end), "labels": list(labels), "cameras": rows}
    return to_json(body)


@router.get("/gaps")
def gaps(visitor: Guest, state: Here, since: From, until: Until = None, cameras: Cameras = None) -> Gaps:
    """The holes in the ledger and why, oldest first."""
    begin, end = span(since, until, state.clock, LONGEST)
    now = state.now()
    found = [
        Gap(
            camera=name,
            start=told(entry.start),
            end=told(entry.end) if entry.end < now else None,
            duration=entry.duration.total_seconds(),
            reason=entry.reason.value if entry.reason is not None else None,
            meaning=entry.reason.meaning if entry.reason is not None else None,
            detail=entry.detail,
        )
        for name, told_of in _entries(state, seen(visitor, state, cameras), begin, end)
        for entry in condensed(told_of)
        if entry.kind == "gap"
    ]
    return Gaps(gaps=sorted(found, key=lambda gap: (gap.start, gap.camera)))


@router.get("/why")
def why(visitor: Guest, state: Here, camera: Annotated[str, Query(max_length=64)], at: Instant) -> Moment:
    """Explains one moment of a camera: recorded where, or missing because."""
    [name] = seen(visitor, state, [camera])
    when, now = instant(at, "at", state.clock), state.now()
    if when > now:
        return Moment(camera=name, at=told(when), kind="to come")
    live = recording(state.storage, name, state.clock)
    found = moment(state.catalogue(), state.storage, name, when, now, live)
    entry = found.entry
    return Moment(
        camera=name,
        at=told(when),
        kind=entry.kind,
        start=told(entry.start),
        end=told(entry.end) if entry.end < now else None,
        reason=entry.reason.value if entry.reason is not None else None,
        meaning=entry.reason.meaning if entry.reason is not None else None,
        detail=entry.detail,
        path=None if found.file is None else found.file.as_posix(),
    )


@router.get("/segments")
def segments(
    visitor: Guest,
    state: Here,
    since: From,
    until: Until = None,
    camera: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    after: Annotated[str | None, Query(max_length=256, description="What the page before had as next.")] = None,
) -> Segments:
    """Video files of a span, oldest first; ``next`` is the ``after`` of the next page, null at the end."""
    begin, end = span(since, until, state.clock, timedelta(days=36500))
    last = None if after is None else _place(after, state)
    # Camera by camera, since each has its index: what an account may not see is not even read.
    rows = (
        state.catalogue().segments(begin if last is None else max(begin, last[0]), end, name)
        for name in seen(visitor, state, [camera] if camera else None)
    )
    found = heapq.merge(*rows, key=_place_of)
    new = found if last is None else dropwhile(lambda segment: _place_of(segment) <= last, found)
    page = list(islice(new, limit + 1))
    return Segments(segments=[_as_told(segment) for segment in page[:limit]], next=_next(page, limit))


def _as_told(segment: model.Segment) -> Segment:
    return Segment(
        camera=segment.camera,
        path=segment.path.as_posix(),
        start=told(segment.start),
        end=told(segment.end),
        duration=segment.duration.total_seconds(),
        bytes=segment.bytes,
        codec=segment.codec,
        width=segment.width,
        height=segment.height,
        state=segment.state,
    )


def _place_of(segment: model.Segment) -> tuple[datetime, str]:
    """What segments are ordered by."""
    return segment.start, segment.path.as_posix()


def _next(page: Sequence[model.Segment], limit: int) -> str | None:
    return ",".join((told(page[limit - 1].start), page[limit - 1].path.as_posix())) if len(page) > limit else None


def _place(after: str, state: State) -> tuple[datetime, str]:
    start, _, path = after.partition(",")
    return instant(start, "after", state.clock), path


def _entries(state: State, cameras: Sequence[str], begin: datetime, end: datetime) -> Iterator[tuple[str, list[Entry]]]:
    catalogue, now = state.catalogue(), state.now()
    background = Background(catalogue)
    for camera in cameras:
        live = recording(state.storage, camera, state.clock)
        yield camera, entries(catalogue, state.storage, camera, begin, end, now, live, background)


def _told(found: Sequence[Entry], begin: datetime) -> dict[str, list[list[Any]]]:
    recorded, gaps, off = [], [], []
    for entry in condensed(found):
        start, end = ((at - begin) // timedelta(milliseconds=1) / 1000 for at in (entry.start, entry.end))
        if entry.kind == "recorded":
            recorded.append([start, end])
        elif entry.kind == "gap":
            assert entry.reason is not None
            gaps.append([start, end, entry.reason.value, entry.reason.meaning, entry.detail])
        else:
            off.append([start, end, entry.detail or (entry.reason.meaning if entry.reason is not None else "")])
    return {"recorded": recorded, "gaps": gaps, "off": off}

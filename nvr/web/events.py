"""Events: listed, shown, marked, told as they happen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from nvr.catalogue.store import Catalogue
from nvr.marks import affirm, deny
from nvr.model import Event, EventKind
from nvr.web.access import AGAIN_S, Guest, Noting, Visitor, seen, stays
from nvr.web.happening import Happening, as_told
from nvr.web.herald import Herald
from nvr.web.ledger import Cameras, Until
from nvr.web.refusal import Refusal
from nvr.web.sending import StoredFile
from nvr.web.state import Here, State
from nvr.web.wire import Instant, span, told
from nvr.web.zones import names

router = APIRouter(tags=["events"])
SHORTEST = timedelta(seconds=1)
ALWAYS = timedelta(days=36500)
Id = Annotated[int, Path(ge=0, lt=1 << 63, description="The event's number.")]
Text = Annotated[str | None, Query(max_length=128)]
JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}, "description": "a JPEG"}}


class Listed(BaseModel):
    events: list[Happening]
    next: str | None


class Whole(Happening):
    path: Annotated[list[list[str | float]], Field(description="instant, left, top, right, bottom")]
    video: dict[Literal["from", "to"], str]


class Marks(BaseModel):
    """What is not given stays."""

    model_config = ConfigDict(extra="forbid")
    locked: bool | None = None
    false: bool | None = None


class Known(BaseModel):
    labels: list[str]
    zones: list[str]


@router.get("/events")
def events(
    visitor: Guest,
    state: Here,
    since: Annotated[Instant, Query(alias="from")] = "7d",
    until: Until = None,
    cameras: Cameras = None,
    label: Text = None,
    kind: Annotated[EventKind | None, Query()] = None,
    zone: Text = None,
    locked: Annotated[bool | None, Query()] = None,
    false: Annotated[Literal["true", "false", "all"], Query()] = "false",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[int | None, Query(ge=0, lt=1 << 63)] = None,
) -> Listed:
    """The events of a span, newest first, a page at a time."""
    begin, end = span(since, until, state.clock, ALWAYS)
    catalogue = state.catalogue()
    last = None
    if before is not None:
        last = catalogue.event(before)
        if last is None or not visitor.sees(last.camera):
            raise Refusal(404, "unknown_event", "the event of before is gone: begin anew without before")
    found = list(
        catalogue.events(
            begin,
            None if until is None else end,
            None,
            kind,
            label,
            limit + 1,
            zone=zone,
            twins=False,
            denied={"true": True, "false": False, "all": None}[false],
            locked=locked,
            among=seen(visitor, state, cameras),
            before=last,
        )
    )
    page = found[:limit]
    twins = catalogue.twins_of(event.id for event in page if event.id is not None and event.kind != "camera")
    listed = [as_told(event, twins.get(event.id or 0, ())) for event in page]
    return Listed(events=listed, next=str(page[-1].id) if len(found) > limit else None)


@router.get("/events/labels")
def labels(visitor: Guest, state: Here) -> Known:
    """What can be asked for: labels that there were, and zones that there are."""
    return Known(labels=state.catalogue().event_labels(visitor.account.cameras), zones=names(visitor, state))


@router.get(
    "/events/live",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "begin, update and end, each with an event"}},
)
async def live(visitor: Guest, state: Here, request: Request, cameras: Cameras = None) -> Response:
    """Events as they happen: server-sent events."""
    names = set(await run_in_threadpool(seen, visitor, state, cameras))
    herald: Herald = request.app.state.herald

    async def stream() -> AsyncIterator[str]:
        checked, loop = 0.0, asyncio.get_running_loop()
        async with herald.listening() as inbox:
            yield "retry: 2000\n\n"
            while True:
                if loop.time() - checked > AGAIN_S:
                    checked = loop.time()
                    if not await stays(visitor, state):
                        return
                try:
                    async with asyncio.timeout(AGAIN_S):
                        happened = await inbox.get()
                except TimeoutError:
                    yield ": nothing new\n\n"
                    continue
                if happened.event.camera in names and await stays(visitor, state, happened.event.camera):
                    body = json.dumps(as_told(happened.event, happened.also).model_dump(), ensure_ascii=False)
                    yield f"event: {happened.what}\ndata: {body}\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.get("/events/{id}")
def event(id: Id, visitor: Guest, state: Here) -> Whole:
    """One event, where it went, and when its video is."""
    found = find(state, visitor, id)
    catalogue = state.catalogue()
    begin, end = footage_of(state, found)
    path: list[list[str | float]] = [
        [told(at.at), at.box.left, at.box.top, at.box.right, at.box.bottom] for at in catalogue.path_of(id)
    ]
    happening = as_told(found, _twins(catalogue, found)).model_dump()
    return Whole(**happening, path=path, video={"from": told(begin), "to": told(end)})


@router.patch("/events/{id}")
def mark(id: Id, marks: Marks, visitor: Guest, state: Here, audit: Noting) -> Happening:
    """Lock, unlock, mark as false or not."""
    found = find(state, visitor, id)
    with state.changing() as catalogue:
        if marks.locked is not None:
            catalogue.lock_event(id, marks.locked)
            action = "lock" if marks.locked else "unlock"
            audit.note(visitor.account.name, visitor.address, action, found.camera, found.start, found.seen)
        if marks.false is not None and marks.false != found.false:
            (deny if marks.false else affirm)(state.config, catalogue, found)
            action = "mark false" if marks.false else "mark true"
            audit.note(visitor.account.name, visitor.address, action, found.camera, found.start, found.seen)
        changed = catalogue.event(id)
    if changed is None:
        raise Refusal(404, "unknown_event", "there is no such event any more")
    return as_told(changed, _twins(state.catalogue(), changed))


@router.get("/events/{id}/snapshot.jpg", response_class=StoredFile, responses=JPEG)
def snapshot(id: Id, visitor: Guest, state: Here, audit: Noting) -> Response:
    """Its picture."""
    found = find(state, visitor, id)
    audit.note(visitor.account.name, visitor.address, "event", found.camera, found.start, found.seen)
    return _file(state, found.snapshot)


@router.get("/events/{id}/thumbnail.jpg", response_class=StoredFile, responses=JPEG)
def thumbnail(id: Id, visitor: Guest, state: Here) -> Response:
    """A small picture of its subject."""
    return _file(state, find(state, visitor, id).thumbnail)


def find(state: State, visitor: Visitor, id: int) -> Event:
    """The event of that number. Raises Refusal where there is none, or none that the visitor may see."""
    found = state.catalogue().event(id)
    if found is None or not visitor.sees(found.camera):
        raise Refusal(404, "unknown_event", "there is no such event")
    return found


def _twins(catalogue: Catalogue, event: Event) -> tuple[int, ...]:
    """The camera's events that tell the same."""
    if event.id is None or event.kind == "camera":
        return ()
    return catalogue.twins_of([event.id]).get(event.id, ())


def footage_of(state: State, event: Event) -> tuple[datetime, datetime]:
    """When its video is, with pre- and post-roll."""
    roll, now = state.config.retention, state.now()
    end = now if event.end is None else max(event.end + roll.post_roll, event.start + SHORTEST)
    return event.start - roll.pre_roll, min(end, now)


def _file(state: State, path: FilePath | None) -> Response:
    """A picture in the storage folder. Raises Refusal where it is not, or no longer, there."""
    if path is None or not (state.storage / path).is_file():
        raise Refusal(404, "no_picture", "the event has no such picture, or it was deleted")
    headers = {"Cache-Control": "private, max-age=3600"}
    return StoredFile(state.storage / path, media_type="image/jpeg", headers=headers)

"""Exports over HTTP: begun, followed, downloaded. Who copies is ``exporter.py``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from nvr.web.access import Guest, Noting, Visitor, seen
from nvr.web.exporter import Export, Exporter, Step, owner_of
from nvr.web.refusal import Refusal
from nvr.web.sending import StoredFile
from nvr.web.state import Here
from nvr.web.wire import span, told

router = APIRouter(tags=["exports"])
LONGEST = timedelta(hours=24)
Id = Annotated[str, Path(max_length=64)]


class Wanted(BaseModel):
    camera: Annotated[str, Field(max_length=64)]
    since: Annotated[str, Field(alias="from", max_length=64)]
    until: Annotated[str, Field(alias="to", max_length=64)]


class File(BaseModel):
    name: str
    bytes: int
    start: str
    end: str
    url: str


class Hole(BaseModel):
    start: str
    end: str
    reason: str | None
    meaning: str


class Job(BaseModel):
    id: str
    camera: str
    since: Annotated[str, Field(serialization_alias="from")]
    until: Annotated[str, Field(serialization_alias="to")]
    state: Step
    progress: float
    error: str | None
    files: list[File]
    gaps: list[Hole]
    notes: list[str]
    created: str


@router.post("/exports", status_code=202)
def add(body: Wanted, visitor: Guest, state: Here, audit: Noting, request: Request) -> Job:
    """Begin to copy a span into an ordinary MP4."""
    [camera] = seen(visitor, state, [body.camera])
    since, until = span(body.since, body.until, state.clock, LONGEST)
    now = state.now()
    if since >= now:
        raise Refusal(422, "malformed", f"from ({told(since)}) is still to come: it is {told(now)}")
    until = min(until, now)
    job = _exporter(request).add(owner_of(visitor.account), camera, since, until)
    audit.note(visitor.account.name, visitor.address, "export", camera, since, until)
    return _told(job)


@router.get("/exports")
def jobs(visitor: Guest, request: Request) -> list[Job]:
    """One's own exports, newest first, of cameras that the account may still see."""
    return [_told(job) for job in _exporter(request).of(owner_of(visitor.account)) if visitor.sees(job.camera)]


@router.get("/exports/{id}")
def job(id: Id, visitor: Guest, request: Request) -> Job:
    """How far an export is."""
    return _told(_mine(id, visitor, request))


@router.delete("/exports/{id}", status_code=204)
def remove(id: Id, visitor: Guest, request: Request) -> None:
    """Stop an export, or remove a finished one."""
    exporter = _exporter(request)
    exporter.remove(exporter.find(owner_of(visitor.account), id))  # also where one may not see the camera any more


@router.get(
    "/exports/{id}/files/{name}",
    response_class=StoredFile,
    responses={200: {"content": {"video/mp4": {}}, "description": "an MP4"}},
)
def download(
    id: Id, name: Annotated[str, Path(max_length=128)], visitor: Guest, audit: Noting, request: Request
) -> Response:
    """A file of a finished export."""
    found = _mine(id, visitor, request)
    path = _exporter(request).file(found, name)
    if path is None:
        raise Refusal(404, "unknown_file", "the export has no such file")
    audit.note(visitor.account.name, visitor.address, "download", found.camera, found.since, found.until)
    return StoredFile(path, media_type="video/mp4", filename=name, headers={"Cache-Control": "private, no-store"})


def _exporter(request: Request) -> Exporter:
    exporter: Exporter = request.app.state.exporter
    return exporter


def _mine(id: str, visitor: Visitor, request: Request) -> Export:
    found = _exporter(request).find(owner_of(visitor.account), id)
    if not visitor.sees(found.camera):
        raise Refusal(404, "unknown_export", "this account has no such export")
    return found


def _told(job: Export) -> Job:
    return Job(
        id=job.id,
        camera=job.camera,
        since=told(job.since),
        until=told(job.until),
        state=job.step,
        progress=round(job.progress, 4),
        error=job.error,
        files=[
            File(
                name=clip.path.name,
                bytes=clip.bytes,
                start=told(clip.start),
                end=told(clip.end),
                url=f"exports/{job.id}/files/{clip.path.name}",
            )
            for clip in job.clips
        ],
        gaps=[
            Hole(
                start=told(entry.start),
                end=told(entry.end),
                reason=entry.reason.value if entry.reason is not None else None,
                meaning=entry.reason.meaning if entry.reason is not None else "not scheduled",
            )
            for entry in job.entries
            if entry.kind != "recorded"
        ],
        notes=list(job.notes),
        created=told(job.created),
    )

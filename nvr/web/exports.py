"""Exports: a span copied into an ordinary MP4 in the background, to be downloaded when it is done.

One is copied at a time, by the same function as ``nvr export``, in a thread of the web process. Finished ones are kept
in the storage folder for a day. What a killed process left is removed at the next start.
"""

from __future__ import annotations

import logging
import queue
import secrets
import shutil
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from nvr import layout
from nvr.errors import NvrError
from nvr.holdings import as_gaps, recorded_of
from nvr.ledger import Entry
from nvr.media.clip import Clip
from nvr.media.export import Order, export
from nvr.web.access import Guest, Noting, Visitor, seen
from nvr.web.refusal import Refusal
from nvr.web.state import Here, State
from nvr.web.wire import span, told

log = logging.getLogger(__name__)
router = APIRouter(tags=["exports"])
LONGEST = timedelta(hours=24)
KEPT = timedelta(days=1)
MOST_OF_ONE = 10
MOST_WAITING = 20
Id = Annotated[str, Path(max_length=64)]
Step = Literal["waiting", "copying", "done", "failed"]


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


@dataclass(slots=True)
class _Export:
    id: str
    owner: str
    camera: str
    since: datetime
    until: datetime
    created: datetime
    step: Step = "waiting"
    progress: float = 0.0
    error: str | None = None
    clips: tuple[Clip, ...] = ()
    entries: list[Entry] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    cancelled: bool = False


class _Cancelled(Exception):
    """Raised inside the copying to end it."""


class Exporter:
    """Copies one after the other. Its jobs are read and changed under ``lock``."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._folder = state.storage / "exports"
        self._jobs: dict[str, _Export] = {}
        self._waiting: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="exporter", daemon=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._lock:
            for job in self._jobs.values():
                job.cancelled = True

    def add(self, owner: str, camera: str, since: datetime, until: datetime) -> _Export:
        """Raises Refusal where there are too many."""
        job = _Export(secrets.token_hex(8), owner, camera, since, until, self._state.now())
        with self._lock:
            self._expire()
            mine = [each for each in self._jobs.values() if each.owner == owner]
            busy = sum(each.step in ("waiting", "copying") for each in mine)
            if busy >= MOST_OF_ONE:
                raise Refusal(429, "too_many_exports", f"{busy} exports wait already", {"Retry-After": "60"})
            for old in mine[: len(mine) - MOST_OF_ONE + 1]:
                if old.step in ("done", "failed"):
                    self._remove(old)
            try:
                self._waiting.put_nowait(job.id)
            except queue.Full:
                raise Refusal(429, "too_many_exports", "too many exports wait", {"Retry-After": "60"}) from None
            self._jobs[job.id] = job
        return job

    def of(self, owner: str) -> list[_Export]:
        """An account's exports, newest first."""
        with self._lock:
            self._expire()
            return [job for job in reversed(self._jobs.values()) if job.owner == owner]

    def find(self, owner: str, id: str) -> _Export:
        """Raises Refusal where the account has none of that number."""
        with self._lock:
            job = self._jobs.get(id)
        if job is None or job.owner != owner:
            raise Refusal(404, "unknown_export", "this account has no such export: finished ones are kept for a day")
        return job

    def remove(self, job: _Export) -> None:
        with self._lock:
            self._remove(job)

    def file(self, job: _Export, name: str) -> FilePath | None:
        return next((clip.path for clip in job.clips if clip.path.name == name and clip.path.is_file()), None)

    def _expire(self) -> None:
        now = self._state.now()
        for job in [job for job in self._jobs.values() if now - job.created > KEPT]:
            self._remove(job)

    def _remove(self, job: _Export) -> None:
        job.cancelled = True
        self._jobs.pop(job.id, None)
        if job.step != "copying":  # else whoever copies removes it
            shutil.rmtree(self._folder / job.id, ignore_errors=True)

    def _work(self) -> None:
        while True:
            id = self._waiting.get()
            if id is None:
                return
            job = self._jobs.get(id)
            if job is not None:
                self._copy(job)

    def _copy(self, job: _Export) -> None:
        job.step, folder = "copying", self._folder / job.id

        def progress(done: int, total: int) -> None:
            job.progress = min(1.0, done / max(total, 1))
            if job.cancelled:
                raise _Cancelled

        try:
            folder.mkdir(parents=True)
            catalogue, storage = self._state.catalogue(), self._state.storage
            segments, job.entries = recorded_of(catalogue, storage, job.camera, job.since, job.until)
            target = folder / f"{job.camera}_{'_'.join(layout.stamp(job.since))}.mp4"
            gaps = as_gaps(job.camera, job.entries)
            done = export(storage, segments, Order(job.camera, job.since, job.until, target, gaps), progress)
            job.clips, job.notes, job.progress = done.clips, done.notes, 1.0
            job.step = "done" if done.clips else "failed"
            if not done.clips:
                job.error = "nothing of it was recorded"
        except _Cancelled:
            job.step, job.error = "failed", "it was stopped"
        except (NvrError, OSError) as error:
            job.step, job.error = "failed", str(error) if isinstance(error, NvrError) else str(error.strerror)
            log.warning("export of %s: %s", job.camera, job.error)
        if job.cancelled or job.step == "failed":
            shutil.rmtree(folder, ignore_errors=True)


@router.post("/exports", status_code=202)
def add(body: Wanted, visitor: Guest, state: Here, audit: Noting, request: Request) -> Job:
    """Begin to copy a span into an ordinary MP4."""
    [camera] = seen(visitor, state, [body.camera])
    since, until = span(body.since, body.until, state.clock, LONGEST)
    job = _exporter(request).add(visitor.account.name, camera, since, min(until, state.now()))
    audit.note(visitor.account.name, visitor.address, "export", camera, since, until)
    return _told(job)


@router.get("/exports")
def jobs(visitor: Guest, request: Request) -> list[Job]:
    """One's own exports, newest first."""
    return [_told(job) for job in _exporter(request).of(visitor.account.name)]


@router.get("/exports/{id}")
def job(id: Id, visitor: Guest, request: Request) -> Job:
    """How far an export is."""
    return _told(_mine(id, visitor, request))


@router.delete("/exports/{id}", status_code=204)
def remove(id: Id, visitor: Guest, request: Request) -> None:
    """Stop an export, or remove a finished one."""
    _exporter(request).remove(_mine(id, visitor, request))


@router.get(
    "/exports/{id}/files/{name}",
    response_class=FileResponse,
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
    return FileResponse(path, media_type="video/mp4", filename=name, headers={"Cache-Control": "private, no-store"})


def _exporter(request: Request) -> Exporter:
    exporter: Exporter = request.app.state.exporter
    return exporter


def _mine(id: str, visitor: Visitor, request: Request) -> _Export:
    found = _exporter(request).find(visitor.account.name, id)
    if not visitor.sees(found.camera):
        raise Refusal(404, "unknown_export", "this account has no such export")
    return found


def _told(job: _Export) -> Job:
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

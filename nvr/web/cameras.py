"""Cameras as they are now: state, streams, newest pictures."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from nvr.condition import gather
from nvr.errors import StorageError
from nvr.frameslot import SlotReader
from nvr.media.jpeg import encode
from nvr.model import Frame
from nvr.web.access import AGAIN_S, Guest, Noting, SeenCamera, stays
from nvr.web.refusal import Refusal
from nvr.web.refusal import answer as problem
from nvr.web.state import Here, State
from nvr.web.wire import told

router = APIRouter(tags=["cameras"])
FRESH = timedelta(seconds=30)
"""A picture in the slot that is older is none of now."""
MOST_MJPEG, MOST_OF_ONE = 16, 8
"""Who watches pictures at the same time: in all, and of one account."""
JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {}}, "description": "a JPEG; its instant is in X-NVR-At"}
}
_ELSEWHERE = "the log of nvr says more"
"""In place of what names other cameras, and folders of the machine, for who may see some cameras alone."""
Width = Annotated[int | None, Query(ge=16, le=4096, description="At most so many pixels wide.")]


class Stream(BaseModel):
    """One that can be watched now; ``mime`` is for MediaSource.isTypeSupported."""

    stream: Literal["main", "sub"]
    codec: str
    mime: str
    width: int
    height: int


class Seen(BaseModel):
    """A camera as it is now. ``picture``: whether there is a newest picture."""

    camera: str
    state: str
    fps: float
    bitrate: int
    frame_age: float | None
    last_error: str | None
    record: str
    detect: str
    streams: list[Stream]
    picture: bool


@router.get("/cameras")
def cameras(visitor: Guest, state: Here, request: Request) -> list[Seen]:
    """The configured cameras that the account may see."""
    told = {row["camera"]: row for row in gather(state.config)["cameras"]}
    return [
        Seen(
            **{key: told[name][key] for key in ("state", "fps", "bitrate", "frame_age", "last_error")},
            camera=name,
            record=camera.record,
            detect=camera.detect.mode,
            streams=[
                Stream(
                    stream=one.stream,
                    codec=one.opening.codec,
                    mime=one.opening.mime,
                    width=one.opening.width,
                    height=one.opening.height,
                )
                for one in request.app.state.channels.of(name)
            ],
            picture=_newest(state, name) is not None,
        )
        for name, camera in state.config.cameras.items()
        if visitor.sees(name)
    ]


@router.get("/status")
def status(visitor: Guest, state: Here) -> dict[str, Any]:
    """As ``nvr status --json``; an account that may see some cameras alone is told of those."""
    report = gather(state.config)
    if visitor.account.cameras is not None:
        report["cameras"] = [row for row in report["cameras"] if visitor.sees(row["camera"])]
        names = {row["camera"] for row in report["cameras"]}
        report["processes"] = [
            row | {"last_error": None if row["last_error"] is None else _ELSEWHERE}
            for row in report["processes"]
            if row["name"].partition(".")[2] in names | {""}
        ]
        report["disk"]["path"] = None
        report["catalogue"] = report["catalogue"] and _ELSEWHERE
    return report


@router.get("/cameras/{camera}/snapshot.jpg", response_class=Response, responses=JPEG)
def snapshot(camera: SeenCamera, visitor: Guest, state: Here, audit: Noting, width: Width = None) -> Response:
    """The newest picture."""
    frame = _newest(state, camera)
    if frame is None:
        raise Refusal(404, "no_picture", f"{camera} has no newest picture: {_why(state, camera)}")
    audit.note(visitor.account.name, visitor.address, "picture", camera, frame.at, frame.at)
    return Response(
        encode(frame.i420, width),
        media_type="image/jpeg",
        headers={"X-NVR-At": told(frame.at), "Cache-Control": "no-store"},
    )


@router.get(
    "/cameras/{camera}/live.mjpeg",
    response_class=Response,
    responses={200: {"content": {"multipart/x-mixed-replace": {}}, "description": "JPEGs one after the other"}},
)
async def mjpeg(
    camera: SeenCamera,
    visitor: Guest,
    state: Here,
    audit: Noting,
    request: Request,
    width: Width = 1280,
    fps: Annotated[float, Query(ge=0.1, le=15)] = 5,
) -> Response:
    """The newest pictures, at most so many a second; a slow viewer gets fewer, never old ones."""
    path = state.view(camera).slot
    if path is None:
        raise Refusal(404, "no_picture", f"{camera} has no newest picture: {_why(state, camera)}")

    async def pictures() -> AsyncIterator[bytes]:
        last, checked = -1, 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if now - checked > AGAIN_S:
                checked = now
                if not await stays(visitor, state, camera):
                    return
            frame = await run_in_threadpool(_newest, state, camera)
            if frame is not None and frame.sequence != last:
                last = frame.sequence
                audit.note(visitor.account.name, visitor.address, "live", camera)
                jpeg = await run_in_threadpool(encode, frame.i420, width)
                head = f"--nvr\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
                yield f"{head}X-NVR-At: {told(frame.at)}\r\n\r\n".encode() + jpeg + b"\r\n"
            await asyncio.sleep(1 / fps)

    return _Pictures(pictures(), visitor.account.name, request.app.state.mjpegs)


class _Pictures(StreamingResponse):
    """Counted from when it is sent until it has ended, however it ends: one that is never sent takes no place."""

    media_type = "multipart/x-mixed-replace; boundary=nvr"

    def __init__(self, pictures: AsyncIterator[bytes], account: str, watching: Counter[str]) -> None:
        super().__init__(pictures, headers={"Cache-Control": "no-store"})
        self._account = account
        self._watching = watching

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._watching.total() >= MOST_MJPEG or self._watching[self._account] >= MOST_OF_ONE:
            text = (
                f"{self._watching.total()} viewers watch pictures already, {self._watching[self._account]} of them you"
            )
            await problem(429, "too_many_viewers", text, {"Retry-After": "10"})(scope, receive, send)
            return
        self._watching[self._account] += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._watching[self._account] -= 1


def _newest(state: State, camera: str) -> Frame | None:
    """What the slot shows, unless that is old."""
    path = state.view(camera).slot
    if path is None:
        return None
    try:
        with SlotReader(path) as slot:
            peek = slot.peek()
            if peek is None or abs(state.clock.now_us() - peek.at_us) > FRESH / timedelta(microseconds=1):
                return None
            return slot.read()
    except StorageError:
        return None


def _why(state: State, camera: str) -> str:
    if camera not in state.config.cameras:
        return "it is a camera of former days"
    if state.view(camera).slot is None:
        return "its pictures are not looked at (detect is off)"
    return "it sends none at the moment, see GET /api/v1/status"

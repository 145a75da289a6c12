"""Recorded video of any span: as one fragmented MP4, as HLS, and single pictures."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from nvr import layout
from nvr.clock import format_local
from nvr.media import playlist
from nvr.media.excerpt import Excerpt, excerpt
from nvr.media.instant import shown_at
from nvr.media.jpeg import PREVIEW_QUALITY, QUALITY, encode
from nvr.media.splice import splice
from nvr.web.access import Guest, Noting, SeenCamera, stays
from nvr.web.cameras import JPEG, Width
from nvr.web.ledger import From, Until
from nvr.web.library import BEFORE, Library
from nvr.web.refusal import Refusal
from nvr.web.sending import Span, StoredFile, take_place
from nvr.web.state import Here, State
from nvr.web.wire import Instant, instant, span, told, told_or_none

router = APIRouter(tags=["what was recorded"])
LONGEST = timedelta(hours=24)
LONGEST_PLAYLIST = timedelta(hours=6)
LOOKING = 2
"""Pictures that are decoded at the same time."""
_TICK = timedelta(microseconds=1)
_SETTLED = timedelta(minutes=1)
"""After so long an instant's picture is in its file, if it is ever to be."""
_MP4: dict[int | str, dict[str, Any]] = {200: {"content": {"video/mp4": {}}, "description": "a fragmented MP4"}}
_M3U8: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/vnd.apple.mpegurl": {}}, "description": "a playlist"}
}


@router.get("/cameras/{camera}/video.mp4", response_class=Response, responses=_MP4)
async def video(
    camera: SeenCamera,
    visitor: Guest,
    state: Here,
    audit: Noting,
    request: Request,
    since: From,
    until: Until = None,
    origin: Annotated[Instant | None, Query()] = None,
    download: Annotated[bool, Query()] = False,
) -> Response:
    """The span as one fragmented MP4, copied from the files, from the last key frame at or before ``from`` on.

    Media time 0 is ``origin``, else the first picture."""
    library: Library = request.app.state.library

    def find() -> Excerpt:
        begin, end = span(since, until, state.clock, LONGEST)
        zero = None if origin is None else instant(origin, "origin", state.clock)
        segments = library.segments(camera, begin, end)
        found = excerpt(state.storage, segments, begin, end, zero, library.look)
        if found is None:
            raise _nothing(state, library, camera, begin)
        if zero is not None and zero > found.start:
            raise Refusal(
                422, "malformed", f"origin is after the key frame at {told(found.start)}: give an earlier one"
            )
        audit.note(
            visitor.account.name, visitor.address, "download" if download else "video", camera, found.start, found.end
        )
        return found

    place = take_place(request.app.state.sending, visitor.account.name)
    try:
        found = await run_in_threadpool(find)
    except BaseException:
        place.give_back()
        raise
    headers = {
        "Cache-Control": "private, no-store",
        "X-NVR-Start": told(found.start),
        "X-NVR-End": told(found.end),
        "X-NVR-Mime": found.mime,
    }
    if download:
        name = f"{camera}_{'_'.join(layout.stamp(found.start))}.mp4"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Span(state.storage, found, headers, place, lambda: stays(visitor, state, camera))


@router.get("/cameras/{camera}/playlist.m3u8", response_class=Response, responses=_M3U8)
def hls(
    camera: SeenCamera, visitor: Guest, state: Here, audit: Noting, request: Request, since: From, until: Until = None
) -> Response:
    """The span as HLS: byte ranges of the recorded files. At most 6 h."""
    library: Library = request.app.state.library
    begin, end = span(since, until, state.clock, LONGEST_PLAYLIST)
    chapters = []
    for piece in splice(library.segments(camera, begin, end), begin, end):
        try:
            seen = library.look(state.storage, piece.segment)
        except (OSError, ValueError):
            continue
        address = quote(f"files/{piece.segment.path.relative_to(f'segments/{camera}').as_posix()}")
        chapters.append(playlist.Chapter(address, piece, seen))
    text = playlist.render(chapters)
    if text is None:
        raise _nothing(state, library, camera, begin)
    audit.note(visitor.account.name, visitor.address, "video", camera, begin, end)
    return Response(text, media_type="application/vnd.apple.mpegurl", headers={"Cache-Control": "no-store"})


@router.get("/cameras/{camera}/files/{day}/{name}", response_class=StoredFile, responses=_MP4)
def file(
    camera: SeenCamera,
    day: Annotated[str, Path(max_length=32)],
    name: Annotated[str, Path(max_length=64)],
    visitor: Guest,
    state: Here,
    audit: Noting,
) -> Response:
    """A recorded file, or with ``Range`` parts of it, as a playlist names it."""
    missing = Refusal(404, "unknown_file", "there is no such file: it was deleted, or never was")
    try:
        start = layout.parse_stamp(day, name.removesuffix(".mp4"))
    except ValueError:
        raise missing from None
    path = layout.file_of(state.storage, camera, day, name)
    if path is None:
        raise missing
    audit.note(visitor.account.name, visitor.address, "video", camera, start, start + state.config.recording.segment)
    return StoredFile(path, media_type="video/mp4", headers={"Cache-Control": "private, max-age=3600"})


@router.get("/cameras/{camera}/picture.jpg", response_class=Response, responses=JPEG)
async def picture(
    camera: SeenCamera,
    visitor: Guest,
    state: Here,
    audit: Noting,
    request: Request,
    at: Instant,
    width: Width = None,
    exact: Annotated[bool, Query()] = False,
) -> Response:
    """The picture that was shown at an instant; without ``exact`` the key frame before it, which is quicker."""
    library: Library = request.app.state.library

    def find() -> Response:
        when = instant(at, "at", state.clock)
        segments = library.segments(camera, when - BEFORE, when + _TICK)
        shown = shown_at(state.storage, segments, when, exact=exact)
        if shown is None:
            raise _nothing(state, library, camera, when)
        audit.note(visitor.account.name, visitor.address, "picture", camera, shown.at, shown.at)
        jpeg = encode(shown.i420, width, QUALITY if exact else PREVIEW_QUALITY)
        keep = "private, max-age=300" if _is_settled(at, when, state) else "private, no-store"
        headers = {"X-NVR-At": told(shown.at), "Cache-Control": keep}
        return Response(jpeg, media_type="image/jpeg", headers=headers)

    await request.body()  # what comes behind it is the client's leaving
    async with request.app.state.looking:
        if await request.is_disconnected():  # while it waited: who drags over the time line leaves many behind
            return Response(status_code=204)
        return await run_in_threadpool(find)


def _is_settled(asked: str, when: datetime, state: State) -> bool:
    """Whether what was asked for stays the same picture: no age or hour of today, and long enough ago to be there."""
    return re.match(r"\s*\d{4}-", asked) is not None and when < state.now() - _SETTLED


def _nothing(state: State, library: Library, camera: str, at: datetime) -> Refusal:
    following = library.next_after(camera, at)
    why = "nothing comes after it" if following is None else f"the next video begins at {format_local(following)}"
    text = f"nothing of {camera} was recorded then: {why}; GET /api/v1/why tells the reason"
    return Refusal(404, "nothing_recorded", text, next=told_or_none(following))

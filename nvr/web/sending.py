"""What takes long to send: recorded files, and spans of video. Nobody keeps others from it, and it ends with the right
to see it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from nvr.layout import PART_SUFFIX
from nvr.media.excerpt import Excerpt, read
from nvr.web.access import AGAIN_S
from nvr.web.refusal import CutShort, Refusal

MOST_SENT, MOST_OF_ONE = 48, 12
"""Spans that are being sent at the same time: in all, and to one account. A page plays four cameras at most."""
MOST_RANGES = 16


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """One of the spans that may be sent at the same time, taken by an account until it is given back."""

    account: str
    taken: set[Place]

    def give_back(self) -> None:
        self.taken.discard(self)


def take_place(taken: set[Place], account: str) -> Place:
    """A place for one more span. Raises Refusal where there is none."""
    wait = {"Retry-After": "2"}
    if sum(each.account == account for each in taken) >= MOST_OF_ONE:
        raise Refusal(429, "too_many", f"{MOST_OF_ONE} spans are being sent to this account already", wait)
    if len(taken) >= MOST_SENT:
        raise Refusal(429, "too_many", f"{MOST_SENT} spans are being sent already", wait)
    place = Place(account, taken)
    taken.add(place)
    return place


class Span(Response):
    """Sends an excerpt as it is read, no faster than the client takes it, and for as long as ``stays`` says so."""

    media_type = "video/mp4"

    def __init__(
        self,
        storage: Path,
        found: Excerpt,
        headers: dict[str, str],
        place: Place,
        stays: Callable[[], Awaitable[bool]],
    ) -> None:
        super().__init__(None, headers=headers | {"Content-Length": str(found.bytes)})
        self._storage = storage
        self._excerpt = found
        self._place = place
        self._stays = stays

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tasks = [asyncio.ensure_future(each) for each in (self._send(send), _gone(receive), self._taken_away())]
        sending, _, taken_away = tasks
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            elif taken_away.done():
                raise CutShort("a download was ended: its account may not see that camera any longer")
        finally:
            self._place.give_back()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _taken_away(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_S)
            if not await self._stays():
                return

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        chunks = self._chunks()
        following = await run_in_threadpool(_next, chunks)
        while following is not None:
            ahead = asyncio.ensure_future(run_in_threadpool(_next, chunks))
            try:
                await send({"type": "http.response.body", "body": following, "more_body": True})
                following = await ahead
            finally:
                ahead.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _chunks(self) -> Iterator[bytes | bytearray]:
        yield self._excerpt.init
        for part in self._excerpt.parts:
            yield from read(self._storage, part)


def _next(chunks: Iterator[bytes | bytearray]) -> bytes | bytearray | None:
    """The next chunk. Raises CutShort where a file was deleted, or damaged, while it is being sent."""
    try:
        return next(chunks, None)
    except (OSError, EOFError, ValueError) as error:
        raise CutShort(f"a download ended early: {error}") from error


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class StoredFile(FileResponse):
    """A file of the storage folder, or with ``Range`` parts of it.

    It may be deleted at any moment, or grow while it is being sent: then it is 404 or cut short, and no longer than was
    said. Ranges that cannot be are refused in the form of all errors.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, stat = await run_in_threadpool(_look, os.fspath(self.path))
        self.path = path
        if path.endswith(PART_SUFFIX):
            self.headers["cache-control"] = "no-store"
        self.stat_result = stat
        self.set_stat_headers(stat)
        _check_range(Headers(scope=scope).get("range"), stat.st_size)
        exact = _Exact(send)
        try:
            await super().__call__(scope, receive, exact.send)
        except (OSError, RuntimeError) as error:  # RuntimeError: Starlette's, for one that became shorter
            if exact.left is None:
                raise
            raise CutShort(f"a file could not be sent to its end: {error}") from error


class _Exact:
    """Passes on an answer's body up to the length that its head says."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._ended = False
        self.left: int | None = None
        """What is still to be sent; None before the head."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.left = int(Headers(raw=message["headers"])["content-length"])
            await self._send(message)
        elif self.left is not None and not self._ended:
            body = message["body"][: self.left]
            self.left -= len(body)
            self._ended = not self.left or not message["more_body"]
            if self._ended and self.left:
                raise CutShort("a file became shorter while it was being sent")
            await self._send({**message, "body": body, "more_body": not self._ended})


def _look(path: str) -> tuple[str, os.stat_result]:
    """A file's path and what it is now; one that is closed meanwhile is found by its new name. Raises Refusal."""
    for each in dict.fromkeys((path, path.removesuffix(PART_SUFFIX))):
        try:
            return each, os.stat(each)  # noqa: PTH116  # Starlette's paths are text
        except FileNotFoundError:
            continue
    raise Refusal(404, "unknown_file", "there is no such file any more: it was deleted")


def _check_range(asked: str | None, size: int) -> None:
    """Raise Refusal where a Range header is malformed, or asks for something that is not there (RFC 9110, 14.2)."""
    if asked is None:
        return
    spans = re.fullmatch(r"bytes=\s*(\d*-\d*(?:\s*,\s*\d*-\d*)*)", asked.strip()) if len(asked) <= 4096 else None
    parts = [part.strip().partition("-") for part in spans[1].split(",")] if spans else []
    there = [int(first) < size if first else bool(last.strip("0")) for first, _, last in parts]
    backwards = any(first and last and int(last) < int(first) for first, _, last in parts)
    if not there or not all(there) or backwards or len(parts) > MOST_RANGES:
        text = f"Range: want bytes of 0 to {size - 1}, such as bytes=0-1023"
        raise Refusal(416, "range", text, {"Content-Range": f"bytes */{size}"})

"""Live video over WebSocket: what a channel has, to one viewer, no faster than it takes it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket
from fastapi.concurrency import run_in_threadpool

from nvr.clock import from_us
from nvr.errors import CatalogueError
from nvr.media.live import Opening
from nvr.model import StreamName
from nvr.web.access import AGAIN_S, stays, visitor_of
from nvr.web.channel import Channel
from nvr.web.refusal import Refusal
from nvr.web.state import State, known, unknown_camera
from nvr.web.wire import told

log = logging.getLogger(__name__)
router = APIRouter()
MOST_VIEWERS = 128
GATHER_S = 0.04
"""How long pictures are gathered for one message: a picture more or less at once costs nobody anything but work."""
SOON_S = 0.5
"""How long a viewer is not yet told that there is nothing to show."""
TRY_AGAIN_LATER = 1013  # RFC 6455's registry
CLOSE = {401: 4401, 403: 4403, 404: 4404}


@router.websocket("/cameras/{camera}/live")
async def live(websocket: WebSocket, camera: str, stream: Annotated[StreamName, Query()] = "main") -> None:
    state: State = websocket.app.state.nvr
    try:
        visitor = await visitor_of(websocket, state)
        if not visitor.sees(camera):
            raise unknown_camera()
        await run_in_threadpool(known, state, camera)
    except Refusal as refusal:
        await _refuse(websocket, CLOSE.get(refusal.status, 4400), refusal.message)
        return
    except CatalogueError as error:
        log.warning("a request to watch %s failed: %s", camera, error)
        await _refuse(websocket, TRY_AGAIN_LATER, "the catalogue cannot be read now")
        return
    channels = websocket.app.state.channels
    channel = channels.get(camera, stream)
    if channel is None:
        await _refuse(websocket, 4404, f"{camera} has no {stream} stream that nvr receives")
    elif channels.watchers >= MOST_VIEWERS:
        await _refuse(websocket, 4429, f"{MOST_VIEWERS} viewers watch already")
    else:
        await websocket.accept()
        note = partial(websocket.app.state.audit.note, visitor.account.name, visitor.address, "live", camera)
        await _Viewer(websocket, channel, note, partial(stays, visitor, state, camera)).run()


async def _refuse(websocket: WebSocket, code: int, reason: str) -> None:
    """Accepted first: a browser is told a code only then."""
    await websocket.accept()
    await websocket.close(code, reason[:120])


class _Viewer:
    """One connection: a task that sends, while another hears that the viewer has left.

    One that takes nothing is cut off by ``nvr.web.protocol``.
    """

    def __init__(
        self,
        websocket: WebSocket,
        channel: Channel,
        note: Callable[[], None],
        stays: Callable[[], Awaitable[bool]],
    ) -> None:
        self._websocket = websocket
        self._channel = channel
        self._note = note
        self._stays = stays

    async def run(self) -> None:
        self._channel.enter()
        tasks = [asyncio.ensure_future(each) for each in (self._send(), self._hear(), self._tell())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._channel.leave()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self) -> None:
        while (await self._websocket.receive())["type"] != "websocket.disconnect":
            pass

    async def _tell(self) -> None:
        """Note for as long as somebody looks that he does, and see that he still may."""
        while await self._stays():
            self._note()
            await asyncio.sleep(AGAIN_S)
        await self._websocket.close(4401, "this account may not watch any longer")

    async def _send(self) -> None:
        channel, epoch, number, last_at_us, reason = self._channel, 0, 0, 0, ""
        while True:
            changed = channel.changed
            if channel.opening is None:
                if channel.reason != reason and not await self._soon(changed):
                    reason = channel.reason
                    await self._text({"type": "waiting", "reason": reason})
            elif channel.epoch != epoch:
                epoch, number, reason = channel.epoch, 0, ""
                await self._open(channel.opening)
                continue
            else:
                pieces, number, skipped = channel.after(number)
                if skipped:
                    await self._text({"type": "skipped", "seconds": round((pieces[0].at_us - last_at_us) / 1e6, 3)})
                if pieces:
                    last_at_us = pieces[-1].at_us
                    await self._websocket.send_bytes(b"".join(piece.data for piece in pieces))
            if channel.opening is None or channel.epoch == epoch:
                await changed.wait()
                await asyncio.sleep(GATHER_S)

    async def _soon(self, changed: asyncio.Event) -> bool:
        """Whether there is something to show in a moment: the ring is being looked at just now."""
        try:
            async with asyncio.timeout(SOON_S):
                await changed.wait()
        except TimeoutError:
            return False
        return self._channel.opening is not None

    async def _open(self, opening: Opening) -> None:
        await self._text(
            {
                "type": "format",
                "mime": opening.mime,
                "codec": opening.codec,
                "width": opening.width,
                "height": opening.height,
                "origin": told(from_us(opening.origin_us)),
            }
        )
        await self._websocket.send_bytes(opening.init)

    async def _text(self, message: dict[str, object]) -> None:
        await self._websocket.send_text(json.dumps(message))

"""What every request passes first: limits on what it sends, headers on what it gets.

An ASGI application around the whole. A body is read here, at once and within limits, so that nobody holds a handler by
sending slowly, and none is larger than ``MOST_BODY``.
"""

from __future__ import annotations

import asyncio
import logging
import traceback

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nvr.web.refusal import CutShort, answer

log = logging.getLogger(__name__)
MOST_BODY = 1 << 20
MOST_TAKEN = 16 << 20
"""So much of a body that is too large is taken all the same: who is still sending hears no answer."""
BODY_S = 15.0
"""How long sending a body may take."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]


class _Answered(Exception):
    """Raised into who answers a HEAD request, once its head is sent: the rest is not wanted."""


class Guard:
    """``secure`` says that the page is served over TLS, so that browsers may be told never to come without."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers = [*HEADERS, *([(b"strict-transport-security", b"max-age=31536000")] if secure else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def respond(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in self._headers if one[0] not in given)]
            if not head:
                await send(message)
            elif message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                raise _Answered

        head = scope["method"] == "HEAD"
        if head:
            scope = {**scope, "method": "GET"}
        refused = await self._read(receive)
        try:
            if isinstance(refused, bytes):
                await self._app(scope, _replayed(refused, receive), respond)
            else:
                await refused(scope, receive, respond)
        except _Answered:
            return
        except CutShort as error:
            log.warning("%s", error)
            raise
        except Exception as error:
            log_bug(error)
            if not started:
                await answer(500, "bug", "nvr made a mistake; its log says more")(scope, receive, respond)

    @staticmethod
    async def _read(receive: Receive) -> bytes | JSONResponse:
        """The whole body, or the answer to one that is too large or too slow."""
        body, size = bytearray(), 0
        try:
            async with asyncio.timeout(BODY_S):
                more = True
                while more and size <= MOST_TAKEN:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        break
                    size += len(message.get("body", b""))
                    if size <= MOST_BODY:
                        body += message.get("body", b"")
                    more = message.get("more_body", False)
        except TimeoutError:
            return answer(408, "too_slow", f"the body did not come within {BODY_S:g} s", {"Connection": "close"})
        if size > MOST_BODY:
            return answer(413, "too_large", f"a request has {MOST_BODY >> 20} MB at most", {"Connection": "close"})
        return bytes(body)


def log_bug(error: Exception) -> None:
    """In one line what went wrong, and where."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.critical("bug: %s: %s (%s:%s)", type(error).__name__, error, place.filename, place.lineno)
    log.debug("traceback", exc_info=error)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read once, then what comes: the client's leaving."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again

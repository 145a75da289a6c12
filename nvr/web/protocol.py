"""HTTP and WebSocket connections that cannot be held by saying, or taking, nothing.

uvicorn's protocols with the limits that they lack: a request's head has to come within ``HEAD_S`` and ``HEAD_BYTES``,
a client that takes nothing at all of what waits for it for ``STUCK_S`` is cut off, and one address has ``MOST_OF_ONE``
connections, so that it cannot take those of everybody. In the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from nvr.web.throttle import network

log = logging.getLogger(__name__)
HEAD_S = 10.0
HEAD_BYTES = 64 << 10
STUCK_S = 20.0
MOST_OF_ONE = 64
"""WebSockets apart: those are of who has logged in, and limited elsewhere."""
LOOPBACK = ("127.0.0.1", "::ffff:127.0.0.1", "::1")
"""May have all: it is a proxy, behind which is everybody, or somebody who is on the machine already."""


class _Outflow:
    """Watches whether what waits in a transport gets less."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None
        self._left = 0

    def pause(self) -> None:
        if self._timer is None:
            self._left = self._transport.get_write_buffer_size()
            self._timer = asyncio.get_running_loop().call_later(STUCK_S, self._look)

    def resume(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        left = self._transport.get_write_buffer_size()
        if left >= self._left:
            log.debug("a client took nothing for %.0f s: cut off", STUCK_S)
            self._transport.abort()
        else:
            self.pause()


class Http(HttpToolsProtocol):
    """One HTTP connection."""

    network: str | None = None
    """Whose it is, where those are counted."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._outflow = _Outflow(transport)
        self._head: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._expect_head()
        host = self.client[0] if self.client is not None else ""
        self.network = None if host in LOOPBACK else network(host)
        if self.network is not None and self._of_one() > MOST_OF_ONE:
            log.debug("%s has %d connections already: one more is closed", host, MOST_OF_ONE)
            transport.abort()

    def _of_one(self) -> int:
        return sum(isinstance(one, Http) and one.network == self.network for one in self.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        self._outflow.resume()
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head is not None:  # what came was all head, and it is not complete
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        self._head_came()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        self._outflow.pause()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._outflow.resume()
        super().resume_writing()

    def _expect_head(self) -> None:
        if self._head is None:
            self._head = self.loop.call_later(HEAD_S, self.transport.abort)
            self._head_bytes = 0

    def _head_came(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None


class WebSocket(WebSocketsSansIOProtocol):
    """One WebSocket connection."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._outflow = _Outflow(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._outflow.resume()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        self._outflow.pause()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._outflow.resume()
        super().resume_writing()

"""The web process: serves the page and the API, shows life to the supervisor, ends when told to.

Read-only on files, slots, rings and, but for accounts and marks, the catalogue: nothing that it does or fails to do
reaches a recorder.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import pickle
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from nvr import layout, logs
from nvr.clock import Clock, SystemClock
from nvr.config import Config, Web
from nvr.errors import NvrError
from nvr.pulse import Pulse, PulseWriter
from nvr.web.app import build, guarded
from nvr.web.audit import Audit
from nvr.web.firstrun import invite
from nvr.web.protocol import Http, WebSocket
from nvr.web.state import State
from nvr.web.task import Reload, Task

log = logging.getLogger(__name__)
BEAT_S = 1.0
CONNECTIONS = 500
BACKLOG = 256
END_S = 2
M_ARENA_MAX, ARENAS = -8, 2
"""mallopt(3)."""


class Server(uvicorn.Server):
    """uvicorn, but for signals, which are the process's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def options_of(app: ASGIApp, web: Web) -> uvicorn.Config:
    """How the application is served."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it has a line for whatever a stranger sends
    return uvicorn.Config(
        app,
        http=Http,
        ws=WebSocket,
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        backlog=BACKLOG,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=END_S,
        ws_max_size=64 << 10,
        ws_per_message_deflate=False,
        ssl_certfile=web.certificate,
        ssl_keyfile=web.private_key,
    )


class WebProcess:
    """The process's life."""

    def __init__(self, task: Task, channel: socket.socket, clock: Clock) -> None:
        self._task = task
        self._channel = channel
        self._clock = clock
        self._state = State(task, clock)
        self._pulse = PulseWriter(layout.pulse_path(task.folder, "web"))

    def run(self) -> None:
        """Serve until told to stop, or until the supervisor is gone. Raises NvrError where it cannot listen."""
        web = self._task.config.web
        try:
            listening = listen(self._task.config)
        except NvrError as error:
            self._beat("failed", str(error))
            raise
        server = Server(options_of(guarded(build(self._state, Audit(self._state), self._reload)), web))
        invite(self._state)
        log.info("the page is at %s", web.url)
        gc.freeze()  # what was imported stays: no collection need look at it again
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(self._serve(server, listening))
        self._beat("stopped")

    async def _serve(self, server: uvicorn.Server, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches us, too; the supervisor decides

        def end() -> None:
            server.should_exit = True

        def supervisor() -> None:
            with suppress(BlockingIOError):
                if not self._channel.recv(4096):
                    loop.remove_reader(self._channel.fileno())
                    log.warning("the supervisor is gone: ending")
                    end()

        loop.add_signal_handler(signal.SIGTERM, end)
        self._channel.setblocking(False)
        loop.add_reader(self._channel.fileno(), supervisor)
        beating = asyncio.ensure_future(self._beat_on())
        try:
            await server.serve([listening])
        finally:
            beating.cancel()

    async def _beat_on(self) -> None:
        while True:
            self._beat("serving")
            await asyncio.sleep(BEAT_S)

    def _beat(self, state: str, error: str | None = None) -> None:
        self._pulse.beat(
            Pulse(
                process="web",
                pid=os.getpid(),
                state=state,
                beat_monotonic_us=self._clock.monotonic_us(),
                beat_us=self._clock.now_us(),
                restarts=self._task.restarts,
                last_error=error,
            )
        )

    def _reload(self) -> bool:
        try:
            return self._channel.send(pickle.dumps(Reload())) > 0
        except OSError:  # the supervisor has more to do than to listen, or is gone
            return False


def listen(config: Config) -> socket.socket:
    """The socket that browsers connect to. Raises NvrError."""
    web = config.web
    try:
        if web.certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(web.certificate, web.private_key)
    except (OSError, ssl.SSLError) as error:
        raise NvrError(
            f"web.certificate {web.certificate} and web.private_key {web.private_key} cannot be used: "
            f"{error.strerror or error}; want a certificate and its key as PEM files that this account may read"
        ) from error
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            web.listen, web.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as stack:
            listening = stack.enter_context(socket.socket(family, kind))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if web.listen == "::":
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listening.bind(address)
            listening.listen(BACKLOG)  # from here on, before a link is shown, who connects waits and is not refused
            stack.pop_all()
    except OSError as error:
        raise NvrError(
            f"cannot listen on {web.listen} port {web.port}: {error.strerror}; set web.port, or web: false"
        ) from error
    return listening


def run(task: Task, channel: socket.socket) -> None:
    """The process's entry: serve until SIGTERM or the supervisor's end."""
    logs.configure(task.log_level)
    _share_arenas()
    WebProcess(task, channel, SystemClock()).run()


def _share_arenas() -> None:
    """Let all threads take memory from two arenas: glibc gives each its own, and keeps what a burst has filled."""
    with suppress(AttributeError, OSError):  # another libc
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)

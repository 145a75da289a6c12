"""The application put together: routes, limits, and what they share."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from nvr import __version__
from nvr.web import cameras, events, exports, ledger, live, login, metrics, page, refusal, users, video, zones
from nvr.web.audit import Audit
from nvr.web.channel import Channels
from nvr.web.exporter import Exporter
from nvr.web.guard import Guard, log_bug
from nvr.web.herald import Herald
from nvr.web.library import Library
from nvr.web.login import Desk
from nvr.web.state import State

STORE_S = 5.0
AGAIN_S = 5.0
"""When that which goes on for ever, and failed, begins anew."""
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": refusal.Problem, "description": what}
    for status, what in (
        (401, "log in"),
        (403, "this account may not"),
        (404, "there is no such thing, or this account may not know of it"),
        (408, "the body came too slowly"),
        (409, "it does not go with what is there"),
        (413, "the body is too large"),
        (422, "a parameter is malformed"),
        (429, "too many"),
        (503, "the catalogue or the disk cannot be used now"),
    )
}


class Health(BaseModel):
    status: str


def build(state: State, audit: Audit, reload: Callable[[], bool] = lambda: False) -> FastAPI:
    """The application. ``reload`` asks the supervisor to read zones anew, and says whether it could."""
    app = FastAPI(
        title="nvr",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=_lifespan,
        responses=PROBLEMS,
    )
    refusal.install(app)
    app.state.nvr = state
    app.state.audit = audit
    app.state.desk = Desk(state, audit)
    app.state.channels = Channels(lambda camera: state.view(camera).rings)
    app.state.library = Library(state)
    app.state.exporter = Exporter(state)
    app.state.herald = Herald(state)
    app.state.looking = asyncio.Semaphore(video.LOOKING)
    app.state.mjpegs = Counter()
    app.state.sending = set()
    app.state.reload = reload
    api = APIRouter(prefix="/api/v1")
    for part in (login, users, cameras, zones, ledger, video, events, exports, live):
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(metrics.router)

    @app.get("/health", tags=["machines"])
    async def health() -> Health:
        """Whether the web process answers."""
        return Health(status="ok")

    page.install(app)
    return app


def guarded(app: FastAPI) -> ASGIApp:
    """What a server serves: the application behind its limits."""
    state: State = app.state.nvr
    return Guard(_Compressed(app), secure=state.config.web.certificate is not None)


class _Compressed:
    """Compresses text, and leaves alone what is compressed already or comes bit by bit."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._compressing = GZipMiddleware(app, minimum_size=1000, compresslevel=3)

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        path = scope.get("path", "")
        media = path.endswith((".mp4", ".jpg", ".mjpeg", "/live")) or "/files/" in path
        await (self._plain if media else self._compressing)(scope, receive, send)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    audit: Audit = app.state.audit
    app.state.exporter.start()
    tasks = [asyncio.ensure_future(_keep_up(work)) for work in (app.state.herald.run, partial(_store, audit))]
    try:
        yield
    finally:
        app.state.exporter.stop()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await run_in_threadpool(audit.store)
        app.state.nvr.close()


async def _keep_up(work: Callable[[], Awaitable[None]]) -> None:
    """Have something done for ever: what it fails at is logged, and it begins anew."""
    while True:
        try:
            await work()
        except Exception as error:
            log_bug(error)
        await asyncio.sleep(AGAIN_S)


async def _store(audit: Audit) -> None:
    while True:
        await asyncio.sleep(STORE_S)
        await run_in_threadpool(audit.store)

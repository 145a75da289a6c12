"""Events as they happen, for all who listen: the catalogue is asked once for all of them.

A task of the event loop, which looks while somebody listens. A listener that does not take what it is told loses the
oldest of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi.concurrency import run_in_threadpool

from nvr.catalogue.store import Catalogue
from nvr.errors import CatalogueError
from nvr.follow import Follower, Told
from nvr.web.state import State

log = logging.getLogger(__name__)
LOOK_S = 0.25
AGAIN_S = 5.0
"""How long to wait where the catalogue cannot be read."""
WAITING = 500
"""What one listener may be behind."""


class Herald:
    """``run`` for the life of the process; where that fails it goes on from where it was when it is called again."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._inboxes: set[asyncio.Queue[Told]] = set()
        self._wanted = asyncio.Event()
        self._following = asyncio.Event()
        self._follower: Follower | None = None
        self._followed: Catalogue | None = None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.Queue[Told]]:
        """What happens from now on: nothing that is stored after this was entered is missed.

        A catalogue that cannot be read keeps nobody waiting for longer than ``AGAIN_S``.
        """
        inbox: asyncio.Queue[Told] = asyncio.Queue(WAITING)
        self._inboxes.add(inbox)
        self._wanted.set()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._following.wait()
            yield inbox
        finally:
            self._inboxes.discard(inbox)

    async def run(self) -> None:
        while True:
            if not self._inboxes:
                self._follower = None
                self._following.clear()
                self._wanted.clear()
                await self._wanted.wait()
            try:
                catalogue = await run_in_threadpool(self._state.catalogue)
                if self._follower is None or catalogue is not self._followed:
                    self._follower, self._followed = await run_in_threadpool(self._begin, catalogue), catalogue
                    self._following.set()
                for told in await run_in_threadpool(_look, self._follower):
                    self._tell(told)
            except CatalogueError as error:
                log.warning("events cannot be followed: %s", error)
                await asyncio.sleep(AGAIN_S)
            await asyncio.sleep(LOOK_S)

    def _begin(self, catalogue: Catalogue) -> Follower:
        follower = Follower(catalogue)
        for _ in follower.begin(self._state.now()):
            pass
        return follower

    def _tell(self, told: Told) -> None:
        for inbox in self._inboxes:
            if inbox.full():
                inbox.get_nowait()
            inbox.put_nowait(told)


def _look(follower: Follower) -> list[Told]:
    return list(follower.look())

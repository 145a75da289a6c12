"""Who asks, and whether they may: sessions, tokens, roles, cameras.

A browser has a session in a cookie, a program a token in a header. What changes something needs, with a cookie, the
header that only a page of ours can send. Which cameras an account may see is asked here by every handler.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Path, Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from nvr.credential import digest
from nvr.errors import CatalogueError
from nvr.model import Account, Key
from nvr.web.audit import Audit
from nvr.web.refusal import Refusal
from nvr.web.state import Here, State, known, unknown_camera

COOKIE = "nvr_session"
CSRF = "X-NVR-CSRF"
SESSION = timedelta(days=30)
"""After so long without a visit a browser has to log in again."""
NOTED = timedelta(minutes=5)
"""How exactly it is known when a key was used last."""
AGAIN_S = 5.0
SAFE = {"GET", "HEAD", "OPTIONS"}
_WHERE = "log in at POST /api/v1/login, or send a token"


@dataclass(frozen=True, slots=True)
class Visitor:
    """An account that has shown a key. ``csrf`` is what its page has to send; empty with a token."""

    account: Account
    key: Key
    address: str
    csrf: str = ""
    digest: str = field(default="", repr=False)
    """Of the key's secret: by it the key is found again."""

    def sees(self, camera: str) -> bool:
        return self.account.cameras is None or camera in self.account.cameras

    @property
    def is_admin(self) -> bool:
        return self.account.role == "admin"


def csrf_of(secret: str) -> str:
    """What a page of ours sends beside the cookie; who has the cookie alone cannot tell it."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def address_of(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client is not None else "unknown"


async def visitor_of(connection: HTTPConnection, state: State) -> Visitor:
    """Whose key the request has. Raises Refusal."""
    kind, _, bearer = connection.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if kind.lower() == "bearer" else ""
    secret = token or connection.cookies.get(COOKIE, "")
    if not secret:
        raise Refusal(401, "login", f"who are you? {_WHERE}", {"WWW-Authenticate": "Bearer"})
    hashed = digest(secret[:256])
    found = await run_in_threadpool(_find, state, hashed, "token" if token else "session")
    if found is None:
        raise Refusal(401, "login", f"the key is not, or no longer, valid: {_WHERE}", {"WWW-Authenticate": "Bearer"})
    key, account = found
    csrf = "" if token else csrf_of(secret)
    visitor = Visitor(account, key, address_of(connection), csrf, hashed)
    if not token:
        _check_origin(connection, visitor)
    return visitor


def _find(state: State, hashed: str, kind: str) -> tuple[Key, Account] | None:
    found, now = _valid(state, hashed), state.now()
    if found is None or found[0].kind != kind:
        return None
    key, account = found
    if key.used is None or now - key.used > NOTED:
        _note_use(state, key, now)
    return key, account


def _valid(state: State, hashed: str) -> tuple[Key, Account] | None:
    found = state.catalogue().find_key(hashed)
    expired = found is not None and found[0].expires is not None and found[0].expires <= state.now()
    return None if expired else found


async def stays(visitor: Visitor, state: State, camera: str | None = None) -> bool:
    """Whether what somebody watches may go on: the key is still worth something, and the account may see the camera.

    Asked every ``AGAIN_S`` by whatever goes on for long. A catalogue that cannot be read now takes nothing away.
    """

    def look() -> bool:
        try:
            found = _valid(state, visitor.digest)
        except CatalogueError:
            return True
        if found is None:
            return False
        cameras = found[1].cameras
        return camera is None or cameras is None or camera in cameras

    return await run_in_threadpool(look)


def _note_use(state: State, key: Key, now: datetime) -> None:
    """A database that is busy or full is no reason to turn somebody away."""
    assert key.id is not None
    try:
        with state.changing() as catalogue:
            catalogue.use_key(key.id, now, now + SESSION if key.kind == "session" else key.expires)
    except CatalogueError:
        return


def _check_origin(connection: HTTPConnection, visitor: Visitor) -> None:
    """With a cookie: no other site's page may ask for a change, or open a WebSocket. Raises Refusal."""
    origin = connection.headers.get("origin")
    foreign = origin is not None and _host_of(origin) != connection.headers.get("host")
    if connection.scope["type"] == "websocket":
        if foreign:
            raise Refusal(403, "origin", "a page of another site may not do this")
        return
    if connection.scope["method"] in SAFE:
        return
    if foreign or not hmac.compare_digest(connection.headers.get(CSRF, "").encode(), visitor.csrf.encode()):
        raise Refusal(403, "csrf", f"this needs the header {CSRF} with what GET /api/v1/me tells, from a page of nvr")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


async def _visitor(request: Request, state: Here) -> Visitor:
    return await visitor_of(request, state)


Guest = Annotated[Visitor, Depends(_visitor)]


async def _admin(visitor: Guest) -> Visitor:
    if not visitor.is_admin:
        raise Refusal(403, "admins_only", "only an admin may do this")
    return visitor


Admin = Annotated[Visitor, Depends(_admin)]


async def _camera(
    camera: Annotated[str, Path(max_length=64, description="The camera's name.")], visitor: Guest, state: Here
) -> str:
    """A camera that the visitor may see; of others it does not learn whether they exist. Raises Refusal."""
    if not visitor.sees(camera):
        raise unknown_camera()
    return await run_in_threadpool(known, state, camera)


SeenCamera = Annotated[str, Depends(_camera)]


async def _audit(request: Request) -> Audit:
    audit: Audit = request.app.state.audit
    return audit


Noting = Annotated[Audit, Depends(_audit)]


def seen(visitor: Visitor, state: State, wanted: list[str] | None) -> list[str]:
    """The cameras that are asked for, all where none is, of those the visitor may see. Raises Refusal."""
    mine = [camera for camera in state.cameras() if visitor.sees(camera)]
    for camera in wanted or ():
        if camera not in mine:
            raise unknown_camera()
    return list(dict.fromkeys(wanted)) if wanted else mine

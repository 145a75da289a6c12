"""Logging in and out, one's own password and one's own tokens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from nvr.credential import check_password, digest, hash_password, is_password, new_secret
from nvr.model import Account, Key, Role
from nvr.web.access import COOKIE, SESSION, Guest, address_of, csrf_of
from nvr.web.audit import Audit
from nvr.web.refusal import Refusal
from nvr.web.state import Here, State
from nvr.web.throttle import Throttle
from nvr.web.wire import told, told_or_none

router = APIRouter(tags=["who asks"])
Secret = Annotated[str, Field(max_length=256)]
MOST_KEYS = 100
"""Sessions and tokens of one account; the oldest session goes."""


class Login(BaseModel):
    name: Annotated[str, Field(max_length=64)]
    password: Secret


class Setup(BaseModel):
    link: Secret
    password: Secret


class Passwords(BaseModel):
    old: Secret
    new: Secret


class NewToken(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Me(BaseModel):
    """The account that asks. ``cameras`` null is all."""

    name: str
    role: Role
    cameras: list[str] | None
    csrf: str


class Token(BaseModel):
    id: int
    name: str
    created: str
    used: str | None


class MadeToken(Token):
    token: str


class Desk:
    """Where people log in: one password at a time is checked, and only so many wrong ones."""

    def __init__(self, state: State, audit: Audit) -> None:
        self._state = state
        self._audit = audit
        self._throttle = Throttle()
        self._turn = asyncio.Semaphore(1)

    async def check(self, address: str, name: str, password: str) -> Account:
        """The account whose password it is. Raises Refusal."""
        async with self._turn:
            wait_us = self._throttle.wait_us(address, name, self._state.clock.monotonic_us())
            if wait_us:
                seconds = -(-wait_us // 1_000_000)
                text = f"too many wrong passwords: try again in {seconds} s"
                raise Refusal(429, "too_many_tries", text, {"Retry-After": str(seconds)})
            account = await run_in_threadpool(self._account, name)
            hashed = None if account is None else account.password
            right = await run_in_threadpool(is_password, hashed, password)
            if account is not None and right:
                self._throttle.succeeded(address, name, self._state.clock.monotonic_us())
                return account
            self._throttle.failed(address, name, self._state.clock.monotonic_us())
        self._audit.note(account.name if account else "?", address, "wrong login")
        raise _wrong()

    def _account(self, name: str) -> Account | None:
        return self._state.catalogue().account(name)

    async def open_session(self, request: Request, response: Response, account: Account) -> Me:
        """Give the browser a session."""
        secret, now = new_secret(), self._state.now()
        name = request.headers.get("user-agent", "")[:200]
        key = Key(account.name, "session", name, now, now + SESSION)

        def store() -> bool:
            with self._state.changing() as catalogue:
                return catalogue.add_session(key, digest(secret), account.password, MOST_KEYS)

        if not await run_in_threadpool(store):  # somebody else gave it another one while this one was checked
            raise _wrong()
        self._audit.note(account.name, address_of(request), "login")
        response.set_cookie(
            COOKIE,
            secret,
            max_age=round(SESSION / timedelta(seconds=1)),
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        response.headers["Cache-Control"] = "no-store"
        return _me(account, csrf_of(secret))


def _wrong() -> Refusal:
    return Refusal(401, "wrong_login", "name or password is wrong")


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


@router.post("/login")
async def login(body: Login, request: Request, response: Response) -> Me:
    """Log in: sets the cookie of the session."""
    desk = _desk(request)
    account = await desk.check(address_of(request), body.name, body.password)
    return await desk.open_session(request, response, account)


@router.post("/setup")
async def setup(body: Setup, request: Request, response: Response, state: Here) -> Me:
    """Set the password of the account that a one-time link is for, and log in."""

    def use() -> Account:
        used = Refusal(404, "unknown_link", "the link was used already, or is too old: nvr users passwd makes one")
        link = digest(body.link)
        found = state.catalogue().find_key(link)
        if found is None or found[0].kind != "link" or (found[0].expires or state.now()) <= state.now():
            raise used
        hashed = hash_password(good_password(body.password))
        with state.changing() as catalogue:
            account = catalogue.use_link(link, hashed, state.now())
        if account is None:
            raise used
        return account

    account = await run_in_threadpool(use)
    return await _desk(request).open_session(request, response, account)


@router.post("/logout", status_code=204)
def logout(visitor: Guest, response: Response, state: Here) -> None:
    """End the session."""
    with state.changing() as catalogue:
        catalogue.remove_key(visitor.account.name, visitor.key.id or 0, visitor.key.kind)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


@router.get("/me")
def me(visitor: Guest, response: Response) -> Me:
    """The account that asks."""
    response.headers["Cache-Control"] = "no-store"
    return _me(visitor.account, visitor.csrf)


@router.put("/me/password", status_code=204)
async def change_password(body: Passwords, visitor: Guest, request: Request, state: Here) -> None:
    """Change one's own password; every other session of the account ends."""
    account = await _desk(request).check(visitor.address, visitor.account.name, body.old)

    def store() -> None:
        hashed = hash_password(good_password(body.new))
        with state.changing() as catalogue:
            if not catalogue.change_password(account.name, account.password or "", hashed, visitor.key.id or 0):
                raise _wrong()

    await run_in_threadpool(store)


@router.get("/tokens")
def tokens(visitor: Guest, state: Here) -> list[Token]:
    """One's own API tokens."""
    return [_token(key) for key in state.catalogue().keys_of(visitor.account.name, "token")]


@router.post("/tokens", status_code=201)
def make_token(body: NewToken, visitor: Guest, response: Response, state: Here) -> MadeToken:
    """Make an API token. It is told once, and may do what the account may."""
    secret, key = new_secret(), Key(visitor.account.name, "token", body.name, state.now())
    with state.changing() as catalogue:
        if len(catalogue.keys_of(visitor.account.name, "token")) >= MOST_KEYS:
            raise Refusal(409, "too_many", f"an account has {MOST_KEYS} tokens at most: remove one first")
        id = catalogue.add_key(key, digest(secret))
    response.headers["Cache-Control"] = "no-store"
    return MadeToken(**_token(replace(key, id=id)).model_dump(), token=secret)


@router.delete("/tokens/{id}", status_code=204)
def remove_token(id: Annotated[int, Path(ge=0, lt=1 << 63)], visitor: Guest, state: Here) -> None:
    """Make one of one's own tokens worth nothing."""
    with state.changing() as catalogue:
        if not catalogue.remove_key(visitor.account.name, id, "token"):
            raise Refusal(404, "unknown_token", "this account has no such token")


def good_password(password: str) -> str:
    try:
        check_password(password)
    except ValueError as error:
        raise Refusal(422, "bad_password", str(error)) from error
    return password


def _me(account: Account, csrf: str) -> Me:
    return Me(
        name=account.name,
        role=account.role,
        cameras=None if account.cameras is None else list(account.cameras),
        csrf=csrf,
    )


def _token(key: Key) -> Token:
    return Token(id=key.id or 0, name=key.name, created=told(key.created), used=told_or_none(key.used))

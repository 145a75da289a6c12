"""Accounts and who looked at what: for admins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from nvr.catalogue.accounts import Change
from nvr.credential import NAME, hash_password
from nvr.errors import LastAdminError
from nvr.model import Account, Role
from nvr.web.access import Admin
from nvr.web.exporter import Exporter
from nvr.web.login import Secret, good_password
from nvr.web.refusal import Refusal
from nvr.web.state import Here, State
from nvr.web.wire import told, told_or_none

router = APIRouter(tags=["accounts"])
Name = Annotated[str, Path(max_length=64, description="Name of the account.")]


class NewUser(BaseModel):
    name: Annotated[str, Field(pattern=NAME, description="Letters, digits and . _ @ -, at most 32.")]
    password: Secret
    role: Role = "viewer"
    cameras: Annotated[list[str], Field(max_length=1000)] | None = None


class Changes(BaseModel):
    """What is not given stays; ``cameras: null`` is all cameras."""

    model_config = ConfigDict(extra="forbid")
    password: Secret | None = None
    role: Role | None = None
    cameras: Annotated[list[str], Field(max_length=1000)] | None = None


class User(BaseModel):
    """``active``: has a password."""

    name: str
    role: Role
    cameras: list[str] | None
    created: str
    active: bool


class Entry(BaseModel):
    number: int
    at: str
    user: str
    address: str
    action: str
    camera: str | None
    start: str | None
    end: str | None


class Entries(BaseModel):
    entries: list[Entry]
    next: int | None


@router.get("/users")
def users(_: Admin, state: Here) -> list[User]:
    """All accounts."""
    return [_user(account) for account in state.catalogue().accounts()]


@router.post("/users", status_code=201)
def add_user(body: NewUser, _: Admin, state: Here) -> User:
    """Make an account."""
    cameras = _cameras(state, body.cameras)
    account = Account(body.name, body.role, cameras, state.now(), hash_password(good_password(body.password)))
    with state.changing() as catalogue:
        if not catalogue.add_account(account):
            raise Refusal(409, "there_already", f"there is an account {body.name} already")
    return _user(account)


@router.patch("/users/{name}")
def change_user(name: Name, body: Changes, _: Admin, state: Here) -> User:
    """Change an account. With a new password its sessions end."""
    if state.catalogue().account(name) is None:
        raise _unknown()
    change = Change()
    if "cameras" in body.model_fields_set:
        change["cameras"] = _cameras(state, body.cameras)
    if body.role is not None:
        change["role"] = body.role
    if body.password is not None:
        change["password"] = hash_password(good_password(body.password))
    with _leaving_an_admin(), state.changing() as catalogue:
        account = catalogue.change_account(name, change)
    if account is None:
        raise _unknown()
    return _user(account)


@router.delete("/users/{name}", status_code=204)
def remove_user(name: Name, _: Admin, state: Here, request: Request) -> None:
    """Remove an account with its sessions, tokens and exports."""
    with _leaving_an_admin(), state.changing() as catalogue:
        if not catalogue.remove_account(name):
            raise _unknown()
    exporter: Exporter = request.app.state.exporter
    exporter.tidy()


@router.get("/audit")
def audit(
    _: Admin,
    state: Here,
    before: Annotated[int | None, Query(ge=0, lt=1 << 62)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Entries:
    """Who looked at what, newest first."""
    found = state.catalogue().accesses(limit + 1, before)
    entries = [
        Entry(
            number=one.number or 0,
            at=told(one.at),
            user=one.user,
            address=one.address,
            action=one.action,
            camera=one.camera,
            start=told_or_none(one.start),
            end=told_or_none(one.end),
        )
        for one in found[:limit]
    ]
    return Entries(entries=entries, next=entries[-1].number if len(found) > limit else None)


@contextmanager
def _leaving_an_admin() -> Iterator[None]:
    try:
        yield
    except LastAdminError as error:
        raise Refusal(409, "last_admin", str(error)) from error


def _unknown() -> Refusal:
    return Refusal(404, "unknown_user", "there is no such account")


def _cameras(state: State, names: list[str] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    known = state.cameras()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Refusal(422, "unknown_camera", f"there is no camera named {', '.join(unknown[:5])}")
    return tuple(dict.fromkeys(names))


def _user(account: Account) -> User:
    return User(
        name=account.name,
        role=account.role,
        cameras=None if account.cameras is None else list(account.cameras),
        created=told(account.created),
        active=account.password is not None,
    )

"""Who may look and who did: accounts, their keys, and accesses to footage.

``Accounts`` is that part of ``Catalogue``; its methods keep what ``store.py`` promises of all of them. Nothing here
knows a secret: passwords come as hashes, keys as digests.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from nvr.catalogue.database import Database
from nvr.catalogue.schema import accesses, keys, users
from nvr.clock import from_us, to_us
from nvr.errors import LastAdminError
from nvr.model import Access, Account, Key, KeyKind, Role

MOST_ACCESSES = 100_000
_TRIM = 1000
"""How many accesses over that are waited for before they go."""
_BEYOND = 1 << 63


class Change(TypedDict, total=False):
    """What is to change of an account; what is not in it stays."""

    role: Role
    cameras: tuple[str, ...] | None
    password: str


class Accounts:
    """The accounts of one open catalogue."""

    _database: Database

    def accounts(self) -> list[Account]:
        """All of them, by name."""
        with self._database.reading() as connection:
            return [_account(row) for row in connection.execute(select(users).order_by(users.c.name))]

    def account(self, name: str) -> Account | None:
        with self._database.reading() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).first()
        return None if row is None else _account(row)

    def add_account(self, account: Account) -> bool:
        """Store a new account; False where there is one of that name."""
        values = _values(account) | {"name": account.name, "created_us": to_us(account.created)}
        with self._database.writing() as connection:
            try:
                with connection.begin_nested():
                    connection.execute(insert(users).values(values))
            except IntegrityError:
                return False
        return True

    def change_account(self, name: str, change: Change) -> Account | None:
        """Store what is to change of an account and nothing else; with a password its sessions and links end.

        Returns it as it is then, None where there is none of that name. Raises LastAdminError.
        """
        with self._database.writing() as connection:
            if change.get("role", "admin") != "admin":
                _require_other_admin(connection, name)
            return _change(connection, users.c.name == name, change)

    def change_password(self, name: str, old: str, new: str, but: int) -> bool:
        """Store a new password in place of the one it was; sessions but one and links end.

        False where it is another one by now: whoever has changed it, or made the account anew, meant it.
        """
        with self._database.writing() as connection:
            own = (users.c.name == name) & (users.c.password == old)
            return _change(connection, own, {"password": new}, but) is not None

    def use_link(self, digest: str, password: str, now: datetime) -> Account | None:
        """Store a password by a one-time link, which is used up; None where it was already, or is too old."""
        link = (keys.c.digest == digest) & (keys.c.kind == "link") & (keys.c.expires_us > to_us(now))
        with self._database.writing() as connection:
            owner = connection.scalar(select(keys.c.user_id).where(link))
            return None if owner is None else _change(connection, users.c.id == owner, {"password": password})

    def remove_account(self, name: str) -> bool:
        """Forget an account and its keys, not what it looked at; False where there is none. Raises LastAdminError."""
        with self._database.writing() as connection:
            _require_other_admin(connection, name)
            return connection.execute(delete(users).where(users.c.name == name)).rowcount > 0

    def add_session(self, key: Key, digest: str, password: str | None, most: int) -> bool:
        """Store a session of who has logged in with a password; False where it is no longer that of the account.

        Of more than ``most`` the oldest go, and of whomever what has expired.
        """
        owner = select(users.c.id).where(users.c.name == key.user, users.c.password == password)
        with self._database.writing() as connection:
            id = connection.scalar(owner)
            if id is None:
                return False
            own = (keys.c.user_id == id) & (keys.c.kind == key.kind)
            newest = select(keys.c.id).where(own).order_by(keys.c.id.desc()).limit(most - 1)
            over = (own & keys.c.id.not_in(newest)) | (keys.c.expires_us <= to_us(key.created))
            connection.execute(delete(keys).where(over))
            connection.execute(insert(keys).values(_key_values(key, digest) | {"user_id": id}))
        return True

    def add_key(self, key: Key, digest: str) -> int:
        """Store a new key of an account that there is, and return its number."""
        values = _key_values(key, digest) | {"user_id": _id_of(key.user)}
        with self._database.writing() as connection:
            id: int = connection.execute(insert(keys).values(values).returning(keys.c.id)).scalar_one()
        return id

    def find_key(self, digest: str) -> tuple[Key, Account] | None:
        """A key, expired or not, and whose it is."""
        with self._database.reading() as connection:
            row = connection.execute(select(keys).where(keys.c.digest == digest)).first()
            if row is None:
                return None
            owner = connection.execute(select(users).where(users.c.id == row.user_id)).one()
        account = _account(owner)
        return _key(row, account.name), account

    def keys_of(self, user: str, kind: KeyKind) -> list[Key]:
        """The keys of one kind of an account, oldest first."""
        query = select(keys).join(users, users.c.id == keys.c.user_id).where(users.c.name == user, keys.c.kind == kind)
        with self._database.reading() as connection:
            return [_key(row, user) for row in connection.execute(query.order_by(keys.c.id))]

    def use_key(self, id: int, at: datetime, expires: datetime | None) -> None:
        """Note that a key was used."""
        change = update(keys).where(keys.c.id == id)
        with self._database.writing() as connection:
            connection.execute(change.values(used_us=to_us(at), expires_us=None if expires is None else to_us(expires)))

    def remove_key(self, user: str, id: int, kind: KeyKind) -> bool:
        """Forget a key of an account; False where it has no such key."""
        if not 0 < id < _BEYOND:
            return False
        which = (keys.c.id == id) & (keys.c.kind == kind) & (keys.c.user_id == _id_of(user))
        with self._database.writing() as connection:
            return connection.execute(delete(keys).where(which)).rowcount > 0

    def remove_links(self, user: str) -> None:
        """Let the one-time links of an account be worth nothing."""
        with self._database.writing() as connection:
            connection.execute(delete(keys).where(keys.c.kind == "link", keys.c.user_id == _id_of(user)))

    def note_accesses(self, noted: Sequence[Access]) -> list[Access]:
        """Store who looked at what, and what was stored already as it is now; of very many the oldest go. Returns them
        with their numbers."""
        stored: list[Access] = []
        if not noted:
            return stored
        with self._database.writing() as connection:
            for access in noted:
                if access.number is None:
                    number = connection.execute(
                        insert(accesses).returning(accesses.c.number), _noted(access)
                    ).scalar_one()
                    stored.append(replace(access, number=number))
                else:
                    change = update(accesses).where(accesses.c.number == access.number)
                    connection.execute(change.values(_noted(access)))
                    stored.append(access)
            newest = connection.scalar(select(func.max(accesses.c.number))) or 0
            oldest = connection.scalar(select(func.min(accesses.c.number))) or 0
            if newest - oldest >= MOST_ACCESSES + _TRIM:
                connection.execute(delete(accesses).where(accesses.c.number <= newest - MOST_ACCESSES))
        return stored

    def accesses(self, limit: int, before: int | None = None) -> list[Access]:
        """Who looked at what, newest first; ``before`` is the number of the last one of the page before."""
        query = select(accesses).order_by(accesses.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(accesses.c.number < min(before, _BEYOND - 1))
        with self._database.reading() as connection:
            return [_access(row) for row in connection.execute(query)]


def _id_of(user: str) -> Any:
    return select(users.c.id).where(users.c.name == user).scalar_subquery()


def _change(connection: Connection, which: ColumnElement[bool], change: Change, but: int = 0) -> Account | None:
    """Change the account that it is, and return it. The rest of its row may be newer than what was seen, and stays."""
    id = connection.scalar(select(users.c.id).where(which))
    if id is None:
        return None
    values: dict[str, Any] = {**change}
    if "cameras" in change:
        values["cameras"] = _cameras(change["cameras"])
    if values:
        connection.execute(update(users).where(users.c.id == id).values(values))
    if "password" in change:
        over = (keys.c.user_id == id) & keys.c.kind.in_(["session", "link"]) & (keys.c.id != but)
        connection.execute(delete(keys).where(over))
    return _account(connection.execute(select(users).where(users.c.id == id)).one())


def _cameras(names: tuple[str, ...] | None) -> str | None:
    return None if names is None else json.dumps(names, ensure_ascii=False)


def _require_other_admin(connection: Connection, name: str) -> None:
    """Raise LastAdminError where without this one nobody could manage accounts: an admin without a password cannot."""
    query = select(users.c.name, users.c.password).where(users.c.role == "admin")
    others = {row.name: row.password for row in connection.execute(query)}
    if name in others and (others.pop(name) or not others) and not any(others.values()):
        raise LastAdminError(f"{name} is the last admin who can log in: make another one first")


def _values(account: Account) -> dict[str, Any]:
    return {"role": account.role, "cameras": _cameras(account.cameras), "password": account.password}


def _key_values(key: Key, digest: str) -> dict[str, Any]:
    times = {"created_us": to_us(key.created), "expires_us": None if key.expires is None else to_us(key.expires)}
    return {"kind": key.kind, "name": key.name, "digest": digest} | times


def _account(row: Row[Any]) -> Account:
    cameras = None if row.cameras is None else tuple(json.loads(row.cameras))
    return Account(row.name, row.role, cameras, from_us(row.created_us), row.password)


def _key(row: Row[Any], user: str) -> Key:
    used, expires = (None if us is None else from_us(us) for us in (row.used_us, row.expires_us))
    return Key(user, row.kind, row.name, from_us(row.created_us), expires, used, row.id)


def _noted(access: Access) -> dict[str, Any]:
    start, end = (None if at is None else to_us(at) for at in (access.start, access.end))
    told = {"user": access.user, "address": access.address, "action": access.action, "camera": access.camera}
    return told | {"at_us": to_us(access.at), "start_us": start, "end_us": end}


def _access(row: Row[Any]) -> Access:
    start, end = (None if us is None else from_us(us) for us in (row.start_us, row.end_us))
    access = Access(from_us(row.at_us), row.user, row.address, row.action, row.camera, start, end)
    return replace(access, number=row.number)

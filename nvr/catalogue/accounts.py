"""Who may look and who did: accounts, their keys, and accesses to footage.

``Accounts`` is that part of ``Catalogue``; its methods keep what ``store.py`` promises of all of them. Nothing here
knows a secret: passwords come as hashes, keys as digests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from nvr.catalogue.database import Database
from nvr.catalogue.schema import accesses, keys, users
from nvr.clock import from_us, to_us
from nvr.model import Access, Account, Key, KeyKind

MOST_ACCESSES = 100_000
_TRIM = 1000
"""How many accesses over that are waited for before they go."""
_BEYOND = 1 << 63


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

    def change_account(self, account: Account) -> bool:
        """Store role, cameras and password of an account; False where there is none of that name."""
        change = update(users).where(users.c.name == account.name).values(_values(account))
        with self._database.writing() as connection:
            return connection.execute(change).rowcount > 0

    def remove_account(self, name: str) -> bool:
        """Forget an account and its keys; what it looked at stays. False where there is none of that name."""
        with self._database.writing() as connection:
            return connection.execute(delete(users).where(users.c.name == name)).rowcount > 0

    def add_key(self, key: Key, digest: str) -> int:
        """Store a new key of an account that there is, and return its number."""
        owner = select(users.c.id).where(users.c.name == key.user).scalar_subquery()
        values = {"user_id": owner, "kind": key.kind, "name": key.name, "digest": digest}
        times = {"created_us": to_us(key.created), "expires_us": None if key.expires is None else to_us(key.expires)}
        with self._database.writing() as connection:
            id: int = connection.execute(insert(keys).values(values | times).returning(keys.c.id)).scalar_one()
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
        return self._remove_keys(keys.c.id == id, keys.c.kind == kind, keys.c.user_id == _id_of(user)) > 0

    def remove_keys(self, user: str, kinds: Iterable[KeyKind], but: int = 0) -> int:
        """Forget all keys of these kinds of an account, but for one; returns how many."""
        return self._remove_keys(keys.c.kind.in_(list(kinds)), keys.c.user_id == _id_of(user), keys.c.id != but)

    def remove_expired_keys(self, now: datetime) -> int:
        return self._remove_keys(keys.c.expires_us <= to_us(now))

    def _remove_keys(self, *which: ColumnElement[bool]) -> int:
        with self._database.writing() as connection:
            return connection.execute(delete(keys).where(*which)).rowcount

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


def _values(account: Account) -> dict[str, Any]:
    cameras = None if account.cameras is None else json.dumps(account.cameras, ensure_ascii=False)
    return {"role": account.role, "cameras": cameras, "password": account.password}


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

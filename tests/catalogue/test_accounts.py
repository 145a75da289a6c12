from __future__ import annotations

import hashlib
import multiprocessing
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from nvr.catalogue import accounts
from nvr.catalogue.store import Catalogue
from nvr.errors import CatalogueError
from nvr.model import Access, Account, Key, KeyKind
from tests.catalogue.rows import at

ANNA = Account("anna", "admin", None, at(0), "$argon2id$anna")
BERT = Account("bert", "viewer", ("hik1", "süd"), at(1))


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def key(user: str = "anna", kind: KeyKind = "session", name: str = "browser", expires: datetime | None = None) -> Key:
    return Key(user, kind, name, at(2), expires)


def access(number: int) -> Access:
    return Access(at(number), "anna", "192.0.2.7", "video", "hik1", at(number - 5), at(number - 4))


@pytest.fixture
def peopled(catalogue: Catalogue) -> Catalogue:
    assert catalogue.add_account(BERT)
    assert catalogue.add_account(ANNA)
    return catalogue


def test_nobody_has_an_account_at_first(catalogue: Catalogue) -> None:
    assert catalogue.accounts() == []
    assert catalogue.account("anna") is None


def test_accounts_come_back_by_name_as_they_were_stored(peopled: Catalogue) -> None:
    assert peopled.accounts() == [ANNA, BERT]
    assert peopled.account("bert") == BERT
    assert peopled.account("Bert") is None


@pytest.mark.parametrize("cameras", [None, (), ("hik1",), ("b", "a")], ids=["all", "none", "one", "two"])
def test_all_cameras_are_not_the_same_as_none(
    catalogue: Catalogue, path: Path, cameras: tuple[str, ...] | None
) -> None:
    catalogue.add_account(replace(BERT, cameras=cameras))
    found = catalogue.account("bert")
    assert found is not None
    assert found.cameras == cameras
    with closing(sqlite3.connect(path)) as database:
        (stored,) = database.execute("SELECT cameras FROM users").fetchone()
    assert (stored is None) == (cameras is None)


def test_a_name_is_taken_once_and_its_account_stays(peopled: Catalogue) -> None:
    assert not peopled.add_account(replace(ANNA, role="viewer", password=None))
    assert peopled.account("anna") == ANNA


def test_a_change_stores_role_cameras_and_password_and_keeps_the_rest(peopled: Catalogue) -> None:
    changed = replace(BERT, role="admin", cameras=None, password="$argon2id$bert")
    assert peopled.change_account(replace(changed, created=at(99)))
    assert peopled.accounts() == [ANNA, changed]
    assert not peopled.change_account(replace(BERT, name="nobody"))
    assert peopled.accounts() == [ANNA, changed]


def test_a_key_is_found_by_its_digest_with_its_account(peopled: Catalogue) -> None:
    peopled.add_key(key(), digest("one"))
    stored = key("bert", "token", "prometheus", at(60))
    id = peopled.add_key(stored, digest("two"))
    assert peopled.find_key(digest("two")) == (replace(stored, id=id), BERT)
    assert peopled.find_key(digest("three")) is None
    assert peopled.find_key("two") is None


def test_a_key_of_nobody_and_a_secret_used_twice_are_refused(peopled: Catalogue) -> None:
    with pytest.raises(CatalogueError):
        peopled.add_key(key("nobody"), digest("one"))
    peopled.add_key(key(), digest("two"))
    with pytest.raises(CatalogueError):
        peopled.add_key(key("bert"), digest("two"))
    assert peopled.find_key(digest("one")) is None
    assert peopled.keys_of("bert", "session") == []


def test_keys_are_listed_by_account_and_kind_oldest_first(peopled: Catalogue) -> None:
    first, second = (peopled.add_key(key(name=name), digest(name)) for name in ("zz", "aa"))
    token = peopled.add_key(key(kind="token"), digest("token"))
    other = peopled.add_key(key("bert"), digest("other"))
    assert [one.id for one in peopled.keys_of("anna", "session")] == [first, second]
    assert [one.id for one in peopled.keys_of("anna", "token")] == [token]
    assert [(one.id, one.user) for one in peopled.keys_of("bert", "session")] == [(other, "bert")]
    assert peopled.keys_of("nobody", "session") == []


@pytest.mark.parametrize("expires", [None, at(90)])
def test_the_use_of_a_key_is_noted_with_its_new_end(peopled: Catalogue, expires: datetime | None) -> None:
    used, other = (peopled.add_key(key(expires=at(60)), digest(name)) for name in ("one", "two"))
    peopled.use_key(used, at(30), expires)
    found = {one.id: (one.used, one.expires) for one in peopled.keys_of("anna", "session")}
    assert found == {used: (at(30), expires), other: (None, at(60))}


def test_an_account_that_goes_takes_its_keys_and_leaves_what_it_did(peopled: Catalogue, path: Path) -> None:
    peopled.add_key(key(), digest("hers"))
    kept = peopled.add_key(key("bert"), digest("his"))
    peopled.note_accesses([access(1)])
    assert peopled.remove_account("anna")
    assert not peopled.remove_account("anna")
    assert peopled.accounts() == [BERT]
    assert peopled.find_key(digest("hers")) is None
    assert [one.id for one in peopled.keys_of("bert", "session")] == [kept]
    assert [one.user for one in peopled.accesses(9)] == ["anna"]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM keys").fetchone() == (1,)


def test_an_account_that_is_made_again_has_no_key_of_its_predecessor(peopled: Catalogue) -> None:
    id = peopled.add_key(key(), digest("old"))
    peopled.remove_account("anna")
    peopled.add_account(ANNA)
    assert peopled.keys_of("anna", "session") == []
    assert peopled.add_key(key(), digest("new")) > id


def test_a_key_is_removed_by_its_owner_and_as_what_it_is(peopled: Catalogue) -> None:
    id = peopled.add_key(key(kind="token"), digest("one"))
    for user, number, kind in (("bert", id, "token"), ("anna", id, "session"), ("nobody", id, "token")):
        assert not peopled.remove_key(user, number, kind)  # type: ignore[arg-type]  # two kinds of key
    for number in (0, -1, id + 1, 1 << 63, -(1 << 70)):
        assert not peopled.remove_key("anna", number, "token")
    assert peopled.find_key(digest("one")) is not None
    assert peopled.remove_key("anna", id, "token")
    assert peopled.find_key(digest("one")) is None


def test_all_keys_of_some_kinds_are_removed_but_one(peopled: Catalogue) -> None:
    sessions = [peopled.add_key(key(), digest(name)) for name in ("one", "two", "three")]
    peopled.add_key(key(kind="link"), digest("link"))
    peopled.add_key(key(kind="token"), digest("token"))
    peopled.add_key(key("bert"), digest("his"))
    assert peopled.remove_keys("anna", ("session", "link"), but=sessions[1]) == 3
    assert [one.id for one in peopled.keys_of("anna", "session")] == [sessions[1]]
    assert peopled.keys_of("anna", "link") == []
    assert len(peopled.keys_of("anna", "token")) == len(peopled.keys_of("bert", "session")) == 1
    assert peopled.remove_keys("anna", ["session"]) == 1
    assert peopled.remove_keys("anna", []) == 0


def test_keys_that_are_over_go_and_those_without_an_end_stay(peopled: Catalogue) -> None:
    for minute in (58, 59, 60, 61):
        peopled.add_key(key(name=str(minute), expires=at(minute)), digest(str(minute)))
    peopled.add_key(key(name="for ever"), digest("for ever"))
    assert peopled.remove_expired_keys(at(60)) == 3
    assert [one.name for one in peopled.keys_of("anna", "session")] == ["61", "for ever"]


def test_accesses_come_back_newest_first_as_they_were_noted(catalogue: Catalogue) -> None:
    bare = Access(at(3), "bert", "2001:db8::1", "login")
    catalogue.note_accesses([access(1), access(2)])
    catalogue.note_accesses([])
    catalogue.note_accesses([bare])
    found = catalogue.accesses(9)
    assert [replace(one, number=None) for one in found] == [bare, access(2), access(1)]
    assert [one.number for one in found] == [3, 2, 1]


def test_pages_of_accesses_leave_out_and_repeat_none(catalogue: Catalogue) -> None:
    catalogue.note_accesses([access(number) for number in range(1, 8)])
    pages, before = [], None
    while page := catalogue.accesses(3, before):
        pages.append([one.number for one in page])
        before = page[-1].number
        catalogue.note_accesses([access(100)])  # what comes meanwhile moves no page
    assert pages == [[7, 6, 5], [4, 3, 2], [1]]
    assert catalogue.accesses(3, 0) == []
    assert len(catalogue.accesses(99, 1 << 80)) == 10


def test_of_very_many_accesses_the_oldest_go(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MOST_ACCESSES", 10)
    monkeypatch.setattr(accounts, "_TRIM", 3)
    catalogue.note_accesses([access(number) for number in range(1, 14)])
    assert len(catalogue.accesses(99)) == 13, "as many as are waited for"
    catalogue.note_accesses([access(14)])
    assert [one.number for one in catalogue.accesses(99)] == list(range(14, 4, -1))
    catalogue.note_accesses([access(15)])
    assert len(catalogue.accesses(99)) == 11


def test_a_hundred_thousand_accesses_are_kept() -> None:
    assert accounts.MOST_ACCESSES == 100_000


def _write(path: Path, name: str) -> None:
    with Catalogue.open(path) as catalogue:
        for number in range(20):
            catalogue.add_account(Account(f"{name}{number}", "viewer", None, at(0)))
            catalogue.add_account(Account(f"both{number}", "viewer", None, at(0), name))
            catalogue.add_key(Key(f"{name}{number}", "token", name, at(0)), digest(f"{name}{number}"))
            catalogue.note_accesses([replace(access(number), user=name)] * 5)


def test_two_processes_write_and_nothing_is_lost(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, name)) for name in ("one", "two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert [writer.exitcode for writer in writers] == [0, 0]
    with Catalogue.open(path, readonly=True) as catalogue:
        assert len(catalogue.accounts()) == 60
        assert all(catalogue.find_key(digest(f"{name}{n}")) for name in ("one", "two") for n in range(20))
        noted = catalogue.accesses(999)
    assert [sum(one.user == name for one in noted) for name in ("one", "two")] == [100, 100]

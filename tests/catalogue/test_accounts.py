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
from nvr.errors import CatalogueError, LastAdminError
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


def test_a_change_stores_what_is_to_change_and_nothing_else(peopled: Catalogue) -> None:
    changed = replace(BERT, role="admin", cameras=None, password="$argon2id$bert")
    assert peopled.change_account("bert", {"role": "admin"}) == replace(BERT, role="admin")
    assert peopled.change_account("bert", {"cameras": None}) == replace(BERT, role="admin", cameras=None)
    assert peopled.change_account("bert", {"password": "$argon2id$bert"}) == changed
    assert peopled.change_account("bert", {}) == changed
    assert peopled.accounts() == [ANNA, changed]
    assert peopled.change_account("nobody", {"role": "admin"}) is None
    assert peopled.accounts() == [ANNA, changed]


def test_with_a_password_of_an_admin_sessions_and_links_end(peopled: Catalogue) -> None:
    kinds: tuple[KeyKind, ...] = ("session", "link", "token")
    for kind in kinds:
        peopled.add_key(key(kind=kind), digest(kind))
    peopled.add_key(key("bert"), digest("his"))
    peopled.change_account("anna", {"cameras": ("hik1",)})
    assert peopled.find_key(digest("session")) is not None
    peopled.change_account("anna", {"password": "$argon2id$new"})
    left = [each for each in ("session", "link", "token", "his") if peopled.find_key(digest(each))]
    assert left == ["token", "his"]


def test_ones_own_password_is_changed_only_where_it_is_still_the_old_one(peopled: Catalogue) -> None:
    own, other = (peopled.add_key(key(), digest(name)) for name in ("own", "other"))
    assert not peopled.change_password("anna", "$argon2id$elsewhere", "$argon2id$new", own)
    assert not peopled.change_password("nobody", "$argon2id$anna", "$argon2id$new", own)
    assert peopled.account("anna") == ANNA
    assert [one.id for one in peopled.keys_of("anna", "session")] == [own, other]
    assert peopled.change_password("anna", "$argon2id$anna", "$argon2id$new", own)
    assert peopled.account("anna") == replace(ANNA, password="$argon2id$new")
    assert [one.id for one in peopled.keys_of("anna", "session")] == [own]


def test_a_link_sets_a_password_once_and_in_time(peopled: Catalogue) -> None:
    peopled.add_key(key("bert", "link", expires=at(60)), digest("link"))
    peopled.add_key(key("bert", "token", expires=at(60)), digest("token"))
    assert peopled.use_link(digest("link"), "$argon2id$bert", at(60)) is None
    assert peopled.use_link(digest("token"), "$argon2id$bert", at(59)) is None
    assert peopled.account("bert") == BERT
    assert peopled.use_link(digest("link"), "$argon2id$bert", at(59)) == replace(BERT, password="$argon2id$bert")
    assert peopled.use_link(digest("link"), "$argon2id$again", at(59)) is None
    assert peopled.find_key(digest("token")) is not None


def test_an_admin_who_can_log_in_stays(peopled: Catalogue) -> None:
    peopled.add_account(Account("empty", "admin", None, at(2)))
    for attempt in (
        lambda: peopled.remove_account("anna"),
        lambda: peopled.change_account("anna", {"role": "viewer", "cameras": ()}),
    ):
        with pytest.raises(LastAdminError, match="anna is the last admin"):
            attempt()
    assert peopled.account("anna") == ANNA
    assert peopled.remove_account("empty")
    peopled.change_account("bert", {"role": "admin", "password": "$argon2id$bert"})
    assert peopled.remove_account("anna")


def test_of_admins_who_all_cannot_log_in_one_stays(catalogue: Catalogue) -> None:
    for name in ("one", "two"):
        catalogue.add_account(Account(name, "admin", None, at(0)))
    assert catalogue.remove_account("one")
    with pytest.raises(LastAdminError):
        catalogue.remove_account("two")


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
    peopled.change_account("bert", {"role": "admin", "password": "$argon2id$bert"})
    peopled.add_key(key(), digest("hers"))
    kept = peopled.add_key(key("bert"), digest("his"))
    peopled.note_accesses([access(1)])
    assert peopled.remove_account("anna")
    assert not peopled.remove_account("anna")
    assert [account.name for account in peopled.accounts()] == ["bert"]
    assert peopled.find_key(digest("hers")) is None
    assert [one.id for one in peopled.keys_of("bert", "session")] == [kept]
    assert [one.user for one in peopled.accesses(9)] == ["anna"]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM keys").fetchone() == (1,)


def test_an_account_that_is_made_again_has_no_key_of_its_predecessor(peopled: Catalogue) -> None:
    id = peopled.add_key(key("bert"), digest("old"))
    peopled.remove_account("bert")
    peopled.add_account(BERT)
    assert peopled.keys_of("bert", "session") == []
    assert peopled.add_key(key("bert"), digest("new")) > id


def test_a_key_is_removed_by_its_owner_and_as_what_it_is(peopled: Catalogue) -> None:
    id = peopled.add_key(key(kind="token"), digest("one"))
    for user, number, kind in (("bert", id, "token"), ("anna", id, "session"), ("nobody", id, "token")):
        assert not peopled.remove_key(user, number, kind)  # type: ignore[arg-type]  # two kinds of key
    for number in (0, -1, id + 1, 1 << 63, -(1 << 70)):
        assert not peopled.remove_key("anna", number, "token")
    assert peopled.find_key(digest("one")) is not None
    assert peopled.remove_key("anna", id, "token")
    assert peopled.find_key(digest("one")) is None


def test_links_of_an_account_are_removed_and_nothing_else(peopled: Catalogue) -> None:
    kinds: tuple[KeyKind, ...] = ("session", "link", "token")
    for kind in kinds:
        peopled.add_key(key(kind=kind), digest(kind))
    peopled.add_key(key("bert", "link"), digest("his"))
    peopled.remove_links("anna")
    assert [len(peopled.keys_of("anna", kind)) for kind in kinds] == [1, 0, 1]
    assert len(peopled.keys_of("bert", "link")) == 1


def test_who_logs_in_gets_a_session_and_what_is_over_goes(peopled: Catalogue) -> None:
    for second in (1, 2, 3):
        peopled.add_key(key("bert", "link", str(second), expires=at(second)), digest(str(second)))
    peopled.add_key(key("bert", name="for ever"), digest("for ever"))
    for name in ("a", "b", "c"):
        assert peopled.add_session(key(name=name, expires=at(60)), digest(name), "$argon2id$anna", 2)
    assert [one.name for one in peopled.keys_of("anna", "session")] == ["b", "c"]
    assert [one.name for one in peopled.keys_of("bert", "link")] == ["3"], "what expired before at(2) is gone"
    assert [one.name for one in peopled.keys_of("bert", "session")] == ["for ever"]


def test_a_password_that_was_changed_meanwhile_gives_no_session(peopled: Catalogue) -> None:
    peopled.change_account("anna", {"password": "$argon2id$new"})
    assert not peopled.add_session(key(), digest("one"), "$argon2id$anna", 2)
    assert not peopled.add_session(key("nobody"), digest("one"), "$argon2id$anna", 2)
    assert peopled.keys_of("anna", "session") == []


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

"""Accounts, as admins manage them, and what they learn of who looked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from nvr.model import Account
from tests.fakes.site import HASHED, PASSWORD, Site

NEW = {"name": "carla", "password": "long enough"}


def test_an_account_is_made_listed_and_may_log_in(site: Site, admin: httpx.Client) -> None:
    made = admin.post("users", json=NEW | {"cameras": ["hik1"]})
    assert made.status_code == 201
    assert made.json() | {"created": ""} == {
        "name": "carla",
        "role": "viewer",
        "cameras": ["hik1"],
        "created": "",
        "active": True,
    }
    assert [user["name"] for user in admin.get("users").json()] == ["admin", "bert", "carla"]
    logged_in = site.anybody().post("login", json=NEW)
    assert logged_in.json()["cameras"] == ["hik1"]


def test_what_is_wrong_with_a_new_account_is_said(admin: httpx.Client) -> None:
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"name": "a b"}, 422, "malformed"),
        ({"name": ""}, 422, "malformed"),
        ({"name": "bert"}, 409, "there_already"),
        ({"password": "short"}, 422, "bad_password"),
        ({"role": "owner"}, 422, "malformed"),
        ({"cameras": ["nope"]}, 422, "unknown_camera"),
    ]
    for change, status, code in wrong:
        answer = admin.post("users", json=NEW | change)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), change


def test_what_is_not_given_stays(admin: httpx.Client) -> None:
    changed = admin.patch("users/bert", json={"role": "admin"}).json()
    assert (changed["role"], changed["cameras"]) == ("admin", ["hik2"])
    assert admin.patch("users/bert", json={"cameras": None}).json()["cameras"] is None
    assert admin.patch("users/bert", json={"owner": True}).status_code == 422
    assert admin.patch("users/nobody", json={}).status_code == 404


def test_a_new_password_ends_the_sessions(site: Site, admin: httpx.Client, viewer: httpx.Client) -> None:
    assert admin.patch("users/bert", json={"password": "another one"}).status_code == 200
    assert viewer.get("me").status_code == 401
    assert site.anybody().post("login", json={"name": "bert", "password": PASSWORD}).status_code == 401


def test_the_last_admin_stays(admin: httpx.Client) -> None:
    for answer in (admin.delete("users/admin"), admin.patch("users/admin", json={"role": "viewer"})):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "last_admin")
    admin.patch("users/bert", json={"role": "admin"})
    assert admin.patch("users/admin", json={"role": "viewer"}).status_code == 200


def test_who_did_what_is_listed_newest_first_a_page_at_a_time(site: Site, admin: httpx.Client) -> None:
    audit = site.audit
    for number in range(5):
        audit.note("bert", "127.0.0.1", "video", f"cam{number}")
    audit.store()
    first = admin.get("audit?limit=3").json()
    rest = admin.get(f"audit?limit=3&before={first['next']}").json()
    entries = first["entries"] + rest["entries"]
    assert rest["next"] is None
    assert [entry["camera"] for entry in entries if entry["action"] == "video"] == [f"cam{n}" for n in (4, 3, 2, 1, 0)]
    assert {(entry["user"], entry["action"]) for entry in entries} == {("bert", "video"), ("admin", "login")}


def test_what_is_changed_meanwhile_is_not_written_back(
    site: Site, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hashing(password: str) -> str:
        with site.writing() as catalogue:
            catalogue.change_account("bert", {"role": "viewer", "cameras": ()})
        return HASHED

    with site.writing() as catalogue:
        catalogue.change_account("bert", {"role": "admin", "cameras": None})
    monkeypatch.setattr("nvr.web.users.hash_password", hashing)
    changed = admin.patch("users/bert", json={"password": "another one"}).json()
    assert (changed["role"], changed["cameras"]) == ("viewer", [])


def test_an_admin_who_cannot_log_in_is_none_that_is_left(site: Site, admin: httpx.Client) -> None:
    with site.writing() as catalogue:
        catalogue.add_account(Account("empty", "admin", None, datetime.now(UTC)))
    for answer in (admin.delete("users/admin"), admin.patch("users/admin", json={"role": "viewer"})):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "last_admin")
    assert admin.delete("users/empty").status_code == 204


def test_two_admins_who_remove_each_other_at_once_are_not_both_gone(site: Site, admin: httpx.Client) -> None:
    for _ in range(3):
        site.add_user("one", "admin")
        one = site.client("one")
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda way: way[0].delete(f"users/{way[1]}"), ((one, "admin"), (admin, "one"))))
        assert sorted(answer.status_code for answer in answers) in ([204, 401], [204, 403], [204, 409])
        with site.writing() as catalogue:
            [left] = [account.name for account in catalogue.accounts() if account.role == "admin"]
            if left == "one":
                site.add_user("admin", "admin")
                catalogue.remove_account("one")
                admin = site.client("admin")

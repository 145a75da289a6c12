"""Logging in and out, one-time links, one's own password and tokens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from nvr.catalogue.store import Catalogue
from nvr.credential import digest, hash_password
from nvr.model import Key
from nvr.web.access import COOKIE, CSRF
from nvr.web.throttle import ADDRESS
from tests.fakes.site import PASSWORD, Site

NEW = "a new password"


def code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


def test_a_login_gives_a_cookie_that_scripts_and_other_sites_do_not_get(site: Site) -> None:
    answer = site.anybody().post("login", json={"name": "admin", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json() | {"csrf": ""} == {"name": "admin", "role": "admin", "cameras": None, "csrf": ""}
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(COOKIE)
    for flag in ("httponly", "samesite=strict", "path=/"):
        assert flag in cookie
    assert answer.headers["cache-control"] == "no-store"


def test_who_is_logged_in_is_told_who_he_is(viewer: httpx.Client) -> None:
    me = viewer.get("me").json()
    assert (me["name"], me["role"], me["cameras"]) == ("bert", "viewer", ["hik2"])
    assert me["csrf"] == viewer.headers[CSRF]


@pytest.mark.parametrize(("name", "password"), [("admin", "wrong"), ("nobody", PASSWORD), ("admin", "")])
def test_a_wrong_login_does_not_tell_what_was_wrong(site: Site, name: str, password: str) -> None:
    answer = site.anybody().post("login", json={"name": name, "password": password})
    assert (answer.status_code, code(answer)) == (401, "wrong_login")
    assert answer.json()["error"]["message"] == "name or password is wrong"
    assert "set-cookie" not in answer.headers


def test_a_thousand_wrong_logins_are_refused_and_cost_little(site: Site) -> None:
    client = site.anybody()
    began = time.monotonic()
    answers = [client.post("login", json={"name": "admin", "password": f"wrong {n}"}) for n in range(1000)]
    more = (time.monotonic() - began) * 1e6 / ADDRESS.pause_us + 1
    looked_at = [answer.status_code for answer in answers].count(401)
    assert ADDRESS.tries <= looked_at <= ADDRESS.tries + more, "the bucket has room for one more every 30 s"
    refused = answers[-1]
    assert (refused.status_code, code(refused)) == (429, "too_many_tries")
    assert 0 < int(refused.headers["retry-after"]) <= 30
    right = client.post("login", json={"name": "admin", "password": PASSWORD})
    assert right.status_code == 429
    assert client.get(f"{site.url}/health").status_code == 200


def test_a_session_from_before_goes_on_while_logins_are_refused(site: Site, admin: httpx.Client) -> None:
    stranger = site.anybody()
    for _ in range(ADDRESS.tries + 1):
        stranger.post("login", json={"name": "admin", "password": "wrong"})
    assert admin.get("me").status_code == 200


def test_what_was_sent_as_a_password_is_not_echoed(site: Site) -> None:
    answer = site.anybody().post("login", json={"name": ["x"], "password": {"secret-thing": 1}})
    assert (answer.status_code, code(answer)) == (422, "malformed")
    assert "secret-thing" not in answer.text


def test_after_logging_out_the_session_is_worth_nothing(site: Site, admin: httpx.Client) -> None:
    secret = admin.cookies[COOKIE]
    assert admin.post("logout").status_code == 204
    again = site.anybody()
    again.cookies.set(COOKIE, secret)
    assert again.get("me").status_code == 401


def test_an_expired_session_has_to_log_in(site: Site) -> None:
    now = datetime.now(UTC)
    with site.writing() as catalogue:
        catalogue.add_key(Key("admin", "session", "", now - timedelta(days=40), now), digest("old"))
    client = site.anybody()
    client.cookies.set(COOKIE, "old")
    assert client.get("me").status_code == 401


def link(site: Site, expires: datetime) -> str:
    with site.writing() as catalogue:
        catalogue.add_key(Key("bert", "link", "", datetime.now(UTC), expires), digest("the-link"))
    return "the-link"


def test_a_link_sets_a_password_once(site: Site, viewer: httpx.Client) -> None:
    secret = link(site, datetime.now(UTC) + timedelta(hours=1))
    client = site.anybody()
    first = client.post("setup", json={"link": secret, "password": NEW})
    assert (first.status_code, first.json()["name"]) == (200, "bert")
    assert client.get("me").status_code == 200
    assert viewer.get("me").status_code == 401, "sessions of before have ended"
    second = site.anybody().post("setup", json={"link": secret, "password": "another one"})
    assert (second.status_code, code(second)) == (404, "unknown_link")
    assert site.anybody().post("login", json={"name": "bert", "password": NEW}).status_code == 200


def test_a_link_that_is_too_old_or_unknown_sets_nothing(site: Site) -> None:
    secret = link(site, datetime.now(UTC))
    for each in (secret, "never-made", ""):
        answer = site.anybody().post("setup", json={"link": each, "password": NEW})
        assert (answer.status_code, code(answer)) == (404, "unknown_link")


def test_a_link_is_not_used_up_by_a_password_that_is_too_short(site: Site) -> None:
    secret = link(site, datetime.now(UTC) + timedelta(hours=1))
    assert code(site.anybody().post("setup", json={"link": secret, "password": "short"})) == "bad_password"
    assert site.anybody().post("setup", json={"link": secret, "password": NEW}).status_code == 200


def test_a_new_password_ends_other_sessions_and_not_ones_own(site: Site, admin: httpx.Client) -> None:
    other = site.client("admin")
    wrong = admin.put("me/password", json={"old": "wrong", "new": NEW})
    assert (wrong.status_code, code(wrong)) == (401, "wrong_login")
    assert admin.put("me/password", json={"old": PASSWORD, "new": NEW}).status_code == 204
    assert admin.get("me").status_code == 200
    assert other.get("me").status_code == 401
    assert site.anybody().post("login", json={"name": "admin", "password": PASSWORD}).status_code == 401


def test_a_token_does_what_its_account_may_until_it_is_removed(site: Site, viewer: httpx.Client) -> None:
    made = viewer.post("tokens", json={"name": "script"}).json()
    program = site.anybody()
    program.headers["Authorization"] = f"Bearer {made['token']}"
    assert program.get("me").json()["name"] == "bert"
    assert [camera["camera"] for camera in program.get("cameras").json()] == ["hik2"]
    [listed] = viewer.get("tokens").json()
    assert listed["name"] == "script"
    assert "token" not in listed
    assert made["token"].encode() not in site.database.read_bytes()
    assert viewer.delete(f"tokens/{made['id']}").status_code == 204
    assert program.get("me").status_code == 401


def test_a_token_s_name_is_one_line_of_text(admin: httpx.Client) -> None:
    for name in ("", "a\0b", "a\x1b[31m", "x" * 65):
        assert admin.post("tokens", json={"name": name}).status_code == 422


def test_a_token_of_somebody_else_is_not_there(site: Site, admin: httpx.Client, viewer: httpx.Client) -> None:
    made = admin.post("tokens", json={"name": "mine"}).json()
    assert viewer.get("tokens").json() == []
    answer = viewer.delete(f"tokens/{made['id']}")
    assert (answer.status_code, code(answer)) == (404, "unknown_token")
    assert len(admin.get("tokens").json()) == 1


def test_the_oldest_sessions_go_when_there_are_very_many(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nvr.web.login.MOST_KEYS", 3)
    clients = [site.client("admin") for _ in range(5)]
    assert [client.get("me").status_code for client in clients] == [401, 401, 200, 200, 200]


def checking(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """Let something happen while a password is being hashed, which takes as long as a request."""

    def hashing(password: str) -> str:
        meanwhile()
        return hash_password(password)

    monkeypatch.setattr("nvr.web.login.hash_password", hashing)


def test_a_new_password_does_not_undo_what_an_admin_does_meanwhile(
    site: Site, viewer: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def demote() -> None:
        with site.writing() as catalogue:
            catalogue.change_account("bert", {"role": "viewer", "cameras": ()})

    with site.writing() as catalogue:
        catalogue.change_account("bert", {"role": "admin", "cameras": None})
    checking(monkeypatch, demote)
    assert viewer.put("me/password", json={"old": PASSWORD, "new": NEW}).status_code == 204
    me = viewer.get("me").json()
    assert (me["role"], me["cameras"]) == ("viewer", [])


def test_a_link_does_not_undo_what_an_admin_does_meanwhile(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def demote() -> None:
        with site.writing() as catalogue:
            catalogue.change_account("bert", {"cameras": ()})

    checking(monkeypatch, demote)
    secret = link(site, datetime.now(UTC) + timedelta(hours=1))
    assert site.anybody().post("setup", json={"link": secret, "password": NEW}).json()["cameras"] == []


def test_a_password_that_an_admin_sets_meanwhile_stays(
    site: Site, viewer: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reset() -> None:
        with site.writing() as catalogue:
            catalogue.change_account("bert", {"password": hash_password("from the admin")})

    checking(monkeypatch, reset)
    answer = viewer.put("me/password", json={"old": PASSWORD, "new": NEW})
    assert (answer.status_code, code(answer)) == (401, "wrong_login")
    assert site.anybody().post("login", json={"name": "bert", "password": "from the admin"}).status_code == 200


def test_the_catalogue_is_not_opened_by_who_serves_everybody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()
    usual = site.state.catalogue

    def noted() -> Catalogue:
        threads.add(threading.current_thread().name)
        return usual()

    monkeypatch.setattr(site.state, "catalogue", noted)
    site.client("admin").get("me")
    assert threads
    assert "site" not in threads

"""How a device is logged in to: asked first, with the strongest that both know, and no password wasted."""

from __future__ import annotations

import logging

import httpx
import pytest

from nvr.isapi.login import Login, offers
from tests.fakes.isapi import PASSWORD, USER, Answer, FakeDevice

OK = Answer("200 OK", b"in")


def ask(device: FakeDevice, login: Login) -> httpx.Response:
    with httpx.Client(auth=login, trust_env=False, timeout=5) as client:
        return client.get(f"http://127.0.0.1:{device.port}/ISAPI/Event/notification/alertStream")


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (["MD5"], "algorithm=MD5"),
        (["SHA-256"], "algorithm=SHA-256"),
        (["MD5", "SHA-256"], "algorithm=SHA-256"),
        (["SHA-256", "MD5"], "algorithm=SHA-256"),
        (["Basic", "MD5"], "Digest"),
        (["MD5", "Basic"], "Digest"),
        (["Basic"], "Basic"),
    ],
)
def test_the_strongest_login_is_taken_at_the_first_try(offered: list[str], taken: str) -> None:
    with FakeDevice(OK, offers=offered) as device:
        login = Login(USER, PASSWORD)
        assert ask(device, login).content == b"in"
        assert [header != "" for _, header in device.requests] == [False, True]
        assert taken in device.requests[1][1]
        assert device.refused == 0
        assert login.sent


def test_nothing_is_sent_that_is_not_asked_for() -> None:
    with FakeDevice(OK, offers=()) as device:
        login = Login(USER, PASSWORD)
        assert ask(device, login).content == b"in"
        assert device.requests == [("/ISAPI/Event/notification/alertStream", "")]
        assert not login.sent


def test_a_wrong_password_is_sent_once() -> None:
    with FakeDevice(OK) as device:
        assert ask(device, Login(USER, "wrong")).status_code == 401
        assert (len(device.requests), device.refused) == (2, 1)


def test_a_nonce_that_is_too_old_is_replaced_once() -> None:
    with FakeDevice(OK, stale=1) as device:
        assert ask(device, Login(USER, PASSWORD)).content == b"in"
        assert (len(device.requests), device.refused) == (3, 0)
    with FakeDevice(OK, stale=100) as device:
        assert ask(device, Login(USER, PASSWORD)).status_code == 401
        assert len(device.requests) == 3


def test_without_a_user_nothing_is_tried() -> None:
    with FakeDevice(OK) as device:
        login = Login(None, None)
        assert ask(device, login).status_code == 401
        assert len(device.requests) == 1
        assert login.offers[0].startswith("Digest")


def test_a_password_in_plain_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with FakeDevice(OK, offers=["Basic"]) as device:
        login = Login(USER, PASSWORD)
        for _ in range(3):
            assert ask(device, login).content == b"in"
    warnings = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings == ["127.0.0.1 offers nothing but Basic: the password goes over the network in plain"]
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (['Digest realm="a, Basic b", nonce="c"'], ['Digest realm="a, Basic b", nonce="c"']),
        (['Basic realm="a", Digest realm="b", nonce="c"'], ['Basic realm="a"', 'Digest realm="b", nonce="c"']),
        (['DIGEST realm="b"', "basic"], ['DIGEST realm="b"', "basic"]),
        ([], []),
    ],
)
def test_offers_are_told_apart(headers: list[str], found: list[str]) -> None:
    response = httpx.Response(401, headers=[("WWW-Authenticate", header) for header in headers])
    assert offers(response) == found


def test_a_digest_that_nobody_knows_is_not_replaced_by_basic() -> None:
    flow = Login(USER, PASSWORD).auth_flow(request := httpx.Request("GET", "http://device/"))
    next(flow)
    headers = [("WWW-Authenticate", 'Digest realm="a", nonce="b", algorithm=FOO'), ("WWW-Authenticate", "Basic")]
    with pytest.raises(StopIteration):
        flow.send(httpx.Response(401, headers=headers, request=request))

"""Limits on what is sent, headers on what is answered, and no traceback."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from nvr.web import guard
from nvr.web.guard import MOST_BODY, Guard
from tests.fakes.site import Site
from tests.fakes.station import WAIT_S


def test_every_answer_has_the_headers_that_keep_a_page_safe(site: Site, admin: httpx.Client) -> None:
    for answer in (
        admin.get("me"),
        admin.get("nothing"),
        *(httpx.get(f"{site.url}/{path}", timeout=WAIT_S) for path in ("", "health")),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers


def test_a_body_that_is_too_large_is_refused(admin: httpx.Client) -> None:
    answer = admin.post("exports", content=b"x" * (MOST_BODY + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_body_of_untold_length_is_refused_once_it_is_too_large(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S) as client:
        client.sendall(b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(MOST_BODY // 65536 + 1):
            client.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        client.sendall(b"0\r\n\r\n")
        assert b" 413 " in client.recv(65536)


def test_a_body_that_does_not_come_is_waited_for_a_while(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_S", 0.3)
    with socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S) as client:
        client.sendall(b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert b" 408 " in answer
    assert b"too_slow" in answer


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"name": 1}', b"[" * 10_000])
def test_a_body_that_is_no_login_is_refused(site: Site, body: bytes) -> None:
    kind = {"Content-Type": "application/json"}
    answer = httpx.post(f"{site.url}/api/v1/login", content=body, headers=kind, timeout=WAIT_S)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["code"] == "malformed"


def ask(app: object) -> list[Message]:
    """One request to an application within the guard."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(Guard(app, secure=True)(scope, receive, send))  # type: ignore[arg-type]
    return sent


def test_a_bug_is_told_as_one_and_leaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("the secret")

    start, body = ask(broken)
    assert start["status"] == 500
    assert json.loads(body["body"])["error"]["code"] == "bug"
    assert b"secret" not in body["body"]
    assert "KeyError" in caplog.text


def test_a_bug_in_the_middle_of_an_answer_begins_no_second_one() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        raise KeyError

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async for part in parts():
            await send({"type": "http.response.body", "body": part, "more_body": True})

    assert [message["type"] for message in ask(broken)] == ["http.response.start", "http.response.body"]


def test_over_tls_browsers_are_told_to_stay_with_it() -> None:
    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    [start] = ask(plain)
    assert b"strict-transport-security" in dict(start["headers"])

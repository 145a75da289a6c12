"""Connections that say or take nothing, and requests that are none: each ends, and nobody else notices."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx
import pytest

from nvr.web import protocol
from tests.fakes.site import Past, Site
from tests.fakes.station import WAIT_S

REQUEST = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


def ask(site: Site, data: bytes) -> bytes:
    """What is answered until the connection is closed."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S) as client:
        client.sendall(data)
        answer = b""
        try:
            while got := client.recv(65536):
                answer += got
        except ConnectionResetError:
            pass
    return answer


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", 0.3)
    monkeypatch.setattr(protocol, "STUCK_S", 0.3)


def test_who_says_nothing_is_cut_off(quick: None, site: Site) -> None:
    assert ask(site, b"") == b""


def test_who_says_a_letter_at_a_time_is_cut_off(quick: None, site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S) as client, pytest.raises(ConnectionError):
        _say_slowly(client)


def test_a_second_request_of_a_connection_has_to_come_as_well(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert httpx.get(f"{site.url}/health", timeout=WAIT_S).status_code == 200, "what is done once is done"
    monkeypatch.setattr(protocol, "HEAD_S", 1.5)
    answer = ask(site, REQUEST + b"GET /hea")
    assert answer.count(b"HTTP/1.1 200") == 1


def test_many_slow_clients_keep_nobody_out(site: Site) -> None:
    slow = [socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S) for _ in range(100)]
    for client in slow:
        client.sendall(b"GET / HTTP/1.1\r\nX: ")
    assert httpx.get(f"{site.url}/health", timeout=WAIT_S).status_code == 200
    for client in slow:
        client.close()


def test_too_many_connections_are_told_to_come_later(site: Site) -> None:
    kept = []
    for _ in range(210):
        client = socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S)
        kept.append(client)
    assert httpx.get(f"{site.url}/health", timeout=WAIT_S).status_code in (200, 503)
    for client in kept:
        client.close()


def test_a_head_that_is_too_large_is_refused(site: Site) -> None:
    assert b" 400 " in ask(site, b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"HELLO\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0" * 1000,
        b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(site: Site, data: bytes) -> None:
    answer = ask(site, data)
    assert answer == b"" or b" 400 " in answer
    assert httpx.get(f"{site.url}/health", timeout=WAIT_S).status_code == 200


def test_who_takes_nothing_of_a_download_is_cut_off(
    quick: None, site: Site, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = threading.Event()
    forget = protocol.Http.connection_lost

    def connection_lost(self: protocol.Http, error: Exception | None) -> None:
        forget(self, error)
        lost.set()

    monkeypatch.setattr(protocol.Http, "connection_lost", connection_lost)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(WAIT_S)
        client.connect(("127.0.0.1", site.port))
        head = f"Authorization: Bearer {site.token()}\r\nHost: x\r\n\r\n"
        path = "/api/v1/cameras/hik1/video.mp4?from=1h"
        client.sendall(f"GET {path} HTTP/1.1\r\n{head}".encode() * 8)
        assert lost.wait(WAIT_S), "it is still served"
        taken = _rest(client.recv)
    assert taken.count(b"HTTP/1.1 200") < 8


def _say_slowly(client: socket.socket) -> None:
    for letter in b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100:
        client.sendall(bytes([letter]))
        time.sleep(0.01)


def _rest(receive: Callable[[int], bytes]) -> bytes:
    answer = b""
    try:
        while got := receive(1 << 20):
            answer += got
    except OSError:
        pass
    return answer


def test_who_takes_it_slowly_is_served_to_the_end(site: Site, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "STUCK_S", 3)
    token = {"Authorization": f"Bearer {site.token()}"}
    url = f"{site.url}/api/v1/cameras/hik1/video.mp4?from=1h"
    whole = httpx.get(url, headers=token, timeout=WAIT_S).content
    got = 0
    with httpx.stream("GET", url, headers=token, timeout=WAIT_S) as answer:
        for part in answer.iter_raw(len(whole) // 10):
            got += len(part)
            time.sleep(0.4)
    assert got == len(whole)


def idle(site: Site, address: str, number: int) -> list[socket.socket]:
    return [socket.create_connection(("127.0.0.1", site.port), 5, (address, 0)) for _ in range(number)]


def is_open(client: socket.socket) -> bool:
    try:
        client.sendall(REQUEST)
        return client.recv(65536).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def test_one_address_does_not_take_the_connections_of_everybody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MOST_OF_ONE", 5)
    with ExitStack() as stack:
        clients = [stack.enter_context(client) for client in idle(site, "127.0.0.2", 8)]
        assert [is_open(client) for client in clients] == [True] * 5 + [False] * 3
        [other] = idle(site, "127.0.0.3", 1)
        assert is_open(stack.enter_context(other))
        clients[0].close()
        [again] = idle(site, "127.0.0.2", 1)
        assert is_open(stack.enter_context(again)), "a place that is left is free"
        behind = [stack.enter_context(client) for client in idle(site, "127.0.0.1", 8)]
        assert all(is_open(client) for client in behind), "a proxy on this machine is everybody"

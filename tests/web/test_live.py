"""Live video over WebSocket, to a real client."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from nvr import layout
from nvr.clock import from_us
from nvr.web import live
from tests.fakes.archive import shown
from tests.fakes.live import Camera
from tests.fakes.site import Site, until
from tests.fakes.station import WAIT_S


@pytest.fixture
def camera(site: Site, tape: Path) -> Iterator[Camera]:
    with Camera(layout.ring_path(site.run, "hik1", "main"), tape) as sending:
        yield sending


def watch(site: Site, path: str = "hik1/live?stream=main") -> ClientConnection:
    headers = {"Authorization": f"Bearer {site.token()}"}
    url = f"ws://127.0.0.1:{site.port}/api/v1/cameras/{path}"
    return connect(url, additional_headers=headers, open_timeout=WAIT_S)


def message(viewer: ClientConnection) -> dict[str, Any] | bytes:
    got = viewer.recv(timeout=WAIT_S)
    if isinstance(got, bytes):
        return got
    told: dict[str, Any] = json.loads(got)
    return told


def test_a_viewer_gets_a_film_that_plays(site: Site, camera: Camera, tmp_path: Path) -> None:
    camera.send(40)
    with watch(site) as viewer:
        told = message(viewer)
        assert isinstance(told, dict)
        assert (told["type"], told["codec"], told["width"], told["height"]) == ("format", "h264", 320, 180)
        assert told["mime"].startswith('video/mp4; codecs="avc1.')
        film = b""
        while film.count(b"moof") < 39:
            camera.send(5)
            got = message(viewer)
            assert isinstance(got, bytes)
            film += got
    path = tmp_path / "film.mp4"
    path.write_bytes(film)
    found = shown(path)
    assert [one.number for one in found] == list(range(25, 25 + len(found)))
    origin = datetime.fromisoformat(told["origin"])
    assert origin == from_us(1_795_439_100_000_000 + 25 * 40_000), "media time 0 is the first picture's instant"
    assert [one.at_us for one in found] == [number * 40_000 for number in range(len(found))]


def test_two_viewers_get_the_same(site: Site, camera: Camera) -> None:
    camera.send(30)
    with watch(site) as one, watch(site) as other:
        opening = [(message(viewer), message(viewer)) for viewer in (one, other)]
        assert opening[0] == opening[1]


def test_what_there_is_not_is_said_and_the_connection_stays(site: Site, camera: Camera) -> None:
    with watch(site, "hik1/live?stream=sub") as viewer:
        told = message(viewer)
        assert told == {"type": "waiting", "reason": "the camera sends nothing at the moment"}
        with pytest.raises(TimeoutError):
            viewer.recv(timeout=0.2)


@pytest.mark.parametrize(
    ("path", "code"),
    [("never/live", 4404), ("hik2/live", 4404)],
)
def test_what_cannot_be_watched_is_closed_with_a_reason(site: Site, path: str, code: int) -> None:
    with watch(site, path) as viewer:
        with pytest.raises(ConnectionClosed) as raised:
            viewer.recv(timeout=WAIT_S)
        assert raised.value.rcvd is not None
        assert raised.value.rcvd.code == code


def test_a_catalogue_that_is_gone_is_a_reason_to_try_again(site: Site) -> None:
    headers = {"Authorization": f"Bearer {site.token()}"}
    url = f"ws://127.0.0.1:{site.port}/api/v1/cameras/hik1/live"
    aside = site.database.rename(site.database.with_suffix(".aside"))
    try:
        with connect(url, additional_headers=headers, open_timeout=WAIT_S) as viewer:
            with pytest.raises(ConnectionClosed) as raised:
                viewer.recv(timeout=WAIT_S)
            assert raised.value.rcvd is not None
            assert raised.value.rcvd.code == 1013
    finally:
        aside.rename(site.database)


def test_a_stranger_and_a_page_of_another_site_see_nothing(site: Site, viewer: httpx.Client) -> None:
    cookie = {"Cookie": f"nvr_session={viewer.cookies['nvr_session']}"}
    url = f"ws://127.0.0.1:{site.port}/api/v1/cameras/hik1/live"
    for headers, code in (({}, 4401), (cookie, 4404), (cookie | {"Origin": "https://example.org"}, 4403)):
        with connect(url, additional_headers=headers) as connection:
            with pytest.raises(ConnectionClosed) as raised:
                connection.recv(timeout=WAIT_S)
            assert raised.value.rcvd is not None
            assert raised.value.rcvd.code == code


def test_a_malformed_stream_is_refused(site: Site) -> None:
    with pytest.raises((InvalidStatus, ConnectionClosed)), watch(site, "hik1/live?stream=odd") as viewer:
        viewer.recv(timeout=WAIT_S)


def test_there_is_an_end_to_viewers(site: Site, camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_VIEWERS", 1)
    channel = site.app.state.channels.get("hik1", "main")
    with watch(site):
        until(lambda: channel.watchers == 1, "the first one")
        with watch(site) as second, pytest.raises(ConnectionClosed) as raised:
            second.recv(timeout=WAIT_S)
        assert raised.value.rcvd is not None
        assert raised.value.rcvd.code == 4429


def test_a_viewer_that_never_reads_is_cut_off_and_hurts_nobody(
    site: Site, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nvr.web.protocol.STUCK_S", 2)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", site.port))
    head = "GET /api/v1/cameras/hik1/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    deaf.sendall(f"{head}{key}Authorization: Bearer {site.token()}\r\n\r\n".encode())
    channel = site.app.state.channels.get("hik1", "main")
    until(lambda: channel.watchers == 1, "the deaf viewer")
    with watch(site) as good:
        until(lambda: channel.watchers == 2, "both of them")
        done = threading.Event()
        got: list[int] = []

        def read() -> None:
            while not done.is_set():
                try:
                    got.append(len(good.recv(timeout=1)))
                except TimeoutError:
                    continue
                except ConnectionClosed:
                    return

        reader = threading.Thread(target=read)
        reader.start()

        def is_gone() -> bool:
            camera.send(25)
            return bool(channel.watchers == 1)

        until(is_gone, "the deaf viewer was cut off")
        until(lambda: sum(got) > 10_000, "the other one is served")
        done.set()
        reader.join(WAIT_S)
    deaf.close()


def test_a_viewer_that_leaves_is_forgotten(site: Site, camera: Camera) -> None:
    channel = site.app.state.channels.get("hik1", "main")
    with watch(site):
        until(lambda: channel.watchers == 1, "it watches")
    until(lambda: channel.watchers == 0, "it has left")


def test_what_a_viewer_sends_is_passed_over_and_bounded(site: Site, camera: Camera) -> None:
    camera.send(1)
    with watch(site) as viewer:
        viewer.send("hello")
        viewer.send(b"\0" * 1000)
        assert isinstance(message(viewer), dict)
    with watch(site) as viewer:
        viewer.send(b"\0" * (1 << 20))
        with pytest.raises(ConnectionClosed):
            list(viewer)

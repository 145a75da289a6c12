"""What goes out of recorded video while it is being sent: its times, its limits, its end."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from starlette.types import Message

from nvr.clock import EPOCH
from nvr.media import excerpt as excerpts
from nvr.media.excerpt import Excerpt
from nvr.media.instant import shown_at
from nvr.web import sending, video
from nvr.web.refusal import CutShort, Refusal
from nvr.web.sending import MOST_OF_ONE, MOST_SENT, Place, Span, StoredFile, take_place
from tests.fakes.archive import shown
from tests.fakes.site import Past, Site, until

SECOND = timedelta(seconds=1)
GET = {"type": "http", "method": "GET", "headers": []}


def at(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def span(past: Past, start: float, end: float) -> dict[str, str]:
    return {"from": at(past.start + start * SECOND), "to": at(past.start + end * SECOND)}


@pytest.mark.parametrize("start", [0, 3.5, 4.96, 6.3])
def test_a_download_without_an_origin_plays_from_its_first_picture_on(
    admin: httpx.Client, past: Past, tmp_path: Path, start: float
) -> None:
    """As the page asks for an event's: from between two key frames."""
    answer = admin.get("cameras/hik1/video.mp4", params=span(past, start, 9) | {"download": "1"})
    assert answer.headers["x-nvr-start"] == at(past.start + int(start) * SECOND)[:19] + ".000000Z"
    file = tmp_path / "got.mp4"
    file.write_bytes(answer.content)
    pictures = shown(file)
    first = 25 * int(start)
    assert [picture.number for picture in pictures] == list(range(first, first + len(pictures)))
    assert pictures[-1].number is not None
    assert pictures[-1].number >= 9 * 25 - 1
    assert [picture.at_us for picture in pictures] == pytest.approx([40_000 * n for n in range(len(pictures))], abs=80)
    with av.open(str(file)) as container:
        packets = [each for each in container.demux(video=0) if each.size]
    assert [(each.dts or 0) * (each.time_base or 0) for each in packets] == pytest.approx(
        [n / 25 for n in range(len(packets))], abs=1e-4
    )
    assert {round((each.duration or 0) * (each.time_base or 0) * 1000) for each in packets} == {40}


def test_one_account_does_not_take_all_places() -> None:
    taken: set[Place] = set()
    mine = [take_place(taken, "bert") for _ in range(MOST_OF_ONE)]
    with pytest.raises(Refusal, match="to this account already"):
        take_place(taken, "bert")
    for number in range(MOST_SENT - MOST_OF_ONE):
        take_place(taken, f"account {number}")
    with pytest.raises(Refusal, match=f"{MOST_SENT} spans are being sent already"):
        take_place(taken, "carla")
    mine[0].give_back()
    mine[0].give_back()
    take_place(taken, "carla")
    assert len(taken) == MOST_SENT


def test_a_place_is_taken_before_anything_is_looked_for(
    site: Site, admin: httpx.Client, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else all who come within the same moment find one that is free."""
    monkeypatch.setattr(sending, "MOST_OF_ONE", 2)
    library, go = site.app.state.library, threading.Event()
    find = library.segments
    monkeypatch.setattr(library, "segments", lambda *args: go.wait(20) and find(*args))
    token, codes = site.token(), list[int]()

    def ask() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=admin.base_url, headers=headers, timeout=20) as client:
            codes.append(client.get("cameras/hik1/video.mp4", params=span(past, 0, 9)).status_code)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    until(lambda: len(codes) == 3, "three are refused")
    assert codes == [429, 429, 429]
    go.set()
    for thread in threads:
        thread.join(20)
    assert codes[3:] == [200, 200]
    until(lambda: not site.app.state.sending, "places are given back")


def test_places_are_given_back_whatever_comes_of_it(site: Site, admin: httpx.Client, past: Past) -> None:
    assert admin.get("cameras/hik1/video.mp4", params=span(past, -60, -30)).status_code == 404
    assert admin.get("cameras/hik1/video.mp4", params=span(past, 5, 3)).status_code == 422
    assert admin.head("cameras/hik1/video.mp4", params=span(past, 0, 9)).status_code == 200
    with admin.stream("GET", "cameras/hik1/video.mp4", params=span(past, 0, 20)) as answer:
        next(answer.iter_raw(100))
    until(lambda: not site.app.state.sending, "places are given back")


def test_a_download_ends_once_its_account_is_gone(
    site: Site, admin: httpx.Client, past: Past, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the client takes nothing just then."""
    monkeypatch.setattr(sending, "AGAIN_S", 0.1)
    monkeypatch.setattr(excerpts, "CHUNK", 4096)
    site.add_user("carla")
    params = "&".join(f"{key}={value}" for key, value in span(past, 0, 27).items())
    head = f"GET /api/v1/cameras/hik1/video.mp4?{params} HTTP/1.1\r\nHost: x\r\n"
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", site.port))
        client.settimeout(20)
        client.sendall(f"{head}Authorization: Bearer {site.token('carla')}\r\n\r\n".encode())
        assert client.recv(12) == b"HTTP/1.1 200"
        until(lambda: len(site.app.state.sending) == 1, "it is being sent")
        assert admin.delete("users/carla").status_code == 204
        until(lambda: not site.app.state.sending, "it has ended")
    until(lambda: "its account may not see that camera any longer" in caplog.text, "why it ended")
    assert "bug" not in caplog.text


def test_a_download_goes_on_while_its_account_may_see_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "AGAIN_S", 0.01)
    asked, sent = list[int](), list[Message]()

    async def stays() -> bool:
        asked.append(1)
        return len(asked) < 5

    async def stall(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    with pytest.raises(CutShort, match="any longer"):
        asyncio.run(_answer(Span(Path(), excerpt_of(b"init"), {}, take_place(set(), "bert"), stays), stall))
    assert (len(asked), len(sent)) == (5, 2)


def excerpt_of(init: bytes) -> Excerpt:
    return Excerpt("video/mp4", init, EPOCH, EPOCH)


async def _answer(answer: Span | StoredFile, send: Callable[[Message], object], range: str = "") -> None:
    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def passed(message: Message) -> None:
        told = send(message)
        if asyncio.iscoroutine(told):
            await told

    await answer({**GET, "headers": [(b"range", range.encode())] if range else []}, receive, passed)


def taken(answer: StoredFile, range: str = "", meanwhile: Callable[[], object] = lambda: None) -> tuple[int, bytes]:
    """Status and body of an answer; ``meanwhile`` happens once its head is sent. Never more than its length says."""
    status, length, body = 0, 0, bytearray()

    def send(message: Message) -> None:
        nonlocal status, length
        if message["type"] == "http.response.start":
            status, length = message["status"], int(dict(message["headers"])[b"content-length"])
            meanwhile()
        else:
            assert not body or len(body) < length, "nothing comes behind the end"
            body.extend(message["body"])
            assert message["more_body"] == (len(body) < length)

    asyncio.run(_answer(answer, send, range))
    assert len(body) == length
    return status, bytes(body)


@pytest.mark.parametrize("size", [0, 1, 65_536, 200_000])
def test_of_a_file_that_grows_what_was_there_is_sent(tmp_path: Path, size: int) -> None:
    file = tmp_path / "a.mp4.part"
    whole = bytes(range(256)) * 800
    file.write_bytes(whole[:size])

    def grow() -> None:
        with file.open("ab") as opened:
            opened.write(b"x" * 300_000)

    answer = StoredFile(file, headers={"Cache-Control": "private, max-age=3600"})
    assert taken(answer, "", grow) == (200, whole[:size])
    assert answer.headers["cache-control"] == "no-store"


def test_parts_of_a_file_are_sent(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(bytes(range(256)) * 800)
    answer = StoredFile(file, headers={"Cache-Control": "private, max-age=3600"})
    assert taken(answer, "bytes=10-19") == (206, bytes(range(10, 20)))
    assert answer.headers["cache-control"] == "private, max-age=3600"
    status, body = taken(StoredFile(file), "bytes=0-1,5-6")
    assert (status, b"\r\n\r\n\5\6\r\n" in body) == (206, True)


@pytest.mark.parametrize("range", ["", "bytes=0-99999", "bytes=0-5,80000-99999"])
@pytest.mark.parametrize("change", ["gone", "shorter"])
def test_a_file_that_goes_while_it_is_being_sent_cuts_it_short(tmp_path: Path, change: str, range: str) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(bytes(100_000))
    change_it = file.unlink if change == "gone" else lambda: file.write_bytes(b"x")
    with pytest.raises(CutShort):
        taken(StoredFile(file), range, change_it)


def test_a_file_that_is_closed_meanwhile_is_found_by_its_new_name(tmp_path: Path) -> None:
    part = tmp_path / "a.mp4.part"
    answer = StoredFile(part, headers={"Cache-Control": "private, max-age=3600"})
    (tmp_path / "a.mp4").write_bytes(b"whole")
    assert taken(answer) == (200, b"whole")
    assert answer.headers["cache-control"] == "private, max-age=3600"


def test_a_file_that_was_deleted_is_not_found(
    site: Site, admin: httpx.Client, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also between the look and the sending."""
    [first, *_] = sorted((site.storage / "segments/hik1").rglob("*.mp4"))
    path = f"cameras/hik1/files/{first.parent.name}/{first.name.replace('+', '%2B')}"
    note = site.app.state.audit.note

    def deleted(*args: object) -> None:
        first.unlink(missing_ok=True)
        note(*args)

    monkeypatch.setattr(site.app.state.audit, "note", deleted)
    for _ in range(2):
        answer = admin.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_file")


def test_ranges_that_cannot_be_are_refused_as_all_else(site: Site, admin: httpx.Client, past: Past) -> None:
    """In whatever company."""
    [first, *_] = sorted((site.storage / "segments/hik1").rglob("*.mp4"))
    path = f"cameras/hik1/files/{first.parent.name}/{first.name.replace('+', '%2B')}"
    for odd in (
        "bytes=0-1,99999999-",
        "bytes=0-1,-0",
        "bytes=5-6,9-8",
        "bytes=0-1,x",
        "bytes=0-" + "1" * 5000,
        "bytes=",
    ):
        answer = admin.get(path, headers={"Range": odd})
        assert (answer.status_code, answer.json()["error"]["code"]) == (416, "range"), odd
    assert admin.get(path, headers={"Range": "bytes=0-1,4-5"}).status_code == 206


@pytest.mark.parametrize("path", ["0001-01-01/00-00-00.000%2B1400.mp4", "9999-12-31/23-59-59.999-1400.mp4"])
def test_a_name_outside_of_the_calendar_is_not_found(admin: httpx.Client, path: str) -> None:
    answer = admin.get(f"cameras/hik1/files/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_file")


def test_a_picture_is_kept_only_where_its_address_goes_on_to_mean_it(admin: httpx.Client, past: Past) -> None:
    """An age means another picture a second later; and of now the next may not be there yet."""
    instant = past.start + SECOND
    ago = (datetime.now(UTC) - instant).total_seconds()
    for when, kept in ((at(instant), True), (f"{ago:.0f}s", False)):
        answer = admin.get("cameras/hik1/picture.jpg", params={"at": when})
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == ("private, max-age=300" if kept else "private, no-store"), when


def test_a_picture_just_recorded_is_not_kept(site: Site, admin: httpx.Client, tape: Path) -> None:
    past = site.record(tape, ago=30 * SECOND)
    answer = admin.get("cameras/hik1/picture.jpg", params={"at": at(past.start + SECOND)})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")


def test_pictures_that_nobody_waits_for_are_not_decoded(
    site: Site, admin: httpx.Client, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, go = list[int](), threading.Event()

    def slowly(*args: Any, **options: Any) -> Any:
        looks.append(1)
        go.wait(20)
        return shown_at(*args, **options)

    monkeypatch.setattr("nvr.web.video.shown_at", slowly)
    head = f"GET /api/v1/cameras/hik1/picture.jpg?at={at(past.start + SECOND)} HTTP/1.1\r\nHost: x\r\n"
    asking = f"{head}Authorization: Bearer {site.token()}\r\n\r\n".encode()
    clients = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(12)]
    for client in clients:
        client.sendall(asking)
    until(lambda: len(looks) == video.LOOKING, "all that may are looking")
    until(lambda: len(site.app.state.looking._waiters or ()) == len(clients) - video.LOOKING, "the others wait")
    for client in clients:
        client.close()
    assert admin.get("me").status_code == 200, "their end was noticed meanwhile"
    go.set()
    assert admin.get("cameras/hik1/picture.jpg", params={"at": at(past.start + SECOND)}).status_code == 200
    assert len(looks) == video.LOOKING + 1

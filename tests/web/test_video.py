"""Recorded video over HTTP: spans as MP4, HLS, single pictures, byte ranges of files."""

from __future__ import annotations

import re
import socket
from datetime import datetime, timedelta
from pathlib import Path

import av
import cv2
import httpx
import numpy as np
import pytest

from tests.fakes.archive import FRAME, shown
from tests.fakes.footage import frame_number
from tests.fakes.site import HOLE, Past, Site
from tests.fakes.station import WAIT_S

SECOND = timedelta(seconds=1)


def at(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def span(past: Past, start: float, end: float) -> dict[str, str]:
    return {"from": at(past.start + start * SECOND), "to": at(past.start + end * SECOND)}


def numbers(data: bytes, folder: Path) -> list[tuple[int | None, int]]:
    path = folder / "got.mp4"
    path.write_bytes(data)
    return [(one.number, one.at_us) for one in shown(path)]


def test_a_span_is_what_was_recorded_from_the_key_frame_before_it(
    admin: httpx.Client, past: Past, tmp_path: Path
) -> None:
    answer = admin.get("cameras/hik1/video.mp4", params=span(past, 3.5, 7) | {"origin": at(past.start)})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "video/mp4"
    found = numbers(answer.content, tmp_path)
    assert found[0] == (75, 3_000_000)
    assert found[-1][0] is not None
    assert found[-1][0] >= 174
    assert [number for number, _ in found] == list(range(75, 75 + len(found)))
    assert all(abs(us - (number or 0) * 40_000) < 50 for number, us in found)
    assert answer.headers["x-nvr-start"] == (past.start + 3 * SECOND).isoformat()[:19] + ".000000Z"
    assert re.fullmatch(r'video/mp4; codecs="avc1\.[0-9a-f]{6}"', answer.headers["x-nvr-mime"])


def test_a_hole_stays_a_hole_in_time(admin: httpx.Client, past: Past, tmp_path: Path) -> None:
    answer = admin.get("cameras/hik1/video.mp4", params=span(past, 9, 19) | {"origin": at(past.start)})
    found = dict(numbers(answer.content, tmp_path))
    assert found[249] == 249 * 40_000
    assert abs(found[250] - (250 * 40_000 + HOLE // timedelta(microseconds=1))) < 50


def test_a_download_has_a_name(admin: httpx.Client, past: Past) -> None:
    answer = admin.get("cameras/hik1/video.mp4", params=span(past, 0, 2) | {"download": "true"})
    assert answer.headers["content-disposition"].startswith('attachment; filename="hik1_')


def test_a_head_request_gets_no_body(admin: httpx.Client, past: Past) -> None:
    answer = admin.head("cameras/hik1/video.mp4", params=span(past, 0, 2))
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1000
    assert admin.head("me").status_code == 200
    assert admin.head("events/live").status_code == 200, "also of what does not end"


def test_a_span_without_video_says_when_there_is_some(admin: httpx.Client, past: Past) -> None:
    before = admin.get("cameras/hik1/video.mp4", params=span(past, -60, -30))
    assert (before.status_code, before.json()["error"]["code"]) == (404, "nothing_recorded")
    assert before.json()["error"]["next"] == past.start.isoformat()[:19] + ".000000Z"
    after = admin.get("cameras/hik1/video.mp4", params=span(past, 60, 70))
    assert after.json()["error"]["next"] is None
    never = admin.get("cameras/hik2/playlist.m3u8?from=1h")
    assert (never.status_code, never.json()["error"]["code"]) == (404, "nothing_recorded")


def test_a_file_that_was_deleted_behind_our_back_costs_itself(
    site: Site, admin: httpx.Client, past: Past, tmp_path: Path
) -> None:
    [first, *_] = sorted((site.storage / "segments/hik1").rglob("*.mp4"))
    first.unlink()
    answer = admin.get("cameras/hik1/video.mp4", params=span(past, 0, 9) | {"origin": at(past.start)})
    assert numbers(answer.content, tmp_path)[0] == (125, 5_000_000)


def test_an_origin_behind_the_key_frame_is_refused(admin: httpx.Client, past: Past) -> None:
    answer = admin.get("cameras/hik1/video.mp4", params=span(past, 3.5, 7) | {"origin": at(past.start + 3.5 * SECOND)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "malformed")


@pytest.mark.parametrize(("start", "end"), [(0, 100_000), (5, 5), (7, 3)])
def test_a_span_that_is_too_long_or_none_is_refused(admin: httpx.Client, past: Past, start: float, end: float) -> None:
    assert admin.get("cameras/hik1/video.mp4", params=span(past, start, end)).status_code == 422


def test_a_playlist_plays(site: Site, admin: httpx.Client, past: Past) -> None:
    """FFmpeg follows the playlist over HTTP, with a token in place of a cookie. Within one file: at the beginning of
    the next it leaves half a second out, whatever a playlist says of the time that starts anew there."""
    query = "&".join(f"{key}={value}" for key, value in span(past, 0, 4.9).items())
    url = f"{site.url}/api/v1/cameras/hik1/playlist.m3u8?{query}"
    headers = {"headers": f"Authorization: Bearer {site.token()}\r\n"}
    with av.open(url, options=headers, format="hls", timeout=20) as container:
        found = [
            frame_number(np.asarray(frame.to_ndarray(format="gray"), np.uint8)) for frame in container.decode(video=0)
        ]
    assert found == list(range(125))


def test_a_range_of_a_file_is_a_part_of_it(site: Site, admin: httpx.Client, past: Past) -> None:
    [first, *_] = sorted((site.storage / "segments/hik1").rglob("*.mp4"))
    path = f"cameras/hik1/files/{first.parent.name}/{first.name.replace('+', '%2B')}"
    whole = first.read_bytes()
    part = admin.get(path, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole[100:200])
    assert admin.get(path).content == whole
    assert admin.get(path, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert admin.get(path, headers={"Range": "bytes=-10"}).content == whole[-10:]
    for odd in ("bytes=5-2", "bytes=x-y", "lines=1-2", "bytes=", "bytes=-", "bytes=-0", f"bytes={'1-2,' * 50}3-4"):
        answer = admin.get(path, headers={"Range": odd})
        assert (answer.status_code, answer.json()["error"]["code"]) == (416, "range"), odd


@pytest.mark.parametrize(
    "path",
    [
        "..%2F..%2Fnvr.db/x.mp4",
        "2026-11-22/..%2F..%2F..%2Fnvr.db",
        "2026-11-22/13-05-00.120%2B0000.mp4%00",
        "2026-11-22/%2Fetc%2Fpasswd",
        "....-..-../13-05-00.120%2B0000.mp4",
        "2026-11-22/13-05-00.120%2B0000.mp4.part",
        "%2e%2e/%2e%2e",
    ],
)
def test_no_name_leads_out_of_the_recordings(admin: httpx.Client, past: Past, path: str) -> None:
    answer = admin.get(f"cameras/hik1/files/{path}")
    assert answer.status_code in (404, 422)
    assert "error" in answer.json()


def test_raw_paths_do_not_lead_out_either(site: Site, past: Past) -> None:
    """As no client of good manners sends them."""
    token = site.token()
    for path in ("/../../../etc/passwd", "//etc/passwd", "/assets/../../app.py", "/assets/%2e%2e/%2e%2e/app.py", "/.."):
        with socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S) as client:
            head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
            client.sendall(head.encode())
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert answer.split(b" ")[1] in (b"404", b"503")
        assert b"root:" not in answer


def test_a_picture_is_the_one_of_its_instant(admin: httpx.Client, past: Past) -> None:
    when = past.start + 133 * FRAME + FRAME / 2
    exact = admin.get("cameras/hik1/picture.jpg", params={"at": at(when), "exact": "true"})
    quick = admin.get("cameras/hik1/picture.jpg", params={"at": at(when)})
    told = [datetime.fromisoformat(answer.headers["x-nvr-at"]) for answer in (exact, quick)]
    assert [round((instant - past.start) / FRAME) for instant in told] == [133, 125]
    for answer, number in ((exact, 133), (quick, 125)):
        grey = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        assert frame_number(np.asarray(grey, np.uint8)) == number


def test_a_picture_is_made_smaller_and_not_larger(admin: httpx.Client, past: Past) -> None:
    for width, wanted in ((64, 64), (4000, 320)):
        answer = admin.get("cameras/hik1/picture.jpg", params={"at": at(past.start + SECOND), "width": width})
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape[1] == wanted
    assert admin.get("cameras/hik1/picture.jpg?at=1h&width=0").status_code == 422


def test_where_nothing_was_recorded_there_is_no_picture(admin: httpx.Client, past: Past) -> None:
    answer = admin.get("cameras/hik1/picture.jpg", params={"at": at(past.start + 14 * SECOND)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "nothing_recorded")


def test_a_client_that_leaves_in_the_middle_ends_the_reading(site: Site, admin: httpx.Client, past: Past) -> None:
    with admin.stream("GET", "cameras/hik1/video.mp4", params=span(past, 0, 20)) as answer:
        next(answer.iter_raw(100))
    assert admin.get("me").status_code == 200

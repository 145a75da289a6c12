"""Who may see and do what."""

from __future__ import annotations

import json

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nvr.web.access import CSRF
from tests.fakes.site import Past, Site
from tests.fakes.station import WAIT_S

OF_A_CAMERA = (
    "cameras/hik1/snapshot.jpg",
    "cameras/hik1/live.mjpeg",
    "cameras/hik1/zones",
    "cameras/hik1/video.mp4?from=1h",
    "cameras/hik1/playlist.m3u8?from=1h",
    "cameras/hik1/picture.jpg?at=1h",
    "cameras/hik1/files/2026-11-22/13-05-00.120+0000.mp4",
    "ledger?from=1h&camera=hik1",
    "gaps?from=1h&camera=hik1",
    "segments?from=1h&camera=hik1",
    "why?camera=hik1&at=1h",
    "events?camera=hik1",
    "events/live?camera=hik1",
)


def addresses(site: Site) -> list[tuple[str, str]]:
    """Every method and path of the API."""
    told = json.loads(httpx.get(f"{site.url}/api/v1/openapi.json", timeout=WAIT_S).text)["paths"]
    return [(method, path) for path, methods in told.items() for method in methods]


def test_nothing_but_logging_in_is_answered_without_a_login(site: Site) -> None:
    open_to_all = {"/api/v1/login", "/api/v1/setup", "/health"}
    client = site.anybody()
    asked = [(method, path) for method, path in addresses(site) if path not in open_to_all]
    assert len(asked) > 30
    for method, path in asked:
        for header in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "nvr_session=wrong"}):
            filled = path.replace("{camera}", "hik1").replace("{id}", "1").replace("{name}", "x").replace("{day}", "y")
            answer = client.request(method, f"{site.url}{filled}", headers=header, json={})
            assert answer.status_code == 401, (method, path, header)
            assert answer.json()["error"]["code"] == "login"


@pytest.mark.parametrize("path", OF_A_CAMERA)
def test_a_camera_that_one_may_not_see_is_as_one_that_there_is_not(viewer: httpx.Client, path: str) -> None:
    hidden = viewer.get(path)
    unknown = viewer.get(path.replace("hik1", "never"))
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert hidden.json() == unknown.json()
    assert hidden.json()["error"]["code"] == "unknown_camera"


def test_a_viewer_sees_only_its_cameras_in_every_listing(site: Site, viewer: httpx.Client, past: Past) -> None:
    assert [camera["camera"] for camera in viewer.get("cameras").json()] == ["hik2"]
    assert [camera["camera"] for camera in viewer.get("status").json()["cameras"]] == ["hik2"]
    assert [row["camera"] for row in viewer.get("ledger?from=1h").json()["cameras"]] == ["hik2"]
    assert viewer.get("events?from=1h").json()["events"] == []
    assert viewer.get("segments?from=1h").json()["segments"] == []
    assert "hik1" not in httpx.get(f"{site.url}/metrics", cookies=viewer.cookies, timeout=WAIT_S).text


def test_an_event_of_another_camera_is_not_there(viewer: httpx.Client, past: Past) -> None:
    for path in (f"events/{past.event}", f"events/{past.event}/snapshot.jpg", f"events?before={past.event}"):
        assert viewer.get(path).status_code == 404
    assert viewer.patch(f"events/{past.event}", json={"locked": True}).status_code == 404


def test_a_viewer_does_not_manage(viewer: httpx.Client) -> None:
    asked = [
        viewer.get("users"),
        viewer.post("users", json={"name": "x", "password": "password"}),
        viewer.patch("users/bert", json={"role": "admin"}),
        viewer.delete("users/admin"),
        viewer.get("audit"),
        viewer.put("cameras/hik2/zones", json={}),
    ]
    assert [answer.status_code for answer in asked] == [403] * 6
    assert {answer.json()["error"]["code"] for answer in asked} == {"admins_only"}


def test_a_cookie_alone_changes_nothing(admin: httpx.Client, past: Past) -> None:
    del admin.headers[CSRF]
    for wrong in ({}, {CSRF: ""}, {CSRF: "0" * 64}):
        answer = admin.patch(f"events/{past.event}", json={"locked": True}, headers=wrong)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf")
    assert admin.get(f"events/{past.event}").json()["locked"] is False


def test_a_page_of_another_site_changes_nothing(admin: httpx.Client, past: Past) -> None:
    headers = {"Origin": "https://example.org"}
    answer = admin.patch(f"events/{past.event}", json={"locked": True}, headers=headers)
    assert answer.status_code == 403


def test_a_token_needs_no_such_header(site: Site, past: Past) -> None:
    program = site.anybody()
    program.headers["Authorization"] = f"Bearer {site.token()}"
    assert program.patch(f"events/{past.event}", json={"locked": True}).json()["locked"] is True


def test_a_token_is_no_session_and_a_session_no_token(site: Site, admin: httpx.Client) -> None:
    secret = site.token()
    assert httpx.get(f"{site.url}/api/v1/me", cookies={"nvr_session": secret}, timeout=WAIT_S).status_code == 401
    session = admin.cookies["nvr_session"]
    bearer = {"Authorization": f"Bearer {session}"}
    assert httpx.get(f"{site.url}/api/v1/me", headers=bearer, timeout=WAIT_S).status_code == 401


def test_what_somebody_watches_ends_when_he_may_no_longer(
    site: Site, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("live", "events", "cameras"):
        monkeypatch.setattr(f"nvr.web.{module}.AGAIN_S", 0.1)
    site.add_user("carla")
    carla = site.client("carla")
    cookie = {"Cookie": f"nvr_session={carla.cookies['nvr_session']}"}
    url = f"ws://127.0.0.1:{site.port}/api/v1/cameras/hik1/live"
    with connect(url, additional_headers=cookie) as live, carla.stream("GET", "events/live") as events:
        with carla.stream("GET", "cameras/hik1/live.mjpeg") as pictures:
            lines = events.iter_lines()
            assert next(lines) == "retry: 2000"
            assert admin.delete("users/carla").status_code == 204
            for _ in lines:
                pass
            for _ in pictures.iter_raw():
                pass
        with pytest.raises(ConnectionClosed) as raised:
            list(live)
        assert raised.value.rcvd is not None
        assert raised.value.rcvd.code == 4401


def test_a_viewer_is_told_the_labels_of_its_cameras(viewer: httpx.Client, admin: httpx.Client, past: Past) -> None:
    assert viewer.get("events/labels").json()["labels"] == []
    assert admin.get("events/labels").json()["labels"] == ["person"]


def test_an_origin_that_is_no_address_is_a_foreign_one(admin: httpx.Client, past: Past) -> None:
    answer = admin.patch(f"events/{past.event}", json={"locked": True}, headers={"Origin": "http://[::1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf")


def test_a_removed_account_is_out_at_once(site: Site, admin: httpx.Client, viewer: httpx.Client) -> None:
    assert admin.delete("users/bert").status_code == 204
    assert viewer.get("me").status_code == 401

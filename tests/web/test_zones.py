"""Zones, lines and masks: read from the configuration file and written into it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from nvr import config
from tests.fakes.site import Site

YARD = {"name": "yard", "points": [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]], "labels": ["person"], "dwell": "2s"}
GATE = {"name": "gate", "points": [[0.0, 0.5], [1.0, 0.5]], "direction": "in"}
DEEP: Any = []
for _ in range(500):
    DEEP = [DEEP]
MASK = [[0, 0], [1, 0], [1, 0.1], [0, 0.1]]


def put(client: httpx.Client, camera: str = "hik1", **places: Any) -> httpx.Response:
    return client.put(f"cameras/{camera}/zones", json={"zones": [], "lines": [], "masks": []} | places)


def test_what_is_saved_is_read_again_and_counts_at_once(site: Site, admin: httpx.Client) -> None:
    assert admin.get("cameras/hik1/zones").json() == {"zones": [], "lines": [], "masks": [], "restart": None}
    saved = put(admin, zones=[YARD], lines=[GATE], masks=[MASK])
    assert saved.status_code == 200, saved.text
    told = admin.get("cameras/hik1/zones").json()
    assert told == saved.json()
    assert told["zones"] == [YARD]
    assert told["lines"] == [GATE]
    assert told["masks"] == [MASK]
    assert (told["restart"], site.reloads) == (None, 1)


def test_the_file_keeps_its_comments(site: Site, admin: httpx.Client) -> None:
    before = site.file.read_text()
    put(admin, zones=[YARD])
    text = site.file.read_text()
    for comment in ("# a camera with detection, and one without", "# at the gate"):
        assert comment in text
    assert "secret-of-the-camera" in text, "a password that stands there stays there"
    put(admin)
    assert site.file.read_text().split() == before.split()


def test_a_camera_without_detection_gets_zones_too(site: Site, admin: httpx.Client) -> None:
    answer = put(admin, "hik2", masks=[MASK])
    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        assert admin.get("cameras/hik2/zones").json()["masks"] == [MASK]


@pytest.mark.parametrize(
    ("places", "code"),
    [
        ({"zones": [YARD | {"points": [[0, 0], [1, 1], [1, 0], [0, 1]]}]}, "configuration"),
        ({"zones": [YARD | {"points": [[0, 0], [1, 0]]}]}, "configuration"),
        ({"zones": [YARD | {"points": [[0, 0], [2, 0], [1, 1]]}]}, "malformed"),
        ({"zones": [YARD | {"name": "The Yard"}]}, "malformed"),
        ({"zones": [YARD, YARD]}, "malformed"),
        ({"zones": [YARD | {"colour": "red"}]}, "configuration"),
        ({"lines": [GATE | {"direction": "up"}]}, "configuration"),
        ({"masks": [[[0, 0], [1, 0]]]}, "malformed"),
        ({"masks": [MASK] * 33}, "malformed"),
        ({"zones": [YARD | {"deep": DEEP}]}, "malformed"),
    ],
)
def test_what_nvr_start_would_refuse_is_not_saved(
    site: Site, admin: httpx.Client, places: dict[str, Any], code: str
) -> None:
    before = site.file.read_bytes()
    answer = put(admin, **places)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    assert site.file.read_bytes() == before
    assert site.reloads == 0
    if code == "configuration":
        assert "nvr.yaml:" in answer.json()["error"]["message"]


def test_a_camera_of_former_days_has_none(site: Site, admin: httpx.Client) -> None:
    site.add_camera("old")
    assert admin.get("cameras/old/zones").status_code == 404
    assert put(admin, "old").status_code in (404, 422)


def test_two_who_save_at_once_lose_nothing(site: Site, admin: httpx.Client) -> None:
    clients = [admin, site.client()]
    for _ in range(3):
        for camera in ("hik1", "hik2"):
            put(admin, camera)
        with ThreadPoolExecutor(2) as pool:
            answers = pool.map(
                lambda one: put(one[0], one[1], masks=[MASK]), zip(clients, ("hik1", "hik2"), strict=True)
            )
            assert [answer.status_code for answer in answers] == [200, 200]
        for camera in ("hik1", "hik2"):
            assert admin.get(f"cameras/{camera}/zones").json()["masks"] == [MASK]


def test_what_a_person_writes_meanwhile_stays(site: Site, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = site.file.read_text() + "# added in an editor\n"

    def loading(path: Path, *, resolve: bool = True) -> config.Config:
        site.file.write_text(theirs)
        return load(path, resolve=resolve)

    load = config.load
    monkeypatch.setattr(config, "load", loading)
    answer = put(admin, zones=[YARD])
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "changed_meanwhile")
    assert site.file.read_text() == theirs
    assert site.reloads == 0


@pytest.mark.parametrize(
    "text",
    [
        "storage: storage\ncameras: {hik1: {url: 7}, hik2: {}, secret-camera: {url: rtsp://192.0.2.1/x, hots: 3}}\n",
        "cameras: [a]\n",
        "cameras: hello\n",
        "cameras: {hik2: hello}\n",
        "- 1\n",
        "{",
        "",
    ],
)
def test_a_file_with_errors_tells_a_viewer_nothing_of_others(
    site: Site, admin: httpx.Client, viewer: httpx.Client, text: str
) -> None:
    site.file.write_text(text)
    answer = viewer.get("cameras/hik2/zones")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "configuration")
    assert answer.json()["error"]["message"] == "the configuration file has errors now: an admin is told which"
    for told in (admin.get("cameras/hik2/zones"), put(admin, "hik2", masks=[MASK])):
        assert (told.status_code, told.json()["error"]["code"]) == (422, "configuration")
    assert site.file.read_text() == text


def test_what_is_drawn_can_be_asked_for_at_once(site: Site, admin: httpx.Client, viewer: httpx.Client) -> None:
    put(admin, zones=[YARD], lines=[GATE])
    assert admin.get("events/labels").json()["zones"] == ["gate", "yard"]
    assert viewer.get("events/labels").json()["zones"] == []
    site.file.write_text("{")
    assert admin.get("events/labels").json()["zones"] == []

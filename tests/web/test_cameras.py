"""Cameras as they are now, and their newest pictures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from nvr import layout
from nvr.clock import format_rfc3339
from nvr.condition import gather
from nvr.config import Config
from nvr.web import cameras
from tests.fakes.live import Camera
from tests.fakes.site import Site, until
from tests.web.conftest import Lens


def test_cameras_are_told_with_what_can_be_watched(site: Site, admin: httpx.Client, lens: Lens, tape: Path) -> None:
    lens.show()
    with Camera(layout.ring_path(site.run, "hik1", "main"), tape) as camera:
        camera.send(1)
        one, two = admin.get("cameras").json()
    assert (one["camera"], one["state"], one["record"], one["detect"]) == ("hik1", "stopped", "continuous", "objects")
    [stream] = one["streams"]
    assert (stream["stream"], stream["codec"], stream["width"], stream["height"]) == ("main", "h264", 320, 180)
    assert stream["mime"].startswith("video/mp4")
    assert (one["picture"], two["picture"], two["streams"], two["detect"]) == (True, False, [], "off")


def test_the_newest_picture_comes_with_its_instant(admin: httpx.Client, lens: Lens) -> None:
    at = lens.show()
    answer = admin.get("cameras/hik1/snapshot.jpg")
    assert (answer.status_code, answer.headers["x-nvr-at"]) == (200, format_rfc3339(at))
    for query, width in (("", 320), ("?width=100", 100)):
        data = np.frombuffer(admin.get(f"cameras/hik1/snapshot.jpg{query}").content, np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape[1] == width


def test_an_old_picture_is_none_of_now(admin: httpx.Client, lens: Lens) -> None:
    lens.show(datetime.now(UTC) - cameras.FRESH - timedelta(seconds=5))
    answer = admin.get("cameras/hik1/snapshot.jpg")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_picture")
    assert "sends none at the moment" in answer.json()["error"]["message"]
    assert "detect is off" in admin.get("cameras/hik2/snapshot.jpg").json()["error"]["message"]


def test_a_camera_of_former_days_is_known_and_shows_nothing(site: Site, admin: httpx.Client) -> None:
    site.add_camera("old")
    assert "former days" in admin.get("cameras/old/snapshot.jpg").json()["error"]["message"]


def test_pictures_follow_each_other(admin: httpx.Client, lens: Lens) -> None:
    lens.show()
    with admin.stream("GET", "cameras/hik1/live.mjpeg?fps=15") as answer:
        assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=nvr"
        data, first = b"", lens.show()
        for part in answer.iter_raw():
            data += part
            if data.count(b"--nvr") == 3:
                break
            first = lens.show()
    assert data.count(b"\xff\xd8") >= 2
    assert format_rfc3339(first).encode() in data


def test_there_is_an_end_to_who_watches_pictures(
    admin: httpx.Client, lens: Lens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "MOST_MJPEG", 0)
    answer = admin.get("cameras/hik1/live.mjpeg")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_viewers")
    assert admin.get("cameras/hik2/live.mjpeg").status_code == 404


def test_the_status_is_that_of_the_command_line(admin: httpx.Client) -> None:
    status = admin.get("status").json()
    assert set(status) == {"cameras", "disk", "processes", "catalogue"}
    assert [row["camera"] for row in status["cameras"]] == ["hik1", "hik2"]
    assert "secret-of-the-camera" not in str(status)


def test_who_only_asks_whether_there_are_pictures_takes_no_place(admin: httpx.Client, lens: Lens) -> None:
    lens.show()
    for _ in range(cameras.MOST_MJPEG + 1):
        assert admin.head("cameras/hik1/live.mjpeg").status_code == 200
    with admin.stream("GET", "cameras/hik1/live.mjpeg") as answer:
        assert answer.status_code == 200


def test_one_account_leaves_places_to_others(
    site: Site, admin: httpx.Client, lens: Lens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "MOST_OF_ONE", 1)
    site.add_user("carla", "viewer")
    lens.show()
    with admin.stream("GET", "cameras/hik1/live.mjpeg") as first:
        pictures = first.iter_raw()
        next(pictures)
        assert admin.get("cameras/hik1/live.mjpeg").status_code == 429
        with site.client("carla").stream("GET", "cameras/hik1/live.mjpeg") as other:
            assert other.status_code == 200
    until(lambda: admin.head("cameras/hik1/live.mjpeg").status_code == 200, "its place is free again")


def test_who_may_see_some_cameras_is_told_nothing_of_others_nor_of_the_machine(
    admin: httpx.Client, viewer: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = "hik1 is not analysed: /srv/model.onnx"

    def report(config: Config) -> dict[str, Any]:
        process = {"pid": 1, "state": "serving", "restarts": 0, "load": 0.0}
        failed = [process | {"name": name, "last_error": error} for name in ("recorder.hik1", "analyzer")]
        whole = [*failed, process | {"name": "janitor", "last_error": None}]
        return gather(config) | {"processes": whole, "catalogue": "no catalogue at /srv/nvr.db"}

    monkeypatch.setattr(cameras, "gather", report)
    whole, some = admin.get("status").json(), viewer.get("status").json()
    assert whole["processes"][1]["last_error"] == error
    assert whole["disk"]["path"].startswith("/")
    assert set(some) == set(whole)
    assert [(row["name"], row["last_error"]) for row in some["processes"]] == [
        ("analyzer", "the log of nvr says more"),
        ("janitor", None),
    ]
    assert (some["disk"]["path"], some["catalogue"]) == (None, "the log of nvr says more")
    assert "hik1" not in str(some)

"""Exports over HTTP: begun, followed, downloaded, played, removed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.archive import shown
from tests.fakes.site import Past, Site, until

SECOND = timedelta(seconds=1)


def wanted(past: Past, start: float, end: float, camera: str = "hik1") -> dict[str, str]:
    begin, stop = (past.start + at * SECOND for at in (start, end))
    return {"camera": camera, "from": begin.isoformat(), "to": stop.isoformat()}


def finished(client: httpx.Client, id: str) -> dict[str, Any]:
    until(lambda: client.get(f"exports/{id}").json()["state"] in ("done", "failed"), "the export")
    job: dict[str, Any] = client.get(f"exports/{id}").json()
    return job


def test_an_export_is_copied_and_downloaded_and_plays(admin: httpx.Client, past: Past, tmp_path: Path) -> None:
    begun = admin.post("exports", json=wanted(past, 3, 18))
    assert begun.status_code == 202
    job = finished(admin, begun.json()["id"])
    assert (job["state"], job["progress"], job["error"]) == ("done", 1.0, None)
    [file] = job["files"]
    [hole] = job["gaps"]
    assert datetime.fromisoformat(hole["end"]) - datetime.fromisoformat(hole["start"]) == 7 * SECOND
    answer = admin.get(file["url"])
    assert (answer.status_code, len(answer.content)) == (200, file["bytes"])
    assert "attachment" in answer.headers["content-disposition"]
    path = tmp_path / "clip.mp4"
    path.write_bytes(answer.content)
    assert [one.number for one in shown(path)] == list(range(75, 275))
    assert admin.get("exports").json() == [job]


def test_where_nothing_was_recorded_it_says_so(site: Site, admin: httpx.Client, past: Past) -> None:
    job = finished(admin, admin.post("exports", json=wanted(past, -100, -50)).json()["id"])
    assert (job["state"], job["error"], job["files"]) == ("failed", "nothing of it was recorded", [])
    assert not list((site.storage / "exports").iterdir())


def test_a_removed_export_is_gone_with_its_files(site: Site, admin: httpx.Client, past: Past) -> None:
    id = admin.post("exports", json=wanted(past, 0, 5)).json()["id"]
    url = finished(admin, id)["files"][0]["url"]
    assert admin.delete(f"exports/{id}").status_code == 204
    assert admin.get(f"exports/{id}").status_code == 404
    assert admin.get(url).status_code == 404
    until(lambda: not list((site.storage / "exports").iterdir()), "the folder is removed")


def test_exports_of_others_are_not_there(site: Site, admin: httpx.Client, past: Past) -> None:
    site.add_user("carla", "admin")
    carla = site.client("carla")
    id = admin.post("exports", json=wanted(past, 0, 5)).json()["id"]
    url = finished(admin, id)["files"][0]["url"]
    assert carla.get("exports").json() == []
    for answer in (carla.get(f"exports/{id}"), carla.get(url), carla.delete(f"exports/{id}")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_export")
    assert admin.get(url).status_code == 200


def test_a_camera_that_one_may_not_see_is_not_exported(viewer: httpx.Client, past: Past) -> None:
    assert viewer.post("exports", json=wanted(past, 0, 5)).status_code == 404


@pytest.mark.parametrize("name", ["..%2F..%2Fnvr.db", "nvr.db", "%2Fetc%2Fpasswd", "x" * 200])
def test_no_name_leads_out_of_an_export(admin: httpx.Client, past: Past, name: str) -> None:
    id = admin.post("exports", json=wanted(past, 0, 5)).json()["id"]
    finished(admin, id)
    assert admin.get(f"exports/{id}/files/{name}").status_code in (404, 422)


@pytest.mark.parametrize(
    "body",
    [{}, {"camera": "hik1"}, {"camera": "hik1", "from": "1h", "to": "2h"}, {"camera": "hik1", "from": "x", "to": "y"}],
)
def test_what_is_malformed_is_said(admin: httpx.Client, body: dict[str, str]) -> None:
    assert admin.post("exports", json=body).status_code == 422
    assert admin.post("exports", json={"camera": "never", "from": "1h", "to": "1m"}).status_code == 404


def test_of_a_camera_that_one_may_not_see_any_more_nothing_is_told(site: Site, admin: httpx.Client, past: Past) -> None:
    site.add_user("carla")
    carla = site.client("carla")
    job = finished(carla, carla.post("exports", json=wanted(past, 0, 5)).json()["id"])
    admin.patch("users/carla", json={"cameras": ["hik2"]})
    assert carla.get("exports").json() == []
    assert carla.get(f"exports/{job['id']}").status_code == 404
    assert carla.get(job["files"][0]["url"]).status_code == 404
    assert carla.delete(f"exports/{job['id']}").status_code == 204
    assert not list((site.storage / "exports").iterdir())


def test_a_span_that_is_still_to_come_is_refused(admin: httpx.Client, past: Past) -> None:
    answer = admin.post("exports", json=wanted(past, 3600, 7200))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "malformed")
    assert "is still to come" in answer.json()["error"]["message"]
    assert admin.post("exports", json=wanted(past, 0, 7200)).status_code == 202


@pytest.mark.parametrize("asked", ["lines=1-2", "bytes=x", "bytes=99999999999-", "bytes=0-1,99999999999-", "bytes"])
def test_a_range_that_is_not_there_is_said_in_the_form_of_all_refusals(
    admin: httpx.Client, past: Past, asked: str
) -> None:
    file = finished(admin, admin.post("exports", json=wanted(past, 0, 5)).json()["id"])["files"][0]
    answer = admin.get(file["url"], headers={"Range": asked})
    assert (answer.status_code, answer.json()["error"]["code"]) == (416, "range")
    assert answer.headers["content-range"] == f"bytes */{file['bytes']}"
    part = admin.get(file["url"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")

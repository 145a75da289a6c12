"""What is exported in the background: how many wait, how long they are kept, and what a kill leaves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from nvr import layout
from nvr.web import exporter
from tests.fakes.site import Past, Site, until
from tests.web.test_exports import finished, wanted


def test_so_many_wait_and_no_more(admin: httpx.Client, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "MOST_OF_ONE", 2)
    answers = [admin.post("exports", json=wanted(past, 0, 20)) for _ in range(12)]
    assert len(admin.get("exports").json()) <= 2
    assert {answer.status_code for answer in answers} <= {202, 429}


def test_finished_ones_go_after_a_day(
    site: Site, admin: httpx.Client, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = admin.post("exports", json=wanted(past, 0, 5)).json()["id"]
    finished(admin, id)
    monkeypatch.setattr(exporter, "KEPT", timedelta())
    assert admin.get("exports").json() == []
    assert not list((site.storage / "exports").iterdir())


def test_ten_finished_ones_are_kept_and_failed_ones_go_first(site: Site, admin: httpx.Client, past: Past) -> None:
    good = admin.post("exports", json=wanted(past, 0, 5)).json()["id"]
    finished(admin, good)
    for _ in range(exporter.MOST_OF_ONE + 2):
        finished(admin, admin.post("exports", json=wanted(past, -100, -50)).json()["id"])
    listed = admin.get("exports").json()
    assert len(listed) == exporter.MOST_OF_ONE
    assert good in [job["id"] for job in listed]


def test_no_footage_is_deleted_for_an_export(admin: httpx.Client, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "MARGIN", 1 << 60)
    job = finished(admin, admin.post("exports", json=wanted(past, 0, 5)).json()["id"])
    assert job["state"] == "failed"
    assert "retention.min_free" in job["error"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "storage/exports/abc/clip.mp4.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x")
    (tmp_path / "storage/.nvr-volume").write_text("11111111-2222\n")
    with Site(tmp_path) as site:
        assert not left.exists()
        assert site.client().get("exports").json() == []


def test_nothing_is_written_nor_removed_where_the_disk_is_not_mounted(tmp_path: Path, tape: Path) -> None:
    with Site(tmp_path) as site:
        past, admin, marker = site.record(tape), site.client(), site.storage / layout.MARKER
        aside = marker.rename(tmp_path / "aside")
        job = finished(admin, admin.post("exports", json=wanted(past, 0, 5)).json()["id"])
        assert job["state"] == "failed"
        assert not (site.storage / "exports").exists()
        kept = site.storage / "exports/of-the-machine"
        kept.mkdir(parents=True)
        exporter.Exporter(site.state)
        assert kept.exists()
        aside.rename(marker)
        exporter.Exporter(site.state)
        assert not kept.exists()
        assert finished(admin, admin.post("exports", json=wanted(past, 0, 5)).json()["id"])["state"] == "done"


def test_expired_files_go_without_anybody_asking(tmp_path: Path, tape: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "TIDY_S", 0.05)
    with Site(tmp_path) as site:
        past, admin = site.record(tape), site.client()
        finished(admin, admin.post("exports", json=wanted(past, 0, 5)).json()["id"])
        assert list((site.storage / "exports").rglob("*.mp4"))
        monkeypatch.setattr(exporter, "KEPT", timedelta())
        until(lambda: not list((site.storage / "exports").iterdir()), "the folder is removed")


def test_exports_of_an_account_that_is_gone_go_with_it(site: Site, admin: httpx.Client, past: Past) -> None:
    site.add_user("carla")
    carla = site.client("carla")
    url = finished(carla, carla.post("exports", json=wanted(past, 0, 5)).json()["id"])["files"][0]["url"]
    assert admin.delete("users/carla").status_code == 204
    assert not list((site.storage / "exports").iterdir())
    site.add_user("carla")
    assert site.client("carla").get(url).status_code == 404


def test_another_account_of_the_same_name_has_other_exports(site: Site, past: Past) -> None:
    site.add_user("carla")
    carla = site.client("carla")
    id = finished(carla, carla.post("exports", json=wanted(past, 0, 5)).json()["id"])["id"]
    with site.writing() as catalogue:  # as nvr users remove does, of which the web process is not told
        catalogue.remove_account("carla")
    site.add_user("carla")
    other = site.client("carla")
    assert other.get("exports").json() == []
    assert other.get(f"exports/{id}").status_code == other.delete(f"exports/{id}").status_code == 404

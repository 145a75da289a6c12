"""What handlers share: the catalogue as it is now, and the cameras that there are and were."""

from __future__ import annotations

import httpx

from nvr.catalogue.upgrade import upgrade
from tests.fakes.site import Site
from tests.fakes.station import WAIT_S


def test_cameras_are_those_of_the_configuration_and_of_former_days(site: Site) -> None:
    site.add_camera("old")
    assert site.state.cameras() == {"old": False, "hik1": True, "hik2": True}


def test_a_database_that_was_replaced_is_read_anew(site: Site) -> None:
    before = site.state.catalogue()
    assert site.state.catalogue() is before
    site.database.rename(site.database.with_suffix(".aside"))
    upgrade(site.database)
    assert site.state.catalogue().accounts() == []


def test_a_database_that_is_gone_is_an_answer_and_no_crash(site: Site, admin: httpx.Client) -> None:
    aside = site.database.with_suffix(".aside")
    site.database.rename(aside)
    answer = admin.get("events")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "catalogue")
    assert answer.headers["retry-after"] == "5"
    assert httpx.get(f"{site.url}/health", timeout=WAIT_S).status_code == 200
    aside.rename(site.database)
    assert admin.get("events").status_code == 200


def test_a_camera_that_does_not_run_shows_nothing(site: Site) -> None:
    view = site.state.view("never")
    assert (view.slot, view.rings) == (None, {})

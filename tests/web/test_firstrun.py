"""The first account: shown as a link, until somebody has used it."""

from __future__ import annotations

import logging
import re
import sqlite3
from contextlib import closing

import pytest

from nvr.credential import digest
from nvr.web.firstrun import invite, make_link
from tests.fakes.site import Site


def shown(caplog: pytest.LogCaptureFixture) -> list[str]:
    return re.findall(r"#/setup/(\S+)", caplog.text)


def without_admin(site: Site) -> None:
    with closing(sqlite3.connect(site.database)) as database, database:
        database.execute("DELETE FROM users WHERE name = 'admin'")


def test_while_nobody_can_manage_a_link_is_shown_and_the_newest_counts(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    without_admin(site)
    caplog.set_level(logging.INFO)
    invite(site.state)
    invite(site.state)
    first, second = shown(caplog)
    client = site.anybody()
    assert client.post("setup", json={"link": first, "password": "long enough"}).status_code == 404
    answer = client.post("setup", json={"link": second, "password": "long enough"})
    assert (answer.json()["name"], answer.json()["role"]) == ("admin", "admin")
    invite(site.state)
    assert len(shown(caplog)) == 2, "no third one: there is an admin now"


def test_where_there_is_an_admin_nothing_is_shown(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    invite(site.state)
    assert shown(caplog) == []


def test_the_link_is_in_the_database_as_a_digest_alone(site: Site) -> None:
    without_admin(site)
    secret = make_link(site.state, "admin").rpartition("/")[2]
    with site.writing() as catalogue:
        assert catalogue.find_key(digest(secret)) is not None
    assert not any(secret.encode() in path.read_bytes() for path in site.storage.glob("nvr.db*"))


def test_a_database_that_cannot_be_used_is_said(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.database.unlink()
    invite(site.state)
    assert "nobody can log in yet" in caplog.text

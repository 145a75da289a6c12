"""``nvr db``."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from nvr.catalogue.schema import HEAD
from tests.fakes.station import Station, nvr


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A configuration that nothing was recorded with."""
    path = tmp_path / "nvr.yaml"
    path.write_text("cameras:\n  hik1: {host: 127.0.0.1}\n")
    (tmp_path / "storage").mkdir()
    return path


def test_a_catalogue_is_made_and_told(fresh: Path) -> None:
    assert "no catalogue yet" in nvr("db", "current", "--config", str(fresh)).stdout
    missing = nvr("events", "list", "--config", str(fresh))
    assert (missing.returncode, "nvr rebuild" in missing.stderr) == (1, True)
    assert f"new → {HEAD}" in nvr("db", "upgrade", "--config", str(fresh)).stdout
    assert nvr("events", "list", "--config", str(fresh)).returncode == 0
    assert "already" in nvr("db", "upgrade", "--config", str(fresh)).stdout


def test_the_revision_is_told_as_json(config: Path) -> None:
    told = json.loads(nvr("db", "current", "--json", "--config", str(config)).stdout)
    assert told == {"path": str(config.parent / "storage/nvr.db"), "revision": HEAD, "wanted": HEAD}


@pytest.mark.parametrize("words", [["events", "list"], ["segments", "list"], ["db", "upgrade"], ["start"]])
def test_a_database_from_a_newer_version_is_refused(config: Path, words: list[str]) -> None:
    database = sqlite3.connect(config.parent / "storage/nvr.db")
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.commit()
    database.close()
    done = nvr(*words, "--config", str(config))
    assert (done.returncode, done.stdout) == (1, "")
    assert "9999" in done.stderr
    assert "newer version" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["events", "list"], ["db", "upgrade"], ["db", "current"]])
def test_a_database_that_is_none_is_refused(config: Path, words: list[str]) -> None:
    (config.parent / "storage/nvr.db").write_text("not a database, and long enough to be looked at" * 100)
    done = nvr(*words, "--config", str(config))
    assert (done.returncode, done.stdout) == (1, "")
    assert "not a SQLite database" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [["db", "upgrade"], ["start"]])
def test_a_database_in_a_folder_that_is_not_there_is_refused(config: Path, words: list[str]) -> None:
    with config.open("a") as file:
        file.write("database: nowhere/nvr.db\n")
    done = nvr(*words, "--config", str(config))
    assert (done.returncode, done.stdout) == (1, "")
    assert "its folder is missing" in done.stderr


def test_a_catalogue_made_first_does_not_keep_nvr_from_starting(tmp_path: Path, looped: Path) -> None:
    """``nvr events list`` says: nvr rebuild makes it from the files, nvr start a new one."""
    (tmp_path / "storage").mkdir()
    assert nvr("db", "upgrade", "--config", str(looped)).returncode == 0
    with Station(looped) as station:
        station.wait_until_logged("recording h264")
        assert station.stop() == 0

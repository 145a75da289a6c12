from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import nvr
from nvr.catalogue.schema import HEAD
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import current
from nvr.errors import CatalogueError


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()


@pytest.mark.parametrize("readonly", [True, False])
def test_a_newer_catalogue_is_refused_and_both_versions_named(path: Path, readonly: bool) -> None:
    execute(path, "UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(CatalogueError, match="schema 0999, made by a newer nvr") as raised:
        Catalogue.open(path, readonly=readonly)
    assert f"nvr {nvr.__version__} works with {HEAD}" in str(raised.value)


@pytest.mark.parametrize("readonly", [True, False])
def test_an_older_catalogue_is_refused_until_it_is_upgraded(path: Path, readonly: bool) -> None:
    execute(path, "UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(CatalogueError, match=r"has schema 0000, .* run nvr db upgrade"):
        Catalogue.open(path, readonly=readonly)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    execute(tmp_path / "nvr.db", "CREATE TABLE recordings(id)")
    with pytest.raises(CatalogueError, match="database of another program"):
        Catalogue.open(tmp_path / "nvr.db")


def test_another_program_that_uses_alembic_is_refused(path: Path) -> None:
    execute(path, "UPDATE alembic_version SET version_num = '7b1f82f2ec39'")
    with pytest.raises(CatalogueError, match="database of another program"):
        Catalogue.open(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nvr.db").write_text("cameras:\n" * 1000)
    with pytest.raises(CatalogueError, match="not a SQLite database"):
        Catalogue.open(tmp_path / "nvr.db")


def test_a_database_without_tables_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "nvr.db"
    execute(path, "PRAGMA journal_mode=WAL")
    assert path.stat().st_size > 0
    assert current(path) is None
    with pytest.raises(
        CatalogueError, match=r"no catalogue at .*; nvr rebuild makes it from the files, nvr start a new one"
    ):
        Catalogue.open(path)

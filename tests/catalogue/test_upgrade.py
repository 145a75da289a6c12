from __future__ import annotations

import fcntl
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nvr.catalogue.schema import HEAD
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import UpgradeResult, current, upgrade
from nvr.errors import CatalogueError
from nvr.model import Account, Key
from tests.catalogue.rows import START, at, event, run, segment
from tests.fakes.clock import FakeClock

REPOSITORY = Path(__file__).parents[2]
DUMPS = REPOSITORY / "tests" / "schemas"
NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "0005", "0004", None, None
def upgrade():
    op.create_table("added", sa.Column("id", sa.Integer(), primary_key=True))
    with op.batch_alter_table("runs") as batch:
        batch.add_column(sa.Column("note", sa.Text()))
        batch.alter_column("codec", new_column_name="video")
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The migrations with one more, which rebuilds a table that others point to."""
    folder = tmp_path / "100% migrations"
    shutil.copytree(REPOSITORY / "migrations", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "0005_next.py").write_text(NEXT)
    return folder


@pytest.fixture
def used(path: Path) -> Path:
    """A catalogue with rows, some of them still only in the log of a process that was killed."""
    with Catalogue.open(path) as catalogue:
        catalogue.start_run(run())
        catalogue.add_segment(segment())
        catalogue.open_event(event())
        copy = path.with_name("killed.db")
        shutil.copy(path, copy)
        shutil.copy(f"{path}-wal", f"{copy}-wal")
    return copy


def counts(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}


def test_a_new_catalogue_is_made_and_needs_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "nvr.db"
    assert current(path) is None
    assert upgrade(path) == UpgradeResult(None, HEAD, None)
    assert current(path) == HEAD
    with Catalogue.open(path) as catalogue:
        assert list(catalogue.events(START)) == []
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "nvr.db.lock"]


def test_an_empty_file_becomes_a_catalogue(tmp_path: Path) -> None:
    (tmp_path / "nvr.db").touch()
    assert upgrade(tmp_path / "nvr.db") == UpgradeResult(None, HEAD, None)


def test_a_catalogue_that_is_current_is_left_alone(used: Path) -> None:
    before = counts(used)
    assert upgrade(used) == UpgradeResult(HEAD, HEAD, None)
    assert counts(used) == before
    assert not list(used.parent.glob("*.bak"))


def test_an_upgrade_keeps_the_rows_and_a_backup_of_all_of_them(used: Path, scripts: Path) -> None:
    clock = FakeClock(datetime(2026, 11, 22, 13, 5, 0, 120_000, tzinfo=UTC))
    result = upgrade(used, clock=clock, scripts=scripts)
    assert result == UpgradeResult("0004", "0005", used.with_name("killed.db.0004-20261122T130500.120000Z.bak"))
    assert result.backup is not None
    with Catalogue.open(result.backup, readonly=True) as catalogue:
        assert next(catalogue.runs(START)).codec == "hevc"
        assert len(list(catalogue.segments(START))) == 1
        assert len(list(catalogue.events(START))) == 1
    assert counts(used) == counts(result.backup) | {"added": 0}
    with closing(sqlite3.connect(used)) as database:
        assert database.execute("SELECT id, video, note FROM runs").fetchall() == [("r1", "hevc", None)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert not list(used.parent.glob("*.part"))


def test_a_restored_backup_is_the_catalogue_again(used: Path, scripts: Path) -> None:
    backup = upgrade(used, scripts=scripts).backup
    assert backup is not None
    with Catalogue.open(backup) as catalogue:
        catalogue.open_event(event(1))
        assert len(list(catalogue.events(START))) == 2


def test_an_upgrade_that_fails_changes_nothing(used: Path, scripts: Path) -> None:
    (scripts / "versions" / "0005_bad.py").write_text(
        NEXT.replace('"0005", "0004"', '"0006", "0005"').replace('"added"', '"events"')
    )
    before = counts(used)
    with pytest.raises(CatalogueError, match=r"killed\.db cannot be used: .*already exists"):
        upgrade(used, scripts=scripts)
    assert current(used) == HEAD
    assert counts(used) == before


def test_an_upgrade_that_would_break_a_foreign_key_changes_nothing(used: Path, scripts: Path) -> None:
    (scripts / "versions" / "0005_next.py").write_text(f'{NEXT}    op.execute("DELETE FROM cameras")\n')
    with pytest.raises(CatalogueError, match="would point nowhere"):
        upgrade(used, scripts=scripts)
    assert current(used) == HEAD
    assert counts(used)["cameras"] == 1


def test_a_newer_catalogue_is_refused_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = '0999'")
        database.commit()
    with pytest.raises(CatalogueError, match="made by a newer nvr"):
        upgrade(path)
    assert current(path) == "0999"
    assert not list(path.parent.glob("*.bak"))


def test_a_revision_that_no_migration_has_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
        database.commit()
    with pytest.raises(CatalogueError, match=r"cannot upgrade .*0000"):
        upgrade(path)
    assert current(path) == "0000"


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "nvr.db"
    path.write_text("cameras:\n" * 1000)
    with pytest.raises(CatalogueError, match="not a SQLite database"):
        upgrade(path)
    assert path.read_text() == "cameras:\n" * 1000


def test_two_upgrades_at_once_are_refused(path: Path) -> None:
    with Path(f"{path}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CatalogueError, match="another process is upgrading"):
            upgrade(path)
    assert upgrade(path).current == HEAD


def test_a_missing_folder_is_not_made_because_its_disk_may_be_missing(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="its folder is missing: make it, or mount its disk"):
        upgrade(tmp_path / "storage" / "nvr.db")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_named(archive: Path) -> None:
    with pytest.raises(CatalogueError, match="give this user write permission on"):
        upgrade(archive)


@pytest.mark.parametrize("script", sorted((REPOSITORY / "migrations" / "versions").glob("*.py")), ids=lambda s: s.stem)
def test_a_catalogue_of_every_revision_is_upgraded_with_its_rows(script: Path, tmp_path: Path) -> None:
    path = tmp_path / "nvr.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript((DUMPS / f"{script.stem[:4]}.sql").read_text())
    before = counts(path)
    assert upgrade(path).previous == script.stem[:4]
    after = counts(path)
    assert after | before == after
    with Catalogue.open(path) as catalogue:
        assert [found.label for found in catalogue.events(START, kind="object")] == ["car", "person"]
        assert [found.end_reason for found in catalogue.runs(START)] == ["stopped", None]
        assert [found.state for found in catalogue.segments(START)] == ["closed", "salvaged"]
        assert {one.camera: one.bytes for one in catalogue.usage()} == {"hik1": 15_000_000, "hik2": 15_000_000}


def test_the_ledger_comes_to_a_catalogue_that_had_none(tmp_path: Path) -> None:
    path = tmp_path / "nvr.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript((DUMPS / "0001.sql").read_text())
    upgrade(path)
    with Catalogue.open(path) as catalogue:
        assert catalogue.open_gaps() == []
        assert catalogue.last_stint() is None
        assert catalogue.cameras() == {"hik1": at(0), "hik2": at(2)}
        assert [found.locked for found in catalogue.events(START)] == [False, False]
        assert catalogue.lock_event(1, True)
        catalogue.mark_deleting(list(catalogue.segments(START, camera="hik1")), "continuous 7d", at(9))
        assert [found.camera for found in catalogue.segments_in_state("deleting")] == ["hik1"]


def test_events_of_before_have_what_came_later(tmp_path: Path) -> None:
    path = tmp_path / "nvr.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript((DUMPS / "0002.sql").read_text())
    upgrade(path)
    with Catalogue.open(path) as catalogue:
        person, car = catalogue.event(1), catalogue.event(2)
        assert person is not None
        assert car is not None
        assert person.locked
        assert (person.thumbnail, person.began, person.ended, person.false) == (None, "", "", False)
        assert (person.received, person.detail, person.same_as) == (None, "", None)
        told = catalogue.open_event(replace(event(2, end=None, camera="hik2", label="vehicle"), kind="camera"))
        assert catalogue.twins_of([1, 2]) == {2: (told,)}
        catalogue.delete_events([2])
        alone = catalogue.event(told)
        assert alone is not None
        assert alone.same_as is None


def test_a_catalogue_of_this_revision_has_its_twins_and_paths(tmp_path: Path) -> None:
    path = tmp_path / "nvr.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript((DUMPS / "0004.sql").read_text())
    with Catalogue.open(path) as catalogue:
        assert catalogue.twins_of([1]) == {1: (3,)}
        assert [point.at for point in catalogue.path_of(1)] == [at(0), at(0.5)]
        assert [(change.what, change.id) for change in catalogue.changes(0)] == [("begin", 1), ("end", 1), ("begin", 3)]


def test_accounts_come_to_a_catalogue_that_had_none_and_its_rows_stay(tmp_path: Path) -> None:
    path = tmp_path / "nvr.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript((DUMPS / "0003.sql").read_text())
        before = database.execute("SELECT * FROM events").fetchall(), database.execute("SELECT * FROM paths").fetchall()
    upgrade(path)
    with closing(sqlite3.connect(path)) as database:
        after = database.execute("SELECT * FROM events").fetchall(), database.execute("SELECT * FROM paths").fetchall()
    assert after == before
    assert all(before)
    with Catalogue.open(path) as catalogue:
        assert (catalogue.accounts(), catalogue.accesses(9)) == ([], [])
        anna = Account("anna", "viewer", None, at(0))
        assert catalogue.add_account(anna)
        id = catalogue.add_key(Key("anna", "token", "", at(0)), "digest")
        assert catalogue.find_key("digest") == (Key("anna", "token", "", at(0), id=id), anna)
        assert catalogue.remove_account("anna")
        assert catalogue.find_key("digest") is None

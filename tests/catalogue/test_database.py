from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from nvr.catalogue.database import Database, explain
from nvr.catalogue.store import Catalogue
from nvr.errors import CatalogueError
from tests.catalogue.rows import START, event, segment

AT_ONCE = timedelta(0)


def pragma(database: Database, name: str) -> object:
    with database.reading() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_every_connection_is_set_up_to_survive_a_kill_and_to_wait_its_turn(path: Path) -> None:
    with closing(Database(path, "write")) as database:
        assert pragma(database, "journal_mode") == "wal"
        assert pragma(database, "synchronous") == 1
        assert pragma(database, "foreign_keys") == 1
        assert pragma(database, "busy_timeout") == 10_000


def test_a_writer_takes_the_lock_at_its_beginning(path: Path) -> None:
    with (
        closing(Database(path, "write")) as first,
        closing(Database(path, "write", busy_timeout=AT_ONCE)) as second,
        first.writing(),
        pytest.raises(CatalogueError, match=r"nvr\.db cannot be used: another process kept it locked for 0 s"),
        second.writing(),
    ):
        pytest.fail("two writers at once")


def test_a_reader_works_while_a_writer_holds_its_transaction(path: Path) -> None:
    with Catalogue.open(path) as catalogue, closing(Database(path, "write")) as writer:
        id = catalogue.open_event(event())
        with writer.writing() as connection, Catalogue.open(path, readonly=True, busy_timeout=AT_ONCE) as reader:
            connection.execute(text("DELETE FROM events"))
            assert [found.id for found in reader.events(START)] == [id]


def test_an_exception_undoes_the_transaction(path: Path) -> None:
    with closing(Database(path, "write")) as database:
        with suppress(KeyError), database.writing() as connection:
            connection.execute(text("INSERT INTO cameras(name, added_us) VALUES ('hik1', 0)"))
            raise KeyError
        with database.reading() as connection:
            assert connection.execute(text("SELECT count(*) FROM cameras")).scalar_one() == 0


def test_a_full_disk_is_named_and_costs_no_stored_row(path: Path) -> None:
    with closing(Database(path, "write")) as database:
        catalogue = Catalogue(database)
        with database.reading() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")
        minute = fill(catalogue)
        stored = list(catalogue.segments(START))
        assert stored == [segment(minute, minute + 1) for minute in range(minute)]
        assert stored
        with database.reading() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 100000")
        catalogue.add_segment(segment(minute, minute + 1))
        assert len(list(catalogue.segments(START))) == minute + 1


def fill(catalogue: Catalogue) -> int:
    """The minute whose segment did not fit."""
    for minute in range(1000):
        try:
            catalogue.add_segment(segment(minute, minute + 1))
        except CatalogueError as error:
            assert "nvr.db cannot be used: its disk is full: free some space" in str(error)  # noqa: PT017
            return minute
    pytest.fail("the disk was never full")


def test_a_damaged_file_is_named_with_what_to_do(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    with pytest.raises(CatalogueError, match="damaged: stop nvr"), Catalogue.open(path, readonly=True) as catalogue:
        list(catalogue.segments(START))


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (sqlite3.SQLITE_READONLY_DIRECTORY, "give this user write permission"),
        (sqlite3.SQLITE_IOERR_WRITE, "check the disk"),
        (sqlite3.SQLITE_CANTOPEN, "give this user permission"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "try again"),
        (sqlite3.SQLITE_ERROR, "nvr db upgrade"),
    ],
)
def test_extended_codes_get_the_advice_of_their_family(code: int, advice: str) -> None:
    error = sqlite3.OperationalError("said SQLite")
    error.sqlite_errorcode = code
    text = explain(Path("/data/nvr.db"), error)
    assert text.startswith("the catalogue /data/nvr.db cannot be used: ")
    assert advice in text
    assert text.endswith("(said SQLite)")


def test_an_error_shows_neither_statement_nor_values(path: Path) -> None:
    with closing(Database(path, "write")) as database, pytest.raises(CatalogueError) as raised:  # noqa: SIM117
        with database.writing() as connection:
            connection.execute(text("INSERT INTO missing VALUES (:v)"), {"v": "secret"})
    assert "secret" not in str(raised.value)
    assert "INSERT" not in str(raised.value)


def test_a_path_with_characters_of_a_uri_is_opened(path: Path) -> None:
    odd = path.rename(path.with_name("50% ?mode=ro#ü.db"))
    with Catalogue.open(odd) as catalogue:
        catalogue.open_event(event())
    with Catalogue.open(odd, readonly=True) as catalogue:
        assert len(list(catalogue.events(START))) == 1

"""One SQLite file: its connections, its transactions, and its errors in words.

Nothing here knows a table. Every connection is in WAL mode: a killed process loses nothing that was committed, and a
power cut does not damage the file (sqlite.org/wal.html). It may cost what was committed since the log was last synced,
which a ``durable`` connection (``synchronous=FULL``) does at each of its commits, for what others wrote, too. Writers
begin with BEGIN IMMEDIATE: a transaction that reads first and writes later cannot wait for the lock and would fail at
once, whatever the busy timeout (sqlite.org/lang_transaction.html). The driver's own transaction handling is off.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from sqlalchemy import Connection, FromClause, QueuePool, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, SQLAlchemyError

from nvr.errors import CatalogueError, DamagedError, RowError

BUSY_TIMEOUT = timedelta(seconds=10)
"""How long a connection waits for another writer before it gives up."""

_WAL_LIMIT = 64 << 20  # bytes the write-ahead log is cut down to after a checkpoint

Mode = Literal["read", "write", "create"]

_ADVICE = {
    sqlite3.SQLITE_FULL: "its disk is full: free some space there; what was stored before is not lost",
    sqlite3.SQLITE_READONLY: "it cannot be written: give this user write permission on the file and on its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: give this user permission on the file and on its folder",
    sqlite3.SQLITE_PERM: "it cannot be opened: give this user permission on the file and on its folder",
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database: move it away and run nvr rebuild, or restore a backup",
    sqlite3.SQLITE_CORRUPT: "it is damaged: stop nvr, move it away, then restore a backup or run nvr rebuild",
    sqlite3.SQLITE_IOERR: "its disk failed to read or write: look at the system log and check the disk",
}


class Database:
    """The connections to one file. May be used from any thread; not across a fork."""

    def __init__(
        self,
        path: Path,
        mode: Mode,
        *,
        busy_timeout: timedelta = BUSY_TIMEOUT,
        foreign_keys: bool = True,
        durable: bool = False,
    ) -> None:
        """Connects at the first transaction. ``foreign_keys`` is off only for migrations, which rebuild tables."""
        self.path = path
        self._mode = mode
        self._busy_timeout = busy_timeout
        self._foreign_keys = foreign_keys
        self._durable = durable
        engine = create_engine("sqlite://", creator=self._connect, poolclass=QueuePool)
        engine.dialect.statement_compiler = _Compiler
        event.listen(engine, "begin", _begin)
        self.engine = engine
        self._writer = engine.execution_options(begin="BEGIN IMMEDIATE")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot of the file; never waits for a writer. Keep it short: the log cannot shrink meanwhile.

        Raises CatalogueError.
        """
        with self._explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one write transaction of the file, committed at the end or undone by an exception.

        Raises CatalogueError, also where another process held the lock for longer than the busy timeout.
        """
        with self._explained(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close idle connections; the last one to go checkpoints the write-ahead log."""
        self.engine.dispose()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            _uri(self.path, self._mode),
            uri=True,
            timeout=self._busy_timeout.total_seconds(),
            isolation_level=None,
            check_same_thread=False,  # the pool hands a connection to one thread at a time
        )
        try:
            if self._mode == "read":
                connection.execute("PRAGMA query_only=ON")
            else:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute(f"PRAGMA synchronous={'FULL' if self._durable else 'NORMAL'}")
                connection.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT}")
            connection.execute(f"PRAGMA foreign_keys={'ON' if self._foreign_keys else 'OFF'}")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, DataError, InterfaceError) as error:
            raise RowError(explain(self.path, error.orig, self._busy_timeout)) from error
        except DBAPIError as error:
            damaged = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in (
                sqlite3.SQLITE_CORRUPT,
                sqlite3.SQLITE_NOTADB,
            )
            kind = DamagedError if damaged else CatalogueError
            raise kind(explain(self.path, error.orig, self._busy_timeout)) from error
        except SQLAlchemyError as error:
            raise CatalogueError(f"the catalogue {self.path} cannot be used: {error}") from error


def explain(path: Path, error: BaseException | None, busy_timeout: timedelta = BUSY_TIMEOUT) -> str:
    """What a driver's error means for ``path`` and what to do. Holds no statement and no value (invariant 9)."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        advice = (
            f"another process kept it locked for {busy_timeout.total_seconds():g} s: "
            "end what holds it (a sqlite3 shell, a backup), then try again"
        )
    else:
        advice = _ADVICE.get(code, "SQLite refused a statement: if nvr db upgrade does not help, report this as a bug")
    return f"the catalogue {path} cannot be used: {advice} ({error})"


class _Compiler(SQLiteCompiler):
    """Adds what the dialect lacks: a hint on a table is written behind its name (``INDEXED BY``)."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def may_write(path: Path) -> bool:
    """Whether this process could write a file or a folder: permissions, and a disk that is not mounted read-only."""
    return os.access(path, os.W_OK, effective_ids=True)


def _uri(path: Path, mode: Mode) -> str:
    """Where and how SQLite opens the file.

    WAL mode needs two files beside the database, even to read. A reader that may write opens the file for writing too
    (``query_only`` keeps it from it), because only such a connection removes them again when it is the last to close.
    Where none can be made (an archive, a read-only disk) and none is there, nobody has the file open and SQLite may
    read it alone.
    """
    if mode == "create":
        how = "mode=rwc"
    elif mode == "write" or (may_write(path) and may_write(path.parent)):
        how = "mode=rw"
    elif may_write(path.parent) or Path(f"{path}-wal").exists() or Path(f"{path}-shm").exists():
        how = "mode=ro"
    else:
        how = "mode=ro&immutable=1"
    return f"file:{quote(str(path.absolute()))}?{how}"

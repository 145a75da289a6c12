"""Making a catalogue and bringing an old one up to date: Alembic, behind a lock and after a backup.

Runs in ``nvr db upgrade`` and, for a storage folder without a catalogue, in ``nvr start`` before anything else opens
it. The only module that imports Alembic, and only once there is something to do: that import costs more than the rest.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table

import nvr
from nvr.catalogue.database import BUSY_TIMEOUT, Database, explain
from nvr.catalogue.revision import refuse_newer, stored_revision
from nvr.catalogue.schema import HEAD, metadata
from nvr.clock import Clock, SystemClock, from_us
from nvr.errors import CatalogueError
from nvr.layout import PART_SUFFIX, sync_folder

_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class UpgradeResult:
    """What ``upgrade`` did: revisions before (None for a new file) and after, and the copy it made first, if any."""

    previous: str | None
    current: str
    backup: Path | None


def current(path: Path) -> str | None:
    """The revision of the catalogue at ``path``; None where there is none yet. Raises CatalogueError."""
    if not path.exists():
        return None
    with closing(Database(path, "read")) as database:
        return stored_revision(database)


def upgrade(path: Path, *, clock: Clock = _CLOCK, scripts: Path | None = None) -> UpgradeResult:
    """Make the catalogue at ``path``, or bring it to the newest revision, all in one transaction.

    An existing catalogue that needs a change is first copied to ``nvr.db.<revision>-<UTC time>.bak`` beside it. Nothing
    else may use it meanwhile, so nvr is to be stopped. ``scripts`` is another folder of migrations, for tests of
    revisions to come. Raises CatalogueError; the catalogue is then as it was.
    """
    if not path.parent.is_dir():
        raise CatalogueError(f"cannot make a catalogue at {path}: its folder is missing: make it, or mount its disk")
    with _locked(path):
        previous = current(path)
        if scripts is None and previous == HEAD:
            return UpgradeResult(previous, previous, None)
        backup = None
        with closing(Database(path, "create", foreign_keys=False)) as database:
            if previous is not None and scripts is None:
                refuse_newer(database, previous)
            if previous is not None:
                backup = _back_up(path, previous, clock)
            if previous is None and scripts is None:
                _create(database)
            else:
                _migrate(database, scripts or _scripts())
        sync_folder(path.parent)
        return UpgradeResult(previous, current(path) or HEAD, backup)


def set_aside(path: Path, clock: Clock = _CLOCK) -> Path:
    """Rename a damaged catalogue and what belongs to it, so that a new one can be made; returns its new name.

    Runs in ``nvr start``, which holds the storage folder. Raises CatalogueError.
    """
    kept = path.with_name(f"{path.name}.damaged-{from_us(clock.now_us()):%Y%m%dT%H%M%SZ}")
    try:
        for end in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                path.with_name(path.name + end).rename(kept.with_name(kept.name + end))
        sync_folder(path.parent)
    except OSError as error:
        raise CatalogueError(f"cannot move the damaged catalogue {path} away: {error.strerror}") from error
    return kept


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold ``<path>.lock``. The kernel lets go of it when the process ends, however it ends."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise CatalogueError(
            f"cannot make a catalogue at {path}: {error.strerror}; give this user write permission on {path.parent}"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CatalogueError(
                f"another process is upgrading {path}: wait until it has ended, then try again"
            ) from error
        yield
    finally:
        os.close(descriptor)


def _back_up(path: Path, revision: str, clock: Clock) -> Path:
    """Copy the whole database, whatever its log still holds, and see that the copy is on the disk."""
    backup = path.with_name(f"{path.name}.{revision}-{from_us(clock.now_us()):%Y%m%dT%H%M%S.%fZ}.bak")
    part = backup.with_name(backup.name + PART_SUFFIX)
    try:
        timeout = BUSY_TIMEOUT.total_seconds()
        with closing(sqlite3.connect(path, timeout=timeout)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        _sync_file(part)
        part.rename(backup)
        sync_folder(backup.parent)
    except sqlite3.Error as error:
        raise CatalogueError(f"no backup, so no upgrade: {explain(path, error)}") from error
    except OSError as error:
        raise CatalogueError(f"no backup, so no upgrade: cannot write {backup}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return backup


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create(database: Database) -> None:
    """Make a new catalogue at the newest revision. What the migrations come to, which a test holds equal, without
    Alembic: a recorder's first start would carry its 11 MB for ever."""
    with database.writing() as connection:
        metadata.create_all(connection)
        version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
        version.create(connection)
        connection.execute(version.insert().values(version_num=HEAD))


def _migrate(database: Database, scripts: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        with database.writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _check_foreign_keys(database.path, connection)
    except CommandError as error:
        raise CatalogueError(f"cannot upgrade {database.path}: {error}") from error


def _check_foreign_keys(path: Path, connection: Connection) -> None:
    """Foreign keys are off while tables are rebuilt; SQLite can tell afterwards whether one was broken."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise CatalogueError(f"cannot upgrade {path}: a row of {broken[0]} would point nowhere; please report this")


def _scripts() -> Path:
    """Alembic's folder: inside the package in an installation, beside it in a checkout."""
    package = Path(nvr.__file__).parent
    for folder in (package / "_migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise CatalogueError(f"this installation has no migrations in {package}: install nvr again")

"""Which revision of the schema a database has, read without Alembic."""

from __future__ import annotations

import re

from sqlalchemy import Connection

from nvr import __version__
from nvr.catalogue.database import Database
from nvr.catalogue.schema import HEAD
from nvr.errors import CatalogueError


def stored_revision(database: Database) -> str | None:
    """The revision that was last applied; None for a database without any table. Raises CatalogueError."""
    with database.reading() as connection:
        revision = _revision(connection)
    if revision is not None and not re.fullmatch(r"\d{4}", revision):
        raise CatalogueError(
            f"{database.path} is a database of another program: give nvr a file of its own, then run nvr db upgrade"
        )
    return revision


def require_head(database: Database) -> None:
    """Raise CatalogueError unless the database has the schema this version of nvr works with."""
    revision = stored_revision(database)
    if revision is None:
        raise CatalogueError(
            f"no catalogue at {database.path}; nvr rebuild makes it from the files, nvr start a new one"
        )
    refuse_newer(database, revision)
    if revision < HEAD:
        raise CatalogueError(
            f"the catalogue {database.path} has schema {revision}, nvr {__version__} works with {HEAD}: "
            "run nvr db upgrade"
        )


def refuse_newer(database: Database, revision: str) -> None:
    """Raise CatalogueError where a newer nvr has written the database."""
    if revision > HEAD:
        raise CatalogueError(
            f"the catalogue {database.path} has schema {revision}, made by a newer nvr; nvr {__version__} works with "
            f"{HEAD}: install that newer version, or restore a backup ({database.path.name}.{HEAD}-*.bak)"
        )


def _revision(connection: Connection) -> str | None:
    tables = {name for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "alembic_version" not in tables:
        return "none"  # tables, but no revision: not a catalogue
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])

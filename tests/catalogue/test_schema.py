from __future__ import annotations

import ast
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Table, create_engine

from nvr.catalogue.schema import HEAD, LEFT_OUT, OPEN_OR_LONG, metadata
from nvr.catalogue.upgrade import upgrade

REPOSITORY = Path(__file__).parents[2]
MIGRATIONS = REPOSITORY / "migrations"
DOCUMENT = (REPOSITORY / "docs" / "schema.md").read_text()
TABLES = [pytest.param(table, id=table.name) for table in metadata.sorted_tables]


def test_the_constant_names_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue that went through every revision; a new one is made from the tables at once."""
    path = tmp_path_factory.mktemp("migrated") / "nvr.db"
    upgrade(path, scripts=MIGRATIONS)
    return path


def test_alembic_finds_no_difference_between_migrations_and_tables(migrated: Path) -> None:
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": _is_legible})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def _is_legible(each: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
    """SQLAlchemy cannot read what a foreign key does that came with its column; those are compared by themselves."""
    return kind != "foreign_key_constraint"


def test_foreign_keys_do_the_same_wherever_they_came_from(migrated: Path, fresh: Path) -> None:
    assert foreign_keys(migrated) == foreign_keys(fresh)
    assert ("events", "same_as", "id", "SET NULL") in foreign_keys(fresh)["events"]


def foreign_keys(path: Path) -> dict[str, set[tuple[str, str, str, str]]]:
    with closing(sqlite3.connect(path)) as database:
        return {
            table.name: {
                (to, of, their, deleted)
                for _, _, to, of, their, _, deleted, _ in database.execute(f"PRAGMA foreign_key_list({table.name})")
            }
            for table in metadata.sorted_tables
        }


def test_migrations_make_word_for_word_what_the_tables_say(migrated: Path, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'metadata.db'}")
    metadata.create_all(engine)
    engine.dispose()
    made = statements(migrated)
    del made["alembic_version"]
    assert made == statements(tmp_path / "metadata.db")
    assert OPEN_OR_LONG in made["ix_events_open_or_long"]
    assert LEFT_OUT in made["ix_segments_left_out"]


def statements(path: Path) -> dict[str, str]:
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    with closing(sqlite3.connect(path)) as database:
        return {name: _spelled(" ".join(sql.split())) for name, sql in database.execute(query)}


def _spelled(sql: str) -> str:
    """A foreign key that came with its column (SQLite adds it in no other way) as one that came with its table."""
    inline = re.search(r" CONSTRAINT (fk_\w+) REFERENCES (\w+ \(id\)(?: ON DELETE [A-Z ]+)?)(?=,)", sql)
    if inline is None:
        return sql
    column = sql[: inline.start()].split()[-2]
    rest = sql.replace(inline[0], "").removesuffix(" )")
    return f"{rest}, CONSTRAINT {inline[1]} FOREIGN KEY({column}) REFERENCES {inline[2]} )"


def test_no_migration_imports_nvr() -> None:
    for script in MIGRATIONS.rglob("*.py"):
        for node in ast.walk(ast.parse(script.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "nvr"], script


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_documented_with_its_type_and_meaning(table: Table) -> None:
    documented = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", section(table.name), re.MULTILINE)
    assert documented == [
        (column.name, f"{column.type}{' or NULL' if column.nullable else ''}", column.comment)
        for column in table.columns
    ]
    assert table.comment
    assert table.comment in section(table.name)


@pytest.mark.parametrize("table", TABLES)
def test_every_index_is_documented(table: Table) -> None:
    documented = re.findall(r"^- `(ix_\w+)` \(([\w, ]+)\)", section(table.name), re.MULTILINE)
    expected = [(str(index.name), ", ".join(column.name for column in index.columns)) for index in table.indexes]
    assert sorted(documented) == sorted(expected)


def section(name: str) -> str:
    found = re.search(rf"^### {name}$(.*?)(?=^##|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/schema.md has no section {name}"
    return found[1]

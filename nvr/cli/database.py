"""``nvr db``: the catalogue's version."""

from __future__ import annotations

import typer

from nvr.cli.app import ConfigOption, JsonOption, app, database_of, load_config

db = typer.Typer(help="The catalogue (SQLite).", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(db, name="db")


@db.command("upgrade")
def upgrade_database(config: ConfigOption = None) -> None:
    """Bring the catalogue to this version's schema, or make it; a backup is written first."""
    from nvr.catalogue.upgrade import upgrade

    path = database_of(load_config(config))
    result = upgrade(path)
    if result.previous == result.current:
        typer.echo(f"{path} is at revision {result.current} already")
        return
    typer.echo(f"{path}: {result.previous or 'new'} → {result.current}")
    if result.backup is not None:
        typer.echo(f"backup: {result.backup}")


@db.command("current")
def current_revision(json: JsonOption = False, config: ConfigOption = None) -> None:
    """The catalogue's revision and the one this version wants."""
    from nvr.catalogue.schema import HEAD
    from nvr.catalogue.upgrade import current
    from nvr.cli.listing import print_json

    path = database_of(load_config(config))
    revision = current(path)
    if json:
        print_json({"path": str(path), "revision": revision, "wanted": HEAD})
        return
    typer.echo(f"{path}: {revision or 'no catalogue yet'} (this version wants {HEAD})")

"""``nvr config``: is the configuration right, and what may it hold."""

from __future__ import annotations

import typer

from nvr.cli.app import ConfigOption, JsonOption, app, load_config

config_app = typer.Typer(help="The configuration file.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(config_app, name="config")


@config_app.command("check")
def check(config: ConfigOption = None) -> None:
    """Read the configuration and say every problem with its line."""
    from nvr.config import find

    path = find(config)
    settings = load_config(path, resolve=True)
    typer.echo(f"{path}: in order, {len(settings.cameras)} camera(s): {', '.join(settings.cameras)}")


@config_app.command("schema")
def print_schema(json: JsonOption = True) -> None:
    """Print the JSON schema, so that an editor completes the file."""
    import json as json_text

    from nvr.config import schema

    typer.echo(json_text.dumps(schema(), indent=2))

"""``nvr config``: is the configuration right, and what may it hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from nvr.cli.app import ConfigOption, JsonOption, app, load_config

if TYPE_CHECKING:
    from pathlib import Path

    from nvr.config import Config

config_app = typer.Typer(help="The configuration file.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(config_app, name="config")


@config_app.command("check")
def check(config: ConfigOption = None) -> None:
    """Read the configuration and say every problem with its line."""
    from nvr.config import find

    path = find(config)
    settings = load_config(path, resolve=True)
    _check_models(path, settings)
    typer.echo(f"{path}: in order, {len(settings.cameras)} camera(s): {', '.join(settings.cameras)}")


def _check_models(path: Path, config: Config) -> None:
    """Whether the models can be used and know the labels. Raises ConfigError with a line for each camera."""
    from nvr.analysis.observer import Models, Observer
    from nvr.analysis.sight import sight_of
    from nvr.errors import ConfigError, ModelError

    models, wrong = Models(), []
    for name, camera in config.cameras.items():
        if (sight := sight_of(camera.detect)) is not None:
            try:
                Observer(sight, models)
            except ModelError as error:
                wrong.append(f"{path}: cameras.{name}.detect: {error}")
    if wrong:
        raise ConfigError("\n".join(wrong))


@config_app.command("schema")
def print_schema(json: JsonOption = True) -> None:
    """Print the JSON schema, so that an editor completes the file."""
    import json as json_text

    from nvr.config import schema

    typer.echo(json_text.dumps(schema(), indent=2))

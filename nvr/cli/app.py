"""The commands' tree and the options they share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nvr.catalogue.store import Catalogue
    from nvr.config import Config

app = typer.Typer(
    help="A network video recorder: every second on disk, events with pictures, and a reason for what is missing.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="The configuration file. [NVR_CONFIG, ./nvr.yaml or ~/.config/nvr/nvr.yaml]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON array or object.")]
SinceOption = Annotated[str, typer.Option("--since", help='14:03, "yesterday 14:03", RFC 3339, or an age: 90s 1h 7d.')]
UntilOption = Annotated[str | None, typer.Option("--until", help="The same; now where it is not given.")]
CameraOption = Annotated[str | None, typer.Option("--camera", help="This camera alone.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=10_000_000, help="At most so many.")]


def load_config(path: Path | None, *, resolve: bool = False) -> Config:
    """The configuration that ``--config`` or the usual places give. Raises ConfigError.

    ``resolve`` reads secrets and looks for video and model files: for commands that go to a camera. A listing works
    without the recorder's environment.
    """
    from nvr import config

    return config.load(config.find(path), resolve=resolve)


def open_catalogue(config: Config) -> Catalogue:
    """The catalogue, to read. Raises CatalogueError."""
    from nvr.catalogue.store import Catalogue

    return Catalogue.open(database_of(config), readonly=True)


def database_of(config: Config) -> Path:
    from nvr import layout

    return layout.database_of(config.storage, config.database)


def check_camera(config: Config, name: str | None) -> None:
    """Raise ConfigError for a name that no camera has; a listing of nothing would hide the typing error."""
    from nvr.errors import ConfigError

    if name is not None and name not in config.cameras:
        raise ConfigError(f"no camera named {name} in the configuration; there are: {', '.join(config.cameras)}")


@app.command()
def start(
    camera: Annotated[
        list[str] | None, typer.Option("--camera", help="This camera (again for more); else all.")
    ] = None,
    config: ConfigOption = None,
    log_level: Annotated[str, typer.Option("--log-level", help="debug, info, warning or error.")] = "info",
) -> None:
    """Record and analyse until stopped (Ctrl-C; again Ctrl-C ends at once)."""
    from nvr.config import find
    from nvr.errors import ConfigError
    from nvr.nursery import Nursery

    if log_level not in ("debug", "info", "warning", "error"):
        raise ConfigError(f'--log-level: got "{log_level}", want debug, info, warning or error')
    settings = load_config(config, resolve=True)
    file = find(config)
    nursery = Nursery(["nvr.recording.recorder"])
    nursery.start()  # while this process is small: all that follows shares its pages
    from nvr.cli.start import start as start_all

    start_all(settings, file.absolute(), tuple(camera or ()), log_level, nursery)


@app.callback(invoke_without_command=True)
def version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        from nvr import __version__

        typer.echo(f"nvr {__version__}")
        raise typer.Exit


from nvr.cli import (  # noqa: E402, F401  # register
    analyze,
    cameras,
    check,
    configuration,
    database,
    demo,
    event,
    events,
    export,
    gaps,
    marks,
    models,
    prune,
    segments,
    snapshot,
    status,
    storage,
    users,
    watch,
)

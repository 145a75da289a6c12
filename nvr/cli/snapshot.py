"""``nvr cameras snapshot``: a camera's newest picture, and on it where its zones, lines and masks are."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvr.cli.app import ConfigOption, JsonOption, check_camera, load_config
from nvr.cli.cameras import ask_for_login, cameras, run_folder, try_login, with_hint

if TYPE_CHECKING:
    from nvr.analysis.zones import Rules
    from nvr.config import Config
    from nvr.model import Frame

FRESH = timedelta(seconds=30)
"""A picture in the slot that is older is no answer to what the camera sees: it is asked itself."""


@cameras.command("snapshot")
def snapshot(
    name: str,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="The JPEG to be written, - for standard output.")
    ] = None,
    zones: Annotated[bool, typer.Option("--zones", help="Draw the zones, lines and masks of the camera.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """A camera's newest picture: from the running nvr, or else in one careful login."""
    from nvr.analysis.overlay import render
    from nvr.analysis.sight import rules_of
    from nvr.cli.listing import print_json

    settings = load_config(config)
    check_camera(settings, name)
    _check_output(output, settings.storage, json=json)
    rules = rules_of(settings.cameras[name].detect)
    frame, source = _newest(settings, name, config)
    path = _write(render(frame, rules if zones else None), output, name, frame)
    if zones and not (rules.zones or rules.lines or rules.masks):
        typer.echo(f"nvr: {name} has no zones, lines or masks to draw: see docs/zones.md", err=True)
    if json:
        print_json(_as_json(name, frame, source, path, rules))
    else:
        typer.echo(_sentence(frame, source, path), err=path is None)


def _check_output(output: str | None, storage: Path, *, json: bool) -> None:
    """Raise ConfigError for what cannot be written to, before the camera is asked."""
    from nvr.errors import ConfigError

    if output is None:
        return
    if output == "-":
        if json:
            raise ConfigError("--json and -o - both want standard output: name a file")
        if sys.stdout.isatty():
            raise ConfigError("-o -: a JPEG is nothing for a terminal: name a file, or pipe it into a program")
        return
    path = Path(output)
    if not path.name or path.is_dir():
        raise ConfigError(f'--output: got "{output}", a folder: name the JPEG to be written')
    if not path.parent.is_dir():
        raise ConfigError(f"--output: there is no folder {path.parent}: make it, or name another")
    for kept in ("segments", "snapshots"):
        if path.resolve().is_relative_to((storage / kept).resolve()):
            raise ConfigError(f"--output: {path} is among the recordings of nvr itself: choose another folder")


def _newest(settings: Config, name: str, config: Path | None) -> tuple[Frame, str]:
    """The newest picture and where it is from: ``nvr`` or ``camera``. Raises SourceError, LoginError, ConfigError."""
    from nvr.clock import SystemClock, from_us
    from nvr.errors import SourceError
    from nvr.media.still import still

    clock, folder = SystemClock(), run_folder(settings.storage)
    frame = None if folder is None else _from_slot(folder, name)
    if frame is not None and abs(from_us(clock.now_us()) - frame.at) <= FRESH:
        return frame, "nvr"
    camera = load_config(config, resolve=True).cameras[name]
    address = camera.sub if camera.analysed == "sub" and camera.sub is not None else camera.main
    try:
        ask_for_login(address)
        return still(address, clock, login=try_login(address, folder, clock)), "camera"
    except SourceError as error:
        raise type(error)(with_hint(error)) from error


def _from_slot(folder: Path, name: str) -> Frame | None:
    """What a running nvr shows of a camera; None where it runs without the camera, or has no picture of it."""
    from nvr import layout
    from nvr.errors import StorageError
    from nvr.frameslot import SlotReader

    try:
        with SlotReader(layout.slot_path(folder, name)) as slot:
            return slot.read()
    except StorageError:
        return None


def _write(picture: bytes, output: str | None, name: str, frame: Frame) -> Path | None:
    """Write the JPEG; None for standard output. Raises OSError, also where the name it gives itself is taken."""
    from nvr.layout import stamp

    if output == "-":
        sys.stdout.buffer.write(picture)
        return None
    path = Path(f"{name}-{'_'.join(stamp(frame.at))}.jpg" if output is None else output)
    with path.open("xb" if output is None else "wb") as file:
        file.write(picture)
    return path


def _sentence(frame: Frame, source: str, path: Path | None) -> str:
    from nvr.clock import format_local

    where = "the running nvr" if source == "nvr" else "the camera"
    return f"{path or 'standard output'}: {frame.width}x{frame.height} of {format_local(frame.at)}, from {where}"


def _as_json(name: str, frame: Frame, source: str, path: Path | None, rules: Rules) -> dict[str, Any]:
    from nvr.clock import format_rfc3339

    return {
        "camera": name,
        "path": str(path),
        "at": format_rfc3339(frame.at),
        "width": frame.width,
        "height": frame.height,
        "source": source,
        "zones": [zone.name for zone in rules.zones],
        "lines": [line.name for line in rules.lines],
        "masks": len(rules.masks),
    }

"""``nvr analyze``: recorded footage seen again, by another model or with other zones, and what that would change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nvr.cli.app import ConfigOption, JsonOption, app, check_camera, load_config

if TYPE_CHECKING:
    from nvr.analysis.sight import Sight
    from nvr.config import Config, Detect
    from nvr.reanalysis import Order

SMALL = 640
"""Pixels in width of pictures where live analysis looks at a sub stream: about what that has."""
NICE = 10
"""Where the machine has too little time for all, recording and live analysis go first."""
STOPPED = 130
"""The exit code of a command that Ctrl-C ended, in every shell."""


@app.command()
def analyze(
    camera: Annotated[str, typer.Option("--camera", help="The camera.")],
    since: Annotated[str, typer.Option("--from", help='14:03, "yesterday 14:03", RFC 3339, or an age: 90s 1h 7d.')],
    until: Annotated[str, typer.Option("--to", help="The same.")],
    rules: Annotated[
        Path | None, typer.Option("--rules", help="Another nvr.yaml, whose detect of this camera is tried.")
    ] = None,
    model: Annotated[Path | None, typer.Option("--model", help="An ONNX file that is tried.")] = None,
    layout: Annotated[str | None, typer.Option("--layout", help="How its outputs are laid out.")] = None,
    labels: Annotated[str | None, typer.Option("--labels", help="Objects to look for: person,car")] = None,
    min_score: Annotated[float | None, typer.Option("--min-score", min=0, max=1, help="Least score.")] = None,
    fps: Annotated[float | None, typer.Option("--fps", min=0.1, max=30, help="Most looks a second.")] = None,
    width: Annotated[
        int | None, typer.Option("--width", min=160, max=7680, help="Larger pictures are scaled down to it.")
    ] = None,
    save: Annotated[Path | None, typer.Option("--save", help="Folder for pictures of the new events.")] = None,
    store: Annotated[bool, typer.Option("--store", help="Add the new events to the catalogue.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Look at recorded footage again, and compare with the events of then."""
    import os

    from nvr.analysis.zones import without_scores
    from nvr.cli.comparison import print_found
    from nvr.cli.export import span_of
    from nvr.cli.trial import run

    settings = load_config(config)
    span = span_of(since, until)
    _check_folder(save, settings.storage)
    trial = _trial(settings, camera, rules)
    sight = _sight(camera, trial, model, layout)
    sight = replace(
        sight,
        labels=sight.labels if labels is None else _labels(labels),
        min_score=sight.min_score if min_score is None else min_score,
        rules=sight.rules if min_score is None else without_scores(sight.rules),
    )
    os.nice(NICE)
    order = _order(settings, trial, camera, span, sight, fps=fps, width=width)
    found = run(settings, order, save, store=store, quiet=json)
    print_found(found, settings.storage, json=json)
    if found.outcome.stopped:
        raise typer.Exit(STOPPED)


def _trial(settings: Config, camera: str, rules: Path | None) -> Config:
    """The configuration whose detect is tried. Raises ConfigError."""
    from nvr.errors import ConfigError

    trial = settings if rules is None else load_config(rules)
    if camera not in trial.cameras and rules is not None:
        raise ConfigError(f"--rules {rules}: no camera named {camera} in it; there are: {', '.join(trial.cameras)}")
    check_camera(trial, camera)
    return trial


def _sight(camera: str, trial: Config, model: Path | None, layout: str | None) -> Sight:
    """How the footage is to be looked at, but for labels and score. Raises ConfigError."""
    from typing import get_args

    from nvr.analysis.choice import LayoutName, ModelChoice
    from nvr.analysis.sight import sight_of
    from nvr.errors import ConfigError

    if layout is not None and model is None:
        raise ConfigError("--layout goes with --model")
    if layout is not None and layout not in get_args(LayoutName):
        raise ConfigError(f'--layout: got "{layout}", want one of {", ".join(get_args(LayoutName))}')
    detect = trial.cameras[camera].detect
    sight = sight_of(detect)
    if sight is None:
        raise ConfigError(
            f"nothing is looked for at {camera} (detect: {detect.mode}): give --rules with an nvr.yaml in which its "
            "detect is objects or motion"
        )
    if model is None:
        return sight
    if sight.mode == "motion":
        raise ConfigError(f"--model: {camera} has detect: motion, which needs no model: give --rules with objects")
    return replace(sight, model=ModelChoice(model, layout), min_score=detect.min_score)  # type: ignore[arg-type]


def _labels(text: str) -> tuple[str, ...]:
    from nvr.errors import ConfigError

    labels = tuple(label.strip() for label in text.split(",") if label.strip())
    if not labels:
        raise ConfigError(f'--labels: got "{text}", want names such as person,car')
    return labels


def _check_folder(save: Path | None, storage: Path) -> None:
    """Raise ConfigError for a folder that pictures cannot be saved in, before there is anything to lose."""
    from nvr.errors import ConfigError

    if save is None:
        return
    for kept in ("segments", "snapshots", "samples"):
        if save.resolve().is_relative_to((storage / kept).resolve()):
            raise ConfigError(f"--save: {save} is among the recordings of nvr itself: choose another folder")
    try:
        save.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--save: {save} cannot be made: {error.strerror}") from error


def _order(
    settings: Config,
    trial: Config,
    camera: str,
    span: tuple[datetime, datetime],
    sight: Sight,
    *,
    fps: float | None,
    width: int | None,
) -> Order:
    from nvr.reanalysis import Order

    detect: Detect = trial.cameras[camera].detect
    live = settings.cameras.get(camera, trial.cameras[camera])
    return Order(
        camera,
        *span,
        sight,
        interval=timedelta(seconds=1 / (fps or detect.fps)),
        widest=width or (SMALL if live.analysed == "sub" else None),
        key_frames_only=detect.frames == "key",
    )

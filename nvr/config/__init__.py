"""Configuration: where it is, and reading it once, with every problem at its line.

``tree`` says which keys there are, ``document`` reads YAML, ``complaint`` words what is wrong. This is the one place in
nvr that reads the environment.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from nvr.config.alerts import Alerts
from nvr.config.detect import Detect
from nvr.config.tree import Camera, CameraRetention, Config, Recording, Retention, Shared
from nvr.config.unit import parse_size
from nvr.config.value import Outside
from nvr.config.web import Web
from nvr.errors import ConfigError

__all__ = [
    "Alerts",
    "Camera",
    "CameraRetention",
    "Config",
    "Detect",
    "Recording",
    "Retention",
    "Shared",
    "Web",
    "find",
    "load",
    "parse_size",
    "schema",
]


def find(explicit: Path | None) -> Path:
    """The configuration file: ``--config``, ``NVR_CONFIG``, ``./nvr.yaml``, ``~/.config/nvr/nvr.yaml``, in this order.

    Raises ConfigError that says where was looked.
    """
    if explicit is not None:
        return explicit
    named = os.environ.get("NVR_CONFIG")  # noqa: TID251
    if named:
        if not Path(named).exists():
            raise ConfigError(f"NVR_CONFIG names {named}, which does not exist: correct it or unset it")
        return Path(named)
    for usual in ("nvr.yaml", "~/.config/nvr/nvr.yaml"):
        with suppress(RuntimeError, PermissionError):  # no home folder, or one that may not be entered
            if Path(usual).expanduser().exists():
                return Path(usual).expanduser()
    raise ConfigError(
        "no configuration: there is neither ./nvr.yaml nor ~/.config/nvr/nvr.yaml; write one as "
        "docs/configuration.md shows, or name one with --config or NVR_CONFIG"
    )


def load(path: Path, *, resolve: bool = True) -> Config:
    """Read a configuration. Raises ConfigError with all its problems, one a line: ``nvr.yaml:12: storage: got …``.

    ``resolve=False`` is for commands that only look at what was recorded: secrets that are not text in the file stay
    None and files named by keys are not looked for, so that such a command works in a shell without the recorder's
    environment. Never log in to a camera with such a Config: a wrong login may lock the account.
    """
    from nvr.config.document import read

    document = read(path)
    problems, config = list(document.problems), None
    try:
        outside = Outside(path.parent, os.environ if resolve else None)  # noqa: TID251
        config = Config.model_validate(document.value, context=outside)
    except ValidationError as error:
        from nvr.config.complaint import complaints

        problems += complaints(error, document)
    if config is None or problems:
        problems.sort(key=lambda problem: problem.line)
        raise ConfigError("\n".join(f"{path}:{problem.line}: {problem}" for problem in problems))
    return config


def schema() -> dict[str, object]:
    """The JSON schema (2020-12) of the file, for editors."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**dialect, **Config.model_json_schema(), "title": "nvr configuration"}

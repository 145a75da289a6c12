"""What the supervisor hands to the web process: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nvr.model import StreamName

if TYPE_CHECKING:
    from nvr.config import Config


@dataclass(frozen=True, slots=True)
class View:
    """What there is to see of one camera while nvr runs: its slot, None where nothing is analysed, and its rings."""

    slot: Path | None
    rings: Mapping[StreamName, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """The web process's work. ``config`` holds no password of a camera."""

    config: Config
    file: Path
    """The configuration file, where zones are saved."""
    database: Path
    folder: Path
    """The run's folder in shared memory."""
    views: Mapping[str, View]
    restarts: int = 0
    log_level: str = "info"


@dataclass(frozen=True, slots=True)
class Reload:
    """What the web process tells the supervisor: zones in the configuration file have changed."""

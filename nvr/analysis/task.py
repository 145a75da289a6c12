"""What the supervisor hands to the analyzer process: plain values, importable without its libraries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Look:
    """How one camera is analysed."""

    camera: str
    slot: Path
    mode: Literal["motion", "objects"]
    labels: tuple[str, ...]
    interval: timedelta
    """Between two looks, at least."""
    min_score: float
    model: Path | None
    """None for the detector that ships with nvr."""


@dataclass(frozen=True, slots=True)
class Task:
    """The analyzer's work: all cameras that have something to look at."""

    looks: tuple[Look, ...]
    storage: Path
    database: Path
    pulse: Path
    restarts: int = 0
    """How often the process was started again."""
    log_level: str = "info"

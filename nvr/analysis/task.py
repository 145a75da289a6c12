"""What the supervisor hands to the analyzer process: plain values, importable without its libraries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from nvr.analysis.sight import Sight


@dataclass(frozen=True, slots=True)
class Look:
    """One camera: where its pictures are, how they are looked at, and how often."""

    camera: str
    slot: Path
    sight: Sight
    interval: timedelta
    """Between two looks, at least."""


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

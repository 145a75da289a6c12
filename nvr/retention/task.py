"""What the supervisor hands to the janitor process: plain values, importable without its libraries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nvr.retention.policy import Policy

ROOM = b"room"
"""A message to the janitor: a recorder met a full disk."""
LOOK = b"look "
"""Another one, followed by a camera's name: its recorder has died, and may have closed a file without telling."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the supervisor hands to the janitor process."""

    policy: Policy
    storage: Path
    database: Path
    folder: Path
    """The run's folder in shared memory, with the pulses of all processes."""
    started: datetime
    """When this ``nvr start`` began: files of before that have no row are read back."""
    restarts: int = 0
    """How often the process was started again."""
    log_level: str = "info"

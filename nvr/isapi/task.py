"""What the supervisor hands to the listener process: plain values, importable without its libraries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from nvr.model import Address


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device is, and the login."""

    host: str
    port: int = 80
    tls: bool = False
    verify: bool = True
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    @property
    def device(self) -> tuple[str, int, str | None]:
        """What cameras of one device have in common: they share one connection."""
        return self.host.lower(), self.port, self.username


@dataclass(frozen=True, slots=True)
class Ear:
    """One camera that is listened to."""

    camera: str
    place: Place
    channel: int
    door: Address
    """Where the recorder logs in: one door for both."""
    hold: timedelta
    types: tuple[str, ...] = ()
    """Types of alerts that make events; all where it is empty."""
    slot: Path | None = None
    """Its newest picture, where it is analysed."""


@dataclass(frozen=True, slots=True)
class Task:
    """The listener's work: all cameras that tell what they see."""

    ears: tuple[Ear, ...]
    storage: Path
    database: Path
    folder: Path
    """The run's folder in shared memory, with pulses and doors."""
    restarts: int = 0
    """How often the process was started again."""
    log_level: str = "info"

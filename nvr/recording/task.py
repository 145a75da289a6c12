"""What the supervisor hands to a recorder process: plain values, importable without FFmpeg."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nvr.model import Address, Gap, StreamName
from nvr.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Target:
    """Where segments go, how long one is meant to be (microseconds), and when there are to be any; None is always."""

    storage: Path
    segment_us: int
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """What to decode for the analyzer: which stream, every frame or key frames alone, and into which slot."""

    stream: StreamName
    frames: Literal["all", "key"]
    slot: Path


@dataclass(frozen=True, slots=True)
class Task:
    """One camera's work."""

    camera: str
    main: Address
    sub: Address | None
    record: bool
    audio: bool
    target: Target
    pulse: Path
    watch: Watch | None
    rings: Mapping[StreamName, Path] = field(default_factory=dict)
    """Where packets of a stream go for whoever watches live; empty where nobody may."""
    gap: Gap | None = None
    """The gap that is open, to be ended by the first picture."""
    restarts: int = 0
    """How often the process was started again."""
    log_level: str = "info"

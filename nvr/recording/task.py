"""What the supervisor hands to a recorder process: plain values, importable without FFmpeg."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nvr.model import Address, StreamName


@dataclass(frozen=True, slots=True)
class Target:
    """Where segments go: the storage folder, and how long one is meant to be (microseconds)."""

    storage: Path
    segment_us: int


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
    known_until: Path | None
    """The newest segment in the catalogue, relative to the storage folder."""
    restarts: int = 0
    """How often the process was started again."""
    log_level: str = "info"

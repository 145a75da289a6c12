"""What is looked for in a camera's pictures: plain values that pickle, made from the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from nvr.config import Detect


@dataclass(frozen=True, slots=True)
class Sight:
    """How the pictures of one camera are looked at."""

    mode: Literal["motion", "objects"] = "objects"
    labels: tuple[str, ...] = ("person", "car")
    min_score: float = 0.45
    model: Path | None = None
    """None for the detector that ships with nvr."""


def sight_of(detect: Detect) -> Sight | None:
    """What a camera's ``detect`` asks for; None where its pictures are not looked at."""
    if detect.mode == "off":
        return None
    return Sight(detect.mode, tuple(detect.labels), detect.min_score, detect.model)

"""What is looked for in a camera's pictures: plain values that pickle, made from the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from nvr.analysis.choice import ModelChoice
from nvr.analysis.zones import Filter, Line, Rules, Zone

if TYPE_CHECKING:
    from nvr.config import Detect


@dataclass(frozen=True, slots=True)
class Sight:
    """How the pictures of one camera are looked at."""

    mode: Literal["motion", "objects"] = "objects"
    labels: tuple[str, ...] = ("person", "car")
    min_score: float = 0.5
    model: ModelChoice | None = None
    """None for the detector that ships with nvr."""
    rules: Rules = field(default_factory=Rules)
    """Where, how large, how sure and when."""


def sight_of(detect: Detect) -> Sight | None:
    """What a camera's ``detect`` asks for; None where its pictures are not looked at."""
    if detect.mode == "off" or detect.mode == "camera":
        return None
    model, min_score = None, detect.min_score
    if detect.model is not None:
        model = detect.model.choice
        if detect.model.min_score is not None and "min_score" not in detect.model_fields_set:
            min_score = detect.model.min_score
    return Sight(detect.mode, tuple(detect.labels), min_score, model, rules_of(detect))


def rules_of(detect: Detect) -> Rules:
    """The zones, lines, masks and filters of a camera's ``detect``."""
    return Rules(
        zones=tuple(
            Zone(name, zone.points, zone.labels or (), zone.dwell, zone.schedule) for name, zone in detect.zones.items()
        ),
        lines=tuple(Line(name, line.points, line.direction, line.labels or ()) for name, line in detect.lines.items()),
        masks=detect.masks,
        filters=tuple(
            Filter(label, each.min_score, each.min_size, each.max_size) for label, each in detect.filters.items()
        ),
        required=detect.required,
        schedule=detect.schedule,
    )

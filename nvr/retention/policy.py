"""Limits: how long video is kept and how much room it may take. Pure; ``policy_of`` takes them from a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nvr.config import Config

SETTLE = timedelta(minutes=5)
"""Video younger than this may still get an event, so that no rule about events touches it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long video of one camera is kept."""

    continuous: timedelta
    events: timedelta
    max_size: int | None = None
    """Bytes; None is no limit."""
    only_events: bool = False
    """``record: events``: what no event is near goes as soon as none can be told any more."""
    told: bool = False
    """``detect: camera``: nobody looks but the camera itself, and somebody has to hear it."""

    @property
    def plain(self) -> timedelta:
        """How long video without events is kept in any case."""
        return max(self.continuous, SETTLE)

    @property
    def around(self) -> timedelta:
        """How long video around events is kept: no shorter than the rest, unless the rest is not wanted anyway."""
        return max(self.events, SETTLE if self.only_events else self.plain)

    @property
    def steps(self) -> set[timedelta]:
        """The ages at which something may go."""
        return {self.plain, self.around, *([SETTLE] if self.only_events else [])}


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that the configuration says of keeping video."""

    usual: Limits
    """Of cameras that are not configured any more."""
    cameras: Mapping[str, Limits]
    min_free: int
    """Bytes."""
    max_size: int | None = None
    min_kept: timedelta = timedelta()
    pre_roll: timedelta = timedelta(seconds=10)
    post_roll: timedelta = timedelta(seconds=10)

    def of(self, camera: str) -> Limits:
        return self.cameras.get(camera, self.usual)


def policy_of(config: Config) -> Policy:
    """What a configuration says of keeping video."""
    shared = config.retention

    def first(own: timedelta | None, other: timedelta) -> timedelta:
        return other if own is None else own

    cameras = {
        name: Limits(
            first(camera.retention.continuous, shared.continuous),
            first(camera.retention.events, shared.events),
            camera.retention.max_size,
            camera.record == "events",
            camera.detect.mode == "camera",
        )
        for name, camera in config.cameras.items()
    }
    return Policy(
        usual=Limits(shared.continuous, shared.events),
        cameras=cameras,
        min_free=shared.min_free,
        max_size=shared.max_size,
        min_kept=shared.min_kept,
        pre_roll=shared.pre_roll,
        post_roll=shared.post_roll,
    )


def spell_span(span: timedelta) -> str:
    """A limit as the file has it, in the largest unit that holds it whole: ``7d``, ``90s``."""
    units = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "m"))
    whole = ((span // unit, name) for unit, name in units if span and not span % unit)
    number, name = next(whole, (f"{span.total_seconds():g}", "s"))
    return f"{number}{name}"


def spell_size(size: int) -> str:
    """A size for people: ``5GB`` or ``500GiB`` where it is that exactly, else ``3.21GB``."""
    units = ((1000, ("TB", "GB", "MB", "kB")), (1024, ("TiB", "GiB", "MiB", "KiB")))
    for base, names in units:
        for power, name in zip(range(4, 0, -1), names, strict=True):
            if size and size % base**power == 0 and size // base**power < base:
                return f"{size // base**power}{name}"
    power = next((power for power in range(4, 0, -1) if size >= 1000**power), 0)
    return f"{size / 1000**power:.3g}{('B', *reversed(units[0][1]))[power]}"

"""One line of the fault matrix: what was measured, what was allowed, and whether that was kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FPS = 25
GOP_S = 1.0
"""Key frames of the cameras here come once a second."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that may be lost, and the longest until video is recorded again, in seconds; None: not limited."""

    lost_s: float | None = 0.0
    back_s: float | None = None
    text: str = ""
    """What cannot be said by the two numbers."""

    def __str__(self) -> str:
        lost = "" if self.lost_s is None else f"≤ {self.lost_s:g} s"
        back = "" if self.back_s is None else f"back ≤ {self.back_s:g} s"
        return ", ".join(filter(None, (lost, back, self.text))) or "–"


@dataclass(frozen=True, slots=True)
class Result:
    """What one fault cost. Figures are the worst of ``times`` repetitions unless they are named otherwise."""

    fault: str
    limit: Limit
    lost_packets: int | None = None
    """Video packets that the camera sent and that no file holds; None where it was not measured."""
    back_s: float | None = None
    """From the end of the fault to the first recorded packet after it; infinite where none came."""
    problems: tuple[str, ...] = ()
    """What is wrong with the rows, the gaps or anything else that has no figure."""
    note: str = ""
    times: int = 1
    skipped: str = ""
    """Why it was not run."""

    @property
    def lost_s(self) -> float | None:
        return None if self.lost_packets is None else self.lost_packets / FPS

    @property
    def passed(self) -> bool:
        """Whether it kept its limit. What was not run did not."""
        lost = self.lost_s is None or self.limit.lost_s is None or self.lost_s <= self.limit.lost_s
        back = self.back_s is None or (self.back_s <= self.limit.back_s if self.limit.back_s is not None else True)
        returned = self.back_s is None or math.isfinite(self.back_s)
        return lost and back and returned and not self.problems and not self.skipped


def percentile(values: Sequence[float], share: float = 0.95) -> float:
    """The nearest-rank percentile; infinite where there is no value."""
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else math.inf

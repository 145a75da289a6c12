"""What a benchmark found: one line for each figure, with what it was to reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import measure


@dataclass(frozen=True, slots=True)
class Outcome:
    """One figure. ``reach`` is what was wished for with its direction, such as ``>= 0.78``; None is only told."""

    part: str
    what: str
    got: float
    reach: tuple[Literal["<=", ">="], float] | None = None
    unit: str = ""

    @property
    def reached(self) -> bool | None:
        if self.reach is None:
            return None
        direction, bound = self.reach
        return self.got <= bound if direction == "<=" else self.got >= bound

    def text(self, value: float) -> str:
        number = f"{value:.0f}" if float(value).is_integer() and self.unit != "%" else f"{value:.3g}"
        return f"{number} {self.unit}".rstrip()


def show(title: str, **columns: Sequence[Outcome]) -> None:
    """Print a part's figures as a table, several columns of the same figures beside one another."""
    words = {True: " (yes)", False: " (NO)", None: ""}
    rows = []
    for figures in zip(*columns.values(), strict=True):
        first = figures[0]
        reach = f"{first.reach[0]} {first.text(first.reach[1])}" if first.reach else ""
        rows.append((first.what, reach, *(each.text(each.got) + words[each.reached] for each in figures)))
    measure.table(title, ("", "reach", *columns), rows)


def as_json(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """The same for a machine."""
    return [asdict(each) | {"reached": each.reached} for each in outcomes]

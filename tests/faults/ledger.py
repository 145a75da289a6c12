"""Whether the rows say what the files hold, and the gaps say why there is nothing between them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from tests.faults.stage import Stage

ALL = ("--limit", "1000000")
TOLERANCE_S = 0.1
"""Two frames: what lies between segments that follow each other."""


class Ledger:
    """Rows and gaps as the commands list them, read once."""

    def __init__(self, stage: Stage, now: float = math.inf) -> None:
        """``now``: Unix seconds; what lies after it, since a clock was set back, has not been yet."""
        self._stage = stage
        self._now = now
        self.rows: list[dict[str, Any]] = stage.nvr("segments", "list", "--since", "1d", *ALL)
        self.gaps: list[dict[str, Any]] | None = stage.nvr("gaps", "--since", "1d", *ALL)

    def problems(self, names: Sequence[str] = (), reasons: AbstractSet[str] | None = None) -> tuple[str, ...]:
        """What is wrong with rows and gaps of cameras (all where none is named).

        ``reasons`` are those that the gaps may have; None takes any.
        """
        found = [] if self.gaps is not None else ["there is no nvr gaps"]
        for name in names or self._stage.cameras:
            own = [row for row in self.rows if row["camera"] == name]
            found += [f"{name}: {problem}" for problem in _rows(self._stage, name, own)]
            if self.gaps is not None:
                held = [gap for gap in self.gaps if gap["camera"] == name]
                found += [f"{name}: {problem}" for problem in _gaps(own, held, reasons, self._now)]
        return tuple(found)

    def spans(self, name: str, reason: str) -> list[tuple[float, float]]:
        """The gaps of a camera with a reason, Unix seconds."""
        own = [gap for gap in self.gaps or [] if gap["camera"] == name and gap["reason"] == reason]
        return [(_seconds(gap["start"]), _seconds(gap["end"]) if gap["end"] else self._now) for gap in own]

    def reasons(self, name: str) -> str:
        """Why a camera has no video, oldest first, without repetitions."""
        return ", ".join(dict.fromkeys(gap["reason"] for gap in self.gaps or [] if gap["camera"] == name))


def _rows(stage: Stage, name: str, rows: list[dict[str, Any]]) -> list[str]:
    """Files without rows, rows without files, wrong sizes, overlaps."""
    folder = stage.storage / "segments" / name
    there = {str(path.relative_to(stage.storage)): path.stat().st_size for path in folder.rglob("*.mp4")}
    told = {_relative(stage, row["path"]): row["bytes"] for row in rows}
    found = [f"no row for {path}" for path in sorted(there.keys() - told.keys())[:3]]
    found += [f"no file for the row of {path}" for path in sorted(told.keys() - there.keys())[:3]]
    found += [f"wrong size in the row of {path}" for path in there.keys() & told.keys() if there[path] != told[path]]
    found += [f"{path.name} is left over" for path in sorted(folder.rglob("*.part"))[:3]]
    spans = sorted((_seconds(row["start"]), _seconds(row["end"])) for row in rows)
    for (_, end), (start, _) in itertools.pairwise(spans):
        if start < end - TOLERANCE_S:
            found.append(f"two segments overlap by {end - start:.1f} s")
    return found


def _gaps(
    rows: list[dict[str, Any]], gaps: list[dict[str, Any]], reasons: AbstractSet[str] | None, now: float
) -> list[str]:
    """Holes between segments that no gap explains, gaps where there is video, and other reasons than those."""
    spans = sorted((_seconds(row["start"]), _seconds(row["end"])) for row in rows)
    told = sorted((_seconds(gap["start"]), _seconds(gap["end"]) if gap["end"] else now) for gap in gaps)
    found = []
    for (_, begin), (end, _) in itertools.pairwise(spans):
        if end > now:
            continue  # the clock was set back: that time has yet to come
        covered = sum(max(0.0, min(end, stop) - max(begin, start)) for start, stop in told)
        if end - begin - covered > TOLERANCE_S:
            found.append(f"{end - begin - covered:.1f} s of a hole of {end - begin:.1f} s have no reason")
    for start, stop in told:
        over = sum(max(0.0, min(end, stop) - max(begin, start)) for begin, end in spans)
        if over > TOLERANCE_S:
            found.append(f"{over:.1f} s are recorded and a gap")
    if reasons is not None and spans:
        within = [gap for gap in gaps if gap["end"] and spans[0][0] < _seconds(gap["start"]) < spans[-1][1]]
        long = [gap for gap in within if _seconds(gap["end"]) - _seconds(gap["start"]) > TOLERANCE_S]
        found += [f"the reason is {reason}" for reason in sorted({gap["reason"] for gap in long} - reasons)]
    return found


def _relative(stage: Stage, path: str) -> str:
    return path.removeprefix(f"{stage.storage}/")


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()

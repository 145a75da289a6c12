"""All families, run one after the other, and the table that they make."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.faults import absence, changes, clock, damage, disk, kills, login, power, slow, soak, times
from tests.faults.result import Limit, Result

FAMILIES: dict[str, Callable[[bool], Iterator[Result]]] = {
    "kills": kills.run,
    "power": power.run,
    "slow": slow.run,
    "absence": absence.run,
    "damage": damage.run,
    "times": times.run,
    "changes": changes.run,
    "disk": disk.run,
    "login": login.run,
    "clock": clock.run,
    "soak": soak.run,
}


GROUPS = (
    ("kills",),
    ("absence", "power", "login", "clock"),
    ("damage", "times", "changes"),
    ("slow", "disk"),
    ("soak",),
)
"""Families that run at the same time: a machine of two cores bears that."""


def run_group(families: Sequence[str], quick: bool) -> list[tuple[str, Result]]:
    """The results of families that run at the same time, in their order."""
    with ThreadPoolExecutor() as pool:
        results = pool.map(lambda family: list(run(family, quick)), families)
        return [(family, result) for family, each in zip(families, results, strict=True) for result in each]


def run(family: str, quick: bool) -> Iterator[Result]:
    """The results of one family. One that breaks off is a result, too."""
    try:
        yield from FAMILIES[family](quick)
    except (TimeoutError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        yield Result(f"{family} (the rest)", Limit(None), problems=(f"the run broke off: {error}",))


def table(results: Sequence[tuple[str, Result]]) -> Table:
    """Fault, what it cost, and the verdict."""
    made = Table(title="Faults", title_justify="left", show_lines=True)
    for name, ratio in (("fault", 5), ("limit", 3), ("lost", 2), ("back", 1), ("rows", 6), ("seen", 5), ("verdict", 1)):
        made.add_column(name, ratio=ratio, overflow="fold")
    for _, result in results:
        verdict = "not run" if result.skipped else "kept" if result.passed else "[bold red]MISSED"
        rows = f"not run: {result.skipped}" if result.skipped else "; ".join(result.problems) or "right"
        repeated = f" (× {result.times})" if result.times > 1 else ""
        made.add_row(
            result.fault + repeated, str(result.limit), lost(result), seconds(result.back_s), rows, result.note, verdict
        )
    return made


def show(results: Sequence[tuple[str, Result]], console: Console) -> None:
    console.print(table(results))
    missed = sum(not result.passed and not result.skipped for _, result in results)
    console.print(f"{len(results)} faults, {missed} missed")


def as_json(results: Sequence[tuple[str, Result]]) -> str:
    """One array; an infinite time, which JSON does not know, is null and stands among the problems."""
    return json.dumps([_row(family, result) for family, result in results], indent=1)


def as_markdown(results: Sequence[tuple[str, Result]]) -> str:
    """The table of ``docs/reliability.md``."""
    lines = ["| fault | limit | lost | back within | rows and gaps | seen |", "|---|---|---|---|---|---|"]
    for _, result in results:
        fault = f"{result.fault} (× {result.times})" if result.times > 1 else result.fault
        cells = (
            fault if result.passed else f"**{fault}**",
            str(result.limit),
            lost(result),
            seconds(result.back_s),
            f"not run: {result.skipped}" if result.skipped else "; ".join(result.problems) or "right",
            result.note,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _row(family: str, result: Result) -> dict[str, Any]:
    back = result.back_s if result.back_s is not None and math.isfinite(result.back_s) else None
    never = ["never back"] if result.back_s is not None and back is None else []
    return {
        "family": family,
        "fault": result.fault,
        "limit": str(result.limit),
        "times": result.times,
        "lost": result.lost_s,
        "packets": result.lost_packets,
        "back": None if back is None else round(back, 2),
        "problems": [*result.problems, *never],
        "note": result.note,
        "skipped": result.skipped or None,
        "passed": result.passed,
    }


def lost(result: Result) -> str:
    return "–" if result.lost_s is None else f"{result.lost_s:.2f} s ({result.lost_packets})"


def seconds(value: float | None) -> str:
    return "–" if value is None else "never" if math.isinf(value) else f"{value:.1f} s"

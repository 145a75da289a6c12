"""What a listing costs with a million events: CPU of whole processes, and of the catalogue's part in them.

    python scripts/bench/catalogue.py [--events 1000000] [--days 30] [--runs 5] [--keep FOLDER]

Makes a catalogue and an ``nvr.yaml`` in a temporary folder (or in FOLDER, which is used again the next time) and prints
a table. CPU is user plus system time of the process, so other load on the machine matters little.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from nvr.catalogue.upgrade import upgrade

BATCH = 10_000
EVENT_US = 8_000_000
LABELS = ("person", "person", "person", "car", "car", "dog", "bicycle")
INSERT = (
    "INSERT INTO events(camera_id, kind, label, start_us, seen_us, end_us, score, "
    "box_left, box_top, box_right, box_bottom, zones, snapshot) VALUES (1, 'object', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
CATALOGUE_PART = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from nvr.catalogue.store import Catalogue
with Catalogue.open(Path(sys.argv[1]) / "nvr.db", readonly=True) as catalogue:
    for event in catalogue.events(datetime.now(UTC) - timedelta(hours=1)):
        event.label
"""


def rows(number: int, span_us: int, now_us: int) -> Iterator[tuple[object, ...]]:
    chance = random.Random(1)
    for index in range(number):
        start = now_us - span_us + span_us * index // number
        end = start + EVENT_US
        left, top = chance.random() * 0.8, chance.random() * 0.8
        snapshot = f"snapshots/cam1/2026-11-22/14-05-12.640+0100_person_{index}.jpg"
        label, score = chance.choice(LABELS), chance.uniform(0.45, 1)
        yield label, start, end, end, score, left, top, left + 0.1, top + 0.2, '["gate"]', snapshot


def fill(storage: Path, number: int, days: int, console: Console) -> None:
    """Make the catalogue once; plain sqlite3 and no sync, because nothing here need survive."""
    storage.mkdir(parents=True, exist_ok=True)
    upgrade(storage / "nvr.db")
    database = sqlite3.connect(storage / "nvr.db", isolation_level=None)
    stored = int(database.execute("SELECT count(*) FROM events").fetchone()[0])
    now_us = time.time_ns() // 1000
    database.execute("PRAGMA synchronous=OFF")
    database.execute("INSERT OR IGNORE INTO cameras(id, name, added_us) VALUES (1, 'cam1', ?)", (now_us,))
    source = rows(number if stored != number else 0, days * 86_400_000_000, now_us)
    if stored != number:
        database.execute("DELETE FROM events")
    else:  # used again: the newest event is now
        newest = int(database.execute("SELECT max(end_us) FROM events").fetchone()[0])
        shift = now_us - newest
        database.execute("UPDATE events SET start_us=start_us+?, seen_us=seen_us+?, end_us=end_us+?", (shift,) * 3)
    with Progress(console=console) as progress:
        task = progress.add_task("events", total=number, completed=stored if stored == number else 0)
        while batch := [row for row, _ in zip(source, range(BATCH), strict=False)]:
            database.execute("BEGIN")
            database.executemany(INSERT, batch)
            database.execute("COMMIT")
            progress.advance(task, len(batch))
    database.close()


def cpu_seconds(command: list[str], folder: Path) -> float:
    """User plus system time of one process; its output goes nowhere. Exits where the command fails."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, nowhere, 1)]
    environment = {**os.environ, "NVR_CONFIG": str(folder / "nvr.yaml")}
    pid = os.posix_spawnp(command[0], command, environment, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    os.close(nowhere)
    if status != 0:
        sys.exit(f"{' '.join(command)} failed with status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


def measure(folder: Path, runs: int, console: Console) -> None:
    nvr = [sys.executable, "-c", "from nvr.cli import main; main()"]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import sqlalchemy": [sys.executable, "-c", "import sqlalchemy"],
        "the catalogue alone, 1 h": [sys.executable, "-c", CATALOGUE_PART, str(folder / "storage")],
        "nvr --help": [*nvr, "--help"],
        "nvr events list --since 1h": [*nvr, "events", "list", "--since", "1h"],
    }
    table = Table("command", "CPU s (median)", "worst", "times python -c pass", title=f"{runs} runs each")
    base = 0.0
    for name, command in commands.items():
        if command[: len(nvr)] == nvr and not installed():
            table.add_row(name, "-", "-", "nvr.cli is missing")
            continue
        cpu_seconds(command, folder)  # compiles what is not compiled yet, warms the page cache
        times = [cpu_seconds(command, folder) for _ in range(runs)]
        median = statistics.median(times)
        base = base or median
        table.add_row(name, f"{median:.3f}", f"{max(times):.3f}", f"{median / base:.0f}")
    console.print(table)


def installed() -> bool:
    from importlib.util import find_spec

    spec = find_spec("nvr.cli")
    return spec is not None and spec.origin is not None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=1_000_000, help="number of events (1000000)")
    parser.add_argument("--days", type=int, default=30, help="days they are spread over (30)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each command (5)")
    parser.add_argument("--keep", type=Path, help="folder to keep the catalogue in")
    given = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="nvr-bench-") as temporary:
        folder: Path = (given.keep or Path(temporary)).absolute()
        fill(folder / "storage", given.events, given.days, console)
        (folder / "nvr.yaml").write_text(
            f"storage: {folder / 'storage'}\ncameras:\n  cam1:\n    url: rtsp://127.0.0.1:9/x\n"
        )
        size = (folder / "storage" / "nvr.db").stat().st_size
        console.print(f"{given.events} events over {given.days} days, {size / 1e6:.0f} MB")
        measure(folder, given.runs, console)


if __name__ == "__main__":
    main()

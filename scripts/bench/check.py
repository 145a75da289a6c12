"""How quick ``nvr check``, ``nvr check --deep`` and ``nvr rebuild`` are, over files as a recorder writes them.

    python scripts/bench/check.py [--files 2000] [--large 20] [--seconds 60]

Makes in a temporary folder ``--files`` small segments (the number of files is what matters for presence and index) and
``--large`` ones of about 2 Mb/s (the bytes matter for reading), all copies of one with another start in their metadata.
Every figure is of a whole process; memory is its peak. What was copied is still in the page cache, so a disk's own
speed comes on top.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from nvr import layout
from nvr.clock import to_us
from nvr.media.segment import OPTIONS

FPS = 25
CONFIG = "storage: storage\ncameras:\n  hik1: {url: 'rtsp://127.0.0.1:9/x', detect: off}\n"
RATE = 2_000_000
"""Bits a second of the large ones."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: wall clock, CPU and peak memory of its process, and what it printed."""

    wall: float
    cpu: float
    megabytes: float
    told: dict[str, float]


def segment(path: Path, start_us: int, seconds: int, *, large: bool) -> None:
    """A segment of drawn noise, as a recorder writes it."""
    width, height = (640, 360) if large else (160, 96)
    chance = np.random.default_rng(1)
    texture = chance.integers(0, 255, (height * 3 // 2, width * 2), np.uint8)
    with av.open(str(path), "w", format="mp4", options=OPTIONS) as container:
        container.metadata.update({"nvr_camera": "hik1", "nvr_run": "run-1", "nvr_start_us": str(start_us)})
        options = {"preset": "ultrafast", "x264-params": "keyint=50:min-keyint=50:scenecut=0:log-level=none"}
        video = container.add_stream("libx264", rate=FPS, options=options)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = Fraction(1, FPS)
        if large:
            video.bit_rate = RATE
        for number in range(seconds * FPS):
            shift = number * 3 % width if large else 0
            picture = np.ascontiguousarray(texture[:, shift : shift + width])
            frame = VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))


def copies(storage: Path, original: Path, begin: datetime, number: int, seconds: int, progress: Progress) -> datetime:
    """Segments one after the other from ``begin`` on; returns the end of the last."""
    content, old = original.read_bytes(), str(to_us(begin)).encode()
    task = progress.add_task(original.name, total=number)
    for index in range(number):
        start = begin + timedelta(seconds=index * seconds)
        path = storage / layout.segment_path("hik1", start, UTC)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.replace(old, str(to_us(start)).encode()))
        progress.advance(task)
    return begin + timedelta(seconds=number * seconds)


def run(config: Path, *arguments: str) -> Cost:
    """A command of nvr, as a process. Peak memory is that of the largest process so far: go from small to big."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    command = [sys.executable, "-m", "nvr", *arguments, "--json", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3600)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not done.stdout:
        raise SystemExit(done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, after.ru_maxrss / 1024, json.loads(done.stdout))


def measure(folder: Path, seconds: int, number: int, *, large: bool, table: Table, console: Console) -> None:
    storage = folder / "storage"
    storage.mkdir(parents=True)
    layout.write_durably(storage / layout.MARKER, b"00000000-0000-0000-0000-000000000000\n")
    config = folder / "nvr.yaml"
    config.write_text(CONFIG)
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    original = folder / f"{'large' if large else 'small'}.mp4"
    segment(original, to_us(begin), seconds, large=large)
    with Progress(console=console, transient=True) as progress:
        copies(storage, original, begin, number, seconds, progress)
    megabytes = original.stat().st_size * number / 1e6
    for name, arguments in (
        ("rebuild", ["rebuild"]),
        ("rebuild again", ["rebuild"]),
        ("check", ["check"]),
        ("check --deep", ["check", "--deep"]),
    ):
        cost = run(config, *arguments)
        if cost.told.get("problems") or cost.told.get("unreadable"):
            raise SystemExit(f"{name}: {cost.told}")
        table.add_row(
            name,
            f"{number} x {megabytes / number:.2f} MB",
            f"{cost.wall:.1f} s",
            f"{cost.cpu:.1f} s",
            f"{number / cost.wall:.0f}",
            f"{megabytes / cost.wall:.0f}" if arguments[-1] == "--deep" else "-",
            f"{cost.megabytes:.0f} MB",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--large", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60)
    chosen = parser.parse_args()
    console = Console()
    table = Table("command", "files", "wall", "CPU", "files/s", "MB/s", "peak memory")
    with tempfile.TemporaryDirectory() as name:
        for kind, number in (("small", chosen.files), ("large", chosen.large)):
            folder = Path(name) / kind
            measure(folder, chosen.seconds, number, large=kind == "large", table=table, console=console)
    console.print(table)
    console.print(f"{os.cpu_count()} cores, {chosen.seconds} s of {FPS} pictures a second in each file")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What one 1080p frame costs on its way to another process: the slot against ``Manager().list()`` used as a stack.

Both ways, one process gives a picture and another takes it, in turn, so that nobody waits for the other's lock and the
times are those of the operation alone. CPU is that of every process involved, the manager's server too.

    scripts/bench/slot.py [--frames 200] [--width 1920] [--height 1080]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from nvr import frameslot
from nvr.frameslot import Plane, SlotReader, SlotWriter
from nvr.layout import SHARED_MEMORY

SPAWN = multiprocessing.get_context("spawn")
WANTED_RATIO = 30
Times = NDArray[np.float64]


class Result(NamedTuple):
    """Milliseconds of each frame on either side, and milliseconds of CPU for one frame in all processes together."""

    give: Times
    take: Times
    cpu: float


def cpu_ms(process: int) -> float:
    """CPU time a process has used, ms; any process of the machine has such a clock, clock_getcpuclockid(3)."""
    return time.clock_gettime_ns((~process << 3) | 2) / 1e6


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - start) / 1e6


def give_and_take(give: Callable[[], object], taker: Connection, frames: int, processes: list[int]) -> Result:
    """Give ``frames`` frames, each after the one before was taken."""
    taker.recv()
    before, given, taken = 0.0, [], []
    for count in range(-5, frames):  # the first five warm up
        if count == 0:
            before = sum(map(cpu_ms, processes))
        given.append(timed(give))
        taker.send(True)
        taken.append(taker.recv())
    used = sum(map(cpu_ms, processes)) - before
    taker.send(False)
    return Result(np.array(given[5:]), np.array(taken[5:]), used / frames)


def take_from_slot(path: Path, giver: Connection) -> None:
    with SlotReader(path) as reader:
        frame = None
        giver.send(None)
        while giver.recv():
            reader.wait(timedelta(seconds=1))
            start = time.perf_counter_ns()
            frame = reader.read(into=None if frame is None else frame.i420)
            giver.send((time.perf_counter_ns() - start) / 1e6)


def take_from_stack(stack: Any, giver: Connection) -> None:
    giver.send(None)
    while giver.recv():
        giver.send(timed(stack.pop))


def with_taker(target: Callable[..., None], source: object, give: Callable[[], object], frames: int) -> Result:
    """Run ``give`` here against ``target`` in another process."""
    ours, theirs = SPAWN.Pipe()
    servers = [child.pid for child in multiprocessing.active_children()]
    taker = SPAWN.Process(target=target, args=(source, theirs), daemon=True)
    taker.start()
    try:
        return give_and_take(give, ours, frames, [pid for pid in (os.getpid(), taker.pid, *servers) if pid])
    finally:
        taker.join(5)
        taker.kill()


def measure_slot(picture: NDArray[np.uint8], frames: int) -> Result:
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    whole, size = picture.reshape(-1).data, height * width
    planes: list[Plane] = [
        (whole[:size], width),
        (whole[size : size * 5 // 4], width // 2),
        (whole[size * 5 // 4 :], width // 2),
    ]
    with tempfile.TemporaryDirectory(prefix="nvr-bench-", dir=SHARED_MEMORY) as folder:
        path = Path(folder) / "bench.slot"
        frameslot.create(path)
        with SlotWriter(path) as writer:
            return with_taker(take_from_slot, path, lambda: writer.write(planes, width, height, 0, 0), frames)


def measure_stack(picture: object, frames: int) -> Result:
    with SPAWN.Manager() as manager:
        stack = manager.list()
        return with_taker(take_from_stack, stack, lambda: stack.append(picture), frames)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=200, help="frames each way, up to 400 (200)")
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    options = parser.parse_args()
    frames = max(10, min(400, options.frames))
    shape = options.height // 2 * 3, options.width // 2 * 2
    picture = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    results = {
        "slot": measure_slot(picture, frames),
        "Manager().list() of ndarray": measure_stack(picture, frames),
        "Manager().list() of bytes": measure_stack(picture.tobytes(), frames),
    }
    show(results, f"{options.width}x{options.height} I420, {picture.nbytes / 1e6:.1f} MB, {frames} frames each, ms")


def show(results: dict[str, Result], title: str) -> None:
    table = Table(title=title)
    table.add_column("")
    for name in ("give median", "give p99", "take median", "take p99", "both median", "ratio", "CPU a frame", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    slot = results["slot"]
    base = float(np.median(slot.give + slot.take))
    for name, (give, take, cpu) in results.items():
        both = float(np.median(give + take))
        figures = [np.median(give), np.percentile(give, 99), np.median(take), np.percentile(take, 99), both]
        ratios = [f"{both / base:.0f}x", f"{cpu:.2f}", f"{cpu / slot.cpu:.0f}x"]
        table.add_row(name, *(f"{figure:.2f}" for figure in figures), *ratios)
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    for name, result in results.items():
        if name != "slot":
            ratio = float(np.median(result.give + result.take)) / base
            verdict = "reached" if ratio >= WANTED_RATIO else "missed"
            console.print(f"{name}: {ratio:.0f} times the cost of the slot (wanted {WANTED_RATIO}: {verdict})")


if __name__ == "__main__":
    main()

"""Many reconnects, many segments, a day of camera time: nothing is lost and nothing grows."""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from nvr import layout
from tests.fakes.rtsp import ScriptedCamera
from tests.faults.ledger import Ledger
from tests.faults.result import Limit, Result
from tests.faults.stage import IN_FLIGHT_S, Stage, steady
from tests.faults.truth import compare, recorded

CAMERAS = 16
SPEED, FPS = 50.0, 1
"""A day in 29 minutes: one picture a second of the camera's time, 50 times as quick."""
SLOPE_MB = 1.0
RECONNECTS = 1000
SAMPLE_S = 2.0
AWAY = {"closed", "unreachable", "starting", "no-key-frame", "stalled"}


@dataclass
class Meter:
    """Samples of every process of nvr: memory in MB, descriptors; and files in shared memory."""

    stage: Stage
    samples: list[tuple[float, dict[int, tuple[float, float, int]], int]] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self._done.wait(SAMPLE_S):
            with contextlib.suppress(OSError):  # a file is gone while they are counted
                seen = {pid: found for pid in self.stage.group() if (found := _usage(pid)) is not None}
                folder = layout.run_folder(layout.volume_id(self.stage.storage))
                shared = sum(1 for _ in folder.rglob("*"))
                self.samples.append((time.time(), seen, shared))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def slopes(self, which: int, hours_a_second: float) -> list[float]:
        """MB an hour of each process that lived through the last three quarters (0: RSS, 1: PSS)."""
        kept = self.samples[len(self.samples) // 4 :]
        lived = set.intersection(*(set(seen) for _, seen, _ in kept)) if kept else set()
        times = [(at - kept[0][0]) * hours_a_second for at, _, _ in kept]
        return [_slope(times, [seen[pid][which] for _, seen, _ in kept]) for pid in lived]

    def growth(self) -> list[str]:
        """Descriptors or shared files that became more after the first quarter, by the medians of its halves: what is
        open for a moment is no growth."""
        kept = self.samples[len(self.samples) // 4 :]
        if not kept:
            return ["no samples"]
        half = (len(kept) + 1) // 2
        lived = set.intersection(*(set(seen) for _, seen, _ in kept))
        more = max((_more([seen[pid][2] for _, seen, _ in kept], half) for pid in lived), default=0)
        shared = _more([shared for _, _, shared in kept], half)
        found = [f"{more:g} descriptors more in a process"] if more > 2 else []
        return found + ([f"{shared:g} files more in shared memory"] if shared > 0 else [])


def run(quick: bool) -> Iterator[Result]:
    yield _reconnects(4 if quick else CAMERAS, 8 if quick else RECONNECTS)
    yield _day(15 if quick else round(24 * 3600 / SPEED))


def _reconnects(count: int, times: int) -> Result:
    """Each camera closes its connection as soon as it has recorded for a moment."""
    cameras = {f"cam{n}": ScriptedCamera(steady()) for n in range(1, count + 1)}
    with Stage(cameras) as stage:
        stage.start()
        stage.wait_until_recording()
        meter = Meter(stage)
        with meter.running(), ThreadPoolExecutor(count) as pool:
            backs = [back for each in pool.map(partial(_drop, stage, times // count), cameras) for back in each]
        time.sleep(IN_FLIGHT_S + 1)
        stage.stop()
        lost = _lost(stage)
        problems = [*meter.growth(), *Ledger(stage).problems(reasons=AWAY)]
    done, note = len(backs), f"{max(backs, default=0):.1f} s at most until recorded again"
    return Result(f"{done} reconnects", Limit(0.0, None, "nothing grows"), lost, None, tuple(problems), note, done)


def _drop(stage: Stage, times: int, name: str) -> list[float]:
    """How long each return took."""
    backs = []
    for _ in range(times):
        begun = time.time()
        stage.cameras[name].drop()
        backs.append(stage.back_within(name, begun, 60))
        time.sleep(1.5)
    return backs


def _day(seconds: int) -> Result:
    """Camera time runs quicker than the clock, so that rows cannot follow each other: they are only counted."""
    cameras = {f"cam{n}": ScriptedCamera(steady(fps=FPS, speed=SPEED)) for n in range(1, CAMERAS + 1)}
    with Stage(cameras) as stage:
        stage.segment = "60s"
        stage.write_config()
        stage.start()
        stage.wait_until_recording()
        meter = Meter(stage)
        with meter.running():
            time.sleep(seconds)
        stage.stop()
        lost = _lost(stage)
        files = sum(1 for _ in (stage.storage / "segments").rglob("*.mp4"))
        rows = len(stage.nvr("segments", "list", "--since", "2d", "--limit", "1000000"))
    problems = [*meter.growth(), *([f"{files} files, {rows} rows"] if files != rows else [])]
    hours = seconds * SPEED / 3600
    slopes = [max(meter.slopes(which, SPEED / 3600), default=0.0) for which in (0, 1)]
    if hours > 20 and max(slopes) > SLOPE_MB:
        problems.append(f"memory grows by {max(slopes):.1f} MB an hour")
    note = f"{files} segments, RSS {slopes[0]:+.2f}, PSS {slopes[1]:+.2f} MB per camera hour in the worst process"
    limit = Limit(0.0, None, "< 1 MB/h, nothing grows")
    return Result(f"{hours:.1f} h of {CAMERAS} cameras, accelerated", limit, lost, None, tuple(problems), note)


def _lost(stage: Stage) -> int:
    """Packets of all cameras that no file holds; those within a moment of a drop were on their way."""
    return sum(
        len(
            compare(
                camera,
                recorded(stage.storage, name),
                wanted=lambda place, sent, c=camera: (  # type: ignore[misc]
                    sent.at < stage.stopped and place[1] < len(c.sessions[place[0]]) - 2
                ),
            ).lost
        )
        for name, camera in stage.cameras.items()
    )


def _usage(pid: int) -> tuple[float, float, int] | None:
    """RSS and PSS in MB, and descriptors, of a process; None where it has ended."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        descriptors = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return None
    sizes = {line.split(":")[0]: line.split() for line in rollup.splitlines() if line.startswith(("Rss:", "Pss:"))}
    return int(sizes["Rss"][1]) / 1024, int(sizes["Pss"][1]) / 1024, descriptors


def _more(values: list[int], half: int) -> float:
    return statistics.median(values[-half:]) - statistics.median(values[:half])


def _slope(times: list[float], values: list[float]) -> float:
    """Least squares."""
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((at - middle) ** 2 for at in times)
    return (
        sum((at - middle) * (value - mean) for at, value in zip(times, values, strict=True)) / spread if spread else 0.0
    )

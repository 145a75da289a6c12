"""What works beside the recorders freezes, crawls or is locked: recording does not wait for it."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.fakes.rtsp import ScriptedCamera
from tests.faults.ledger import Ledger
from tests.faults.result import Limit, Result
from tests.faults.stage import IN_FLIGHT_S, Stage, steady, wait_until
from tests.faults.truth import compare, recorded

NOTHING = Limit(0.0)
HANG_S = 36.0
"""Beyond the 30 s after which the supervisor kills a process without a pulse."""


def run(quick: bool) -> Iterator[Result]:
    """Each on an nvr of its own, all at the same time."""
    lock, frame, frames, frozen = (12.0, 8.0, 2, HANG_S) if quick else (60.0, 28.0, 20, 600.0)
    faults = {
        f"SQLite locked {lock:.0f} s": partial(_locked, seconds=lock),
        f"detector takes {frame:.0f} s a frame": partial(_crawling, seconds=frame, frames=frames),
        f"analyzer frozen {frozen:.0f} s": partial(_frozen, seconds=frozen),
    }
    with ThreadPoolExecutor() as pool:
        yield from pool.map(_measure, faults, faults.values())


def _measure(fault: str, play: Callable[[Stage], str]) -> Result:
    cameras = {name: ScriptedCamera(steady()) for name in ("cam1", "cam2")}
    with Stage(cameras, options=dict.fromkeys(cameras, "detect: motion")) as stage:
        stage.start()
        stage.wait_until_recording()
        wait_until(lambda: stage.worker("analyzer"), "an analyzer")
        note = play(stage)
        time.sleep(IN_FLIGHT_S + 2)
        stage.stop()
        outcomes = [
            compare(camera, recorded(stage.storage, name), wanted=lambda _, sent: sent.at <= stage.stopped)
            for name, camera in cameras.items()
        ]
        problems = (
            *(each for outcome in outcomes for each in outcome.problems),
            *Ledger(stage).problems(reasons=set()),
        )
        return Result(fault, NOTHING, sum(len(outcome.lost) for outcome in outcomes), None, problems, note)


def _locked(stage: Stage, seconds: float) -> str:
    """Another process writes to the database and does not come to an end."""
    with contextlib.closing(sqlite3.connect(stage.storage / "nvr.db", timeout=10, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        database.execute("ROLLBACK")
    return ""


def _crawling(stage: Stage, seconds: float, frames: int) -> str:
    """The analyzer works for a moment only, now and then."""
    for _ in range(frames):
        pid = stage.worker("analyzer")
        if pid:
            _send(pid, signal.SIGSTOP)
            time.sleep(seconds)
            _send(pid, signal.SIGCONT)
        time.sleep(0.2)
    return f"{frames} times"


def _frozen(stage: Stage, seconds: float) -> str:
    """The analyzer is stopped; after 30 s without a pulse the supervisor replaces it, and the new one is stopped."""
    begun, stopped = time.time(), set[int]()
    while time.time() - begun < seconds:
        pid = stage.worker("analyzer")
        if pid and pid not in stopped:
            _send(pid, signal.SIGSTOP)
            stopped.add(pid)
        time.sleep(1)
    for pid in stopped & set(stage.group()):
        _send(pid, signal.SIGCONT)
    return f"replaced {len(stopped) - 1} time(s)"


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just been replaced
        os.kill(pid, number)

"""kill -9 at random moments: of a recorder, of the analyzer, of the supervisor, of everything."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.fakes.rtsp import ScriptedCamera
from tests.faults.ledger import Ledger
from tests.faults.result import Limit, Result, percentile
from tests.faults.stage import IN_FLIGHT_S, Stage, steady, wait_until
from tests.faults.truth import Outcome, compare, recorded

QUICK, FULL = (4, 2), (50, 50)
"""How often a recorder is killed, and how often anything else."""
CAMERAS = 10
HEALTHY_S = 61.0
"""A recorder that lived so long before it was killed is restarted without further delay."""
KILLED = {"killed", "crashed", "starting"}


def run(quick: bool) -> Iterator[Result]:
    """Two at a time, or all where it must be quick."""
    moments = random.Random(time.time_ns())
    recorders, times = QUICK if quick else FULL
    kills = [
        partial(_recorders, moments, recorders, quick),
        partial(_analyzer, moments, times),
        partial(_all, moments, times, "supervisor"),
        partial(_all, moments, times, "whole group"),
    ]
    with ThreadPoolExecutor(4 if quick else 2) as pool:
        yield from pool.map(lambda kill: kill(), kills)


def _cameras(count: int) -> dict[str, ScriptedCamera]:
    return {f"cam{n}": ScriptedCamera(steady()) for n in range(1, count + 1)}


def _until(stage: Stage, name: str, moment: float, after: float) -> Outcome:
    """What was sent between two instants and ought to be in the files."""
    pictures = recorded(stage.storage, name)
    return compare(stage.cameras[name], pictures, wanted=lambda _, sent: after <= sent.at <= moment)


def _recorders(moments: random.Random, times: int, quick: bool) -> Result:
    """One after the other, so that each has lived for a while."""
    kills: list[tuple[str, float, float]] = []
    with Stage(_cameras(min(times, CAMERAS))) as stage:
        stage.start()
        stage.wait_until_recording()
        pause = 0.5 if quick else HEALTHY_S / CAMERAS
        for number in range(times):
            name = f"cam{number % len(stage.cameras) + 1}"
            time.sleep(pause + moments.uniform(0, 1))
            stage.kill_worker(f"recorder.{name}")
            moment = time.time()
            kills.append((name, moment, stage.back_within(name, moment)))
        time.sleep(IN_FLIGHT_S + 1)
        stage.stop()
        lost = [len(_sent_before(stage, name, moment).lost) for name, moment, _ in kills]
        problems = Ledger(stage).problems(reasons=KILLED)
        rest = [name for name in stage.cameras if _until(stage, name, stage.stopped, _newest_session(stage, name)).lost]
        problems += tuple(f"{name} lost more after its restart" for name in rest)
    back = percentile([back for _, _, back in kills], 1.0)
    return Result("kill -9 of a recorder", Limit(1.0, 3.0), max(lost), back, problems, times=times)


def _sent_before(stage: Stage, name: str, moment: float) -> Outcome:
    """The session that the kill at ``moment`` ended."""
    sessions = list(enumerate(stage.cameras[name].sessions))
    hit = max(number for number, session in sessions if session and session[0].at <= moment)
    return compare(
        stage.cameras[name],
        recorded(stage.storage, name),
        wanted=lambda place, sent: place[0] == hit and sent.at <= moment,
    )


def _newest_session(stage: Stage, name: str) -> float:
    return next(session[0].at for session in reversed(stage.cameras[name].sessions) if session)


def _replaced(stage: Stage, worker: str, pid: int) -> bool:
    return stage.worker(worker) not in (0, pid)


def _analyzer(moments: random.Random, times: int) -> Result:
    """Recording goes on, and every event that was listed before is listed afterwards."""
    cameras = _cameras(2)
    problems: list[str] = []
    with Stage(cameras, options={"cam1": "detect: motion"}) as stage:
        stage.start()
        stage.wait_until_recording()
        wait_until(lambda: stage.worker("analyzer"), "an analyzer")
        wait_until(lambda: stage.nvr("events", "list", "--since", "1h"), "an event of the moving square")
        backs = []
        for _ in range(times):
            time.sleep(moments.uniform(0.5, 1.5))
            before = {event["id"] for event in stage.nvr("events", "list", "--since", "1h")}
            pid, moment = stage.kill_worker("analyzer"), time.time()
            wait_until(partial(_replaced, stage, "analyzer", pid), "the analyzer again", 60)
            backs.append(time.time() - moment)
            after = {event["id"] for event in stage.nvr("events", "list", "--since", "1h")}
            problems += [f"{len(before - after)} events are gone"] if before - after else []
        time.sleep(IN_FLIGHT_S)
        stage.stop()
        outcomes = [_until(stage, name, stage.stopped, 0) for name in cameras]
        problems += Ledger(stage).problems(reasons=set())
    lost = sum(len(outcome.lost) for outcome in outcomes)
    note = f"analyzer again after {min(backs):.1f} to {max(backs):.1f} s"
    return Result(
        "kill -9 of the analyzer", Limit(0.0, None, "no event"), lost, None, tuple(problems), note, times=times
    )


def _all(moments: random.Random, times: int, target: str) -> Result:
    lost: list[int] = []
    backs: list[float] = []
    with Stage(_cameras(3)) as stage:
        stage.start()
        stage.wait_until_recording()
        for _ in range(times):
            time.sleep(moments.uniform(0.5, 2.5))
            moment = time.time()
            if target == "supervisor":
                os.kill(stage.pid, signal.SIGKILL)
                wait_until(lambda: not stage.group(), "the workers to follow the supervisor", 15)
            stage.kill()
            begun = stage.started
            lost.append(max(len(_until(stage, name, moment, begun).lost) for name in stage.cameras))
            stage.start()
            backs.append(max(stage.back_within(name, stage.started) for name in stage.cameras))
        time.sleep(2)
        stage.stop()
        problems = Ledger(stage).problems(reasons=KILLED)
    back = percentile(backs, 1.0)
    note = "back: from the next start"
    return Result(
        f"kill -9 of the {target}",
        Limit(1.0, None, "again at the next start"),
        max(lost),
        back,
        problems,
        note,
        times=times,
    )

"""The camera is gone, stalls, answers no more, refuses: nvr comes back by itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from tests.fakes.rtsp import Script, ScriptedCamera
from tests.faults.ledger import Ledger
from tests.faults.result import GOP_S, Limit, Result, percentile
from tests.faults.stage import IN_FLIGHT_S, Stage, steady
from tests.faults.truth import Outcome, compare, recorded

AWAY = {"unreachable", "stalled", "closed", "busy", "unusable", "no-key-frame", "starting"}
"""Unusable: who is cut off while it logs in has read half an answer."""
RETURN = Limit(GOP_S, 2.0)
QUIET = Limit(GOP_S, None, "recording again")
"""The camera takes new connections all the time: what ends the outage is that nvr notices."""


@dataclass(frozen=True)
class Outage:
    """A fault of one camera: what is done to it, for how long, and how often."""

    fault: str
    seconds: float
    begin: Callable[[ScriptedCamera], None]
    times: int = 1


def run(quick: bool) -> Iterator[Result]:
    """All at the same time, each on a camera of its own."""
    with ThreadPoolExecutor() as pool:
        for results in pool.map(lambda part: list(part(quick)), (_outages, _scripted)):
            yield from results


def _outages(quick: bool) -> Iterator[Result]:
    """Faults of the camera as a device."""
    often, long = (2, 20.0) if quick else (10, 600.0)
    outages = {
        "gone1": Outage("camera gone 5 s", 5, ScriptedCamera.vanish, often),
        "gone2": Outage(f"camera gone {long:.0f} s", long, ScriptedCamera.vanish),
        "hung1": Outage("camera hung 5 s, takes connections", 5, ScriptedCamera.freeze, often),
        "hung2": Outage("camera hung 20 s, takes connections", 20, ScriptedCamera.freeze),
        "drop1": Outage("camera closes the connection", 0, ScriptedCamera.drop, often),
    }
    with Stage({name: ScriptedCamera(steady()) for name in outages}) as stage:
        stage.start()
        stage.wait_until_recording()
        with ThreadPoolExecutor() as pool:
            played = dict(zip(outages, pool.map(partial(_play, stage), outages, outages.values()), strict=True))
        time.sleep(IN_FLIGHT_S + 1)
        stage.stop()
        ledger = Ledger(stage)
        for name, outage in outages.items():
            dead = [(begun, returned) for begun, returned, _ in played[name]]
            back = percentile([back for _, _, back in played[name]])
            problems = ledger.problems([name], AWAY)
            note = ledger.reasons(name)
            yield Result(outage.fault, RETURN, _lost(stage, name, dead), back, problems, note, outage.times)


def _play(stage: Stage, name: str, outage: Outage) -> list[tuple[float, float, float]]:
    """When each outage began and ended, Unix seconds, and how many seconds later nvr was back."""
    camera, played = stage.cameras[name], []
    for _ in range(outage.times):
        begun = time.time()
        outage.begin(camera)
        time.sleep(outage.seconds)
        returned = time.time()
        if outage.seconds:
            camera.come_back()
        back = stage.back_within(name, begun) - (returned - begun)  # it may be back before a drop has returned
        played.append((begun, returned, max(back, 0.0)))
        time.sleep(2)
    return played


def _lost(stage: Stage, name: str, dead: list[tuple[float, float]]) -> int:
    """Packets that were sent and are in no file; what a camera sent while it was taken away is no loss."""
    outcome = compare(
        stage.cameras[name],
        recorded(stage.storage, name),
        wanted=lambda _, sent: sent.at < stage.stopped and not any(begin <= sent.at <= end for begin, end in dead),
    )
    return len(outcome.lost)


def _scripted(quick: bool) -> Iterator[Result]:
    """Faults that the script of a camera's first session holds."""
    after = 75
    scripts: dict[str, tuple[str, Limit, list[Script]]] = {
        "stall4": ("stream stalls 4 s, then all of it comes", Limit(0.0), [steady(stalls={after: 4.0})]),
        "stall15": ("stream stalls 15 s, connection open", QUIET, [steady(stalls={after: 15.0}), steady()]),
        "stalled": ("stream stalls for ever, connection open", QUIET, [steady(stall_after=after), steady()]),
        "half": ("half-open: nothing read, nothing said", QUIET, [steady(half_open_after=after), steady()]),
        "alive": ("session time-out of 4 s, kept alive", Limit(0.0), [steady(session_timeout=4)]),
        "busy453": ("SETUP answered 453 twice", QUIET, [steady(refusals={"SETUP": (453, 453)})]),
        "busy503": ("DESCRIBE answered 503 twice", QUIET, [steady(refusals={"DESCRIBE": (503, 503)})]),
        "lost454": ("PLAY answered 454 once", QUIET, [steady(refusals={"PLAY": (454,)})]),
        "middle": ("session begins between key frames", QUIET, [steady(skip=10)]),
    }
    with Stage({name: ScriptedCamera(*script) for name, (_, _, script) in scripts.items()}) as stage:
        stage.start()
        time.sleep(36 if quick else 64)
        stage.stop()
        ledger = Ledger(stage)
        for name, (fault, limit, script) in scripts.items():
            camera = stage.cameras[name]
            outcome = _after(stage, name, (25 - script[0].skip) % 25)
            back = None if limit.lost_s == 0 else _noticed(camera, stage, after)
            note = f"{len(camera.sessions)} session(s)"
            problems = (*outcome.problems, *ledger.problems([name], AWAY))
            yield Result(fault, limit, len(outcome.lost), back, problems, note)


def _after(stage: Stage, name: str, first: int) -> Outcome:
    """What became of all pictures from the first key frame of the first session on."""
    return compare(
        stage.cameras[name],
        recorded(stage.storage, name),
        wanted=lambda place, sent: sent.at < stage.stopped and place >= (0, first),
    )


def _noticed(camera: ScriptedCamera, stage: Stage, after: int) -> float:
    """Seconds from the last picture of the first session, or the first try, to the first of the next one."""
    played = [session for session in camera.sessions if session]
    if len(camera.scripts) == 1:
        return played[0][0].at - stage.started if played else math.inf
    return played[1][0].at - played[0][min(after, len(played[0])) - 1].at if len(played) > 1 else math.inf

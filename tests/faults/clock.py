"""The machine's clock is set by an hour while nvr runs."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.fakes.rtsp import ScriptedCamera
from tests.faults.ledger import Ledger
from tests.faults.result import Limit, Result
from tests.faults.stage import ROOT, Stage, steady
from tests.faults.truth import Picture, compare, recorded

NOTHING = Limit(0.0, None, "right time after two segments")
HOUR_S = 3600
FOLLOW_S, QUICK_FOLLOW_S = 12.0, 16.0
"""Two segments and a GOP: from then on the new time must hold; a slow machine has a little longer."""
OFF_S, QUICK_OFF_S = 1.5, 3.0
HERE = Path(__file__).parent / "stepped"


def run(quick: bool) -> Iterator[Result]:
    with ThreadPoolExecutor() as pool:
        yield from pool.map(partial(_step, quick), (1, -1))


def _step(quick: bool, hours: int) -> Result:
    camera = ScriptedCamera(steady())
    with Stage({"cam1": camera}) as stage:
        file = stage.folder / "clock"
        file.write_bytes(struct.pack("<q", 0))
        stage.environment = {"PYTHONPATH": f"{HERE}:{ROOT}", "FAULT_CLOCK": str(file)}
        stage.start()
        stage.wait_until_recording(150)
        stepped = time.time()
        with file.open("r+b") as opened:
            opened.write(struct.pack("<q", hours * HOUR_S * 1_000_000_000))
        time.sleep(30 if quick else 120)
        stage.stop()
        outcome = compare(camera, recorded(stage.storage, "cam1"), wanted=lambda _, sent: sent.at < stage.stopped)
        follow_s, off_s = (QUICK_FOLLOW_S, QUICK_OFF_S) if quick else (FOLLOW_S, OFF_S)
        settled = (stepped - off_s, stepped + follow_s)
        off = _error(camera, list(recorded(stage.storage, "cam1")), settled, hours * HOUR_S)
        ledger = Ledger(stage, time.time() + hours * HOUR_S)
        problems = ledger.problems(reasons={"clock-stepped"})
        problems += (f"a picture stands {off:.1f} s from when it was sent",) if off > off_s else ()
        note = f"times right to {off:.2f} s; " + ledger.reasons("cam1")
        return Result(f"clock set by {hours:+d} h", NOTHING, len(outcome.lost), None, problems, note)


def _error(camera: ScriptedCamera, pictures: list[Picture], settled: tuple[float, float], offset: float) -> float:
    """How far pictures before and after two instants stand from the time that the machine's clock showed when they
    were sent."""
    before, after = settled
    worst = 0.0
    for picture in pictures:
        session, index = picture.place
        sent = camera.sessions[session][index].at
        if sent < before:
            worst = max(worst, abs(picture.at - sent))
        elif sent > after:
            worst = max(worst, abs(picture.at - offset - sent))
    return worst

"""Bits that flip, NAL units that break off, garbage: only what was damaged may be missing."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.fakes.fault import Damage
from tests.fakes.rtsp import ScriptedCamera
from tests.faults.ledger import Ledger
from tests.faults.result import GOP_S, Limit, Result
from tests.faults.stage import Stage, steady
from tests.faults.truth import compare, recorded

ONLY = Limit(0.0, None, "only what was damaged")
RESYNC = "a GOP for each: FFmpeg gives the connection up"
"""Wanted is what the others keep; FFmpeg takes a byte of the garbage for the beginning of a packet, and is lost."""
BEGIN = 50
"""Pictures before the damage: what is lost by a start that fails is another fault."""
DAMAGES = {
    "flip6": ("bits flipped, 1e-6", Damage(bits=1e-6, begin=BEGIN)),
    "flip5": ("bits flipped, 1e-5", Damage(bits=1e-5, begin=BEGIN)),
    "flip4": ("bits flipped, 1e-4", Damage(bits=1e-4, begin=BEGIN)),
    "flip3": ("bits flipped, 1e-3", Damage(bits=1e-3, begin=BEGIN)),
    "short": ("NAL units truncated, 5 % of pictures", Damage(truncated=0.05, begin=BEGIN)),
    "garbage": ("garbage in RTP packets, 2 %", Damage(garbage=0.02, begin=BEGIN)),
    "noise": ("garbage instead of RTP, 1 % of pictures", Damage(noise=0.01, begin=BEGIN)),
    "start": ("bits flipped from the first packet on, 1e-4", Damage(bits=1e-4)),
}


def run(quick: bool) -> Iterator[Result]:
    cameras = {name: ScriptedCamera(steady(damage=damage)) for name, (_, damage) in DAMAGES.items()}
    with Stage(cameras) as stage:
        stage.start()
        time.sleep(19 if quick else 300)
        stage.stop()
        ledger = Ledger(stage)
        for name, (fault, _) in DAMAGES.items():
            outcome = compare(
                cameras[name], recorded(stage.storage, name), wanted=lambda _, sent: sent.at < stage.stopped
            )
            note = f"{outcome.damaged} of {outcome.sent} pictures damaged, {outcome.damaged_lost} of these not kept"
            again = len(cameras[name].sessions) - 1
            note += f", {again} reconnects" if again else ""
            limit = Limit(GOP_S * outcome.damaged, None, RESYNC) if name == "noise" else ONLY
            problems = (*outcome.problems, *ledger.problems([name]))
            yield Result(fault, limit, len(outcome.lost), None, problems, note)

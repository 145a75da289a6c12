"""Timestamps that jump, wrap, repeat or are missing: no picture may be lost, and every file must play."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.fakes import clip
from tests.fakes.clip import VIDEO_RATE
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.faults.ledger import Ledger
from tests.faults.result import Limit, Result
from tests.faults.stage import Stage, steady
from tests.faults.truth import compare, recorded, undecodable

NONE = Limit(0.0, None, "every file plays")
HOUR = 3600 * VIDEO_RATE
OFF_S = 1.5
"""How far a picture's time in the files may be from when it was sent."""


def run(quick: bool) -> Iterator[Result]:
    seconds = 19 if quick else 120
    faults = _faults()
    cameras = {name: ScriptedCamera(script) for name, (_, script) in faults.items()}
    with Stage(cameras) as stage:
        stage.start()
        time.sleep(seconds)
        stage.stop()
        ledger = Ledger(stage)
        for name, (fault, _) in faults.items():
            outcome = compare(
                cameras[name], recorded(stage.storage, name), wanted=lambda _, sent: sent.at < stage.stopped
            )
            problems = (*outcome.problems, *undecodable(stage.storage, name), *ledger.problems([name]))
            if outcome.error_s > OFF_S:
                problems = (*problems, f"a picture stands {outcome.error_s:.1f} s from when it was sent")
            note = f"times right to {outcome.error_s:.2f} s"
            yield Result(fault, NONE, len(outcome.lost), None, problems, note)


def _faults() -> dict[str, tuple[str, Script]]:
    reordered = clip.record(frames=250, gop=25, b_frames=2)
    every = range(60, 10_000, 75)
    return {
        "back3h": ("timestamps 3 h back", steady(start=4 * HOUR, jumps={110: -3 * HOUR})),
        "fwd10h": ("timestamps 10 h forward", steady(jumps={110: 10 * HOUR})),
        "often": (
            "timestamps jump to and fro every 3 s",
            steady(jumps={place: (HOUR if n % 2 == 0 else -HOUR) for n, place in enumerate(every)}),
        ),
        "wrap": ("timestamps wrap", steady(start=2**32 - 5 * VIDEO_RATE)),
        "equal": ("equal timestamps, each fifth", steady(equal=frozenset(range(54, 100_000, 5)))),
        "marker": ("no marker bit", steady(marker=False)),
        "numbers": ("gaps in sequence numbers", steady(lost_numbers=dict.fromkeys(every, 7))),
        "bframes": ("B-frames", steady(reordered)),
        "bjump": ("B-frames over a jump of 10 h", steady(reordered, jumps={110: 10 * HOUR})),
        "reports": ("camera clock steps by ±1 h in RTCP", steady(reports=True, clock_steps={100: 3600, 200: -3600})),
    }

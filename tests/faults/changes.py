"""Another resolution, codec or parameter set in mid-stream; key frames minutes apart."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import av

from tests.fakes import clip
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.faults.ledger import Ledger
from tests.faults.result import GOP_S, Limit, Result
from tests.faults.stage import Stage, steady
from tests.faults.truth import compare, files, recorded, undecodable

ONE_GOP = Limit(GOP_S, 2.0)
CHANGE = 125
"""The picture with which the change comes: a key frame."""


def run(quick: bool) -> Iterator[Result]:
    seconds = 22 if quick else 120
    faults = _faults(60 if quick else 240)
    cameras = {name: ScriptedCamera(*scripts) for name, (_, _, scripts) in faults.items()}
    with Stage(cameras) as stage:
        stage.start()
        time.sleep(seconds)
        stage.stop()
        ledger = Ledger(stage)
        for name, (fault, limit, _) in faults.items():
            camera = cameras[name]
            outcome = compare(camera, recorded(stage.storage, name), wanted=lambda _, sent: sent.at < stage.stopped)
            problems = (*outcome.problems, *undecodable(stage.storage, name), *ledger.problems([name]))
            back = _back(camera, stage, name) if limit.back_s else None
            note = f"{len(camera.sessions)} session(s), files: {', '.join(_sizes(stage, name))}"
            yield Result(fault, limit, len(outcome.lost), back, problems, note)


def _faults(gop_s: int) -> dict[str, tuple[str, Limit, list[Script]]]:
    larger, reordered = clip.record(250, 25, scale=2), clip.record(250, 25, b_frames=2)
    h265 = clip.record(250, 25, codec="h265")
    smart = clip.record(gop_s * 25, gop_s * 25)
    return {
        "size": ("resolution changes in mid-stream", ONE_GOP, [steady(changes={CHANGE: larger})]),
        "sets": ("parameter sets change in mid-stream", ONE_GOP, [steady(changes={CHANGE: reordered})]),
        "codec": ("camera comes back with H.265", ONE_GOP, [steady(drop_after=CHANGE), steady(h265)]),
        "twice": ("camera comes back in another size", ONE_GOP, [steady(drop_after=CHANGE), steady(larger)]),
        "h265": ("H.265", Limit(0.0), [steady(h265)]),
        "smart": (f"smart codec: a key frame in {gop_s} s", Limit(0.0), [steady(smart)]),
        "nosets": ("parameter sets only in the stream", Limit(0.0), [steady(sprop=False)]),
    }


def _back(camera: ScriptedCamera, stage: Stage, name: str) -> float:
    """Seconds without recorded video around the change."""
    if len(camera.scripts) > 1:
        before, after = camera.sessions[0][-1].at, [each for each in camera.sessions[1:2] if each]
        return after[0][0].at - before if after else math.inf
    held = {picture.place for picture in recorded(stage.storage, name)}
    sent = camera.sessions[0]
    found = next((index for index in range(CHANGE, len(sent)) if (0, index) in held), None)
    return math.inf if found is None else sent[found].at - sent[CHANGE].at


def _sizes(stage: Stage, name: str) -> list[str]:
    """Codec and size that the files show, in order, without repetitions."""
    shown = []
    for file in files(stage.storage, name):
        with av.open(str(file), "r", format="mp4") as container:
            codec = container.streams.video[0].codec_context
            shown.append(f"{codec.name} {codec.width}x{codec.height}")
    return list(dict.fromkeys(shown))

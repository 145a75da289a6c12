"""Eight cameras with people all the time, one analyzer, two cores: nothing recorded is lost, nobody is left out.

Every recorded packet is compared with the footage, as ``recording.py`` does. How often a camera is looked at is what
nvr counts, read every second where ``nvr status`` reads it; a camera's figure is the mean over time.
"""

from __future__ import annotations

import os
import time
from statistics import mean

import measure
import recording
import scenery
import stage
from outcome import Outcome

from nvr import layout, pulse

DETECT = "{labels: [person, car], fps: 5}"
WARM = 10
CORES = 2


def run(cameras: int, seconds: int) -> list[Outcome]:
    """All of them together on two cores; the stand-in camera runs there, too."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:CORES])
    try:
        return _run(cameras, seconds)
    finally:
        os.sched_setaffinity(0, allowed)


def _run(cameras: int, seconds: int) -> list[Outcome]:
    loop = list(recording.marks(scenery.footage("h264") / "main-h264.mkv"))
    names = [f"cam{number}" for number in range(1, cameras + 1)]
    with stage.camera(channels=cameras) as camera, stage.station(camera.port, DETECT, cameras) as station:
        measure.wait(WARM, f"{cameras} cameras")
        pids, began = station.pids(), time.monotonic()
        used = {name: stage.cpu(pid) for name, pid in pids.items()}
        rates: dict[str, list[float]] = {name: [] for name in names}
        while time.monotonic() - began < seconds:
            measure.wait(1, f"{cameras} cameras")
            for name in names:
                rates[name].append(looks(station, name))
        passed = time.monotonic() - began
        shares = {name: 100 * (stage.cpu(pid) - used[name]) / passed for name, pid in pids.items()}
        station.stop()
        files = [sorted((station.storage / "segments" / name).rglob("*.mp4")) for name in names]
        counts = [recording.missing(each, loop) for each in files]
    means = [mean(each) for each in rates.values()]
    return [
        Outcome("crowd", "packets", sum(packets for packets, _ in counts)),
        Outcome("crowd", "packets missing", sum(lost for _, lost in counts), ("<=", 0.0)),
        Outcome("crowd", "looks a second, the least looked at camera", min(means), (">=", 2.0)),
        Outcome("crowd", "looks a second, the most looked at camera", max(means)),
        Outcome("crowd", "looks a second, the worst second of any", min(map(min, rates.values()))),
        Outcome("crowd", "analyzer", shares.get("analyzer", 0.0), None, "%"),
        Outcome("crowd", "recorders together", sum(shares[name] for name in shares if "recorder" in name), None, "%"),
    ]


def looks(station: stage.Station, camera: str) -> float:
    """How often a second a camera is looked at now, by nvr's own count; 0 where nvr does not tell."""
    folder = layout.run_folder(layout.volume_id(station.storage))
    beat = pulse.read(layout.pulse_path(folder, f"looks.{camera}"))
    return beat.fps if beat else 0.0

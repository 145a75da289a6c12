"""What looking costs, by itself and in the whole job against Debian's motion, where nothing moves and among people.

One 1080p25 camera with a 640x360 sub stream. In each round of a scene three programs run one after the other: motion
with ``movie_passthrough``, nvr that only records, nvr that looks for objects 5 times a second at most; the order turns
around from round to round, figures are medians over rounds. Analysis is what the analyzer uses, and what recorders use
more than without analysis, once all run. The whole job is everything a program used from its start, start-up included;
what it uses once it runs is shown beside it.
nvr records all the time, motion only while something moves; motion decodes the main stream, nvr the sub stream.

A share of a core says something only with the core's speed: what one look of the shipped model takes is measured before
and after each scene. The reach was set where that was 34 ms; what was measured is told as it is, and scaled to that.
"""

from __future__ import annotations

import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import measure
import stage
from outcome import Outcome

from nvr.analysis.choice import ModelChoice
from nvr.analysis.detector import SQUARE_MODEL
from nvr.cli.modelbench import measured

SCENES = {"nothing moves": "still", "people all the time": ""}
REACH = {"nothing moves": (3.0, 0.35), "people all the time": (18.0, 1.0)}
"""Analysis in % of a core, and the whole job as a share of motion's."""
LOOK_MS = 34.0
"""One look of the shipped model on the machine for which the reach in % of a core was set."""
OBJECTS = "{labels: [person, car], fps: 5}"
WARM = 10
"""Seconds after which a program is taken to run evenly."""
MOTION = """
daemon off
log_level 4
camera_name bench
netcam_url rtsp://127.0.0.1:{port}/Streaming/Channels/101
netcam_userpass {user}:{password}
target_dir {folder}
framerate 25
picture_output off
movie_output on
movie_passthrough on
movie_max_time 3600
stream_port 0
webcontrol_port 0
"""


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds of everything, CPU seconds a second once it runs, of them two kinds of nvr's processes; PSS in MB."""

    whole: float
    running: float
    analyzer: float = 0.0
    recorder: float = 0.0
    memory: float = 0.0
    found: str = ""


def run_motion(port: int, seconds: int) -> Used:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "motion.conf"
        config.write_text(MOTION.format(port=port, user=measure.USERNAME, password=measure.PASSWORD, folder=folder))
        session = measure.Session([["motion", "-n", "-c", str(config)]])
        measure.wait(WARM, "motion")
        before = session.cost.cpu
        measure.wait(seconds - WARM, "motion")
        cost = session.stop(signal.SIGTERM)
        movies = [path for path in folder.rglob("*") if path.suffix in {".mkv", ".mp4", ".avi"}]
        size = sum(path.stat().st_size for path in movies)
        return Used(
            cost.cpu,
            (cost.cpu - before) / (seconds - WARM),
            memory=cost.settled,
            found=f"{len(movies)} movie(s), {size / 1e6:.0f} MB",
        )


def run_nvr(port: int, seconds: int, detect: str) -> Used:
    with stage.station(port, detect) as station:
        measure.wait(station.began + WARM - time.monotonic(), f"nvr, detect: {detect}")
        pids, began, already = station.pids(), time.monotonic(), station.session.cost.cpu
        before = {name: stage.cpu(pid) for name, pid in pids.items()}
        measure.wait(station.began + seconds - began, f"nvr, detect: {detect}")
        passed = time.monotonic() - began
        rates = {name: (stage.cpu(pid) - before[name]) / passed for name, pid in pids.items()}
        running = (station.session.cost.cpu - already) / passed
        events = station.ask("events", "list", "--since", "1h") if detect != "off" else []
        size = sum(path.stat().st_size for path in (station.storage / "segments").rglob("*.mp4*"))
        recorder = sum(rate for name, rate in rates.items() if name.startswith("recorder"))
        found = f"{len(events)} event(s), {size / 1e6:.0f} MB"
        cost = station.stop()
        return Used(cost.cpu, running, rates.get("analyzer", 0.0), recorder, cost.settled, found)


def run(seconds: int, rounds: int) -> list[Outcome]:
    """Both scenes; prints a table of every program in each."""
    found = []
    for name, scene in SCENES.items():
        with stage.camera(scene) as camera:
            looks = [_look_ms()]
            programs = {
                "motion 4.5, movie_passthrough": lambda port=camera.port: run_motion(port, seconds),
                "nvr, recording alone": lambda port=camera.port: run_nvr(port, seconds, "off"),
                "nvr, objects": lambda port=camera.port: run_nvr(port, seconds, OBJECTS),
            }
            used: dict[str, list[Used]] = {program: [] for program in programs}
            for number in range(rounds):
                for program in list(programs)[:: 1 if number % 2 == 0 else -1]:
                    used[program].append(programs[program]())
                looks.append(_look_ms())
        found += _figures(name, seconds, used, median(looks))
    return found


def _look_ms() -> float:
    """What a look of the shipped model takes now, with nothing else to do."""
    return float(measured(ModelChoice(SQUARE_MODEL), 3, quiet=True)["all"]["median"])


def _figures(name: str, seconds: int, used: dict[str, list[Used]], look_ms: float) -> list[Outcome]:
    peer, alone, objects = used.values()
    whole = {program: median(each.whole for each in runs) for program, runs in used.items()}
    running = {program: median(each.running for each in runs) for program, runs in used.items()}
    least = median(each.whole for each in peer)
    rows = [
        (
            program,
            f"{whole[program]:.2f}",
            f"{whole[program] / seconds:.1%}",
            f"{whole[program] / least:.2f}",
            f"{running[program]:.1%}",
            f"{median(each.analyzer for each in runs):.1%}",
            f"{median(each.recorder for each in runs):.1%}",
            f"{median(each.memory for each in runs):.0f}",
            runs[-1].found,
        )
        for program, runs in used.items()
    ]
    columns = ("", "CPU s", "of a core", "ratio", "running", "analyzer", "recorder", "PSS MB", "found and recorded")
    measure.table(f"{name}: one 1080p25 camera, {seconds} s, median of {len(peer)}", columns, rows)
    analyzer = 100 * median(each.analyzer for each in objects)
    decoding = 100 * (median(each.recorder for each in objects) - median(each.recorder for each in alone))
    share, ratio = REACH[name]
    scaled = (analyzer + decoding) * LOOK_MS / look_ms
    return [
        Outcome("cost", f"{name}: analysis", analyzer + decoding, ("<=", share), "%"),
        Outcome("cost", f"{name}: of it the analyzer", analyzer, None, "%"),
        Outcome("cost", f"{name}: of it decoding", decoding, None, "%"),
        Outcome("cost", f"{name}: one look of the shipped model here", look_ms, None, "ms"),
        Outcome("cost", f"{name}: analysis, were it {LOOK_MS:g} ms", scaled, None, "%"),
        Outcome("cost", f"{name}: the whole job against motion", whole["nvr, objects"] / least, ("<=", ratio)),
        Outcome("cost", f"{name}: the same once all run", running["nvr, objects"] / median(e.running for e in peer)),
    ]

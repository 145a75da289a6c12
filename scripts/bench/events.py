#!/usr/bin/env python3
"""What recording with events costs: nvr against Debian's ``motion`` on the same 1080p25 camera with people in view.

    scripts/bench/events.py [--seconds 60]

Both record the main stream without transcoding. ``motion`` (movie_passthrough) decodes that stream to find motion; nvr
looks at the 640x360 sub stream, once with ``detect: motion``, once with ``detect: objects`` at 5 looks a second.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import measure

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


def run_motion(port: int, seconds: int) -> tuple[measure.Cost, str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "motion.conf"
        config.write_text(MOTION.format(port=port, user=measure.USERNAME, password=measure.PASSWORD, folder=folder))
        session = measure.Session([["motion", "-n", "-c", str(config)]])
        measure.wait(seconds, "motion")
        cost = session.stop(signal.SIGTERM)
        movies = [path for path in folder.rglob("*") if path.suffix in {".mkv", ".mp4", ".avi"}]
        size = sum(path.stat().st_size for path in movies)
        if not movies:
            raise SystemExit(f"motion wrote no movie:\n{session.messages()}")
        return cost, f"{len(movies)} movie(s), {size / 1e6:.0f} MB"


def run_nvr(port: int, seconds: int, mode: str) -> tuple[measure.Cost, str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        detect = "motion" if mode == "motion" else "{mode: objects, labels: [person], fps: 5}"
        config = measure.write_config(folder, port, 1, f"  audio: off\n  detect: {detect}")
        session = measure.Session([measure.nvr("start", "--config", str(config))])
        measure.wait(seconds, f"nvr, detect: {mode}")
        cost = session.stop()
        command = measure.nvr("events", "list", "--since", "1h", "--json", "--config", str(config))
        events = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
        if not events:
            raise SystemExit(f"nvr found nothing:\n{session.messages()}")
        found = Counter(event["label"] for event in events)
        size = sum(path.stat().st_size for path in (folder / "storage/segments").rglob("*.mp4"))
        listed = ", ".join(f"{number} {label}" for label, number in found.items())
        return cost, f"{listed}; {size / 1e6:.0f} MB"


def row(who: str, cost: measure.Cost, peer: measure.Cost, seconds: int, found: str) -> tuple[str, ...]:
    share = f"{cost.cpu / seconds:.1%}"
    return who, f"{cost.cpu:.2f}", share, f"{cost.cpu / peer.cpu:.2f}", f"{cost.settled:.0f}", found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    with measure.camera() as camera:
        peer, movies = run_motion(camera.port, seconds)
        rows = [("motion 4.5, movie_passthrough", peer, movies)]
        rows += [(f"nvr, detect: {mode}", *run_nvr(camera.port, seconds, mode)) for mode in ("motion", "objects")]
    measure.table(
        f"recording with events, one 1080p25 camera, {seconds} s",
        ("", "CPU s", "% of a core", "ratio", "PSS MB", "found and recorded"),
        [row(who, cost, peer, seconds, found) for who, cost, found in rows],
    )


if __name__ == "__main__":
    main()

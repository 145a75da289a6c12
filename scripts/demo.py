#!/usr/bin/env python3
"""The second half of scripts/demo: a Hikvision-like camera on loopback, and nvr recording it."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from rich.progress import Progress, TextColumn, TimeRemainingColumn

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "nvr-demo"
NVR = [sys.executable, "-m", "nvr"]
CONFIG = """\
storage: storage
recording: {{segment: 15s}}
cameras:
  hik1:
    host: 127.0.0.1
    port: {port}
    username: viewer
    password: camera
    detect:
      labels: [person, car]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=45)
    seconds = parser.parse_args().seconds
    FOLDER.mkdir(exist_ok=True)
    config = FOLDER / "nvr.yaml"
    server = ["/usr/bin/python3", str(ROOT / "scripts/camera/server.py"), "--port", "0"]
    camera = subprocess.Popen(server, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert camera.stdout is not None
        config.write_text(CONFIG.format(port=json.loads(camera.stdout.readline())["port"]))
        run(config, seconds)
    finally:
        camera.terminate()
        camera.wait(10)
    for arguments in (["events", "list", "--since", "1h", "--limit", "12"], ["segments", "list", "--since", "1h"]):
        say([*arguments, "--config", str(config.relative_to(ROOT))])
    print("\npage      http://127.0.0.1:8642 while it runs (scripts/demo 600); the link to log in by is above")
    print(f"video     {FOLDER}/storage/segments/hik1/\npictures  {FOLDER}/storage/snapshots/hik1/")


def run(config: Path, seconds: int) -> None:
    """nvr start for a while, and nvr status in the middle of it."""
    print(f"\n$ nvr start --camera hik1 --config {config.relative_to(ROOT)}")
    command = [*NVR, "start", "--camera", "hik1", "--config", str(config)]
    station = subprocess.Popen(command, cwd=ROOT, start_new_session=True)  # Ctrl-C is passed on, once
    try:
        with Progress(TextColumn("recording and looking"), TimeRemainingColumn(), transient=True) as progress:
            task = progress.add_task("", total=seconds)
            for second in range(seconds):
                if station.poll() is not None:
                    raise SystemExit(station.returncode)
                if second == seconds // 2:
                    say(["status", "--config", str(config.relative_to(ROOT))])
                time.sleep(1)
                progress.advance(task)
    except KeyboardInterrupt:
        pass
    finally:
        station.send_signal(signal.SIGINT)
        station.wait(12)


def say(arguments: list[str]) -> None:
    print(f"\n$ nvr {' '.join(arguments)}", flush=True)
    subprocess.run([*NVR, *arguments], cwd=ROOT, check=False, timeout=60)


if __name__ == "__main__":
    main()

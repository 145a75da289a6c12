"""The stand-in camera playing one of ``scripts/footage``'s scenes, and nvr looking at it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import checkout
import measure
from scenery import footage, say

from nvr import layout

FPS = 25
ENVIRONMENT = {**os.environ, **checkout.CHILD}
PATIENCE = 30
"""Seconds until nvr must show that it runs."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running camera. It sends frame n of its loop at ``epoch_ns`` + n * 40 ms (CLOCK_MONOTONIC), and so on."""

    port: int
    epoch_ns: int
    frames: int

    def sent_ns(self, frame: int, now_ns: int) -> int:
        """When this frame of the loop was last sent."""
        loop_ns = self.frames * 1_000_000_000 // FPS
        first_ns = self.epoch_ns + frame * 1_000_000_000 // FPS
        return first_ns + (now_ns - first_ns) // loop_ns * loop_ns


@contextmanager
def camera(scene: str = "", channels: int = 1) -> Iterator[Stage]:
    """Serve a scene: "" is the street with people all the time, "still" the same without, "walks" now and then."""
    command = ["/usr/bin/python3", str(measure.ROOT / "scripts/camera/server.py"), "--port", "0", "--no-audio"]
    command += ["--channels", str(channels), "--username", measure.USERNAME, "--password", measure.PASSWORD]
    command += ["--footage", str(footage(scene or "h264") / scene)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        yield Stage(ready["port"], ready["epoch_ns"], ready["frames"])
    finally:
        server.terminate()
        server.wait(10)


@dataclass(frozen=True, slots=True)
class Station:
    """A running nvr."""

    config: Path
    storage: Path
    session: measure.Session
    began: float
    """``time.monotonic()`` of its start."""

    def ask(self, *words: str) -> Any:
        """What an nvr command answers in JSON."""
        command = measure.nvr(*words, "--json", "--config", str(self.config))
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
        if done.returncode:
            raise SystemExit(f"{' '.join(words)}: {done.stderr}\n{self.session.messages()}")
        return json.loads(done.stdout)

    def pids(self) -> dict[str, int]:
        """Its processes by name, such as ``recorder.cam1`` and ``analyzer``."""
        return {each["name"]: each["pid"] for each in self.ask("status")["processes"]}

    def stop(self) -> measure.Cost:
        """End it and all it started, and say what it cost. Tells of an end that was not orderly."""
        cost = self.session.stop(timeout=PATIENCE)
        (main,) = self.session.processes
        deadline = time.monotonic() + PATIENCE
        while (left := _living(main.pid)) and time.monotonic() < deadline:
            time.sleep(0.1)
        if main.returncode or left:
            say(f"nvr ended with {main.returncode}, left {left}:\n{self.session.messages()[-2000:]}")
        return cost


def _living(session: int) -> list[int]:
    """The processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, IndexError):
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                found.append(int(entry.name))
    return found


@contextmanager
def station(port: int, detect: str, cameras: int = 1) -> Iterator[Station]:
    """``nvr start`` for the cameras of a stage; yields once every camera is recorded."""
    with tempfile.TemporaryDirectory() as name:
        config = measure.write_config(Path(name), port, cameras, f"  audio: off\n  detect: {detect}")
        began = time.monotonic()
        session = measure.Session([measure.nvr("start", "--config", str(config))], env=checkout.CHILD)
        found = Station(config, Path(name) / "storage", session, began)
        try:
            _wait_until_recorded(found, cameras)
            yield found
        finally:
            found.stop()


def _wait_until_recorded(found: Station, cameras: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(1)
        if layout.database_path(found.storage).exists():
            states = [each["state"] for each in found.ask("status")["cameras"]]
            if states.count("recording") == cameras:
                return
    say(found.session.messages())
    raise SystemExit(f"nvr did not record {cameras} camera(s) within {PATIENCE} s")


def cpu(pid: int) -> float:
    """Seconds of CPU that a process used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / measure.TICKS

"""Tiny workers for the supervisor: what a child process may do, well or badly.

Each is started by name (``tests.fakes.workers:live``) in a process of its own.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
from pathlib import Path
from types import FrameType

from nvr import logs
from nvr.errors import StorageError
from nvr.pulse import Pulse, PulseWriter

LIFE_S = 30.0
"""No worker outlives a test by more."""
SECRET = "hunter2"


def live(pulse: Path, beat_us: int, channel: socket.socket) -> None:
    """Say that it lives, beat once, and end properly at SIGTERM or with the supervisor."""
    _serve(pulse, beat_us, channel, ends_at_sigterm=True)


def stay(pulse: Path, beat_us: int, channel: socket.socket) -> None:
    """The same, but deaf to SIGTERM and to the supervisor's end."""
    _serve(pulse, beat_us, channel, ends_at_sigterm=False)


def echo(channel: socket.socket) -> None:
    """Say that it is ready, and then again what it is told."""
    channel.send(b"ready")
    channel.settimeout(LIFE_S)
    while data := channel.recv(100):
        channel.send(data)


def leave(code: int, channel: socket.socket) -> None:
    """End at once with an exit code."""
    raise SystemExit(code)


def speak_and_leave(count: int, channel: socket.socket) -> None:
    """Send numbers and end."""
    for number in range(count):
        channel.send(f"#{number}".encode())


def fail(what: str, channel: socket.socket) -> None:
    """End as a worker does that cannot go on (``expected``), or that has a bug."""
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115  # what pytest put in its place ended at the fork
    logs.configure("info")
    if what == "expected":
        raise StorageError(f"the disk of rtsp://viewer:{SECRET}@127.0.0.1/ is full: free some space")
    raise ValueError(f"a bug at rtsp://viewer:{SECRET}@127.0.0.1/")


def be_killed(channel: socket.socket) -> None:
    """End as a crash inside a library does."""
    os.kill(os.getpid(), signal.SIGKILL)


def _serve(pulse: Path, beat_us: int, channel: socket.socket, *, ends_at_sigterm: bool) -> None:
    stopped = threading.Event()

    def on_sigterm(_number: int, _frame: FrameType | None) -> None:
        if ends_at_sigterm:
            stopped.set()

    signal.signal(signal.SIGTERM, on_sigterm)
    with PulseWriter(pulse) as writer:
        beat = Pulse(process=pulse.stem, pid=os.getpid(), state="recording", beat_monotonic_us=beat_us, beat_us=0)
        writer.beat(beat)
        channel.send(str(os.getpid()).encode())
        for _ in range(round(LIFE_S / 0.02)):
            readable, _, _ = select.select([channel] if ends_at_sigterm else [], [], [], 0.02)
            if stopped.is_set() or readable:
                break
    if stopped.is_set():
        channel.send(b"closed")

"""What the benchmarks share: a camera, the cost of a process and all it started, and a table.

CPU and memory are read from /proc for every process of a session, so nothing that a program starts escapes: CPU is
user + system seconds since its start, memory is PSS (each shared page counted once among those who share it).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
USERNAME, PASSWORD = "viewer", "camera"


@dataclass
class Cost:
    """What a session's processes used: CPU seconds, peak and mean PSS in MB, and the last PSS of each moment."""

    cpu: float = 0.0
    pss: list[float] = field(default_factory=list)

    @property
    def peak(self) -> float:
        return max(self.pss, default=0.0)

    @property
    def settled(self) -> float:
        """PSS at the end: the mean of the last five samples."""
        last = self.pss[-5:]
        return sum(last) / len(last) if last else 0.0


class Session:
    """A program in a session of its own, watched until it is stopped."""

    def __init__(self, commands: Sequence[Sequence[str]], *, quiet: bool = True, env: dict[str, str] | None = None):
        out = subprocess.DEVNULL if quiet else None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the session
        self.processes = [
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=self._log,
                start_new_session=True,
                env={**os.environ, **(env or {})},
            )
            for command in commands
        ]
        self.cost = Cost()
        self._cpu: dict[int, float] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self, number: int = signal.SIGTERM, timeout: float = 15) -> Cost:
        """Sample a last time, end the program, and return what it cost."""
        self._done.set()
        self._thread.join()
        self._read()
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(number)
        for process in self.processes:
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return self.cost

    def messages(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _sample(self) -> None:
        while not self._done.wait(1.0):
            self._read()

    def _read(self) -> None:
        sessions = {process.pid for process in self.processes}
        pss = 0.0
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) not in sessions:
                    continue
                self._cpu[int(entry.name)] = (int(fields[11]) + int(fields[12])) / TICKS
                rollup = (entry / "smaps_rollup").read_text()
                pss += int(rollup.split("Pss:")[1].split()[0]) / 1024
            except (OSError, IndexError):  # it ended meanwhile
                continue
        self.cost.cpu = sum(self._cpu.values())
        self.cost.pss.append(pss)


@dataclass(frozen=True)
class Camera:
    """A running stand-in camera."""

    port: int

    def url(self, channel: int = 1, *, sub: bool = False, login: bool = True) -> str:
        user = f"{USERNAME}:{PASSWORD}@" if login else ""
        return f"rtsp://{user}127.0.0.1:{self.port}/Streaming/Channels/{channel}0{2 if sub else 1}"


@contextmanager
def camera(channels: int = 1, *, audio: bool = False, codec: str = "h264", shared: bool = False) -> Iterator[Camera]:
    """Prepare the footage if need be and serve it on loopback; ``shared`` gives all clients the same moment."""
    subprocess.run([ROOT / "scripts/footage", codec], check=True, stdout=sys.stderr)
    command = ["/usr/bin/python3", str(ROOT / "scripts/camera/server.py"), "--port", "0", "--channels", str(channels)]
    command += ["--codec", codec, "--username", USERNAME, "--password", PASSWORD]
    command += [] if audio else ["--no-audio"]
    command += ["--shared"] if shared else []
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert server.stdout is not None
        yield Camera(json.loads(server.stdout.readline())["port"])
    finally:
        server.terminate()
        server.wait(10)


def nvr(*arguments: str) -> list[str]:
    """The command line of this checkout's nvr."""
    return [sys.executable, "-m", "nvr", *arguments]


def write_config(folder: Path, port: int, cameras: int, extra: str) -> Path:
    """An nvr.yaml for the stand-in camera; ``extra`` are further lines of ``defaults``, indented by two."""
    lines = ["storage: storage", "web: false", "defaults:", "  host: 127.0.0.1", f"  port: {port}"]
    lines += [f"  username: {USERNAME}"]
    lines += [f"  password: {PASSWORD}", *extra.splitlines(), "cameras:"]
    lines += [f"  cam{n}: {{channel: {n}}}" for n in range(1, cameras + 1)]
    path = folder / "nvr.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def wait(seconds: float, what: str) -> None:
    """Let time pass, showing it."""
    from rich.progress import track

    for _ in track(range(round(seconds)), description=what, transient=True, console=Console(stderr=True)):
        time.sleep(1)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a result as a table."""
    made = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        made.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 140).print(made)

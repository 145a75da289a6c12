"""Run the ``nvr`` command as a user does: a process, its words, its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "nvr"]
WAIT_S = 60.0
LONGEST_S = 240


def nvr(*arguments: str, env: dict[str, str] | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself; a test's own limit is usually shorter."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=LONGEST_S, check=False, env=environment, cwd=cwd
    )


def listed(what: str, config: Path) -> list[dict[str, Any]]:
    """The rows of ``nvr events|segments list --json``."""
    done = nvr(what, "list", "--since", "1h", "--json", "--config", str(config))
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def wait_for(found: Callable[[], object], what: str) -> None:
    """Wait, bounded, until something outside this process has happened."""
    end = time.monotonic() + WAIT_S
    while not found():
        assert time.monotonic() < end, f"nothing within {WAIT_S:.0f} s: {what}"
        time.sleep(0.1)


def told_to_end_at_once(script: str) -> str:
    """A worker's script, of whom the worker is told to end in the moment of its first sign of life."""
    return (
        "import os, signal; from nvr.pulse import PulseWriter; beat = PulseWriter.beat; "
        "end = lambda pulse: pulse.state == 'starting' and os.kill(os.getpid(), signal.SIGTERM); "
        f"PulseWriter.beat = lambda writer, pulse: (beat(writer, pulse), end(pulse)); {script}"
    )


class Station:
    """A running ``nvr start``; a context manager that ends it by its pid."""

    def __init__(self, config: Path, *arguments: str) -> None:
        self.config = config
        self.storage = config.parent / "storage"
        if "\nweb:" not in config.read_text():  # tests run side by side, and a port is one program's
            with config.open("a") as file:
                file.write("\nweb: false\n")
        self._log = config.parent / "log.txt"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "start", "--config", str(config), *arguments],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT_S)

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_until_logged(self, text: str) -> None:
        wait_for(lambda: text in self.log() or self.process.poll() is not None, f"{text!r} in the log")
        assert text in self.log(), self.log()

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(WAIT_S)

    def status(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(nvr("status", "--json", "--config", str(self.config)).stdout)
        return report

    def pid_of(self, name: str) -> int:
        """The pid of a worker, as ``nvr status`` tells it."""
        found: list[int] = []

        def look() -> bool:
            found[:] = [process["pid"] for process in self.status()["processes"] if process["name"] == name]
            return bool(found)

        wait_for(look, f"process {name}")
        return found[0]

    def files(self, pattern: str) -> list[Path]:
        return sorted((self.storage / "segments").rglob(pattern))

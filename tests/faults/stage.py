"""One ``nvr start`` with scripted cameras in a folder of its own, to be hurt from outside."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.fakes import clip
from tests.fakes.rtsp import Script, ScriptedCamera, Sent
from tests.fakes.script import ENDLESS

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "nvr"]
WAIT_S = 30.0
STOP_S = 15.0
IN_FLIGHT_S = 5.0
"""What was sent so shortly before a stop need not have arrived: a recorder that is behind does not read on."""
SEGMENT = "5s"
LIVE: list[Stage] = []
"""Those that are running, to be ended by whoever ends the whole."""


@cache
def usual() -> clip.Clip:
    """Ten seconds of H.264 with a key frame a second."""
    return clip.record(frames=250, gop=25)


def steady(video: clip.Clip | None = None, **more: Any) -> Script:
    """A camera without a fault, or with those given: endless, tagged pictures at their own pace."""
    return Script(video or usual(), **{"loops": ENDLESS, "tags": True, "speed": 1.0, **more})


class Stage:
    """Cameras that play, and nvr recording them. A context manager; what it started is ended by its pid."""

    def __init__(
        self,
        cameras: Mapping[str, ScriptedCamera],
        *,
        options: Mapping[str, str] | None = None,
        settings: str = "",
        storage: Path | None = None,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ) -> None:
        """``options`` are further YAML keys of each camera, ``settings`` further lines of the configuration."""
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="nvr-faults-")))
        self.cameras = dict(cameras)
        self.storage = storage or self.folder / "storage"
        self.config = self.folder / "nvr.yaml"
        self.options = dict(options or {})
        self.settings = settings
        self.segment = SEGMENT
        self.environment = dict(environment or {})
        self.wrapper = list(wrapper)
        self.process: subprocess.Popen[bytes] | None = None
        self.started = self.stopped = 0.0
        """Unix seconds of the last start, and of the last moment at which all that was sent had to be kept."""

    def __enter__(self) -> Self:
        LIVE.append(self)
        for camera in self.cameras.values():
            self._stack.enter_context(camera)
        self.write_config()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        LIVE.remove(self)
        self.kill()
        self._stack.close()

    def at_end(self, call: Callable[[], object]) -> None:
        """Have something done when nvr has ended."""
        self._stack.callback(call)

    def write_config(self) -> None:
        """Write nvr.yaml for the cameras as they are now (a login that was changed here counts)."""
        lines = [
            f"storage: {self.storage}",
            f"recording: {{segment: {self.segment}}}",
            "retention: {min_free: 1MB}",
            "web: false",
        ]
        lines += ["defaults: {detect: off, audio: off}", *self.settings.splitlines(), "cameras:"]
        for name, camera in self.cameras.items():
            login = f", username: {camera.username}, password: {camera.password}" if camera.username else ""
            more = f", {self.options[name]}" if name in self.options else ""
            lines.append(f"  {name}: {{url: '{camera.url}'{login}{more}}}")
        self.config.write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        """Start nvr in a process group of its own."""
        self.started = time.time()
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, *COMMAND, "start", "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT), **self.environment},
                cwd=self.folder,
                start_new_session=True,
            )

    def stop(self) -> int:
        """Ask nvr to end, as Ctrl-C does; its exit code, or -9 where it had to be killed."""
        assert self.process is not None
        self.stopped = time.time() - IN_FLIGHT_S
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGINT)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def kill(self) -> None:
        """End the whole group at once."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_S)

    @property
    def pid(self) -> int:
        """The supervisor's: of the process itself, or of what a wrapper started."""
        assert self.process is not None
        if not self.wrapper:
            return self.process.pid
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else self.process.pid

    def group(self) -> list[int]:
        """Every living process of nvr."""
        assert self.process is not None
        return [pid for pid, group in _groups() if group == self.process.pid]

    def log(self) -> str:
        return (self.folder / "log.txt").read_text(errors="replace")

    def nvr(self, *arguments: str) -> Any:
        """What a command prints as JSON; None where there is no such command. Raises RuntimeError where it fails."""
        done = subprocess.run(
            [*COMMAND, *arguments, "--json", "--config", str(self.config)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), **self.environment},
        )
        if done.returncode == 2 and "No such command" in done.stderr:
            return None
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines() or ["nothing said"]
            raise RuntimeError(f"nvr {' '.join(arguments)}: {said[-1]}")
        return json.loads(done.stdout)

    def worker(self, name: str) -> int:
        """The pid of a worker, such as ``recorder.cam1``; 0 where it does not run."""
        processes = {each["name"]: each["pid"] for each in self.nvr("status")["processes"]}
        pid = int(processes.get(name, 0))
        return pid if pid in self.group() else 0

    def kill_worker(self, name: str) -> int:
        """Kill a worker at once; the pid that it had. Raises RuntimeError where it does not run."""
        pid = self.worker(name)
        if not pid:  # to the system that would be our own process group
            raise RuntimeError(f"{name} does not run")
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_until_recording(self, pictures: int = 30, *names: str) -> None:
        """Wait until cameras (all where none is named) have sent so many pictures more."""
        for name in names or self.cameras:
            camera = self.cameras[name]
            before = sum(map(len, camera.sessions))
            wait_until(partial(_plays, camera, before + pictures), f"pictures of {name}: {self.log()[-600:]}")

    def back_within(self, name: str, since: float, seconds: float = WAIT_S) -> float:
        """Seconds from ``since`` until the first picture of a session that began after it; infinite if none does."""
        camera = self.cameras[name]

        def first() -> Sent | None:
            begun = [session[0] for session in list(camera.sessions) if session and session[0].at >= since]
            return begun[0] if begun else None

        with contextlib.suppress(TimeoutError):
            wait_until(first, "", seconds)
        found = first()
        return found.at - since if found else math.inf


def _plays(camera: ScriptedCamera, pictures: int) -> bool:
    return sum(map(len, list(camera.sessions))) >= pictures


def wait_until(found: Callable[[], object], what: str, seconds: float = WAIT_S) -> None:
    """Wait for something outside this process. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not found():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing within {seconds:.0f} s: {what}")
        time.sleep(0.05)


def _groups() -> list[tuple[int, int]]:
    """Process id and process group of everything that lives; what waits to be reaped does not."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] not in "ZX":
                    found.append((int(entry.name), int(fields[2])))
    return found

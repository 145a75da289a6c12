"""A camera that is really there: ``scripts/camera/server.py`` as a child process on loopback."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, NoReturn, Self

import pytest

from tests.fakes.rtsp import Request

SERVER = Path(__file__).parents[2] / "scripts" / "camera" / "server.py"
SYSTEM_PYTHON = "/usr/bin/python3"
READY_TIMEOUT = 20
STOP_TIMEOUT = 5
FRAME_NS = 40_000_000
CHANNEL_SHIFT = 111


def unavailable(reason: str) -> NoReturn:
    """Leave out a test that cannot run on this machine; in CI, where everything is installed, it fails instead."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class Camera:
    """One server with ``channels`` cameras, each with a main and a sub stream; live: all clients see the same moment.

    A context manager. Start it in the main thread: the server ends with the thread that started it. ``port`` 0 takes a
    free one; giving the port of an ended camera brings that camera back.
    """

    def __init__(
        self,
        footage: Path,
        *,
        codec: Literal["h264", "h265"] = "h264",
        channels: int = 1,
        audio: bool = True,
        shared: bool = False,
        port: int = 0,
        username: str = "viewer",
        password: str = "s3cret:/@%",  # as awkward in a URL as people's passwords are
    ) -> None:
        self.host = "127.0.0.1"
        self.port = port
        self.username = username
        self.password = password
        self.channels = channels
        self._options = ["--footage", str(footage), "--codec", codec, "--channels", str(channels)]
        self._options += [] if audio else ["--no-audio"]
        self._options += ["--shared"] if shared else []
        self._folder = tempfile.TemporaryDirectory(prefix="camera-")
        self._log = Path(self._folder.name) / "requests"
        self._process: subprocess.Popen[bytes] | None = None
        self._epoch_ns = 0
        self._frames = 1

    def __enter__(self) -> Self:
        self._log.touch()
        errors = Path(self._folder.name) / "errors"
        login = {"CAMERA_USERNAME": self.username, "CAMERA_PASSWORD": self.password}
        command = [SYSTEM_PYTHON, str(SERVER), *self._options, "--port", str(self.port), "--log", str(self._log)]
        try:
            with errors.open("wb") as file:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=file,
                    env={"PATH": "/usr/bin"} | login,
                )
        except FileNotFoundError:
            self._folder.cleanup()
            unavailable(f"{SYSTEM_PYTHON} is missing: run scripts/install --apt scripts/apt-camera.txt")
        ready = self._read_ready()
        if ready is None:
            said = errors.read_text(errors="replace")
            self.stop()
            if "ModuleNotFoundError" in said or "not available" in said:
                unavailable("GStreamer is missing: run scripts/install --apt scripts/apt-camera.txt")
            raise RuntimeError(f"the camera did not start: {said or f'nothing within {READY_TIMEOUT} s'}")
        self.port, self._epoch_ns, self._frames = ready["port"], ready["epoch_ns"], ready["frames"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server; what it logged is gone afterwards."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_TIMEOUT)
            if process.stdout is not None:
                process.stdout.close()
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        """The server's process id, to stop and continue it with signals. Raises RuntimeError when it does not run."""
        if self._process is None:
            raise RuntimeError("the camera is not running")
        return self._process.pid

    def path(self, channel: int = 1, sub: bool = False) -> str:
        return f"/Streaming/Channels/{channel}0{2 if sub else 1}"

    def url(self, channel: int = 1, sub: bool = False) -> str:
        """The address of a stream, without the login."""
        return f"rtsp://{self.host}:{self.port}{self.path(channel, sub)}"

    def requests(self) -> list[Request]:
        """All requests so far, oldest first."""
        return [Request(**json.loads(line)) for line in self._log.read_text().splitlines()]

    def frame_at(self, monotonic_ns: int, channel: int = 1) -> int:
        """The number in the picture that the camera shows at an instant of the monotonic clock."""
        return ((monotonic_ns - self._epoch_ns) // FRAME_NS + (channel - 1) * CHANNEL_SHIFT) % self._frames

    def age_ns(self, number: int, channel: int = 1) -> int:
        """How long ago the camera showed the frame with this number, at most one loop, in nanoseconds."""
        shown_ns = (number - (channel - 1) * CHANNEL_SHIFT) * FRAME_NS
        return (time.monotonic_ns() - self._epoch_ns - shown_ns) % (self._frames * FRAME_NS)

    def _read_ready(self) -> dict[str, int] | None:
        """The server's first line, or None when it ended or said nothing in time."""
        output = self._process.stdout if self._process is not None else None
        if output is None or not select.select([output], [], [], READY_TIMEOUT)[0]:
            return None
        line = output.readline()
        return dict(json.loads(line)) if line else None

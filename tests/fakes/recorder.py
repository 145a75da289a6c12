"""A recorder as the supervisor starts it: a process, the supervisor's end of its channel, its pulse, its log."""

from __future__ import annotations

import pickle
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from nvr import layout, pulse
from nvr.model import Address, Gap, Run, Segment
from nvr.pulse import Pulse
from nvr.recording.outbox import Message, read_message
from nvr.recording.recorder import run
from nvr.recording.task import Target, Task
from nvr.supervisor import STOP_US
from tests.fakes.station import ROOT, wait_for

PROGRAM = "import sys; from tests.fakes.recorder import main; main(*map(int, sys.argv[1:]))"
END_TIMEOUT = STOP_US / 1e6
"""The supervisor would kill it then."""


class RecorderProcess:
    """Records until ``stop``, ``kill`` or ``leave``. A context manager; nothing of it is left running."""

    def __init__(self, task: Task, *, file_limit: int = 0) -> None:
        """``file_limit``: no file may grow beyond so many bytes, as on a disk that is full; 0 is no limit."""
        self.task = task
        self.messages: list[Message] = []
        self._log = task.pulse.with_suffix(".log")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self.channel = ours
        with theirs, self._log.open("ab") as log:
            command = [sys.executable, "-c", PROGRAM, str(theirs.fileno()), str(file_limit)]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stderr=log, pass_fds=[theirs.fileno()], cwd=ROOT, start_new_session=True
            )
        assert self.process.stdin is not None
        with self.process.stdin as stdin:
            pickle.dump(task, stdin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self._end(lambda: None)
        self.channel.close()

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def pulse(self) -> Pulse | None:
        beat = pulse.read(self.task.pulse)
        return beat if beat is not None and beat.pid == self.process.pid else None

    def wait_for_state(self, state: str) -> Pulse:
        """The first beat that tells of ``state``."""
        beats: list[Pulse] = []

        def look() -> bool:
            beats[:] = [beat for beat in [self.pulse] if beat is not None and beat.state == state]
            return bool(beats)

        wait_for(look, f"state {state}: {self.pulse}")
        return beats[0]

    def wait_for_segments(self, count: int) -> list[Segment]:
        wait_for(lambda: len(self.segments()) >= count, f"{count} segments of {self.messages}")
        return self.segments()

    def segments(self) -> list[Segment]:
        """The segments that were handed over so far."""
        self._receive()
        return [message for message in self.messages if isinstance(message, Segment)]

    def runs(self, *, ended: bool) -> list[Run]:
        """The runs that were told of, or those whose end was."""
        self._receive()
        runs = [message for message in self.messages if isinstance(message, Run)]
        return [run for run in runs if (run.end is not None) is ended]

    def gaps(self) -> list[Gap]:
        """Each gap as it was told last, in the order in which they began."""
        self._receive()
        return list({message.id: message for message in self.messages if isinstance(message, Gap)}.values())

    def parts(self) -> list[Path]:
        return sorted(self.task.target.storage.rglob(f"*{layout.PART_SUFFIX}"))

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        return self._end(self.process.terminate)

    def kill(self) -> None:
        assert self._end(self.process.kill) == -signal.SIGKILL

    def leave(self) -> int:
        """Let the supervisor's end go away, as when it is killed; the recorder's exit code."""
        return self._end(self.channel.close)

    def _end(self, how: Callable[[], None]) -> int:
        how()
        code = self.process.wait(END_TIMEOUT)
        self._receive()
        return code

    def _receive(self) -> None:
        if self.channel.fileno() < 0:
            return
        try:
            while (message := read_message(self.channel)) is not None:
                self.messages.append(message)
        except EOFError:
            pass  # it has ended; what it said before is in the list


def task(folder: Path, main: Address, segment_us: int = 1_000_000) -> Task:
    """The work of camera ``cam``: record ``main`` without audio into ``folder / "storage"``, analyse nothing."""
    storage = folder / "storage"
    layout.prepare(storage)
    return Task(
        camera="cam",
        main=main,
        sub=None,
        record=True,
        audio=False,
        target=Target(storage, segment_us),
        pulse=folder / "recorder.cam.pulse",
        watch=None,
    )


def main(channel: int, file_limit: int) -> None:
    """The process: the task comes by standard input."""
    if file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    run(pickle.load(sys.stdin.buffer), socket.socket(fileno=channel))

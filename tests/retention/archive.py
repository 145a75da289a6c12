"""A storage folder with recordings of any age, and the janitor's process that looks after it."""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest

from nvr import layout, pulse
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import EPOCH, SystemClock
from nvr.model import Event, Segment
from nvr.pulse import Pulse, PulseWriter
from nvr.retention.policy import Limits, Policy
from nvr.retention.task import Task
from tests.fakes.station import ROOT, nvr, wait_for

RUN = (
    "import pickle, socket, sys; from nvr.janitor import run; "
    "run(pickle.loads(sys.stdin.buffer.read()), socket.socket(fileno=int(sys.argv[1])))"
)
DAY = timedelta(days=1)
END_S = 15.0


class Archive:
    """A storage folder with its catalogue; files are as long as asked for, and hold nothing."""

    def __init__(self, storage: Path, database: Path | None = None) -> None:
        self.storage = storage
        self.database = database or layout.database_path(storage)
        self.now = datetime.now(UTC)
        layout.prepare(storage)
        upgrade(self.database)
        self.catalogue = Catalogue.open(self.database)

    def record(
        self, ago: timedelta, camera: str = "hik1", *, size: int = 1000, seconds: float = 60, row: bool = True
    ) -> Segment:
        """A segment that ended so long ago, with its file, and its row if it is to have one."""
        end = self.now - ago
        start = end - timedelta(seconds=seconds)
        path = layout.segment_path(camera, start)
        segment = Segment(camera, f"run-{camera}", path, start, end, size, 1500, "h264", 320, 180)
        file = self.storage / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(size))
        if row:
            self.catalogue.add_segment(segment)
        return segment

    def happen(self, ago: timedelta, camera: str = "hik1", *, locked: bool = False) -> int:
        """An event so long ago, with a snapshot."""
        at = self.now - ago
        picture = layout.snapshot_path(camera, at, "person", 1)
        (self.storage / picture).parent.mkdir(parents=True, exist_ok=True)
        (self.storage / picture).write_bytes(b"jpeg")
        id = self.catalogue.open_event(Event(camera, "object", "person", at, at, at, snapshot=picture))
        if locked:
            self.catalogue.lock_event(id, True)
        return id

    def files(self) -> set[Path]:
        return {file.relative_to(self.storage) for file in (self.storage / "segments").rglob("*.mp4")}

    def rows(self) -> set[Path]:
        return {segment.path for segment in self.catalogue.segments(EPOCH)}

    def in_state(self, state: str) -> set[Path]:
        return {segment.path for segment in self.catalogue.segments_in_state(state)}  # type: ignore[arg-type]  # a state

    def close(self) -> None:
        self.catalogue.close()


def limits(days: float = 7, events: float = 30, **keys: object) -> Limits:
    return replace(Limits(days * DAY, events * DAY), **keys)  # type: ignore[arg-type]  # keys of Limits


class Janitor:
    """The process and the supervisor's end of its channel; a context manager that ends it."""

    def __init__(self, archive: Archive, policy: Policy, folder: Path, started: datetime | None = None) -> None:
        task = Task(policy, archive.storage, archive.database, folder, started or archive.now)
        self.folder = folder
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folder.mkdir(exist_ok=True)
        self._log = (folder / "log.txt").open("a+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(theirs.fileno())],
            stdin=subprocess.PIPE,
            stderr=self._log,
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
        )
        theirs.close()
        assert self.process.stdin is not None
        with self.process.stdin as stdin:
            stdin.write(pickle.dumps(task))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(END_S)
        self.channel.close()
        self._log.close()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_S)

    def beat(self) -> Pulse | None:
        """Its own last beat, None before the first."""
        found = pulse.read(layout.pulse_path(self.folder, "janitor"))
        return found if found is not None and found.pid == self.process.pid else None

    def wait_for_turns(self, turns: int = 1) -> None:
        """Wait until it has done so many turns from now on, whatever came of them."""
        for _ in range(turns + 1):
            before = self.beat()
            wait_for(lambda: (now := self.beat()) and now != before and now.state != "deleting", "a turn")  # noqa: B023

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()


def show_life(folder: Path, process: str = "analyzer", state: str = "analysing", error: str | None = None) -> None:
    """The pulse of a process that lives, just now and while a slow machine comes to look at it."""
    clock = SystemClock()
    folder.mkdir(exist_ok=True)
    fresh_us = clock.monotonic_us() + 60_000_000
    with PulseWriter(layout.pulse_path(folder, process)) as writer:
        writer.beat(Pulse(process, os.getpid(), state, fresh_us, clock.now_us(), last_error=error))


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A tmpfs with these mount options; skips where this user may not mount."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "nvr-test", str(folder)],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"cannot mount a tmpfs here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], timeout=10, check=True)


def configured(tmp_path: Path, camera: str = "host: a", retention: str = "min_free: 1B") -> str:
    """Write a configuration for the archive in ``tmp_path``, and return its path."""
    path = tmp_path / "nvr.yaml"
    path.write_text(f"storage: storage\nretention: {{{retention}}}\ncameras:\n  hik1: {{{camera}}}\n")
    return str(path)


def report(*arguments: str) -> Any:
    """What ``nvr storage … --json`` prints."""
    done = nvr("storage", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

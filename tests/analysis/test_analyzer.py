"""The analyzer as a process: what it leaves behind when pictures come, when it is told to end, and when it is left."""

from __future__ import annotations

import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nvr import frameslot, layout, pulse
from nvr.analysis.sight import Sight
from nvr.analysis.task import Look, Task
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import EPOCH
from nvr.frameslot import SlotWriter
from nvr.model import Event
from nvr.pulse import Pulse
from tests.fakes.slots import put, scene
from tests.fakes.station import ROOT, wait_for

RUN = (
    "import pickle, socket, sys; from nvr.analysis.analyzer import run; "
    "run(pickle.loads(sys.stdin.buffer.read()), socket.socket(fileno=int(sys.argv[1])))"
)
STOP_S = 10.0


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """A camera whose motion is looked for, with its slot and an empty catalogue."""
    layout.prepare(tmp_path / "storage")
    upgrade(tmp_path / "storage/nvr.db")
    look = Look("hik1", tmp_path / "hik1.slot", Sight("motion", ()), timedelta(milliseconds=50))
    frameslot.create(look.slot)
    return Task((look,), tmp_path / "storage", tmp_path / "storage/nvr.db", tmp_path / "analyzer.pulse", restarts=3)


class Running:
    """An analyzer's process and the supervisor's end of its channel."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._errors = (task.pulse.parent / "errors").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(theirs.fileno())],
            stdin=subprocess.PIPE,
            stderr=self._errors,
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
        )
        theirs.close()
        assert self.process.stdin is not None
        with self.process.stdin as stdin:
            stdin.write(pickle.dumps(task))

    def beat(self) -> Pulse:
        found = pulse.read(self.task.pulse)
        assert found is not None
        return found

    def wait_for_state(self, *states: str) -> None:
        wait_for(lambda: (seen := pulse.read(self.task.pulse)) and seen.state in states, f"the state {states}")

    def errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(STOP_S)
        self.channel.close()
        self._errors.close()


@pytest.fixture
def start() -> Iterator[type[Running]]:
    made: list[Running] = []

    class Started(Running):
        def __init__(self, task: Task) -> None:
            super().__init__(task)
            made.append(self)

    yield Started
    for running in made:
        running.close()


@contextmanager
def filming(slot: Path) -> Iterator[None]:
    """A recorder's part: three still seconds, then a square that moves for ever, 25 pictures a second."""
    over = threading.Event()
    moving = scene(28)  # to and fro once

    def write() -> None:
        with SlotWriter(slot) as writer:
            number = 0
            while not over.wait(0.04):
                put(writer, moving[0] if number < 75 else moving[number % 28], datetime.now(UTC))
                number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(STOP_S)


def events(task: Task) -> list[Event]:
    with Catalogue.open(task.database, readonly=True) as catalogue:
        return list(catalogue.events(EPOCH, None))


def test_what_moves_is_an_event_and_the_stop_ends_it(task: Task, start: type[Running]) -> None:
    running = start(task)
    with filming(task.looks[0].slot):
        wait_for(lambda: events(task), "an event")
        running.wait_for_state("analysing")
        assert (running.beat().restarts, running.beat().last_error) == (3, None)
        assert events(task)[0].end is None
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(STOP_S) == 0
    (event,) = events(task)
    assert (event.camera, event.kind) == ("hik1", "motion")
    assert event.end is not None
    assert event.snapshot is not None
    assert (task.storage / event.snapshot).is_file()
    assert running.beat().state == "stopped"
    assert "Traceback" not in running.errors()


def test_it_ends_by_itself_when_the_supervisor_is_gone(task: Task, start: type[Running]) -> None:
    running = start(task)
    running.wait_for_state("sleeping")
    running.channel.close()
    assert running.process.wait(STOP_S) == 0
    assert running.beat().state == "stopped"
    assert "the supervisor is gone" in running.errors()


def test_ctrl_c_in_the_terminal_is_left_to_the_supervisor(task: Task, start: type[Running]) -> None:
    running = start(task)
    running.wait_for_state("sleeping")
    running.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(1)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(STOP_S) == 0


def test_events_that_a_predecessor_left_are_ended_where_they_were_last_seen(task: Task, start: type[Running]) -> None:
    seen = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
    with Catalogue.open(task.database) as catalogue:
        catalogue.open_event(Event("hik1", "motion", "motion", seen - timedelta(seconds=5), seen))
    start(task).wait_for_state("sleeping")
    assert events(task)[0].end == seen


def test_a_model_that_is_none_costs_its_camera_alone(tmp_path: Path, task: Task, start: type[Running]) -> None:
    (tmp_path / "model.onnx").write_text("no model")
    (look,) = task.looks
    broken = replace(look, camera="hik2", sight=Sight(labels=("person",), model=tmp_path / "model.onnx"))
    running = start(replace(task, looks=(broken, look)))
    running.wait_for_state("sleeping")
    assert (running.beat().last_error or "").startswith("hik2 is not analysed: ")
    assert "model.onnx" in running.errors()
    assert "Traceback" not in running.errors()


def test_without_any_model_it_stays_and_says_that_it_failed(tmp_path: Path, task: Task, start: type[Running]) -> None:
    (tmp_path / "model.onnx").write_text("no model")
    (look,) = task.looks
    broken = replace(look, sight=Sight(labels=("person",), model=tmp_path / "model.onnx"))
    running = start(replace(task, looks=(broken,)))
    running.wait_for_state("failed")
    assert running.process.poll() is None, "the supervisor would start it again and again"

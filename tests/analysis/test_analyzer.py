"""The analyzer: how it shares its time among cameras, and as a process what it leaves behind when pictures come, when
it is told to end, when it is killed, and when it is left."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nvr import frameslot, layout, pulse
from nvr.analysis.analyzer import NICE, Analyzer
from nvr.analysis.choice import ModelChoice
from nvr.analysis.detector import OnnxModel
from nvr.analysis.observer import Models
from nvr.analysis.sight import Sight
from nvr.analysis.task import Look, Task
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import EPOCH, SystemClock, from_us
from nvr.frameslot import SlotWriter
from nvr.model import Event, Waypoint
from nvr.pulse import Pulse
from tests.analysis.detector.graphs import write_model
from tests.fakes.clock import FakeClock
from tests.fakes.slots import put, scene
from tests.fakes.station import ROOT, wait_for

RUN = (
    "import pickle, socket, sys; from nvr.analysis.analyzer import run; "
    "run(pickle.loads(sys.stdin.buffer.read()), socket.socket(fileno=int(sys.argv[1])))"
)
STOP_S = 30.0
PERSON = ((16.0, 16.0, 8.0, 16.0, {"person": 0.9}),)
"""In the middle of the detector's picture of 32 pixels: the middle quarter of ours, nearly from top to bottom."""
Pixels = NDArray[np.uint8]


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
def filming(slot: Path, moving: list[Pixels] | None = None) -> Iterator[None]:
    """A recorder's part: three still seconds, then what moves for ever, 25 pictures a second."""
    over = threading.Event()
    pictures = moving or scene(28)  # to and fro once

    def write() -> None:
        with SlotWriter(slot) as writer:
            number = 0
            while not over.wait(0.04):
                put(writer, pictures[0] if number < 75 else pictures[number % len(pictures)], datetime.now(UTC))
                number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(STOP_S)


def flicker() -> list[Pixels]:
    """Something moves where ``PERSON`` is seen."""
    dark, bright = scene(1)[0], scene(1)[0]
    dark[10:170, 120:200], bright[10:170, 120:200] = 30, 220
    return [dark, bright]


def events(task: Task) -> list[Event]:
    """Newest first."""
    with Catalogue.open(task.database, readonly=True) as catalogue:
        return list(catalogue.events(EPOCH, None))


def going_on(task: Task) -> list[Event]:
    """What is open: one event, where what moves was seen; it ends, and another begins, if nobody looks for 5 s."""
    return [event for event in events(task) if event.end is None]


def path(task: Task, event: int | None = 1) -> tuple[Waypoint, ...]:
    assert event is not None
    with Catalogue.open(task.database, readonly=True) as catalogue:
        return catalogue.path_of(event)


def gauge(task: Task, camera: str) -> Pulse | None:
    return pulse.read(layout.pulse_path(task.pulse.parent, f"looks.{camera}"))


class Film(FakeClock):
    """Cameras, ten pictures a second each, in a time that passes only where somebody asks for it or works.

    After ``seconds`` the supervisor goes.
    """

    def __init__(self, slots: list[Path], moving: list[int], seconds: float) -> None:
        super().__init__()
        self.writers = [SlotWriter(slot) for slot in slots]
        self.channel, self.theirs = socket.socketpair()
        self.each_second: Callable[[], None] = lambda: None
        self._moving = moving
        self._pictures = scene(28)
        self._shown = 0
        self._began_us = super().monotonic_us()
        self._end_us = self._began_us + round(seconds * 1e6)
        self._show(0)

    def monotonic_us(self) -> int:
        self.advance(0.001)
        return super().monotonic_us()

    def work(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            self.advance(0.01)

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        now_us = super().monotonic_us()
        number = (now_us - self._began_us) // 100_000
        if number > self._shown:
            if number // 10 > self._shown // 10:
                self.each_second()
            self._shown = number
            self._show(number)
        if now_us > self._end_us:
            self.channel.close()

    def _show(self, number: int) -> None:
        for index, writer in enumerate(self.writers):
            put(writer, self._pictures[number % 28 if index in self._moving else 0], from_us(self.now_us()))

    def close(self) -> None:
        for writer in self.writers:
            writer.close()
        self.channel.close()
        self.theirs.close()


class SlowModels(Models):
    """Real models, each of which takes its time for a picture."""

    def __init__(self, film: Film, seconds: float) -> None:
        super().__init__()
        self._film, self._seconds = film, seconds

    def get(self, choice: ModelChoice) -> OnnxModel:
        film, seconds = self._film, self._seconds

        class Slow(OnnxModel):
            def infer(self, blob: object) -> object:  # type: ignore[override]  # what it is is not looked at
                film.work(seconds)
                return super().infer(blob)

        return Slow(choice)


@dataclass
class Shared:
    """How an analyzer shared its time among four cameras, and what it said of that at the end."""

    looks: list[list[int]]
    """Of each camera, after each second."""
    pulse: Pulse
    gauges: list[Pulse]
    beats: list[int] = field(default_factory=list)
    """When the pulse was seen to beat, monotonic."""

    def between(self, since: int, until: int) -> list[int]:
        return [after - before for before, after in zip(self.looks[since], self.looks[until], strict=True)]


Share = Callable[[list[int], float], Shared]


@pytest.fixture
def share(tmp_path: Path, task: Task) -> Iterator[Share]:
    """``share([0], 0.3)``: 22 s of four cameras, of which the first always moves, with a detector that takes 0.3 s."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    films: list[Film] = []

    def run(moving: list[int], takes: float) -> Shared:
        sight = Sight("objects", ("person",), model=ModelChoice(write_model(tmp_path / "model.onnx")))
        looks = tuple(Look(f"hik{n}", tmp_path / f"hik{n}.slot", sight, timedelta(seconds=0.1)) for n in range(1, 5))
        for look in looks:
            frameslot.create(look.slot)
        films.append(film := Film([look.slot for look in looks], moving, 22))
        shared = Shared([], Pulse("", 0, "", 0, 0), [])
        four = replace(task, looks=looks)

        def note() -> None:
            shared.looks.append([watcher.looks for watcher in analyzer.watchers])
            shared.pulse = pulse.read(task.pulse) or shared.pulse
            shared.beats.append(shared.pulse.beat_monotonic_us)
            shared.gauges = [beat for look in looks if (beat := gauge(four, look.camera))]

        with Catalogue.open(task.database) as catalogue:
            analyzer = Analyzer(four, film.theirs, catalogue, film, SlowModels(film, takes))
            film.each_second = note
            analyzer.run()
        return shared

    yield run
    for film in films:
        film.close()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_busy_camera_does_not_starve_the_others(share: Share) -> None:
    """Of a second nothing is left: a look at what moves takes 0.3 s, and the next would be due after 0.1 or 0.2."""
    shared = share([0], 0.3)
    looks = shared.between(6, 20)
    assert max(looks) - min(looks) <= 1
    assert min(looks) > 14 / 0.35


def test_it_lives_while_a_model_loads(task: Task, tmp_path: Path) -> None:
    """A supervisor kills who is silent for 30 s, again and again."""

    class Large(Models):
        def get(self, choice: ModelChoice) -> OnnxModel:
            first = pulse.read(task.pulse)
            assert first is not None
            wait_for(lambda: pulse.read(task.pulse) != first, "a beat")
            seen.append(pulse.read(task.pulse))
            return super().get(choice)

    seen: list[Pulse | None] = []
    sight = Sight("objects", ("person",), model=ModelChoice(write_model(tmp_path / "model.onnx")))
    ours, theirs = socket.socketpair()
    slow = replace(task, looks=(replace(task.looks[0], sight=sight),))
    with ours, theirs, Catalogue.open(task.database) as catalogue:
        Analyzer(slow, theirs, catalogue, SystemClock(), Large())
    assert seen[0] is not None
    assert seen[0].state == "starting"


def test_where_all_are_busy_all_are_looked_at_less_often_alike(share: Share) -> None:
    shared = share([0, 1, 2, 3], 0.3)
    looks = shared.between(6, 20)
    assert max(looks) - min(looks) <= 1
    assert 10 <= min(looks) <= 14 / 1.2
    assert shared.pulse.state == "analysing"
    assert shared.pulse.load > 0.97
    assert [beat.fps for beat in shared.gauges] == pytest.approx([0.83] * 4, abs=0.25)


def test_a_detector_that_is_very_slow_does_not_keep_the_heartbeat_waiting_for_all_cameras(share: Share) -> None:
    """Else the supervisor, or a stop, would lose its patience with it."""
    shared = share([0, 1, 2, 3], 3.0)
    ages = [later - earlier for earlier, later in pairwise(shared.beats)]
    assert max(ages) < 4_000_000


def test_what_moves_is_an_event_and_the_stop_ends_it(task: Task, start: type[Running]) -> None:
    running = start(task)
    with filming(task.looks[0].slot):
        running.wait_for_state("analysing")
        assert (running.beat().restarts, running.beat().last_error) == (3, None)
        wait_for(lambda: going_on(task), "an event")
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(STOP_S) == 0
    event = events(task)[0]
    assert (event.camera, event.kind) == ("hik1", "motion")
    assert event.end is not None
    assert (event.began, event.ended) == ("something moved", "nvr stopped")
    assert event.snapshot is not None
    assert (task.storage / event.snapshot).is_file()
    assert running.beat().state == "stopped"
    assert "Traceback" not in running.errors()


def test_recording_goes_first(task: Task, start: type[Running]) -> None:
    running = start(task)
    running.wait_for_state("sleeping")
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, running.process.pid) == min(ours + NICE, 19)


def test_while_nothing_is_to_be_done_it_has_time(task: Task, start: type[Running]) -> None:
    running = start(task)
    running.wait_for_state("sleeping")
    wait_for(lambda: running.beat().load < 0.5, "a load of a process that sleeps")
    assert running.beat().state == "sleeping"


@pytest.mark.parametrize("mode", ["motion", "objects"])
def test_after_a_kill_the_event_goes_on(tmp_path: Path, task: Task, start: type[Running], mode: str) -> None:
    (look,) = task.looks
    if mode == "objects":
        model = ModelChoice(write_model(tmp_path / "model.onnx", PERSON))
        task = replace(task, looks=(replace(look, sight=Sight("objects", ("person",), model=model)),))
    with filming(look.slot, scene(28) if mode == "motion" else flicker()):
        running = start(task)
        wait_for(lambda: any(len(path(task, event.id)) > 1 for event in going_on(task)), "an event and its path")
        running.process.kill()
        running.process.wait(STOP_S)
        (before,) = going_on(task)
        killed, known = datetime.now(UTC), path(task, before.id)
        running = start(task)
        wait_for(lambda: path(task, before.id)[-1].at > killed, "the path to go on")
        assert [event.id for event in going_on(task)] == [before.id]
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(STOP_S) == 0
    after, *earlier = events(task)
    assert (after.id, after.start, after.began) == (before.id, before.start, before.began)
    assert after.kind == {"motion": "motion", "objects": "object"}[mode]
    assert after.ended == "nvr stopped"
    assert after.end is not None
    assert after.end > killed
    assert path(task, after.id)[: len(known)] == known, "nothing of what was stored is lost"
    assert after.snapshot is not None
    there = {file.relative_to(task.storage) for file in (task.storage / "snapshots").rglob("*.jpg")}
    assert there == {picture for event in (after, *earlier) for picture in (event.snapshot, event.thumbnail)} - {None}


def test_while_the_database_is_locked_it_lives_and_what_it_saw_is_stored_later(
    task: Task, start: type[Running]
) -> None:
    with closing(sqlite3.connect(task.database, isolation_level=None)) as other, filming(task.looks[0].slot):
        running = start(task)
        running.wait_for_state("sleeping", "analysing")
        other.execute("BEGIN IMMEDIATE")
        wait_for(lambda: "locked" in (running.beat().last_error or ""), "the refusal")
        refused, beat = datetime.now(UTC), running.beat().beat_us
        wait_for(lambda: running.beat().beat_us - beat > 3_000_000, "its life to go on")
        other.execute("ROLLBACK")
        wait_for(lambda: events(task), "the event")
        wait_for(lambda: running.beat().last_error is None, "no refusal any more")
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(STOP_S) == 0
    event = events(task)[-1]
    assert event.start < refused, "it began while nothing could be stored"
    assert event.snapshot is not None
    assert (task.storage / event.snapshot).is_file()
    assert path(task)[0].at < refused + timedelta(seconds=3)


@pytest.mark.parametrize("model", ["good", "bad"])
def test_what_others_tell_is_left_alone(tmp_path: Path, task: Task, start: type[Running], model: str) -> None:
    seen = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
    if model == "bad":
        (tmp_path / "model.onnx").write_text("no model")
        sight = Sight(labels=("person",), model=ModelChoice(tmp_path / "model.onnx"))
        task = replace(task, looks=(replace(task.looks[0], sight=sight),))
    with Catalogue.open(task.database) as catalogue:
        catalogue.open_event(Event("hik1", "camera", "vmd", seen, seen))
        catalogue.open_event(Event("hik1", "health", "not analysed", seen, seen))
        catalogue.open_event(Event("elsewhere", "camera", "vmd", seen, seen))
    before = events(task)
    running = start(task)
    running.wait_for_state("sleeping", "failed")
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(STOP_S) == 0
    assert events(task) == before


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
    start(task)
    wait_for(lambda: events(task)[0].end, "its end, though no picture comes")
    assert events(task)[0].end == seen


def test_a_model_that_is_none_costs_its_camera_alone(tmp_path: Path, task: Task, start: type[Running]) -> None:
    (tmp_path / "model.onnx").write_text("no model")
    (look,) = task.looks
    broken = replace(look, camera="hik2", sight=Sight(labels=("person",), model=ModelChoice(tmp_path / "model.onnx")))
    frameslot.create(tmp_path / "hik2.slot")
    seen = datetime.now(UTC) - timedelta(seconds=1)
    with Catalogue.open(task.database) as catalogue:
        for kind, label in (("object", "person"), ("motion", "motion")):
            for camera in ("hik1", "hik2"):
                catalogue.open_event(Event(camera, kind, label, seen, seen))  # type: ignore[arg-type]  # both are kinds
    running = start(replace(task, looks=(replace(broken, slot=tmp_path / "hik2.slot"), look)))
    running.wait_for_state("sleeping")
    assert (running.beat().last_error or "").startswith("hik2 is not analysed: ")
    left = [event for event in events(task) if event.camera == "hik2"]
    assert {(event.end, event.ended) for event in left} == {(seen, "not looked at any more")}
    wait_for(lambda: gauge(task, "hik1"), "the pulse of the camera that is looked at")
    assert gauge(task, "hik2") is None
    assert "model.onnx" in running.errors()
    assert "Traceback" not in running.errors()


def test_without_any_model_it_stays_and_says_that_it_failed(tmp_path: Path, task: Task, start: type[Running]) -> None:
    (tmp_path / "model.onnx").write_text("no model")
    (look,) = task.looks
    broken = replace(look, sight=Sight(labels=("person",), model=ModelChoice(tmp_path / "model.onnx")))
    running = start(replace(task, looks=(broken,)))
    running.wait_for_state("failed")
    assert running.process.poll() is None, "the supervisor would start it again and again"

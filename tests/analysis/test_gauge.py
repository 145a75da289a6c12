"""What the analyzer says of one camera: how often it is really looked at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from nvr import frameslot, layout, pulse
from nvr.analysis.album import Album
from nvr.analysis.choice import ModelChoice
from nvr.analysis.gauge import Gauge
from nvr.analysis.observer import Models
from nvr.analysis.sight import Sight
from nvr.analysis.task import Look
from nvr.analysis.watcher import Watcher
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import from_us
from nvr.frameslot import SlotWriter
from nvr.pulse import Pulse
from tests.analysis.detector.graphs import write_model
from tests.fakes.clock import FakeClock
from tests.fakes.slots import put, scene

LEARNT = 15
"""Looks after which the motion gate knows the scene."""


class Stage:
    """A camera, its watcher and its gauge."""

    def __init__(self, folder: Path, catalogue: Catalogue, sight: Sight) -> None:
        self.folder = folder
        self.clock = FakeClock()
        slot = folder / "hik1.slot"
        frameslot.create(slot)
        self.writer = SlotWriter(slot)
        look = Look("hik1", slot, sight, timedelta(milliseconds=200))
        self.watcher = Watcher(look, Models(), Album("hik1", folder / "storage", catalogue), self.clock)
        self.gauge = Gauge(folder / "run", self.watcher, self.clock)
        self.pictures = scene(28)

    def pass_second(self, looks: int, *, moving: bool = False) -> Pulse:
        """A second with so many pictures, then the beat."""
        for number in range(looks):
            self.clock.advance(1 / looks)
            put(self.writer, self.pictures[number + 1 if moving else 0], from_us(self.clock.now_us()))
            assert self.watcher.look()
        if not looks:
            self.clock.advance(1)
        self.gauge.beat()
        return self.read()

    def read(self) -> Pulse:
        beat = pulse.read(layout.pulse_path(self.folder / "run", "looks.hik1"))
        assert beat is not None
        return beat

    def close(self) -> None:
        self.watcher.close()
        self.writer.close()


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    layout.prepare(tmp_path / "storage")
    upgrade(tmp_path / "storage/nvr.db")
    with Catalogue.open(tmp_path / "storage/nvr.db") as opened:
        yield opened


@pytest.fixture
def stage(tmp_path: Path, catalogue: Catalogue) -> Iterator[Stage]:
    model = ModelChoice(write_model(tmp_path / "model.onnx"))
    made = Stage(tmp_path, catalogue, Sight("objects", ("person",), model=model))
    yield made
    made.close()


def test_it_tells_how_often_the_camera_was_looked_at(stage: Stage) -> None:
    for _ in range(8):
        beat = stage.pass_second(5)
    assert beat.fps == pytest.approx(5, abs=0.01)
    assert beat.process == "looks.hik1"
    assert beat.beat_us == stage.clock.now_us()
    assert beat.beat_monotonic_us == stage.clock.monotonic_us()
    assert beat.frame_at_us == stage.clock.now_us()


def test_it_tells_that_looks_became_rarer(stage: Stage) -> None:
    for _ in range(8):
        stage.pass_second(5)
    for _ in range(8):
        beat = stage.pass_second(2)
    assert beat.fps == pytest.approx(2, abs=0.01)


def test_without_pictures_there_are_no_looks_and_the_beat_goes_on(stage: Stage) -> None:
    for _ in range(8):
        stage.pass_second(5)
    last_us = stage.clock.now_us()
    for _ in range(8):
        beat = stage.pass_second(0)
    assert beat.fps == 0
    assert beat.frame_at_us == last_us
    assert beat.beat_us == stage.clock.now_us()


def test_before_the_first_picture_it_beats(stage: Stage) -> None:
    beat = stage.pass_second(0)
    assert (beat.fps, beat.frame_at_us, beat.state) == (0, 0, "sleeping")


def test_it_tells_whether_the_detector_is_at_work(stage: Stage) -> None:
    for _ in range(LEARNT // 5):
        stage.pass_second(5)
    assert stage.pass_second(5).state == "sleeping"
    assert stage.pass_second(5, moving=True).state == "analysing"
    for _ in range(15):
        beat = stage.pass_second(5)
    assert beat.state == "sleeping"

"""One camera's look: the newest picture, what it leads to, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nvr import frameslot, layout
from nvr.analysis.album import Album
from nvr.analysis.observer import Models
from nvr.analysis.sight import Sight
from nvr.analysis.task import Look
from nvr.analysis.watcher import Watcher
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import EPOCH, from_us
from nvr.errors import ModelError
from nvr.frameslot import SlotWriter
from nvr.model import Event
from tests.analysis.test_detector import write_model
from tests.fakes.clock import FakeClock
from tests.fakes.slots import put, scene

INTERVAL = timedelta(milliseconds=200)
PERSON = ((16.0, 16.0, 8.0, 16.0, {"person": 0.9}),)
"""In the middle of the detector's picture of 32 pixels."""
Watch = Callable[..., Watcher]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    layout.prepare(tmp_path / "storage")
    upgrade(tmp_path / "storage/nvr.db")
    with Catalogue.open(tmp_path / "storage/nvr.db") as opened:
        yield opened


@pytest.fixture
def look(tmp_path: Path) -> Look:
    return Look("hik1", tmp_path / "hik1.slot", Sight("motion", ("person",)), INTERVAL)


@pytest.fixture
def writer(look: Look) -> Iterator[SlotWriter]:
    frameslot.create(look.slot)
    with SlotWriter(look.slot) as slot:
        yield slot


@pytest.fixture
def watch(tmp_path: Path, look: Look, catalogue: Catalogue, clock: FakeClock, writer: SlotWriter) -> Iterator[Watch]:
    """``watch(mode="objects", …)``: a watcher of the slot that ``writer`` writes."""
    made: list[Watcher] = []

    def start(**changes: object) -> Watcher:
        sight = replace(look.sight, **changes)  # type: ignore[arg-type]  # the test says what
        watcher = Watcher(replace(look, sight=sight), Models(), Album("hik1", tmp_path / "storage", catalogue), clock)
        made.append(watcher)
        return watcher

    yield start
    for watcher in made:
        watcher.close()


def play(watcher: Watcher, writer: SlotWriter, clock: FakeClock, still: int, moving: int) -> list[datetime]:
    """Show a still scene, then one with a moving square, five pictures a second; the instants of the moving ones."""
    shown = []
    for number, picture in enumerate([scene(1)[0]] * still + scene(moving)):
        clock.advance(0.2)
        put(writer, picture, from_us(clock.now_us()))
        watcher.look()
        if number >= still:
            shown.append(from_us(clock.now_us()))
    return shown


def events(catalogue: Catalogue) -> list[Event]:
    return list(catalogue.events(EPOCH, None))


def test_a_look_takes_the_newest_picture_once(watch: Watch, writer: SlotWriter, clock: FakeClock) -> None:
    watcher = watch()
    assert not watcher.look(), "there is none yet"
    for picture in scene(3):
        clock.advance(0.04)
        put(writer, picture, from_us(clock.now_us()))
    assert watcher.look()
    assert watcher.frame_at == from_us(clock.now_us())
    assert not watcher.look(), "it was seen"
    assert watcher.looks == 1


def test_the_next_look_is_due_an_interval_later(watch: Watch, writer: SlotWriter, clock: FakeClock) -> None:
    watcher = watch()
    assert watcher.due_us <= clock.monotonic_us()
    put(writer, scene(1)[0], from_us(clock.now_us()))
    watcher.look()
    assert watcher.due_us == clock.monotonic_us() + 200_000


def test_motion_becomes_an_event_with_a_picture_of_its_instant(
    tmp_path: Path, watch: Watch, writer: SlotWriter, clock: FakeClock, catalogue: Catalogue
) -> None:
    watcher = watch()
    shown = play(watcher, writer, clock, still=15, moving=10)
    (event,) = events(catalogue)
    assert (event.camera, event.kind, event.label, event.end) == ("hik1", "motion", "motion", None)
    assert shown[0] <= event.start <= shown[2]
    assert event.snapshot is not None
    assert (tmp_path / "storage" / event.snapshot).is_file()
    taken = layout.parse_stamp(event.snapshot.parts[2], event.snapshot.name)
    assert any(abs(taken - at) < timedelta(milliseconds=1) for at in shown)


def test_a_still_scene_is_no_event(watch: Watch, writer: SlotWriter, clock: FakeClock, catalogue: Catalogue) -> None:
    play(watch(), writer, clock, still=30, moving=0)
    assert events(catalogue) == []


def test_an_event_ends_where_it_was_last_seen_though_no_picture_comes(
    watch: Watch, writer: SlotWriter, clock: FakeClock, catalogue: Catalogue
) -> None:
    watcher = watch()
    shown = play(watcher, writer, clock, still=15, moving=10)
    watcher.rest()
    assert events(catalogue)[0].end is None
    clock.advance(10)
    watcher.rest()
    assert events(catalogue)[0].end == shown[-1]


def test_the_end_of_the_watcher_ends_its_events(
    tmp_path: Path, look: Look, writer: SlotWriter, clock: FakeClock, catalogue: Catalogue
) -> None:
    watcher = Watcher(look, Models(), Album("hik1", tmp_path / "storage", catalogue), clock)
    shown = play(watcher, writer, clock, still=15, moving=10)
    assert events(catalogue)[0].end is None
    watcher.close()
    assert events(catalogue)[0].end == shown[-1]


def test_the_detector_rests_while_nothing_moves(
    tmp_path: Path, watch: Watch, writer: SlotWriter, clock: FakeClock
) -> None:
    watcher = watch(mode="objects", model=write_model(tmp_path / "model.onnx", PERSON))
    play(watcher, writer, clock, still=30, moving=0)
    assert (watcher.looks, watcher.detections) == (30, 0)
    play(watcher, writer, clock, still=0, moving=10)
    assert watcher.detections >= 8


def test_a_picture_of_another_size_is_looked_at(
    tmp_path: Path, watch: Watch, writer: SlotWriter, clock: FakeClock
) -> None:
    watcher = watch(mode="objects", model=write_model(tmp_path / "model.onnx", PERSON))
    play(watcher, writer, clock, still=2, moving=0)
    clock.advance(0.2)
    put(writer, scene(1)[0][:135, :160].copy(), from_us(clock.now_us()))
    assert watcher.look()


def test_a_model_that_is_none_is_refused(tmp_path: Path, watch: Watch) -> None:
    (tmp_path / "model.onnx").write_text("no model")
    with pytest.raises(ModelError, match=r"model\.onnx"):
        watch(mode="objects", model=tmp_path / "model.onnx")


def test_a_label_that_the_model_does_not_know_is_refused(tmp_path: Path, watch: Watch) -> None:
    with pytest.raises(ModelError, match="zebra"):
        watch(mode="objects", labels=("zebra",), model=write_model(tmp_path / "model.onnx"))


def test_a_model_is_loaded_once_for_all_cameras(tmp_path: Path) -> None:
    models = Models()
    path = write_model(tmp_path / "model.onnx")
    assert models.get(path) is models.get(path)


def test_motion_alone_needs_no_inference_library(watch: Watch, writer: SlotWriter, clock: FakeClock) -> None:
    watcher = watch(model=Path("no such model.onnx"))
    play(watcher, writer, clock, still=2, moving=0)
    assert watcher.detections == 0

"""One camera's look: the newest picture, what it leads to, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nvr import frameslot, layout
from nvr.analysis.album import Album
from nvr.analysis.choice import ModelChoice
from nvr.analysis.detector import OnnxModel
from nvr.analysis.geometry import WHOLE
from nvr.analysis.observer import Models
from nvr.analysis.sight import Sight
from nvr.analysis.task import Look
from nvr.analysis.watcher import Watcher
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import EPOCH, from_us
from nvr.errors import CatalogueError, ModelError
from nvr.frameslot import SlotWriter
from nvr.model import Event, Waypoint
from tests.analysis.detector.graphs import write_model
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

    def start(models: Models | None = None, **changes: object) -> Watcher:
        sight = replace(look.sight, **changes)  # type: ignore[arg-type]  # the test says what
        models = models or Models()
        watcher = Watcher(replace(look, sight=sight), models, Album("hik1", tmp_path / "storage", catalogue), clock)
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


@pytest.mark.parametrize(
    ("takes", "alone", "waits"),
    [(0.3, False, 0.4), (0.8, False, 1.6), (0.8, True, 0.4)],
    ids=["quick", "long", "alone"],
)
def test_a_long_look_leaves_the_others_as_much_time(
    tmp_path: Path, watch: Watch, writer: SlotWriter, clock: FakeClock, takes: float, alone: bool, waits: float
) -> None:
    class Slow(Models):
        def get(self, choice: ModelChoice) -> OnnxModel:
            class Model(OnnxModel):
                def infer(self, blob: object) -> object:  # type: ignore[override]  # what it is is not looked at
                    clock.advance(takes)
                    return super().infer(blob)

            return Model(choice)

    model = ModelChoice(write_model(tmp_path / "model.onnx"))
    watcher = watch(models=Slow(), mode="objects", model=model)
    watcher.alone = alone
    put(writer, scene(1)[0], from_us(clock.now_us()))
    watcher.look()
    assert watcher.due_us - watcher.looked_us == pytest.approx(waits * 1e6)


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


def test_the_path_of_motion_is_stored_while_it_lasts(
    watch: Watch, writer: SlotWriter, clock: FakeClock, catalogue: Catalogue
) -> None:
    shown = play(watch(), writer, clock, still=15, moving=20)
    path = catalogue.path_of(1)
    assert len(path) >= 8
    assert shown[0] <= path[0].at < path[-1].at <= shown[-1]
    assert path[0].box != path[-1].box


def test_an_event_that_was_left_open_ends_though_no_picture_ever_comes(
    watch: Watch, clock: FakeClock, catalogue: Catalogue
) -> None:
    """The analyzer was killed, and then the camera was switched off."""
    seen = from_us(clock.now_us())
    catalogue.open_event(Event("hik1", "motion", "motion", seen - timedelta(seconds=3), seen))
    watcher = watch()
    clock.advance(3)
    watcher.rest()
    assert events(catalogue)[0].end is None, "it may go on"
    clock.advance(60)
    watcher.rest()
    assert events(catalogue)[0].end == seen
    assert events(catalogue)[0].ended


def test_an_event_that_was_left_open_goes_on_with_the_pictures(
    watch: Watch, writer: SlotWriter, clock: FakeClock, catalogue: Catalogue
) -> None:
    seen = from_us(clock.now_us())
    catalogue.open_event(Event("hik1", "motion", "motion", seen - timedelta(seconds=3), seen, box=WHOLE))
    catalogue.put_path(1, [Waypoint(seen, WHOLE)])
    watcher = watch()
    shown = play(watcher, writer, clock, still=12, moving=10)
    clock.advance(20)
    watcher.rest()
    (event,) = events(catalogue)
    assert (event.id, event.start, event.end) == (1, seen - timedelta(seconds=3), shown[-1])
    path = [point.at for point in catalogue.path_of(1)]
    assert path[0] == seen
    assert path[-1] == shown[-1]


class Locked(Catalogue):
    """A real catalogue that counts how often it is asked to write, and refuses."""

    def __init__(self, real: Catalogue) -> None:
        self._database = real._database
        self.locked, self.asked = True, 0

    def open_event(self, event: Event) -> int:
        self.asked += 1
        if self.locked:
            raise CatalogueError("nvr.db: locked")
        return super().open_event(event)


def test_a_locked_database_is_not_waited_for_at_every_look(
    tmp_path: Path, look: Look, writer: SlotWriter, clock: FakeClock, catalogue: Catalogue
) -> None:
    locked = Locked(catalogue)
    watcher = Watcher(look, Models(), Album("hik1", tmp_path / "storage", locked), clock)
    shown = play(watcher, writer, clock, still=15, moving=20)
    assert (locked.asked, watcher.looks) == (1, 35)
    watcher.rest()
    assert locked.asked == 2
    locked.locked = False
    watcher.rest()
    assert events(catalogue)[0].end is None
    assert catalogue.path_of(1)
    more = play(watcher, writer, clock, still=0, moving=10)
    assert catalogue.path_of(1)[-1].at > shown[-1], "it is stored with the looks again"
    watcher.close()
    assert events(catalogue)[0].end == more[-1]


def test_the_end_of_the_watcher_ends_its_events(
    tmp_path: Path, look: Look, writer: SlotWriter, clock: FakeClock, catalogue: Catalogue
) -> None:
    watcher = Watcher(look, Models(), Album("hik1", tmp_path / "storage", catalogue), clock)
    shown = play(watcher, writer, clock, still=15, moving=10)
    assert events(catalogue)[0].end is None
    watcher.close()
    assert events(catalogue)[0].end == shown[-1]
    assert events(catalogue)[0].ended == "nvr stopped"


def test_the_detector_rests_while_nothing_moves(
    tmp_path: Path, watch: Watch, writer: SlotWriter, clock: FakeClock
) -> None:
    watcher = watch(mode="objects", model=ModelChoice(write_model(tmp_path / "model.onnx", PERSON)))
    play(watcher, writer, clock, still=15, moving=0)
    at_first = watcher.detections
    assert at_first <= 11, "what moves is not known for the first two seconds"
    play(watcher, writer, clock, still=30, moving=0)
    assert (watcher.looks, watcher.detections) == (45, at_first)
    play(watcher, writer, clock, still=0, moving=10)
    assert watcher.detections >= at_first + 8


def spans(watcher: Watcher, writer: SlotWriter, clock: FakeClock, still: int, moving: int) -> list[int]:
    """The time until the next look may come, ms, after each look at a scene."""
    found = []
    for picture in [scene(1)[0]] * still + scene(moving):
        clock.advance(0.2)
        put(writer, picture, from_us(clock.now_us()))
        watcher.look()
        assert watcher.looked_us == clock.monotonic_us()
        found.append((watcher.due_us - watcher.looked_us) // 1000)
    return found


def test_what_is_new_is_looked_at_as_often_as_may_be_and_what_is_known_half_as_often(
    tmp_path: Path, watch: Watch, writer: SlotWriter, clock: FakeClock
) -> None:
    """The detector sees nobody: the motion is unexplained, which is worth the full rate for three seconds."""
    watcher = watch(mode="objects", model=ModelChoice(write_model(tmp_path / "model.onnx")))
    spans(watcher, writer, clock, still=20, moving=0)
    first = spans(watcher, writer, clock, still=0, moving=27)
    assert set(first[:12]) == {200}
    assert set(first[20:]) == {400}
    assert set(spans(watcher, writer, clock, still=80, moving=0)[-10:]) == {200}, "the detector sleeps"
    assert set(spans(watcher, writer, clock, still=0, moving=12)) == {200}, "it is new again"


def test_a_camera_whose_motion_is_looked_for_alone_keeps_its_rate(
    watch: Watch, writer: SlotWriter, clock: FakeClock
) -> None:
    assert set(spans(watch(), writer, clock, still=15, moving=40)) == {200}


def test_a_picture_of_another_size_is_looked_at(
    tmp_path: Path, watch: Watch, writer: SlotWriter, clock: FakeClock
) -> None:
    watcher = watch(mode="objects", model=ModelChoice(write_model(tmp_path / "model.onnx", PERSON)))
    play(watcher, writer, clock, still=2, moving=0)
    clock.advance(0.2)
    put(writer, scene(1)[0][:135, :160].copy(), from_us(clock.now_us()))
    assert watcher.look()


def test_a_model_that_is_none_is_refused(tmp_path: Path, watch: Watch) -> None:
    (tmp_path / "model.onnx").write_text("no model")
    with pytest.raises(ModelError, match=r"model\.onnx"):
        watch(mode="objects", model=ModelChoice(tmp_path / "model.onnx"))


def test_a_label_that_the_model_does_not_know_is_refused(tmp_path: Path, watch: Watch) -> None:
    with pytest.raises(ModelError, match="zebra"):
        watch(mode="objects", labels=("zebra",), model=ModelChoice(write_model(tmp_path / "model.onnx")))


def test_a_model_is_loaded_once_for_all_cameras(tmp_path: Path) -> None:
    models = Models()
    path = write_model(tmp_path / "model.onnx")
    assert models.get(ModelChoice(path)) is models.get(ModelChoice(path))


def test_motion_alone_needs_no_inference_library(watch: Watch, writer: SlotWriter, clock: FakeClock) -> None:
    watcher = watch(model=ModelChoice(Path("no such model.onnx")))
    play(watcher, writer, clock, still=2, moving=0)
    assert watcher.detections == 0

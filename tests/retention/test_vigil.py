"""Whether a camera is looked at, and the event that says when it was not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import EPOCH, from_us
from nvr.model import Event
from nvr.pulse import Pulse, PulseWriter
from nvr.retention.vigil import Vigil, blind_since, watched
from tests.fakes.clock import FakeClock


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    upgrade(tmp_path / "nvr.db")
    with Catalogue.open(tmp_path / "nvr.db") as opened:
        yield opened


class Scene:
    """A clock, pulses, and a vigil over one camera."""

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self.folder = folder
        self.catalogue = catalogue
        self.clock = FakeClock()
        self.vigil = Vigil(["hik1"], folder, catalogue, self.clock)

    def beat(
        self, process: str = "analyzer", state: str = "sleeping", error: str | None = None, frame: int = 0
    ) -> None:
        now = self.clock.monotonic_us(), self.clock.now_us()
        with PulseWriter(layout.pulse_path(self.folder, process)) as writer:
            writer.beat(Pulse(process, 1, state, *now, frame_at_us=frame, last_error=error))

    def seconds(self, number: int, *, alive: bool) -> None:
        for _ in range(number):
            self.clock.advance(1)
            if alive:
                self.beat()
            self.vigil.look()

    def events(self) -> list[Event]:
        return list(self.catalogue.events(EPOCH, kind="health"))


@pytest.fixture
def scene(tmp_path: Path, catalogue: Catalogue) -> Scene:
    return Scene(tmp_path, catalogue)


def test_an_analyzer_that_lives_looks_at_its_cameras(scene: Scene) -> None:
    scene.beat()
    assert blind_since(scene.folder, "hik1", scene.clock) is None
    scene.seconds(3, alive=True)
    assert scene.vigil.watched == {"hik1"}
    assert scene.events() == []


@pytest.mark.parametrize(
    ("state", "error"), [("failed", None), ("starting", None), ("stopped", None), ("sleeping", "event not stored")]
)
def test_one_that_is_not_well_does_not(scene: Scene, state: str, error: str | None) -> None:
    scene.beat(state=state, error=error)
    scene.vigil.look()
    assert scene.vigil.watched == set()


def test_a_pulse_that_is_old_is_none(scene: Scene) -> None:
    scene.beat()
    scene.clock.advance(10)
    assert blind_since(scene.folder, "hik1", scene.clock) is None
    scene.clock.advance(0.1)
    assert blind_since(scene.folder, "hik1", scene.clock) == scene.clock.now_us() - 10_100_000
    assert blind_since(scene.folder / "elsewhere", "hik1", scene.clock) == 0


def test_a_camera_whose_pictures_do_not_come_is_not_looked_at(scene: Scene) -> None:
    scene.beat()
    scene.beat("recorder.hik1", "recording", frame=scene.clock.now_us() - 59_000_000)
    assert blind_since(scene.folder, "hik1", scene.clock) is None
    scene.beat("recorder.hik1", "recording", frame=scene.clock.now_us() - 61_000_000)
    assert blind_since(scene.folder, "hik1", scene.clock) == scene.clock.now_us() - 61_000_000
    scene.beat("recorder.hik1", "connecting")
    assert blind_since(scene.folder, "hik1", scene.clock) is None


def test_a_time_without_a_look_is_an_event_from_the_last_beat_to_the_next(scene: Scene) -> None:
    scene.seconds(5, alive=True)
    died = from_us(scene.clock.now_us())
    scene.seconds(40, alive=False)
    [lasting] = scene.events()
    assert (lasting.camera, lasting.label, lasting.start, lasting.end) == ("hik1", "not analysed", died, None)
    assert died + timedelta(seconds=25) <= lasting.seen
    scene.seconds(2, alive=True)
    [ended] = scene.events()
    assert ended.end == died + timedelta(seconds=41)


def test_a_short_time_is_none_and_one_that_returns_soon_is_the_same(scene: Scene) -> None:
    scene.seconds(5, alive=True)
    scene.seconds(9, alive=False)
    scene.seconds(5, alive=True)
    assert scene.events() == []
    scene.seconds(30, alive=False)
    scene.seconds(200, alive=True)
    scene.seconds(30, alive=False)
    scene.seconds(5, alive=True)
    [one] = scene.events()
    assert one.end is not None
    assert one.end - one.start > timedelta(seconds=250)
    scene.seconds(400, alive=True)
    scene.seconds(30, alive=False)
    assert len(scene.events()) == 2


def hear(scene: Scene, state: str = "listening", deaf_since_us: int = 0) -> None:
    now = scene.clock.monotonic_us(), scene.clock.now_us()
    with PulseWriter(layout.pulse_path(scene.folder, "alerts.hik1")) as writer:
        writer.beat(Pulse("alerts.hik1", 1, state, *now, deaf_since_us=deaf_since_us))


def test_a_camera_that_looks_itself_is_watched_while_it_is_heard(scene: Scene) -> None:
    assert blind_since(scene.folder, "hik1", scene.clock, told=True) == 0
    hear(scene)
    assert blind_since(scene.folder, "hik1", scene.clock, told=True) is None
    assert watched(scene.folder, ["hik1"], scene.clock, {"hik1"}) == {"hik1"}
    assert watched(scene.folder, ["hik1"], scene.clock) == set(), "the analyzer does not run"
    scene.clock.advance(11)
    assert blind_since(scene.folder, "hik1", scene.clock, told=True) == scene.clock.now_us() - 11_000_000
    hear(scene, "waiting", deaf_since_us=77)
    assert blind_since(scene.folder, "hik1", scene.clock, told=True) == 77


def test_a_time_in_which_it_is_not_heard_is_an_event(scene: Scene) -> None:
    vigil = Vigil(["hik1"], scene.folder, scene.catalogue, scene.clock, {"hik1"})
    hear(scene)
    vigil.look()
    assert vigil.watched == {"hik1"}
    since = scene.clock.now_us()
    for state in [*["waiting"] * 30, "listening"]:
        scene.clock.advance(1)
        hear(scene, state, deaf_since_us=since)
        vigil.look()
        assert vigil.watched == ({"hik1"} if state == "listening" else set())
    (event,) = scene.events()
    assert (event.label, event.start, event.end) == ("not analysed", from_us(since), from_us(since + 31_000_000))

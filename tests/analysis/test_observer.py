"""Pictures in, observations out; the parts are tested by themselves, here that they are joined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nvr.analysis.actions import Action, Closed, Opened
from nvr.analysis.choice import ModelChoice
from nvr.analysis.events import NO_RULES
from nvr.analysis.geometry import WHOLE, share_inside
from nvr.analysis.observer import Models, Observation, Observer
from nvr.analysis.sight import Sight
from nvr.analysis.zones import Filter, Polygon, Rules
from nvr.clock import EPOCH
from nvr.errors import ModelError
from nvr.model import Event, Frame
from tests.analysis.detector.graphs import Column, write_model
from tests.fakes.slots import scene

STEP = timedelta(seconds=0.2)
PERSON = ((16.0, 16.0, 8.0, 16.0, {"person": 0.9}),)
SMALL: Column = (16.0, 16.0, 1.5, 3.0, {"person": 0.4})
"""In the middle of what the model looks at, which is 32 by 32; too doubtful to be followed about."""
AT_EDGE: Column = (1.0, 16.0, 2.0, 3.0, {"person": 0.35})
Picture = NDArray[np.uint8]
Sees = Callable[..., Sight]


@pytest.fixture
def sees(tmp_path: Path) -> Sees:
    """A sight whose model sees the same in every picture."""

    def make(*columns: Column, rules: Rules = NO_RULES, min_score: float = 0.5) -> Sight:
        model = ModelChoice(write_model(tmp_path / "model.onnx", columns))
        return Sight(labels=("person",), min_score=min_score, model=model, rules=rules)

    return make


def frame(i420: Picture, number: int) -> Frame:
    return Frame(i420, i420.shape[1], i420.shape[0] * 2 // 3, EPOCH + number * STEP, 0, number, 1)


def watch(observer: Observer, pictures: Sequence[Picture]) -> list[Observation]:
    return [observer.observe(frame(i420, number)) for number, i420 in enumerate(pictures)]


def observed(observer: Observer, moving: int) -> list[Observation]:
    """A still scene of three seconds, then one with a moving square, five pictures a second."""
    return watch(observer, [scene(1)[0]] * 15 + scene(moving))


def actions(seen: Sequence[Observation]) -> list[Action]:
    return [action for each in seen for action in each.actions]


def small_square(moving: int) -> list[Picture]:
    """The still scene, then a square of 16 pixels that paces in the middle of it."""
    still = scene(1)[0]
    pictures = [still] * 15
    for number in range(moving):
        picture = still.copy()
        x = 140 + 3 * (number % 10)
        picture[82:98, x : x + 16] = 250
        pictures.append(picture)
    return pictures


def somebody(moving: int) -> list[Picture]:
    """The still scene, then somebody who fidgets where the model sees a person."""
    still, random = scene(1)[0], np.random.default_rng(5)
    pictures = [still] * 15
    for _ in range(moving):
        picture = still.copy()
        picture[10:170, 120:200] = random.integers(150, 256, (160, 80))
        pictures.append(picture)
    return pictures


def test_the_detector_is_asked_only_when_something_moves_or_may_move(sees: Sees) -> None:
    seen = observed(Observer(sees(*PERSON), Models()), moving=5)
    asked = [each.detections is not None for each in seen]
    assert asked == [True] * 10 + [False] * 6 + [True] * 4  # the scene's first picture is the still one
    assert [each.motion.blind for each in seen] == [True] * 10 + [False] * 10
    assert all((each.tracks is None) == (each.detections is None) for each in seen)
    assert [each.label for each in seen[-1].detections or ()] == ["person"]


def test_motion_alone_needs_no_model() -> None:
    seen = observed(Observer(Sight("motion", ()), Models()), moving=5)
    assert [type(action) for action in actions(seen)][:1] == [Opened]
    assert all(each.detections is None for each in seen)


def test_an_unknown_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="zebra"):
        Observer(Sight(labels=("zebra",), model=ModelChoice(write_model(tmp_path / "model.onnx"))), Models())


def test_a_model_is_loaded_once_for_all_cameras(sees: Sees) -> None:
    models, sight = Models(), sees(*PERSON)
    assert sight.model is not None
    Observer(sight, models)
    assert models.get(sight.model) is models.get(sight.model)


def test_a_picture_of_another_size_is_looked_at_as_well(sees: Sees) -> None:
    observer = Observer(sees(*PERSON), Models())
    small = np.full((270, 320), 90, np.uint8)
    large = np.full((540, 640), 90, np.uint8)
    seen = watch(observer, [small, large, small])
    assert all(each.detections for each in seen)


# Windows


def test_what_is_small_is_looked_at_by_itself_and_the_rest_every_two_seconds(sees: Sees) -> None:
    seen = watch(Observer(sees(SMALL), Models()), small_square(moving=40))
    awake = [(number * STEP, each) for number, each in enumerate(seen) if number >= 15]
    round_looks = [at for at, each in awake if each.window == WHOLE]
    assert 4 <= len(round_looks) <= 6
    gaps = [later - earlier for earlier, later in pairwise(round_looks)]
    assert max(gaps) == timedelta(seconds=2)
    for _, each in awake:
        assert all(share_inside(box, each.window) == pytest.approx(1) for box in each.motion.boxes)


def test_what_is_found_in_a_window_is_told_where_it_is_in_the_picture(sees: Sees) -> None:
    seen = watch(Observer(sees(SMALL), Models()), small_square(moving=8))
    windowed = [each for each in seen if each.window != WHOLE and each.detections is not None]
    assert windowed
    for each in windowed:
        (found,) = each.detections or ()
        width, height = each.window.right - each.window.left, each.window.bottom - each.window.top
        assert found.box.left + found.box.right == pytest.approx(each.window.left + each.window.right, abs=0.01)
        assert found.box.top + found.box.bottom == pytest.approx(each.window.top + each.window.bottom, abs=0.01)
        assert (found.box.right - found.box.left) / width == pytest.approx(1.5 / 32, rel=0.1)
        assert (found.box.bottom - found.box.top) / height == pytest.approx(3 / 32, rel=0.1)
        assert each.window.left > 0.1


def test_what_a_window_cuts_off_is_not_found_in_it(sees: Sees) -> None:
    seen = watch(Observer(sees(SMALL, AT_EDGE), Models()), small_square(moving=10))
    asked = [each for each in seen if each.detections is not None]
    assert {(each.window == WHOLE, len(each.detections or ())) for each in asked} == {(True, 2), (False, 1)}


def test_what_is_large_is_looked_at_in_the_whole_picture(sees: Sees) -> None:
    seen = observed(Observer(sees(*PERSON), Models()), moving=20)
    assert {each.window for each in seen} == {WHOLE}


# Masks and filters


def masked(*masks: Polygon) -> Rules:
    return Rules(masks=masks)


MIDDLE: Polygon = ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))
LOWER: Polygon = ((0.0, 0.53), (1.0, 0.53), (1.0, 1.0), (0.0, 1.0))


def test_what_moves_in_a_mask_wakes_nobody(sees: Sees) -> None:
    seen = watch(Observer(sees(SMALL, rules=masked(MIDDLE)), Models()), small_square(moving=10))
    assert all(each.detections is None and not each.motion.boxes for each in seen[15:])


def test_who_stands_in_a_mask_is_nobody(sees: Sees) -> None:
    seen = watch(Observer(sees(*PERSON, rules=masked(LOWER)), Models()), small_square(moving=2))
    assert seen[-1].motion.boxes
    asked = [each for each in seen if each.detections is not None]
    assert all(each.detections == () and each.tracks == () for each in asked)


@pytest.mark.parametrize(
    ("size", "found"), [((0.0, 1.0), 1), ((0.5, 1.0), 0), ((0.0, 0.01), 0)], ids=["any", "too small", "too large"]
)
def test_who_has_not_the_size_is_nobody(sees: Sees, size: tuple[float, float], found: int) -> None:
    rules = Rules(filters=(Filter("person", None, *size),))
    seen = observed(Observer(sees(*PERSON, rules=rules), Models()), moving=2)
    assert len(seen[-1].detections or ()) == len(seen[-1].tracks or ()) == found


@pytest.mark.parametrize(("least", "tracks"), [(None, 0), (0.35, 1)])
def test_a_labels_own_score_goes_before_the_cameras(sees: Sees, least: float | None, tracks: int) -> None:
    unsure = ((16.0, 16.0, 8.0, 16.0, {"person": 0.4}),)
    rules = Rules(filters=(Filter("person", least),))
    seen = observed(Observer(sees(*unsure, rules=rules, min_score=0.6), Models()), moving=2)
    assert len(seen[-1].tracks or ()) == tracks


# A camera that shakes


def shaken(number: int) -> tuple[float, float]:
    """Pixels to the right and down."""
    return ((4.0, 0.0), (-3.0, 2.0), (0.0, -4.0))[number % 3] if number >= 15 else (0.0, 0.0)


def shaking_street(count: int) -> list[Picture]:
    """768 by 432: rough all over, shaken after three seconds, when somebody begins to cross it."""
    random = np.random.default_rng(11)
    blocks = random.integers(30, 226, (31, 52)).astype(np.uint8)
    large = cv2.GaussianBlur(cv2.resize(blocks, (832, 496), interpolation=cv2.INTER_NEAREST), (0, 0), 2)
    pictures = []
    for number in range(count):
        there = large.copy()
        if number >= 15:
            x = 200 + 12 * (number - 15)
            there[180:290, x : x + 50] = random.integers(0, 256, (110, 50))
        right, down = shaken(number)
        away = np.array([[1, 0, right - 32], [0, 1, down - 32]], np.float32)
        picture = np.full((648, 768), 128, np.uint8)
        picture[:432] = cv2.warpAffine(there, away, (768, 432))
        pictures.append(picture)
    return pictures


def test_tracks_are_where_they_would_be_if_the_camera_stood_still(sees: Sees) -> None:
    seen = watch(Observer(sees(*PERSON), Models()), shaking_street(30))
    for number, each in enumerate(seen[15:], 15):
        right, down = shaken(number)
        assert each.motion.shift == pytest.approx((right / 768, down / 432), abs=0.001)
        (found,), (track,) = each.detections or (), each.tracks or ()
        moved = (found.box.left - track.detection.box.left, found.box.top - track.detection.box.top)
        assert moved == pytest.approx(each.motion.shift)
        assert track.id == 1
        assert not track.moved


# Events go on


def test_an_event_that_was_open_before_a_restart_goes_on_where_its_subject_is_found(sees: Sees) -> None:
    sight = sees(*PERSON)
    before = watch(Observer(sight, Models()), somebody(moving=10))
    (opened,) = (action for action in actions(before) if isinstance(action, Opened))
    event = Event("hik1", "object", "person", EPOCH - STEP * 300, EPOCH - STEP, score=0.9, box=opened.box, id=7)
    observer = Observer(sight, Models(), resumed=[event])
    seen = watch(observer, somebody(moving=10))
    assert not [action for action in actions(seen) if isinstance(action, Opened)]
    ended = observer.flush("nvr stopped")
    assert {action.key for action in (*actions(seen), *ended)} == {-7}
    (closed,) = ended
    assert isinstance(closed, Closed)
    assert closed.end == EPOCH + 24 * STEP


def test_an_event_of_motion_goes_on_after_a_restart() -> None:
    event = Event("hik1", "motion", "motion", EPOCH - STEP, EPOCH - STEP, score=0.1, box=WHOLE, id=9)
    observer = Observer(Sight("motion", ()), Models(), resumed=[event])
    seen = observed(observer, moving=10)
    assert not [action for action in actions(seen) if isinstance(action, Opened)]
    assert [(type(action), action.key) for action in observer.flush("nvr stopped")] == [(Closed, -9)]


def test_while_no_picture_comes_events_end() -> None:
    observer = Observer(Sight("motion", ()), Models())
    observed(observer, moving=10)
    ended = observer.rest(EPOCH + timedelta(minutes=5))
    assert [type(action) for action in ended] == [Closed]
    assert observer.flush() == ()

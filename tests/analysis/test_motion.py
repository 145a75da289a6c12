from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nvr.analysis.motion import MAX_BOXES, Motion, MotionGate

T0 = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
Picture = NDArray[np.uint8]
Scene = Callable[[float], Picture]


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def plain(level: int = 100, width: int = 640, height: int = 360) -> Picture:
    return np.full((height, width), level, np.uint8)


def with_square(picture: Picture, x: int, level: int = 160, size: int = 40) -> Picture:
    picture = picture.copy()
    picture[100 : 100 + 2 * size, x : x + size] = level
    return picture


def texture(width: int = 640, height: int = 360) -> Picture:
    across = np.arange(width) * 6 % 160
    down = np.arange(height)[:, None] * 3 % 70
    return (across + down + 10).astype(np.uint8)


def watch(scene: Scene, until: float, every: float = 0.2, gate: MotionGate | None = None) -> list[tuple[float, Motion]]:
    """Looks of a gate at a scene, a function of seconds."""
    gate = gate or MotionGate()
    looks = []
    for number in range(int(until / every)):
        seconds = number * every
        looks.append((seconds, gate.look(after(seconds), scene(seconds))))
    return looks


def moving(looks: list[tuple[float, Motion]]) -> list[float]:
    return [round(seconds, 3) for seconds, motion in looks if motion.boxes]


def test_a_still_picture_has_no_motion() -> None:
    assert moving(watch(lambda _: texture(), until=20)) == []


@pytest.mark.parametrize("size", [(320, 180), (640, 360), (352, 288), (641, 361), (1920, 1080), (8, 6)])
def test_any_size_of_picture_is_taken(size: tuple[int, int]) -> None:
    width, height = size
    assert moving(watch(lambda _: plain(100, width, height), until=3)) == []


def test_what_moves_is_found_where_it_is() -> None:
    looks = watch(lambda seconds: with_square(plain(), int(40 * seconds)) if seconds >= 5 else plain(), until=10)
    assert moving(looks)[0] == 5.0
    seconds, motion = looks[-1]
    box = motion.boxes[0]
    x = int(40 * seconds)
    assert (box.left, box.right) == pytest.approx((x / 640, (x + 40) / 640), abs=0.02)
    assert (box.top, box.bottom) == pytest.approx((100 / 360, 180 / 360), abs=0.02)
    assert motion.area == pytest.approx(40 * 80 / (640 * 360), rel=0.25)


def test_a_speck_is_not_motion() -> None:
    def scene(seconds: float) -> Picture:
        picture = plain()
        x = int(40 * seconds)
        picture[100:104, x : x + 4] = 255
        return picture

    assert moving(watch(scene, until=6)) == []


@pytest.mark.parametrize("largest", [0, 1, 2])
def test_the_largest_region_comes_first(largest: int) -> None:
    sizes = [40 if number == largest else 20 for number in range(3)]
    busy = plain()
    for number, size in enumerate(sizes):
        busy[20 + 110 * number : 20 + 110 * number + size, 100 : 100 + size] = 200
    *_, (_, motion) = watch(lambda seconds: busy if seconds >= 4 else plain(), until=4.2)
    assert [box.bottom - box.top > 0.08 for box in motion.boxes] == [True, False, False]


def test_the_number_of_regions_is_bounded() -> None:
    busy = plain()
    for x in range(10, 620, 30):
        for y in range(10, 340, 30):
            busy[y : y + 12, x : x + 12] = 200
    *_, (_, motion) = watch(lambda seconds: busy if seconds >= 4 else plain(), until=4.2)
    assert len(motion.boxes) == MAX_BOXES


def test_nothing_is_told_before_the_background_is_learnt() -> None:
    looks = watch(lambda seconds: with_square(plain(), int(60 * seconds)), until=4)
    assert min(moving(looks)) == 2.0


@pytest.mark.parametrize("deviation", [2, 6, 12])
def test_noise_is_not_motion(deviation: float) -> None:
    random = np.random.default_rng(1)

    def scene(_: float) -> Picture:
        return np.clip(texture() + random.normal(0, deviation, (360, 640)), 0, 255).astype(np.uint8)

    assert moving(watch(scene, until=20)) == []


def test_motion_is_seen_through_noise() -> None:
    random = np.random.default_rng(1)

    def scene(seconds: float) -> Picture:
        picture = with_square(plain(), int(40 * seconds)) if seconds >= 5 else plain()
        return np.clip(picture + random.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)

    assert len(moving(watch(scene, until=10))) == 25


def test_clouds_are_not_motion_and_who_walks_under_them_is() -> None:
    def scene(seconds: float) -> Picture:
        picture = (texture() * 0.5 + 60 + 40 * np.sin(seconds / 3)).astype(np.uint8)
        return with_square(picture, int(30 * (seconds - 20)), level=250) if seconds >= 20 else picture

    assert moving(watch(scene, until=24)) == [round(20 + n / 5, 1) for n in range(20)]


@pytest.mark.parametrize(
    "later",
    [255 - texture(), (texture() * 0.3).astype(np.uint8), texture() // 2 + 120, plain(255)],
    ids=["infrared", "night", "exposure", "blinded"],
)
def test_a_change_of_all_the_light_is_learnt_at_once(later: Picture) -> None:
    looks = watch(lambda seconds: texture() if seconds < 10 else later, until=20)
    assert moving(looks) == []


def test_motion_is_seen_again_after_a_change_of_light() -> None:
    def scene(seconds: float) -> Picture:
        picture = texture() if seconds < 10 else 255 - texture()
        return with_square(picture, int(30 * seconds), level=20) if seconds >= 14 else picture

    assert min(moving(watch(scene, until=16))) == 14.0


def test_a_lamp_that_lights_half_the_picture_is_no_endless_motion() -> None:
    def scene(seconds: float) -> Picture:
        picture = plain()
        picture[:, :250] += 50 if seconds >= 5 else 0
        return picture

    looks = watch(scene, until=40)
    assert 5.0 in moving(looks)
    assert max(moving(looks)) < 25


def test_what_has_come_to_stand_becomes_background() -> None:
    looks = watch(lambda seconds: with_square(plain(), 300) if seconds >= 5 else plain(), until=40)
    assert 5.0 in moving(looks)
    assert 10 < max(moving(looks)) < 30


@pytest.mark.parametrize("every", [0.1, 0.5, 1.0])
def test_it_forgets_by_the_time_that_passed_and_not_by_the_number_of_looks(every: float) -> None:
    looks = watch(lambda seconds: with_square(plain(), 300) if seconds >= 20 else plain(), until=60, every=every)
    assert max(moving(looks)) == pytest.approx(29.5, abs=1)


def test_swaying_leaves_become_noise_but_who_passes_them_is_seen() -> None:
    def scene(seconds: float) -> Picture:
        picture = plain()
        leaves = texture(120, 120) // 6 + 90
        picture[50:170, 400:520] = np.roll(leaves, int(3 * np.sin(5 * seconds)), axis=1)
        return with_square(picture, 420, level=220) if seconds >= 40 else picture

    looks = moving(watch(scene, until=41))
    assert [seconds for seconds in looks if 20 <= seconds < 40] == []
    assert 40.0 in looks


@pytest.mark.parametrize(
    ("seconds", "picture"),
    [(60, plain(180)), (5, plain(180)), (10.2, plain(180, 320, 240))],
    ids=["gap", "clock set back", "other size"],
)
def test_what_cannot_be_compared_is_learnt_anew(seconds: float, picture: Picture) -> None:
    gate = MotionGate()
    watch(lambda _: plain(), until=10, gate=gate)
    assert gate.look(after(seconds), picture) == Motion()
    moved = with_square(picture, 100, level=20)
    assert gate.look(after(seconds + 0.2), moved) == Motion()


def test_two_looks_at_the_same_instant_are_taken() -> None:
    gate = MotionGate()
    assert gate.look(T0, plain()) == gate.look(T0, plain()) == Motion()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 30), st.integers(0, 2**32 - 1)), max_size=12))
def test_boxes_lie_in_the_picture_whatever_comes(steps: list[tuple[float, int]]) -> None:
    gate, seconds = MotionGate(settle=timedelta(0)), 0.0
    for step, seed in steps:
        seconds += step
        random = np.random.default_rng(seed)
        picture = np.kron(random.integers(0, 256, (9, 16), np.uint8), np.ones((20, 20), np.uint8))
        motion = gate.look(after(seconds), picture)
        assert 0 <= motion.area <= 1
        assert bool(motion.boxes) == (motion.area > 0)
        for box in motion.boxes:
            assert 0 <= box.left < box.right <= 1
            assert 0 <= box.top < box.bottom <= 1

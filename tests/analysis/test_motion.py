from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nvr.analysis.geometry import WHOLE, overlap
from nvr.analysis.motion import MAX_BOXES, Motion, MotionGate
from nvr.analysis.zones import Rules, mask_raster
from nvr.model import Box

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
    assert gate.look(after(seconds), picture) == Motion(blind=True)
    moved = with_square(picture, 100, level=20)
    assert gate.look(after(seconds + 0.2), moved) == Motion(blind=True)


def test_two_looks_at_the_same_instant_are_taken() -> None:
    gate = MotionGate()
    assert gate.look(T0, plain()) == gate.look(T0, plain()) == Motion(blind=True)


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


# A camera that shakes


WIDE, HIGH, AROUND = 768, 432, 40
Offset = Callable[[float], tuple[float, float]]


def street(contrast: float = 1.0) -> Picture:
    """A scene with edges everywhere, larger than the picture."""
    random = np.random.default_rng(11)
    blocks = random.integers(30, 226, ((HIGH + 2 * AROUND) // 16, (WIDE + 2 * AROUND) // 16)).astype(np.float32)
    fine = random.integers(-20, 21, (HIGH + 2 * AROUND, WIDE + 2 * AROUND)).astype(np.float32)
    scene = np.kron(blocks, np.ones((16, 16), np.float32))[: HIGH + 2 * AROUND, : WIDE + 2 * AROUND]
    rough = cv2.GaussianBlur(scene, (0, 0), 2.0) + cv2.GaussianBlur(fine[: scene.shape[0], : scene.shape[1]], (0, 0), 1)
    return np.asarray(np.clip(128 + (rough - 128) * contrast, 0, 255), np.uint8)


def seen_from(scene: Picture, right: float, down: float) -> Picture:
    """The picture of a camera whose picture has moved so many pixels."""
    away = np.array([[1, 0, right - AROUND], [0, 1, down - AROUND]], np.float32)
    return np.asarray(cv2.warpAffine(scene, away, (WIDE, HIGH), flags=cv2.INTER_LINEAR), np.uint8)


def shaking(pixels: float) -> Offset:
    """Still for six seconds, then elsewhere in each look, ``pixels`` away."""

    def offset(seconds: float) -> tuple[float, float]:
        angle = 2.4 * round(seconds * 5)
        return (pixels * math.cos(angle), pixels * math.sin(angle)) if seconds >= 6 else (0.0, 0.0)

    return offset


@pytest.mark.parametrize("pixels", [0.5, 1, 2.7, 3, 8])
@pytest.mark.parametrize("contrast", [0.4, 1.0])
def test_a_camera_that_shakes_is_no_motion(pixels: float, contrast: float) -> None:
    scene, offset = street(contrast), shaking(pixels)
    looks = watch(lambda seconds: seen_from(scene, *offset(seconds)), until=16)
    assert moving(looks) == []


@pytest.mark.parametrize("pixels", [2.7, 8])
def test_a_camera_that_sways_slowly_is_no_motion_in_two_looks_of_five(pixels: float) -> None:
    scene = street()

    def sway(seconds: float) -> Picture:
        since = max(seconds - 6, 0)
        return seen_from(scene, pixels * math.sin(since), 0.3 * pixels * math.sin(2 * since))

    looks = [bool(motion.boxes) for _, motion in watch(sway, until=30)]
    assert max(sum(looks[n : n + 5]) for n in range(len(looks))) <= 1


@pytest.mark.parametrize(("right", "down"), [(3, 0), (-3, 0), (0, 3), (0, -3), (8, -5), (-2.5, 1.5)])
def test_it_tells_which_way_and_how_far_the_picture_was_moved(right: float, down: float) -> None:
    scene = street()
    looks = watch(lambda seconds: seen_from(scene, right, down) if seconds >= 6 else seen_from(scene, 0, 0), 6.2)
    motion = looks[-1][1]
    assert motion.shift == pytest.approx((right / WIDE, down / HIGH), abs=0.5 / WIDE)
    assert (motion.boxes, motion.area) == ((), 0.0)
    assert looks[-2][1].shift == (0.0, 0.0)


def walker(picture: Picture, x: int) -> Picture:
    """A textured person of 36 by 90 pixels."""
    body = np.random.default_rng(2).integers(0, 256, (9, 4), np.uint8)
    picture[200:290, x : x + 36] = cv2.resize(body, (36, 90), interpolation=cv2.INTER_NEAREST)
    return picture


@pytest.mark.parametrize("pixels", [1, 3, 8])
def test_who_walks_before_a_shaking_camera_is_found_where_he_is(pixels: float) -> None:
    scene, offset = street(), shaking(pixels)

    def person(seconds: float) -> int:
        return int(60 * (seconds - 6)) + 60

    def view(seconds: float) -> Picture:
        there = scene if seconds < 6 else walker(scene.copy(), person(seconds) + AROUND)
        return seen_from(there, *offset(seconds))

    looks = [(seconds, motion) for seconds, motion in watch(view, until=14) if seconds >= 6]
    for seconds, motion in looks:
        right, down = offset(seconds)
        left, top = person(seconds) + right, 200 - AROUND + down
        truth = Box(left / WIDE, top / HIGH, (left + 36) / WIDE, (top + 90) / HIGH)
        assert motion.boxes
        assert len(motion.boxes) <= 2
        assert max(overlap(box, truth) for box in motion.boxes) > 0.6
        assert motion.share(truth) > 0.5
        assert motion.share(Box(1 - truth.right, truth.top, 1 - truth.left, truth.bottom)) < 0.3 or (
            abs(truth.left + truth.right - 1) < 0.1
        )


def test_a_shaken_camera_leaves_the_background_as_it_was() -> None:
    """OpenCV's phase correlation writes into the pictures it is given."""
    scene = street()

    def view(seconds: float) -> Picture:
        return seen_from(scene, 6, 3) if 6 <= seconds < 6.2 else seen_from(scene, 0, 0)

    looks = watch(view, until=9)
    assert moving(looks) == []
    assert not any(motion.blind for seconds, motion in looks if seconds > 2)
    assert [motion.shift != (0.0, 0.0) for _, motion in looks] == [round(seconds, 1) == 6 for seconds, _ in looks]


def test_a_picture_that_is_given_is_not_written_into() -> None:
    scene, gate = street(), MotionGate()
    watch(lambda _: seen_from(scene, 0, 0), until=4, gate=gate)
    picture = seen_from(scene, 6, 3)
    before = picture.copy()
    gate.look(after(4), picture)
    assert (picture == before).all()


@pytest.mark.parametrize("size", [40, 80, 120])
def test_a_single_object_in_a_plain_scene_is_not_taken_for_a_shake(size: int) -> None:
    def scene(seconds: float) -> Picture:
        return with_square(plain(), 100 + int(8 * (seconds - 5)), size=size) if seconds >= 5 else plain()

    looks = [motion for seconds, motion in watch(scene, until=10) if seconds >= 5]
    assert all(motion.boxes for motion in looks)
    assert {motion.shift for motion in looks} == {(0.0, 0.0)}


def test_a_crowd_that_fills_the_picture_and_goes_one_way_is_motion() -> None:
    """They move as a shaken camera moves all, but what is between them does not."""
    scene = street(0.3)

    def view(seconds: float) -> Picture:
        picture = seen_from(scene, 0, 0)
        for row in range(4):
            for column in range(6 if seconds >= 6 else 0):
                x = 20 + 125 * column + 40 * (row % 2) + int(15 * (seconds - 6))
                picture[20 + 105 * row : 90 + 105 * row, x : x + 28] = 240
        return picture

    looks = [motion for seconds, motion in watch(view, until=9) if seconds >= 6]
    assert all(len(motion.boxes) >= 10 for motion in looks)
    assert {motion.shift for motion in looks} == {(0.0, 0.0)}


def test_a_tiny_picture_is_not_steadied() -> None:
    random = np.random.default_rng(1)
    first, then = (random.integers(0, 256, (20, 28), np.uint8) for _ in range(2))
    looks = watch(lambda seconds: first if seconds < 6 else then, until=7)
    assert {motion.shift for _, motion in looks} == {(0.0, 0.0)}


# Where motion counts, and how much of a box moves


LEFT_HALF = Rules(masks=(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),))


def masked_gate() -> MotionGate:
    return MotionGate(raster=lambda width, height: mask_raster(LEFT_HALF, width, height))


@pytest.mark.parametrize(("x", "counts"), [(100, False), (400, True)])
def test_in_a_mask_nothing_moves(x: int, counts: bool) -> None:
    looks = watch(lambda seconds: with_square(plain(), x) if seconds >= 5 else plain(), until=6, gate=masked_gate())
    assert bool(moving(looks)) == counts


def test_of_what_reaches_out_of_a_mask_only_that_part_moves() -> None:
    looks = watch(lambda seconds: with_square(plain(), 300) if seconds >= 5 else plain(), 5.2, gate=masked_gate())
    (box,) = looks[-1][1].boxes
    assert (box.left, box.right) == pytest.approx((0.5, 340 / 640), abs=0.01)


def test_a_mask_stays_where_it_is_when_the_picture_changes_its_size() -> None:
    gate = masked_gate()
    watch(lambda _: plain(), until=5, gate=gate)
    small = plain(100, 160, 90)
    for n in range(20):
        gate.look(after(5 + n / 5), small)
    for x, counts in ((20, False), (100, True)):
        busy = small.copy()
        busy[30:50, x : x + 15] = 200
        assert bool(gate.look(after(9 + x / 1000), busy).boxes) == counts


def test_what_is_masked_is_masked_under_a_shake_too() -> None:
    scene, offset = street(), shaking(6)

    def view(seconds: float) -> Picture:
        there = scene if seconds < 6 else walker(scene.copy(), int(30 * (seconds - 6)) + 60 + AROUND)
        return seen_from(there, *offset(seconds))

    assert moving(watch(view, until=10, gate=masked_gate())) == []


def square_there(x: int = 300) -> Motion:
    """A square of 40 by 80 pixels at (x, 100) that came into a plain picture of 640 by 360."""
    return watch(lambda seconds: with_square(plain(), x) if seconds >= 5 else plain(), until=5.2)[-1][1]


@pytest.mark.parametrize(
    ("box", "want"),
    [
        (Box(300 / 640, 100 / 360, 340 / 640, 180 / 360), 1.0),
        (Box(280 / 640, 100 / 360, 320 / 640, 180 / 360), 0.5),
        (Box(0.7, 0.1, 0.9, 0.9), 0.0),
        (WHOLE, 40 * 80 / (640 * 360)),
    ],
)
def test_the_share_of_a_box_is_how_much_of_it_moves(box: Box, want: float) -> None:
    assert square_there().share(box) == pytest.approx(want, abs=0.1)


@pytest.mark.parametrize(
    "box",
    [
        Box(-0.5, -0.5, -0.1, -0.1),
        Box(1.1, 1.1, 1.5, 1.5),
        Box(-1, 0.3, 2, 0.4),
        Box(0.5, 0.5, 0.5, 0.5),
        Box(0.6, 0.6, 0.4, 0.4),
        Box(-0.1, 0.2, 0.05, 1.2),
    ],
)
def test_a_box_that_is_partly_or_wholly_outside_has_a_share_too(box: Box) -> None:
    assert 0 <= square_there().share(box) <= 1


@pytest.mark.parametrize("box", [Box(-0.5, 0.28, -0.2, 0.5), Box(1.2, 0.28, 1.5, 0.5), Box(0, 1.1, 0.1, 1.3)])
def test_outside_of_the_picture_nothing_moves(box: Box) -> None:
    def scene(seconds: float) -> Picture:
        picture = plain()
        if seconds >= 5:
            picture[100:180, :40] = picture[100:180, -40:] = picture[300:, :80] = 200
        return picture

    motion = watch(scene, until=5.2)[-1][1]
    assert len(motion.boxes) == 3
    assert motion.share(box) == 0


def test_the_share_of_what_is_cut_by_the_border_is_of_what_is_in_the_picture() -> None:
    def scene(seconds: float) -> Picture:
        picture = plain()
        picture[100:180, :40] = 200 if seconds >= 5 else 100
        return picture

    motion = watch(scene, until=5.2)[-1][1]
    assert motion.share(Box(-40 / 640, 100 / 360, 40 / 640, 180 / 360)) == pytest.approx(1, abs=0.1)


def test_where_nothing_is_known_all_may_move_and_where_nothing_moves_none_does() -> None:
    assert Motion(blind=True).share(WHOLE) == 1
    assert Motion().share(WHOLE) == 0


def test_it_is_blind_at_first_and_after_a_change_of_all_the_light() -> None:
    looks = watch(lambda seconds: texture() if seconds < 10 else 255 - texture(), until=15)
    blind = [round(seconds, 1) for seconds, motion in looks if motion.blind]
    assert blind == [round(n / 5, 1) for n in (*range(10), *range(50, 60))]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9), st.integers(0, 700)), min_size=1, max_size=8))
def test_boxes_of_a_shaken_picture_lie_in_it(steps: list[tuple[float, float, int]]) -> None:
    scene, gate = street(), MotionGate(settle=timedelta(0))
    for n in range(3):
        gate.look(after(n), seen_from(scene, 0, 0))
    for n, (right, down, x) in enumerate(steps):
        motion = gate.look(after(3 + n / 5), seen_from(walker(scene.copy(), x), right, down))
        assert all(math.isfinite(part) for part in motion.shift)
        for box in motion.boxes:
            assert 0 <= box.left < box.right <= 1
            assert 0 <= box.top < box.bottom <= 1

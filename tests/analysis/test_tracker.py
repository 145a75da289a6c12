"""Scripted detections in, tracks out. Instants are seconds from the first look on; places are fractions."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nvr.analysis.geometry import WHOLE, overlap
from nvr.analysis.target import Sighting
from nvr.analysis.tracker import MAX_TRACKS, Track, Tracker
from nvr.model import Box, Detection

T0 = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
WIDTH, HEIGHT = 0.05, 0.15
RATES = (2, 5, 10, 25)
"""Looks a second."""
RED, GREEN, GREY = (np.full(36, level, np.float32) for level in (40, 90, 200))
Scene = Callable[[float], list[Detection | Sighting]]


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def person(x: float, y: float = 0.4, score: float = 0.7, label: str = "person") -> Detection:
    return Detection(Box(x, y, x + WIDTH, y + HEIGHT), label, score)


def still(x: float, y: float = 0.4, score: float = 0.7, label: str = "person") -> Sighting:
    """One where nothing moves."""
    return Sighting(person(x, y, score, label), moving=False)


def coloured(x: float, colours: NDArray[np.float32], y: float = 0.4, score: float = 0.7) -> Sighting:
    return Sighting(person(x, y, score), appearance=colours)


def look(tracker: Tracker, seconds: float, *found: Detection | Sighting, window: Box = WHOLE) -> tuple[Track, ...]:
    sightings = [each if isinstance(each, Sighting) else Sighting(each) for each in found]
    return tracker.update(after(seconds), sightings, window)


def watch(
    tracker: Tracker, scene: Scene, until: float, rate: float = 5, begin: float = 0
) -> Iterator[tuple[float, tuple[Track, ...]]]:
    """The tracks of each look at a scene, a function of seconds."""
    for number in range(math.ceil(begin * rate), math.ceil(until * rate)):
        seconds = number / rate
        yield seconds, look(tracker, seconds, *scene(seconds))


def last(looks: Iterable[tuple[float, tuple[Track, ...]]]) -> dict[int, Track]:
    """The tracks of the last look, by id."""
    *_, (_, tracks) = looks
    return {track.id: track for track in tracks}


def seen(tracks: Iterable[Track], seconds: float) -> list[Track]:
    return [track for track in tracks if track.last_seen == after(seconds)]


def middle(track: Track) -> float:
    return (track.box.left + track.box.right) / 2


def behind(x: float, post: tuple[float, float], least: float = 0.3) -> list[Detection | Sighting]:
    """What a detector sees of somebody behind a post: the larger part beside it; nobody where that is too little."""
    sides = (x, min(x + WIDTH, post[0])), (max(x, post[1]), x + WIDTH)
    left, right = max(sides, key=lambda side: side[1] - side[0])
    if right - left < least * WIDTH:
        return []
    return [Detection(Box(left, 0.4, right, 0.4 + HEIGHT), "person", 0.7)]


# Going on


def test_an_object_keeps_its_id() -> None:
    looks = watch(Tracker(), lambda seconds: [person(0.1 + 0.05 * seconds)], until=10)
    assert {track.id for _, tracks in looks for track in tracks} == {1}


def test_looks_that_are_missing_do_not_change_ids() -> None:
    tracker = Tracker()
    for seconds in (0, 0.2, 0.4, 0.6, 1.4, 1.6, 3.0, 3.2):
        tracks = look(tracker, seconds, person(0.1 + 0.1 * seconds))
    assert [track.id for track in tracks] == [1]


def test_who_walks_is_the_same_where_only_key_frames_are_looked_at() -> None:
    looks = watch(Tracker(), lambda seconds: [person(0.05 + 0.05 * seconds)], until=16, rate=0.5)
    assert [(id, track.moved) for id, track in last(looks).items()] == [(1, True)]


@pytest.mark.parametrize(
    ("speed", "rate"),
    [(speed, rate) for speed in (0.02, 0.1, 0.2, 0.3) for rate in RATES if speed / rate <= 1.5 * WIDTH],
)
def test_who_walks_faster_or_slower_is_one(speed: float, rate: float) -> None:
    looks = list(watch(Tracker(), lambda seconds: [person(0.1 + speed * seconds)], until=3, rate=rate))
    assert {track.id for _, tracks in looks for track in tracks} == {1}


def test_who_is_not_seen_for_long_enough_is_lost() -> None:
    tracker = Tracker(lost_after=timedelta(seconds=2))
    look(tracker, 0, person(0.1))
    assert look(tracker, 2) != ()
    assert look(tracker, 2.2) == ()
    (track,) = look(tracker, 2.4, person(0.1))
    assert track.id == 2


def test_who_walked_when_the_looks_ended_is_somebody_else_when_they_begin_again() -> None:
    tracker = Tracker()
    last(watch(tracker, lambda seconds: [person(0.1 + 0.05 * seconds)], until=2))
    (track,) = look(tracker, 60, person(0.19))
    assert track.id == 2


def test_the_label_is_what_most_detections_said() -> None:
    tracker = Tracker()
    for n, label in enumerate(["car", "truck", "car", "car", "truck", "car"]):
        (track,) = look(tracker, n / 5, person(0.1, label=label))
    assert (track.id, track.label, track.detection.label) == (1, "car", "car")


def test_a_rider_does_not_become_the_bicycle() -> None:
    def scene(seconds: float) -> list[Detection | Sighting]:
        x = 0.1 + 0.1 * seconds
        return [person(x), *([] if 1 <= seconds < 1.6 else [person(x, 0.46, label="bicycle")])]

    assert {id: track.label for id, track in last(watch(Tracker(), scene, until=4)).items()} == {
        1: "person",
        2: "bicycle",
    }


def test_the_detection_is_the_last_as_it_came_and_the_box_is_near_it() -> None:
    tracker = Tracker()
    look(tracker, 0, person(0.1))
    (track,) = look(tracker, 0.2, came := person(0.12, score=0.51))
    assert track.detection is came
    assert overlap(track.box, came.box) > 0.7
    assert (track.first_seen, track.last_seen) == (after(0), after(0.2))


def test_a_box_trembles_less_than_its_detections() -> None:
    random = np.random.default_rng(3)
    offs = iter(random.normal(0, 0.1 * WIDTH, 200))
    looks = list(watch(Tracker(), lambda seconds: [person(0.4 + next(offs))], until=20, rate=10))
    boxes = np.array([[middle(track), middle_of(track.detection)] for _, (track,) in looks[20:]])
    assert boxes[:, 0].std() < 0.8 * boxes[:, 1].std()


def middle_of(detection: Detection) -> float:
    return (detection.box.left + detection.box.right) / 2


# Sure and doubtful


def test_a_doubtful_detection_continues_a_track_but_begins_none() -> None:
    tracker = Tracker(min_score=0.5)
    assert look(tracker, 0, person(0.1, score=0.4)) == ()
    look(tracker, 0.2, person(0.1, score=0.6))
    (track,) = look(tracker, 0.4, person(0.101, score=0.4))
    assert (track.id, track.detection.score, track.last_seen, track.sure) == (1, 0.4, after(0.4), False)


def test_who_is_doubtful_all_the_way_is_nobody() -> None:
    looks = watch(Tracker(min_score=0.5), lambda seconds: [person(0.1 + 0.05 * seconds, score=0.49)], until=5)
    assert [tracks for _, tracks in looks if tracks] == []


def test_a_doubtful_detection_beside_a_sure_one_begins_none_either() -> None:
    looks = watch(Tracker(min_score=0.5), lambda _: [person(0.1), person(0.3, score=0.45)], until=2)
    assert {track.id for _, tracks in looks for track in tracks} == {1}


def test_a_sure_detection_goes_before_a_doubtful_one() -> None:
    tracker = Tracker(min_score=0.5)
    look(tracker, 0, person(0.1))
    (track,) = look(tracker, 0.2, person(0.1, score=0.45), person(0.11, score=0.9))
    assert (track.detection.score, track.sure) == (0.9, True)


def test_below_its_floor_a_detection_is_nothing() -> None:
    tracker = Tracker(min_score=0.5)
    look(tracker, 0, person(0.1))
    (track,) = look(tracker, 0.2, person(0.1, score=tracker.floor - 0.01))
    assert track.last_seen == after(0)


def test_one_object_seen_twice_begins_one_track() -> None:
    tracks = look(Tracker(), 0, person(0.1, score=0.6), person(0.105, score=0.8, label="dog"))
    assert [(track.label, track.detection.score) for track in tracks] == [("dog", 0.8)]


def test_two_side_by_side_begin_two() -> None:
    assert len(look(Tracker(), 0, person(0.1), person(0.1 + WIDTH))) == 2


# Hidden


@pytest.mark.parametrize("rate", [5, 10, 25])
@pytest.mark.parametrize("widths", [0.5, 1, 2])
@pytest.mark.parametrize("way", [1, -1], ids=["rightwards", "leftwards"])
def test_who_passes_behind_a_post_is_the_same_afterwards(rate: float, widths: float, way: int) -> None:
    post = (0.5 - widths * WIDTH / 2, 0.5 + widths * WIDTH / 2)
    tracks = list(
        watch(Tracker(), lambda seconds: behind(0.475 + way * (0.06 * seconds - 0.3), post), until=10, rate=rate)
    )
    assert {track.id for _, living in tracks for track in living} == {1}
    assert seen(tracks[-1][1], tracks[-1][0])


@pytest.mark.parametrize("rate", [5, 10, 25])
def test_who_is_unseen_for_a_moment_is_the_same_afterwards(rate: float) -> None:
    def scene(seconds: float) -> list[Detection | Sighting]:
        return [] if 3 <= seconds < 4.7 else [person(0.1 + 0.08 * seconds)]

    looks = list(watch(Tracker(), scene, until=8, rate=rate))
    assert all(len(seen(tracks, seconds)) == (not 3 <= seconds < 4.7) for seconds, tracks in looks)
    assert {track.id for _, tracks in looks for track in tracks} == {1}


@pytest.mark.parametrize("rate", [5, 10, 25])
@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_who_is_half_hidden_keeps_his_size_and_place(rate: float, side: str) -> None:
    whole = person(0.4).box

    def scene(seconds: float) -> list[Detection | Sighting]:
        hidden = 2 <= seconds < 3.2
        parts = {
            "left": Box(whole.left + 0.5 * WIDTH, whole.top, whole.right, whole.bottom),
            "right": Box(whole.left, whole.top, whole.right - 0.5 * WIDTH, whole.bottom),
            "top": Box(whole.left, whole.top + 0.5 * HEIGHT, whole.right, whole.bottom),
            "bottom": Box(whole.left, whole.top, whole.right, whole.bottom - 0.5 * HEIGHT),
        }
        return [Detection(parts[side] if hidden else whole, "person", 0.7)]

    for _, (track,) in watch(Tracker(), scene, until=5, rate=rate):
        assert track.id == 1
        assert not track.moved
        assert overlap(track.box, whole) > 0.75


@pytest.mark.parametrize("rate", [5, 10, 25])
@pytest.mark.parametrize("way", [1, -1], ids=["rightwards", "leftwards"])
def test_who_goes_behind_a_wall_and_comes_out_keeps_his_size_and_place(rate: float, way: int) -> None:
    post = (0.46, 0.54)

    def x(seconds: float) -> float:
        return 0.475 + way * (0.08 * seconds - 0.3)

    for seconds, (track,) in watch(Tracker(), lambda seconds: behind(x(seconds), post), until=7, rate=rate):
        if track.last_seen == after(seconds):
            assert track.box.right - track.box.left > 0.7 * WIDTH
            assert overlap(track.box, person(x(seconds)).box) > 0.6


def test_who_sits_down_behind_a_wall_is_smaller_in_the_end() -> None:
    def scene(seconds: float) -> list[Detection | Sighting]:
        box = person(0.4).box
        return [Detection(box if seconds < 2 else Box(box.left, box.top + 0.075, box.right, box.bottom), "person", 0.7)]

    track = last(watch(Tracker(), scene, until=20))[1]
    assert track.box.top == pytest.approx(0.475, abs=0.01)


# Meeting others


@pytest.mark.parametrize("rate", RATES)
def test_two_who_pass_each_other_keep_their_ids(rate: float) -> None:
    def scene(seconds: float) -> list[Detection | Sighting]:
        return [person(0.1 + 0.08 * seconds, 0.40), person(0.7 - 0.08 * seconds, 0.46)]

    tracks = last(watch(Tracker(), scene, until=8, rate=rate))
    assert tracks.keys() == {1, 2}
    assert middle(tracks[1]) > middle(tracks[2])


@pytest.mark.parametrize("rate", [2, 5, 10])
def test_two_who_meet_and_turn_back_are_told_apart_by_their_colours(rate: float) -> None:
    def scene(seconds: float) -> list[Detection | Sighting]:
        gap = max(abs(4 - seconds) * 0.08, 0.02)
        both: list[Detection | Sighting] = [coloured(0.45 - gap / 2, RED), coloured(0.45 + gap / 2, GREEN)]
        return both[::-1] if round(seconds * rate) % 2 else both  # the detector knows no order

    tracks = last(watch(Tracker(), scene, until=8, rate=rate))
    assert tracks.keys() == {1, 2}
    by_place = sorted(tracks.values(), key=middle)
    assert [each.appearance is not None and float(each.appearance.mean()) for each in by_place] == [40, 90]
    assert [each.id for each in by_place] == [1, 2]


@pytest.mark.parametrize("rate", [5, 10])
def test_two_of_whom_one_hides_the_other_while_they_cross_keep_their_ids(rate: float) -> None:
    def scene(seconds: float) -> list[Detection | Sighting]:
        front, back = 0.1 + 0.1 * seconds, 0.9 - 0.1 * seconds
        found: list[Detection | Sighting] = [coloured(front, RED)]
        return found if abs(front - back) < 0.6 * WIDTH else [*found, coloured(back, GREEN)]

    tracks = last(watch(Tracker(), scene, until=8, rate=rate))
    assert {id: track.appearance is not None and track.appearance.mean() for id, track in tracks.items()} == {
        1: pytest.approx(40),
        2: pytest.approx(90),
    }


def test_somebody_in_other_colours_does_not_take_over_who_was_hidden_there() -> None:
    tracker = Tracker()
    look(tracker, 0, coloured(0.4, RED))
    look(tracker, 0.2)
    tracks = look(tracker, 0.4, coloured(0.4 + 0.9 * WIDTH, GREY))
    assert [track.id for track in seen(tracks, 0.4)] == [2]


def test_colours_change_slowly() -> None:
    tracker = Tracker()
    last(watch(tracker, lambda _: [coloured(0.4, RED)], until=2))
    (track,) = look(tracker, 2, coloured(0.4, RED + 10))
    assert track.appearance is not None
    assert 40 < track.appearance.mean() < 45


# Standing


def test_who_walks_has_moved() -> None:
    moved = [tracks[0].moved for _, tracks in watch(Tracker(), lambda seconds: [person(0.1 + 0.025 * seconds)], 4)]
    assert moved[0] is False
    assert moved[-1] is True


def test_who_comes_nearer_has_moved_though_his_middle_has_not() -> None:
    def scene(seconds: float) -> list[Detection | Sighting]:
        grown = 0.02 * seconds
        return [Detection(Box(0.4 - grown, 0.4 - grown, 0.45 + grown, 0.55 + grown), "person", 0.7)]

    assert last(watch(Tracker(), scene, until=4))[1].moved


@pytest.mark.parametrize("rate", RATES)
def test_a_box_that_trembles_has_not_moved(rate: float) -> None:
    random = np.random.default_rng(7)

    def scene(_: float) -> list[Detection | Sighting]:
        return [person(0.1 + float(np.clip(random.normal(0, 0.08), -0.2, 0.2)) * WIDTH)]

    assert not last(watch(Tracker(), scene, until=40, rate=rate))[1].moved


def test_one_wild_box_is_no_move() -> None:
    looks = watch(Tracker(), lambda seconds: [person(0.12 if seconds == 3 else 0.1)], until=6)
    assert not last(looks)[1].moved


def test_a_parked_car_that_is_half_hidden_has_not_moved() -> None:
    def scene(seconds: float) -> list[Detection | Sighting]:
        return [Detection(Box(0.3, 0.4, 0.4 if 2 <= seconds < 4 else 0.5, 0.5), "car", 0.7)]

    assert [(id, track.moved) for id, track in last(watch(Tracker(), scene, until=6)).items()] == [(1, False)]


@pytest.mark.parametrize("rate", RATES)
def test_who_stays_for_long_enough_stands_since_he_came_there_until_he_walks_on(rate: float) -> None:
    tracker = Tracker(still_after=timedelta(seconds=10))
    track = last(watch(tracker, lambda seconds: [person(0.1 + 0.05 * min(seconds, 4))], until=16, rate=rate))[1]
    assert track.stationary_since is not None
    assert after(3) < track.stationary_since < after(5.1)
    track = last(watch(tracker, lambda seconds: [person(0.3 + 0.05 * (seconds - 16))], 20, rate, begin=16))[1]
    assert track.stationary_since is None


def test_what_never_moved_stands_from_its_third_look_on() -> None:
    looks = watch(Tracker(), lambda _: [still(0.4)], until=1)
    assert [tracks[0].stationary_since for _, tracks in looks] == [None, None, after(0), after(0), after(0)]


def test_who_never_moved_and_then_does_stands_no_more() -> None:
    tracker = Tracker()
    last(watch(tracker, lambda _: [still(0.4)], until=2))
    looks = watch(tracker, lambda seconds: [person(0.4 + 0.06 * (seconds - 2))], until=5, begin=2)
    track = last(looks)[1]
    assert (track.stationary_since, track.moved) == (None, True)


def test_where_nothing_moves_a_detection_continues_nobody_who_was_elsewhere() -> None:
    tracker = Tracker()
    last(watch(tracker, lambda seconds: [person(0.1 + 0.05 * seconds)], until=2))
    tracks = look(tracker, 2, still(0.2 + 0.6 * WIDTH))
    assert [(track.id, track.last_seen) for track in tracks] == [(1, after(1.8)), (2, after(2))]


def test_who_stops_where_he_is_goes_on_though_nothing_moves_there() -> None:
    tracker = Tracker()
    last(watch(tracker, lambda seconds: [person(0.1 + 0.05 * seconds)], until=2))
    looks = watch(tracker, lambda _: [still(0.2, score=0.45)], until=4, begin=2)
    assert last(looks).keys() == {1}


def test_a_walker_does_not_end_in_what_the_detector_always_sees_there() -> None:
    """A lamp post that is a doubtful person in each look, and somebody who walks past and away unseen."""

    def scene(seconds: float) -> list[Detection | Sighting]:
        post = still(0.5, score=0.4)
        return [post, coloured(0.1 + 0.1 * seconds, RED)] if seconds < 3.6 else [post]

    looks = list(watch(Tracker(), scene, until=7))
    assert not seen(looks[-1][1], looks[-1][0])


# What stands, and who passes in front of it


CAR = Box(0.3, 0.4, 0.55, 0.58)


def test_a_parked_car_stays_itself_while_somebody_walks_in_front_of_it() -> None:
    def scene(seconds: float) -> list[Detection | Sighting]:
        x = 0.1 + 0.06 * (seconds - 3)
        near = CAR.left - WIDTH < x < CAR.right
        car = Sighting(Detection(CAR, "car", 0.7), moving=seconds >= 3 and near)
        return [car, Sighting(person(x, 0.45))] if seconds >= 3 else [car]

    looks = list(watch(Tracker(), scene, until=13))
    assert {track.id: track.label for _, tracks in looks for track in tracks} == {1: "car", 2: "person"}
    tracks = {track.id: track for track in looks[-1][1]}
    assert overlap(tracks[1].box, CAR) > 0.95
    assert not tracks[1].moved
    assert tracks[2].moved
    assert middle(tracks[2]) > CAR.right


def test_a_person_who_gets_out_of_a_parked_car_is_a_person() -> None:
    def scene(seconds: float) -> list[Detection | Sighting]:
        car = Sighting(Detection(CAR, "car", 0.7), moving=3 <= seconds < 7)
        return [car, Sighting(person(0.4, 0.42 + 0.03 * (seconds - 4)))] if seconds >= 4 else [car]

    tracks = last(watch(Tracker(), scene, until=8))
    assert {id: track.label for id, track in tracks.items()} == {1: "car", 2: "person"}


@pytest.mark.parametrize("rate", [5, 10, 25])
@pytest.mark.parametrize("known", [2, 12], ids=["seen for 2 s", "seen for 12 s"])
@pytest.mark.parametrize("both", [True, False], ids=["both seen", "only one seen"])
def test_who_passes_a_false_person_on_a_lamp_post_leaves_it(rate: float, known: float, both: bool) -> None:
    post_x = 0.5

    def scene(seconds: float) -> list[Detection | Sighting]:
        x = 0.3 + 0.08 * (seconds - known)
        apart = abs(x - post_x)
        # The mover is a good part of the post's box, and hides it where he is in front of it.
        post = Sighting(person(post_x, score=0.55), moving=seconds >= known and apart < 0.85 * WIDTH, appearance=GREY)
        if seconds < known:
            return [post]
        walker = coloured(x, RED)
        return [walker] if not both and apart < 0.5 * WIDTH else [walker, post]

    looks = list(watch(Tracker(), scene, until=known + 6, rate=rate))
    assert {track.id for _, tracks in looks for track in tracks} == {1, 2}
    post, walker = looks[-1][1]
    assert middle(walker) > 0.7
    assert overlap(post.box, person(post_x).box) > 0.9
    assert not any(track.moved for _, tracks in looks for track in tracks if track.id == 1)
    standing = [track.stationary_since is not None for at, tracks in looks for track in tracks if track.id == 1]
    assert all(standing[3:])


@pytest.mark.parametrize("rate", [5, 10, 25])
def test_who_passes_behind_a_false_person_on_a_lamp_post_leaves_it(rate: float) -> None:
    """Where he is behind it, only the post is seen, and colours are not known."""

    def scene(seconds: float) -> list[Detection | Sighting]:
        x = 0.3 + 0.08 * (seconds - 4)
        apart = abs(x - 0.5) / WIDTH
        post = Sighting(person(0.5, score=0.55), moving=seconds >= 4 and apart < 0.85)
        return [post] if seconds < 4 or apart < 0.6 else [Sighting(person(x, score=0.8)), post]

    looks = list(watch(Tracker(), scene, until=9, rate=rate))
    assert {track.id for _, tracks in looks for track in tracks} == {1, 2}
    for seconds, tracks in looks:
        assert tracks[0].last_seen == after(seconds)
        assert overlap(tracks[0].box, person(0.5).box) > 0.95
    assert middle(looks[-1][1][1]) > 0.7


def test_what_stands_does_not_walk_off_with_a_passer_by_though_the_detector_loses_it() -> None:
    def scene(seconds: float) -> list[Detection | Sighting]:
        x = 0.3 + 0.08 * (seconds - 3)
        post = Sighting(person(0.5, score=0.55), moving=False, appearance=GREY)
        return [post] if seconds < 3 else [coloured(x, RED)]

    tracks = last(watch(Tracker(), scene, until=8))
    assert middle(tracks[1]) == pytest.approx(0.525, abs=0.005)
    assert middle(tracks[2]) > 0.65


# What nobody looks at


def parked(tracker: Tracker, until: float = 12) -> Track:
    return last(watch(tracker, lambda _: [person(0.1, label="car")], until=until))[1]


def test_a_parked_car_is_the_same_after_hours_in_which_nobody_looked() -> None:
    parked(tracker := Tracker())
    (track,) = look(tracker, 7200, person(0.1, label="car"))
    assert (track.id, track.moved, track.stationary_since) == (1, False, after(0))


@pytest.mark.parametrize("rate", [1, 2, 5, 25])
def test_what_stood_and_is_gone_is_forgotten_after_ten_seconds_of_looks(rate: float) -> None:
    parked(tracker := Tracker())
    looks = list(watch(tracker, lambda _: [], until=7220, rate=rate, begin=7200))
    assert sum(bool(tracks) for _, tracks in looks) / rate == pytest.approx(9, abs=1.1)


def test_a_look_now_and_then_is_not_ten_seconds_without_it() -> None:
    parked(tracker := Tracker())
    alive = [len(look(tracker, 3600 * n)) for n in range(1, 12)]
    assert alive == [1] * 9 + [0] * 2


def test_where_nobody_looked_nothing_is_missing() -> None:
    parked(tracker := Tracker())
    elsewhere = Box(0.5, 0.3, 0.9, 0.7)
    for n in range(500):
        look(tracker, 12 + n / 5, person(0.6), window=elsewhere)
    tracks = {track.id: track for track in look(tracker, 112, person(0.1, label="car"))}
    assert (tracks[1].last_seen, tracks[1].stationary_since) == (after(112), after(0))


def test_who_walked_out_of_the_window_is_looked_for_in_the_next_look_round() -> None:
    tracker = Tracker()
    last(watch(tracker, lambda seconds: [person(0.1 + 0.02 * seconds)], until=2))
    for n in range(10, 20):
        assert {track.id for track in look(tracker, n / 5, window=Box(0.5, 0.3, 0.9, 0.7))} == {1}
    (track,) = look(tracker, 4, person(0.18))
    assert track.id == 1
    assert {track.id for track in look(tracker, 6.5)} == set()


def test_places_are_where_something_may_still_go() -> None:
    tracker = Tracker()
    for n in range(10):
        look(tracker, n / 5, still(0.1), person(0.3 + 0.01 * n))
    (place,) = tracker.places()
    assert place.left == pytest.approx(0.39, abs=0.01)


def test_a_parked_car_does_not_become_its_neighbour() -> None:
    tracker = Tracker()
    last(watch(tracker, lambda _: [person(0.30, label="car")], until=12))
    assert [track.id for track in seen(look(tracker, 12, person(0.35, label="car")), 12)] == [2]


def test_a_parked_car_does_not_become_its_neighbour_while_nobody_looks() -> None:
    tracker = Tracker()
    last(watch(tracker, lambda _: [person(0.30, label="car")], until=12))
    assert [track.id for track in seen(look(tracker, 7200, person(0.36, label="car")), 7200)] == [2]


# Clocks and rates


def test_a_clock_that_is_set_back_ends_the_tracks() -> None:
    tracker = Tracker()
    look(tracker, 3600, person(0.1))
    (track,) = look(tracker, 0, person(0.1))
    assert (track.id, track.first_seen) == (2, after(0))


def test_a_clock_that_is_set_back_a_little_does_not() -> None:
    tracker = Tracker()
    look(tracker, 0.5, person(0.1))
    (track,) = look(tracker, 0, person(0.1))
    assert (track.id, track.last_seen) == (1, after(0))


def test_what_stands_does_so_though_the_clock_is_set_back() -> None:
    tracker = Tracker()
    last(watch(tracker, lambda _: [person(0.1, label="car")], until=3612, begin=3600))
    track = last(watch(tracker, lambda _: [person(0.1, label="car")], until=12))[1]
    assert track.stationary_since is not None
    assert track.first_seen <= track.stationary_since <= track.last_seen


def outing(seconds: float) -> list[Detection | Sighting]:
    """One walks in, stops, walks back; another passes; a third stands all the time."""
    x = 0.1 + 0.06 * min(seconds, 5) - 0.06 * max(seconds - 20, 0)
    found: list[Detection | Sighting] = [coloured(x, RED), Sighting(person(0.8, 0.7), moving=False, appearance=GREY)]
    return [*found, coloured(0.9 - 0.08 * (seconds - 8), GREEN, 0.2)] if 8 <= seconds < 16 else found


@pytest.mark.parametrize("rate", [2, 10, 25])
def test_as_many_looks_a_second_as_there_may_be_tell_the_same(rate: float) -> None:
    usual, other = Tracker(), Tracker()
    expected = {round(seconds, 3): tracks for seconds, tracks in watch(usual, outing, until=25, rate=5)}
    for seconds, tracks in watch(other, outing, until=25, rate=rate):
        if (same := expected.get(round(seconds, 3))) is None or seconds < 1.5:
            continue
        assert [track.id for track in tracks] == [track.id for track in same]
        for track, want in zip(tracks, same, strict=True):
            assert (track.label, track.first_seen) == (want.label, want.first_seen)
            known = seconds - (track.first_seen - T0).total_seconds()
            in_sight = track.last_seen == want.last_seen == after(seconds)
            if in_sight and min(known, abs(seconds - 5), abs(seconds - 20)) > 1.5:
                assert middle(track) == pytest.approx(middle(want), abs=0.15 * WIDTH)
    ends = [{track.id: track for track in each.update(after(25), [])}[1] for each in (usual, other)]
    assert abs(ends[0].last_seen - ends[1].last_seen) < timedelta(seconds=0.5)
    assert [end.moved for end in ends] == [True, True]


# Whatever comes


def test_the_number_of_tracks_is_bounded() -> None:
    tracker = Tracker()
    crowd = [
        Detection(Box(x / 20, y / 20, x / 20 + 0.01, y / 20 + 0.01), "person", 0.7)
        for x in range(20)
        for y in range(20)
    ]
    assert len(look(tracker, 0, *crowd)) == MAX_TRACKS
    assert len(look(tracker, 0.2, *crowd[::-1])) == MAX_TRACKS


def test_the_surest_begin_where_not_all_can() -> None:
    crowd = [person(0.01 * n % 0.9, 0.002 * n, score=0.5 + n / 1000) for n in range(0, 400)]
    tracks = look(Tracker(), 0, *crowd)
    assert max(track.detection.score for track in tracks) == crowd[-1].score


places = st.floats(-0.06, 1.06)
shapes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), places, places, st.floats(0, 0.5), st.floats(0, 0.5))
colours = st.none() | st.integers(0, 255).map(lambda level: np.full(36, level, np.float32))
detections = st.builds(Detection, shapes, st.sampled_from(["person", "car", "dog"]), st.floats(0, 1))
sightings = st.builds(Sighting, detections, st.booleans(), colours)
windows = st.just(WHOLE) | st.sampled_from([Box(0, 0, 0.5, 0.5), Box(0.4, 0.2, 0.9, 0.7)])
steps = st.floats(-20, 40) | st.just(0.0) | st.floats(0.01, 1)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(steps, st.lists(sightings, max_size=6), windows), max_size=15))
def test_what_holds_whatever_comes(looks: list[tuple[float, list[Sighting], Box]]) -> None:
    tracker, seconds, highest = Tracker(), 0.0, 0
    for step, found, window in looks:
        previous, seconds = after(seconds), seconds + step
        at = after(seconds)
        before = set(range(1, highest + 1))
        tracks = tracker.update(at, found, window)
        ids = [track.id for track in tracks]
        assert len(set(ids)) == len(ids)
        assert set(ids) - before == set(range(highest + 1, max([highest, *ids]) + 1))
        highest = max([highest, *ids])
        given_out = [id(track.detection) for track in tracks if track.last_seen == at != previous]
        assert len(set(given_out)) == len(given_out)
        assert {id(each.detection) for each in found if each.detection.score >= tracker.floor} >= set(given_out)
        for track in tracks:
            box = track.box
            assert 0 <= box.left <= box.right <= 1
            assert 0 <= box.top <= box.bottom <= 1
            assert track.stationary_since is None or track.stationary_since <= max(at, track.last_seen)
            assert track.appearance is None or np.isfinite(track.appearance).all()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(0.01, 4), st.lists(sightings, max_size=6)), max_size=15))
def test_what_holds_while_time_goes_on(looks: list[tuple[float, list[Sighting]]]) -> None:
    tracker, seconds = Tracker(), 0.0
    known: dict[int, datetime] = {}
    for step, found in looks:
        seconds += step
        at = after(seconds)
        for track in tracker.update(at, found):
            assert track.first_seen <= track.last_seen <= at
            assert known.setdefault(track.id, track.first_seen) == track.first_seen
            assert track.stationary_since is None or track.first_seen <= track.stationary_since <= track.last_seen


def test_what_a_hundred_objects_cost(capsys: pytest.CaptureFixture[str]) -> None:
    """Printed, not asserted: how long an update with 100 detections of 100 tracks takes."""
    random = np.random.default_rng(5)
    tracker, took = Tracker(), []
    for number in range(10):
        crowd = [
            Sighting(person(0.09 * x + 0.004 * number, 0.09 * y), True, random.random(36).astype(np.float32) * 100)
            for x in range(10)
            for y in range(10)
        ]
        began = time.perf_counter()
        tracks = tracker.update(after(number / 5), crowd)
        took.append(time.perf_counter() - began)
    assert len(tracks) >= 100
    with capsys.disabled():
        sys.stdout.write(f"\nan update with 100 detections of 100 tracks: {1000 * np.median(took[1:]):.1f} ms\n")

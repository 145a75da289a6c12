from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvr.analysis.tracker import MAX_TRACKS, Track, Tracker
from nvr.model import Box, Detection

T0 = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
WIDTH, HEIGHT = 0.05, 0.15


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def person(x: float, y: float = 0.4, score: float = 0.7, label: str = "person") -> Detection:
    return Detection(Box(x, y, x + WIDTH, y + HEIGHT), label, score)


def seen(tracks: tuple[Track, ...], seconds: float) -> list[Track]:
    return [track for track in tracks if track.last_seen == after(seconds)]


def test_an_object_keeps_its_id() -> None:
    tracker = Tracker()
    ids = {track.id for n in range(50) for track in tracker.update(after(n / 5), [person(0.1 + 0.01 * n)])}
    assert ids == {1}


@pytest.mark.parametrize("every", [0.1, 0.2, 0.5])
def test_two_who_cross_keep_their_ids(every: float) -> None:
    tracker = Tracker()
    tracks: tuple[Track, ...] = ()
    for n in range(int(8 / every)):
        seconds = n * every
        shift = 0.08 * seconds
        tracks = tracker.update(after(seconds), [person(0.1 + shift, 0.40), person(0.7 - shift, 0.46)])
    assert {track.id for track in tracks} == {1, 2}
    by_id = {track.id: track for track in tracks}
    assert by_id[1].box.left > by_id[2].box.left


def test_looks_that_are_missing_do_not_change_ids() -> None:
    tracker = Tracker()
    for seconds in (0, 0.2, 0.4, 0.6, 1.4, 1.6, 3.0, 3.2):
        tracks = tracker.update(after(seconds), [person(0.1 + 0.1 * seconds)])
    assert [track.id for track in tracks] == [1]


def test_who_walks_is_the_same_where_only_key_frames_are_looked_at() -> None:
    tracker = Tracker()
    for n in range(8):
        tracks = tracker.update(after(2 * n), [person(0.05 + 0.1 * n)])
    assert [(track.id, track.moved) for track in tracks] == [(1, True)]


def test_who_is_hidden_for_a_moment_is_the_same_afterwards() -> None:
    tracker = Tracker()
    for n in range(40):
        seconds = n / 5
        hidden = 3 <= seconds < 4.5
        tracks = tracker.update(after(seconds), [] if hidden else [person(0.1 + 0.08 * seconds)])
        assert len(seen(tracks, seconds)) == (0 if hidden else 1)
    assert [track.id for track in tracks] == [1]


def test_who_is_not_seen_for_long_enough_is_lost() -> None:
    tracker = Tracker(lost_after=timedelta(seconds=2))
    tracker.update(after(0), [person(0.1)])
    assert tracker.update(after(2), []) != ()
    assert tracker.update(after(2.2), []) == ()
    (track,) = tracker.update(after(2.4), [person(0.1)])
    assert track.id == 2


def test_a_doubtful_detection_continues_a_track_but_begins_none() -> None:
    tracker = Tracker(min_score=0.5)
    assert tracker.update(after(0), [person(0.1, score=0.4)]) == ()
    tracker.update(after(0.2), [person(0.1, score=0.6)])
    (track,) = tracker.update(after(0.4), [person(0.101, score=0.4)])
    assert (track.id, track.score, track.last_seen) == (1, 0.4, after(0.4))


def test_a_sure_detection_goes_before_a_doubtful_one() -> None:
    tracker = Tracker(min_score=0.5)
    tracker.update(after(0), [person(0.1)])
    (track,) = tracker.update(after(0.2), [person(0.1, score=0.45), person(0.11, score=0.9)])
    assert track.score == 0.9


def test_below_its_floor_a_detection_is_nothing() -> None:
    tracker = Tracker(min_score=0.5)
    tracker.update(after(0), [person(0.1)])
    (track,) = tracker.update(after(0.2), [person(0.1, score=tracker.floor - 0.01)])
    assert track.last_seen == after(0)


def test_one_object_seen_twice_begins_one_track() -> None:
    tracks = Tracker().update(after(0), [person(0.1, score=0.6), person(0.105, score=0.8, label="dog")])
    assert [(track.label, track.score) for track in tracks] == [("dog", 0.8)]


def test_two_side_by_side_begin_two() -> None:
    assert len(Tracker().update(after(0), [person(0.1), person(0.1 + WIDTH)])) == 2


def test_the_label_is_what_most_detections_said() -> None:
    tracker = Tracker()
    labels = ["car", "truck", "car", "car", "truck", "car"]
    for n, label in enumerate(labels):
        (track,) = tracker.update(after(n / 5), [person(0.1, label=label)])
    assert (track.id, track.label) == (1, "car")


def test_a_rider_does_not_become_the_bicycle() -> None:
    tracker = Tracker()
    for n in range(20):
        x = 0.1 + 0.02 * n
        bicycle = [] if 5 <= n < 8 else [person(x, 0.46, label="bicycle")]
        tracks = tracker.update(after(n / 5), [person(x), *bicycle])
    assert {track.id: track.label for track in tracks} == {1: "person", 2: "bicycle"}


def test_box_and_score_are_of_the_last_detection() -> None:
    tracker = Tracker()
    tracker.update(after(0), [person(0.1)])
    (track,) = tracker.update(after(0.2), [person(0.12, score=0.51)])
    assert (track.box, track.score) == (person(0.12).box, 0.51)
    assert (track.first_seen, track.last_seen) == (after(0), after(0.2))


def test_who_walks_has_moved() -> None:
    tracker = Tracker()
    moved = [tracker.update(after(n / 5), [person(0.1 + 0.005 * n)])[0].moved for n in range(20)]
    assert moved[0] is False
    assert moved[-1] is True


def test_who_comes_nearer_has_moved_though_his_middle_has_not() -> None:
    tracker = Tracker()
    for n in range(20):
        grown = 0.004 * n
        box = Box(0.4 - grown, 0.4 - grown, 0.45 + grown, 0.55 + grown)
        (track,) = tracker.update(after(n / 5), [Detection(box, "person", 0.7)])
    assert track.moved


def test_a_box_that_trembles_has_not_moved() -> None:
    tracker = Tracker()
    for n in range(200):
        jitter = 0.15 * WIDTH * (-1) ** n
        (track,) = tracker.update(after(n / 5), [person(0.1 + jitter)])
    assert not track.moved


def test_one_wild_box_is_no_move() -> None:
    tracker = Tracker()
    for n in range(30):
        (track,) = tracker.update(after(n / 5), [person(0.1 + (0.02 if n == 15 else 0))])
    assert not track.moved


def test_a_parked_car_that_is_half_hidden_has_not_moved() -> None:
    tracker = Tracker()
    for n in range(30):
        right = 0.4 if 10 <= n < 20 else 0.5
        (track,) = tracker.update(after(n / 5), [Detection(Box(0.3, 0.4, right, 0.5), "car", 0.7)])
    assert (track.id, track.moved) == (1, False)


def test_who_stays_for_long_enough_stands_still_since_he_came_there() -> None:
    tracker = Tracker(still_after=timedelta(seconds=10))
    for n in range(100):
        (track,) = tracker.update(after(n / 5), [person(0.1 + 0.01 * min(n, 20))])
    assert track.stationary_since is not None
    assert after(3) < track.stationary_since < after(4.5)
    for n in range(100, 120):
        (track,) = tracker.update(after(n / 5), [person(0.3 + 0.01 * (n - 100))])
    assert track.stationary_since is None


def test_a_parked_car_is_the_same_after_hours_in_which_nobody_looked() -> None:
    tracker = Tracker()
    for n in range(60):
        tracker.update(after(n / 5), [person(0.1, label="car")])
    (track,) = tracker.update(after(7200), [person(0.1, label="car")])
    assert (track.id, track.moved, track.stationary_since) == (1, False, after(0))


def test_a_parked_car_that_drove_off_while_nobody_looked_is_forgotten() -> None:
    tracker = Tracker()
    for n in range(60):
        tracker.update(after(n / 5), [person(0.1, label="car")])
    alive = [len(tracker.update(after(7200 + n), [])) for n in range(4)]
    assert alive == [1, 1, 0, 0]


def test_who_walked_when_the_looks_ended_is_somebody_else_when_they_begin_again() -> None:
    tracker = Tracker()
    for n in range(10):
        tracker.update(after(n / 5), [person(0.1 + 0.01 * n)])
    (track,) = tracker.update(after(60), [person(0.19)])
    assert track.id == 2


def test_a_parked_car_does_not_become_its_neighbour() -> None:
    tracker = Tracker()
    for n in range(60):
        tracker.update(after(n / 5), [person(0.30, label="car")])
    tracks = tracker.update(after(12), [person(0.35, label="car")])
    assert [track.id for track in seen(tracks, 12)] == [2]


def test_a_parked_car_does_not_become_its_neighbour_while_nobody_looks() -> None:
    tracker = Tracker()
    for n in range(60):
        tracker.update(after(n / 5), [person(0.30, label="car")])
    tracks = tracker.update(after(7200), [person(0.36, label="car")])
    assert [track.id for track in seen(tracks, 7200)] == [2]


def test_a_clock_that_is_set_back_ends_the_tracks() -> None:
    tracker = Tracker()
    tracker.update(after(3600), [person(0.1)])
    (track,) = tracker.update(after(0), [person(0.1)])
    assert (track.id, track.first_seen) == (2, after(0))


def test_a_clock_that_is_set_back_a_little_does_not() -> None:
    tracker = Tracker()
    tracker.update(after(0.5), [person(0.1)])
    (track,) = tracker.update(after(0), [person(0.1)])
    assert (track.id, track.last_seen) == (1, after(0))


def test_the_number_of_tracks_is_bounded() -> None:
    tracker = Tracker()
    crowd = [
        Detection(Box(x / 20, y / 20, x / 20 + 0.01, y / 20 + 0.01), "person", 0.7)
        for x in range(20)
        for y in range(20)
    ]
    assert len(tracker.update(after(0), crowd)) == MAX_TRACKS


detections = st.builds(
    person, st.floats(0, 0.9), st.floats(0, 0.8), st.floats(0, 1), st.sampled_from(["person", "car", "dog"])
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0.01, 4), st.lists(detections, max_size=6)), max_size=15))
def test_what_holds_whatever_comes(looks: list[tuple[float, list[Detection]]]) -> None:
    tracker, seconds = Tracker(), 0.0
    known: dict[int, datetime] = {}
    for step, found in looks:
        seconds += step
        at = after(seconds)
        tracks = tracker.update(at, found)
        now = [track for track in tracks if track.last_seen == at]
        assert len({track.id for track in tracks}) == len(tracks)
        # Each detection is at most one track's, and a track's box and score are a detection's.
        assert len(now) <= len([each for each in found if each.score >= tracker.floor])
        assert all(any((each.box, each.score) == (track.box, track.score) for each in found) for track in now)
        for track in tracks:
            assert track.first_seen <= track.last_seen <= at
            assert known.setdefault(track.id, track.first_seen) == track.first_seen
            assert track.stationary_since is None or at - track.stationary_since >= timedelta(seconds=10)

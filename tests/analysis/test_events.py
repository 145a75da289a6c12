from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvr.analysis.events import Action, Better, Closed, MotionEvents, ObjectEvents, Opened, Seen
from nvr.analysis.motion import Motion
from nvr.analysis.tracker import Track
from nvr.model import Box

T0 = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
HERE = Box(0.4, 0.4, 0.5, 0.6)
STILL = Motion()
BEAT = 0.2
"""Seconds between two looks."""


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def moving(*boxes: Box, area: float = 0.02) -> Motion:
    return Motion(area, boxes or (HERE,))


def shifted(box: Box, across: float = 0.0, down: float = 0.0) -> Box:
    return Box(box.left + across, box.top + down, box.right + across, box.bottom + down)


def walker(seconds: float, *, first: float = 0, seen: float | None = None, id: int = 1, box: Box = HERE) -> Track:
    """Somebody who has moved, in a look at ``seconds``, last seen then or at ``seen``."""
    last = seconds if seen is None else seen
    return Track(id, "person", box, 0.7, after(first), after(last), moved=True)


def parked(seconds: float, *, first: float = 0, id: int = 9, box: Box = HERE) -> Track:
    """A car that has not moved since it was first seen, 10 s after which it is known to stand still."""
    still = after(first) if seconds - first >= 10 else None
    return Track(id, "car", box, 0.8, after(first), after(seconds), moved=False, stationary_since=still)


def beats(start: float, stop: float) -> Iterable[float]:
    return (round(start + n * BEAT, 3) for n in range(round((stop - start) / BEAT)))


def opened(actions: Iterable[Action]) -> list[Opened]:
    return [action for action in actions if isinstance(action, Opened)]


def closed(actions: Iterable[Action]) -> list[Closed]:
    return [action for action in actions if isinstance(action, Closed)]


class TestMotionEvents:
    @pytest.mark.parametrize(
        ("looks", "opens_at"),
        [("mmm", 2), ("mm..m", 4), ("m.m.m", 4), ("mm....m", None), ("m...m..m..m", None), ("..mmm", 4)],
    )
    def test_one_opens_after_motion_in_three_of_five_looks(self, looks: str, opens_at: int | None) -> None:
        events = MotionEvents()
        found = [
            bool(opened(events.look(after(n * BEAT), moving() if look == "m" else STILL)))
            for n, look in enumerate(looks)
        ]
        assert [n for n, yes in enumerate(found) if yes] == ([] if opens_at is None else [opens_at])

    def test_it_begins_with_the_first_look_that_moved_and_ends_with_the_last(self) -> None:
        events, actions = MotionEvents(), list[Action]()
        for seconds in beats(0, 20):
            actions += events.look(after(seconds), moving() if 2 <= seconds < 6 else STILL)
        assert opened(actions) == [Opened(1, "motion", "motion", after(2), after(2.4), 0.02, HERE)]
        assert closed(actions) == [Closed(1, after(5.8))]

    def test_it_closes_five_seconds_after_the_last_motion(self) -> None:
        events = MotionEvents()
        for seconds in (0, 0.2, 0.4):
            events.look(after(seconds), moving())
        assert closed(events.look(after(5.2), STILL)) == []
        assert closed(events.look(after(5.4), STILL)) == [Closed(1, after(0.4))]

    def test_a_pause_does_not_split_it(self) -> None:
        events, actions = MotionEvents(), list[Action]()
        for seconds in beats(0, 20):
            actions += events.look(after(seconds), STILL if 4 <= seconds < 8 else moving())
        assert (len(opened(actions)), closed(actions)) == (1, [])

    def test_the_next_has_another_key(self) -> None:
        events, actions = MotionEvents(), list[Action]()
        for seconds in beats(0, 20):
            actions += events.look(after(seconds), STILL if 4 <= seconds < 12 else moving())
        assert [event.key for event in opened(actions)] == [1, 2]

    def test_looks_long_ago_do_not_count(self) -> None:
        events = MotionEvents()
        actions = [*events.look(after(0), moving()), *events.look(after(0.2), moving())]
        actions += events.look(after(60), moving())
        assert opened(actions) == []

    def test_a_larger_motion_is_a_better_picture(self) -> None:
        events, actions = MotionEvents(), list[Action]()
        for seconds, area in zip(beats(0, 3), [0.02, 0.02, 0.02, 0.021, 0.024, 0.03, 0.03, 0.01], strict=False):
            actions += events.look(after(seconds), moving(area=area))
        assert [action for action in actions if isinstance(action, Better)] == [
            Better(1, after(1.0), "motion", 0.03, HERE)
        ]

    def test_the_detector_sleeps(self) -> None:
        assert MotionEvents().wants_detector(T0, moving()) is False


class TestObjectEvents:
    @pytest.mark.parametrize(
        ("looks", "opens_at"), [("sss", 2), ("ss..s", 4), ("s.s.s", 4), ("ss....s", None), ("s....s", None)]
    )
    def test_one_opens_after_its_track_was_seen_in_three_of_five_looks(self, looks: str, opens_at: int | None) -> None:
        events, found, last = ObjectEvents(), [], 0.0
        for n, look in enumerate(looks):
            last = n * BEAT if look == "s" else last
            actions = events.look(after(n * BEAT), moving(), (walker(n * BEAT, seen=last),))
            found.append(bool(opened(actions)))
        assert [n for n, yes in enumerate(found) if yes] == ([] if opens_at is None else [opens_at])

    def test_it_begins_when_its_track_was_first_seen_and_ends_when_it_was_last(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(1, 20):
            tracks = (walker(seconds, first=1),) if seconds < 6 else ()
            actions += events.look(after(seconds), STILL, tracks)
        assert opened(actions) == [Opened(1, "object", "person", after(1), after(1.4), 0.7, HERE)]
        assert closed(actions) == [Closed(1, after(5.8))]

    def test_it_closes_also_where_the_detector_sleeps_or_no_picture_comes(self) -> None:
        events = ObjectEvents()
        for seconds in (0, 0.2, 0.4):
            events.look(after(seconds), moving(), (walker(seconds),))
        assert closed(events.look(after(5.2), STILL)) == []
        assert closed(events.look(after(5.4), STILL)) == [Closed(1, after(0.4))]

    def test_each_object_has_its_own(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(0, 2):
            tracks = (walker(seconds), walker(seconds, id=2, box=shifted(HERE, 0.3)))
            actions += events.look(after(seconds), moving(), tracks)
        assert [event.key for event in opened(actions)] == [1, 2]

    def test_a_parked_car_is_none(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(0, 60):
            elsewhere = moving(shifted(HERE, 0.3))
            actions += events.look(after(seconds), elsewhere, (parked(seconds),))
        assert actions == []

    def test_who_walks_past_a_parked_car_does_not_make_it_one(self) -> None:
        car = Box(0.3, 0.4, 0.6, 0.55)
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(0, 30):
            passer_by = Box(0.25 + seconds / 60, 0.35, 0.32 + seconds / 60, 0.6)
            actions += events.look(after(seconds), moving(passer_by), (parked(seconds, box=car),))
        assert actions == []

    def test_who_covers_a_car_known_to_stand_does_not_make_it_one(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(0, 30):
            motion = moving() if seconds > 15 else STILL
            actions += events.look(after(seconds), motion, (parked(seconds),))
        assert actions == []

    def test_what_moves_where_it_stands_is_one(self) -> None:
        dancer = replace(parked(0), label="person")
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(0, 2):
            motion = moving(shifted(HERE, 0.01)) if seconds >= 1 else STILL
            actions += events.look(after(seconds), motion, (replace(dancer, last_seen=after(seconds)),))
        assert [event.seen for event in opened(actions)] == [after(1.4)]

    def test_one_whose_subject_comes_to_stand_ends_though_it_stays_in_sight(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(0, 40):
            still = after(5) if seconds >= 15 else None
            track = replace(walker(seconds), label="car", stationary_since=still)
            actions += events.look(after(seconds), moving(shifted(HERE, 0.3)), (track,))
        assert len(opened(actions)) == 1
        assert closed(actions) == [Closed(1, after(14.8))]

    def test_what_stood_and_drives_off_is_a_new_one_that_begins_then(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(0, 100):
            still = after(5) if 15 <= seconds < 90 else None
            actions += events.look(after(seconds), moving(), (replace(walker(seconds), stationary_since=still),))
        first, second = opened(actions)
        assert (first.start, second.seen) == (after(0), after(90))
        assert after(89) <= second.start <= after(90)

    def test_who_is_hidden_and_tracked_on_is_one(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(0, 12):
            tracks = (walker(seconds),) if seconds < 4 or seconds >= 8 else ()
            actions += events.look(after(seconds), STILL, tracks)
        assert (len(opened(actions)), closed(actions)) == (1, [])

    @pytest.mark.parametrize(
        ("box", "label", "gone", "events_opened"),
        [
            (shifted(HERE, 0.05), "person", 2, 1),
            (shifted(HERE, 0.25), "person", 2, 1),
            (shifted(HERE, 0.25), "person", 0.6, 2),
            (shifted(HERE, 0.45), "person", 2, 2),
            (shifted(HERE, 0.05), "dog", 2, 2),
            (shifted(HERE, 0.05), "person", 6, 2),
        ],
        ids=["near", "as far as one gets", "too fast", "far", "other label", "too late"],
    )
    def test_a_new_track_where_one_was_lost_takes_its_event_over(
        self, box: Box, label: str, gone: float, events_opened: int
    ) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(0, 12):
            tracks: tuple[Track, ...] = ()
            if seconds < 3:
                tracks = (walker(seconds),)
            elif seconds >= 3 + gone:
                tracks = (replace(walker(seconds, first=3 + gone, id=2, box=box), label=label),)
            actions += events.look(after(seconds), STILL, tracks)
        assert len(opened(actions)) == events_opened
        assert len({action.key for action in [*actions, *events.flush()]}) == events_opened

    def test_a_second_person_takes_no_event_over_while_the_first_is_in_sight(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(0, 6):
            tracks = [walker(seconds)]
            if seconds >= 3:
                tracks.append(walker(seconds, first=3, id=2, box=shifted(HERE, 0.05)))
            actions += events.look(after(seconds), STILL, tuple(tracks))
        assert len(opened(actions)) == 2

    @pytest.mark.parametrize("first", [0, 2.4])
    def test_who_was_there_before_takes_no_event_over(self, first: float) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(0, 6):
            other = replace(parked(seconds, first=first, box=shifted(HERE, 0.05)), label="person")
            tracks = [other] if seconds >= first else []
            if seconds < 3:
                tracks.append(walker(seconds))
            actions += events.look(after(seconds), STILL, tuple(tracks))
        assert len(opened(actions)) == 1
        assert events.flush() == (Closed(1, after(2.8)),)

    def test_a_snapshot_is_replaced_by_a_clearly_better_one_alone(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for n, seconds in enumerate(beats(0, 10)):
            grown = 0.002 * n
            box = Box(HERE.left - grown, HERE.top - grown, HERE.right + grown, HERE.bottom + grown)
            actions += events.look(after(seconds), moving(), (walker(seconds, box=box),))
        better = [action for action in actions if isinstance(action, Better)]
        assert 2 <= len(better) <= 6
        widths = [action.box.right - action.box.left for action in better]
        assert widths == sorted(widths)

    @pytest.mark.parametrize(
        ("box", "score", "is_better"),
        [
            (HERE, 0.9, True),
            (HERE, 0.75, False),
            (HERE, 0.5, False),
            (Box(0.3, 0.3, 0.5, 0.7), 0.6, True),
            (Box(0.8, 0.4, 1.0, 0.7), 0.7, False),
        ],
        ids=["surer", "hardly surer", "less sure", "larger", "larger but cut off"],
    )
    def test_what_is_a_better_snapshot(self, box: Box, score: float, is_better: bool) -> None:
        events = ObjectEvents()
        for seconds in (0, 0.2, 0.4):
            events.look(after(seconds), moving(), (walker(seconds),))
        actions = events.look(after(0.6), moving(), (replace(walker(0.6, box=box), score=score),))
        assert actions == ((Better(1, after(0.6), "person", score, box),) if is_better else ())

    def test_that_it_was_seen_is_told_once_a_second(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for seconds in beats(0, 10):
            actions += events.look(after(seconds), moving(), (walker(seconds),))
        told = [action.at for action in actions if isinstance(action, Seen)]
        assert told == [after(0.4 + n) for n in range(1, 10)]

    def test_flush_closes_all_with_their_last_sight(self) -> None:
        events = ObjectEvents()
        for seconds in beats(0, 2):
            events.look(after(seconds), moving(), (walker(seconds), walker(seconds, id=2, box=shifted(HERE, 0.3))))
        assert events.flush() == (Closed(1, after(1.8)), Closed(2, after(1.8)))
        assert events.flush() == ()

    def test_looks_before_a_long_pause_do_not_count(self) -> None:
        events = ObjectEvents()
        actions = [*events.look(after(0), moving(), (walker(0),)), *events.look(after(0.2), moving(), (walker(0.2),))]
        actions += events.look(after(60), moving(), (walker(60),))
        assert opened(actions) == []

    def test_a_clock_that_is_set_back_a_little_does_not_make_it_end_before_it_was_seen(self) -> None:
        events = ObjectEvents()
        for seconds in (0, 0.2, 0.4, 0.1):
            events.look(after(seconds), moving(), (walker(seconds),))
        assert events.flush() == (Closed(1, after(0.4)),)

    @pytest.mark.parametrize(("back", "closes"), [(0.5, False), (3600, True)])
    def test_a_clock_that_is_set_far_back_closes_all(self, back: float, closes: bool) -> None:
        events = ObjectEvents()
        for seconds in (0, 0.2, 0.4):
            events.look(after(seconds), moving(), (walker(seconds),))
        assert closed(events.look(after(0.4 - back), STILL)) == ([Closed(1, after(0.4))] if closes else [])


class TestTheDetector:
    def test_sleeps_until_something_moves(self) -> None:
        assert ObjectEvents().wants_detector(T0, STILL) is False
        assert ObjectEvents().wants_detector(T0, moving()) is True

    def test_stays_awake_for_a_moment_after_the_last_motion(self) -> None:
        events = ObjectEvents()
        events.look(after(0), moving(), ())
        assert [events.wants_detector(after(seconds), STILL) for seconds in (0.2, 1.0, 1.2)] == [True, True, False]

    def test_stays_awake_while_a_track_has_not_come_to_stand(self) -> None:
        events = ObjectEvents()
        events.look(after(0), moving(), (walker(0),))
        events.look(after(4), STILL, (walker(4),))
        assert events.wants_detector(after(4.2), STILL) is True

    def test_sleeps_when_all_tracks_stand_still(self) -> None:
        events = ObjectEvents()
        events.look(after(0), moving(), (parked(0),))
        events.look(after(15), STILL, (parked(15),))
        assert events.wants_detector(after(15.2), STILL) is False

    def test_sleeps_at_last_whatever_the_tracks_say_when_nothing_moves(self) -> None:
        events, awake = ObjectEvents(), []
        for seconds in beats(0, 60):
            motion = moving() if seconds == 0 else STILL
            if events.wants_detector(after(seconds), motion):
                awake.append(seconds)
                events.look(after(seconds), motion, (walker(seconds),))
        assert max(awake) == 10


looks = st.lists(
    st.tuples(
        st.floats(0.05, 8), st.booleans(), st.sets(st.integers(1, 4), max_size=4), st.booleans(), st.floats(0.3, 1)
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=100)
@given(looks)
def test_every_event_opens_once_and_closes_once_whatever_comes(
    steps: list[tuple[float, bool, set[int], bool, float]],
) -> None:
    events, seconds, actions = ObjectEvents(), 0.0, list[tuple[float, Action]]()
    known: dict[int, float] = {}
    for step, moves, ids, asleep, score in steps:
        seconds = round(seconds + step, 6)
        tracks = tuple(
            replace(walker(seconds, first=known.setdefault(id, seconds), id=id), score=score) for id in sorted(ids)
        )
        actions += [
            (seconds, action)
            for action in events.look(after(seconds), moving() if moves else STILL, None if asleep else tracks)
        ]
    actions += [(seconds, action) for action in events.flush()]
    keys = [action.key for _, action in actions if isinstance(action, Opened)]
    assert keys == list(range(1, len(keys) + 1))
    for key in keys:
        mine = [(when, action) for when, action in actions if action.key == key]
        first, last = mine[0][1], mine[-1][1]
        assert isinstance(first, Opened)
        assert isinstance(last, Closed)
        assert len(closed(action for _, action in mine)) == 1
        assert first.start <= first.seen <= last.end
        assert all(not isinstance(action, Seen) or action.at <= last.end for _, action in mine)
        assert all(not isinstance(action, Seen | Better) or action.at == after(when) for when, action in mine)

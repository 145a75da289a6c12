from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from nvr.analysis.actions import Action, Better, Closed, Opened, Seen
from nvr.analysis.events import ObjectEvents
from nvr.analysis.motion import Motion
from nvr.analysis.target import Sighting
from nvr.analysis.tracker import Track, Tracker
from nvr.analysis.zones import Filter, Line, Rules, Zone
from nvr.model import Box, Detection, Waypoint
from nvr.schedule import parse
from tests.analysis.scenes import (
    BEAT,
    BLIND,
    HERE,
    STILL,
    T0,
    UP,
    YARD,
    Scene,
    after,
    as_sharp_as,
    closed,
    moving,
    nobody,
    one,
    opened,
    parked,
    shifted,
    walker,
    watch,
    way,
)


class TestOneOpens:
    @pytest.mark.parametrize(
        ("looks", "opens_at"), [("sss", 2), ("ss..s", 4), ("s.s.s", 4), ("ss....s", None), ("s....s", None)]
    )
    def test_after_its_track_was_seen_in_three_of_five_looks(self, looks: str, opens_at: int | None) -> None:
        events, found, last = ObjectEvents(), [], 0.0
        for n, look in enumerate(looks):
            last = n * BEAT if look == "s" else last
            actions = events.look(after(n * BEAT), moving(), (walker(n * BEAT, seen=last),))
            found.append(bool(opened(actions)))
        assert [n for n, yes in enumerate(found) if yes] == ([] if opens_at is None else [opens_at])

    @pytest.mark.parametrize(
        ("beat", "seconds"), [(0.04, 0.4), (0.1, 0.4), (0.2, 0.4), (0.3, 0.6), (1, 2), (2, 4)], ids=str
    )
    def test_after_three_looks_and_a_moment_however_often_one_looks(self, beat: float, seconds: float) -> None:
        (event,) = opened(watch(ObjectEvents(), 0, 10, one, moving(), beat))
        assert (event.start, event.seen) == (after(0), after(seconds))

    @pytest.mark.parametrize(("every", "opens"), [(1, True), (1.5, True), (2, False), (3, False)])
    def test_only_if_seen_in_three_of_five_looks_of_a_second_where_they_are_many(
        self, every: float, opens: bool
    ) -> None:
        seen_in = {round(int(n * every) * 0.04, 3) for n in range(200)}
        last = 0.0

        def flickering(seconds: float) -> list[Track]:
            nonlocal last
            last = seconds if seconds in seen_in else last
            return [walker(seconds, seen=last)]

        # Where it is not seen for a moment at first, five looks are few: so it begins in the middle of a second.
        events = ObjectEvents()
        watch(events, -1, 0, lambda seconds: [walker(seconds, seen=-2, first=-2)], moving(), 0.04)
        assert bool(opened(watch(events, 0, 8, flickering, moving(), 0.04))) is opens

    def test_with_all_that_is_known_of_it(self) -> None:
        actions = watch(ObjectEvents(), 1, 2, lambda seconds: [walker(seconds, first=1)])
        assert actions == [
            Opened(
                1, "object", "person", after(1), after(1.4), 0.7, HERE, "came into sight",
                path=tuple(Waypoint(after(at), HERE) for at in (1, 1.2, 1.4)),
            )
        ]  # fmt: skip

    def test_for_each_object(self) -> None:
        def two(seconds: float) -> list[Track]:
            return [walker(seconds), walker(seconds, shifted(HERE, 0.3), id=2)]

        assert [event.key for event in opened(watch(ObjectEvents(), 0, 2, two))] == [1, 2]

    def test_with_the_picture_and_the_way_that_the_first_sight_began(self) -> None:
        events = ObjectEvents(Rules(zones=(YARD,), required=("yard",)))

        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, UP if seconds < 4 else HERE)]

        actions = watch(events, 0, 6, scene, beat=0.04)
        (event,) = opened(actions)
        assert event.start == event.path[0].at == after(0)
        assert way(actions)[:150] == [round(n * 0.04, 3) for n in range(len(way(actions)))]

    def test_with_its_last_seconds_where_it_was_there_long_before(self) -> None:
        events = ObjectEvents(Rules(zones=(YARD,), required=("yard",)))
        (event,) = opened(watch(events, 0, 62, lambda seconds: [walker(seconds, UP if seconds < 60 else HERE)]))
        assert (event.start, event.seen) == (after(59), after(60))
        assert [point.at for point in event.path] == [after(at) for at in (59, 59.2, 59.4, 59.6, 59.8, 60)]

    def test_not_by_looks_before_a_long_pause(self) -> None:
        events = ObjectEvents()
        actions = [*watch(events, 0, 0.4, one, moving()), *events.look(after(60), moving(), (walker(60),))]
        assert opened(actions) == []

    def test_not_by_looks_at_one_instant(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for _ in range(20):
            actions += events.look(T0, moving(), (walker(0),))
        assert actions == []

    def test_not_for_what_does_not_move(self) -> None:
        assert watch(ObjectEvents(), 0, 60, lambda seconds: [walker(seconds, moved=False)]) == []

    def test_for_what_moves_where_it_stands(self) -> None:
        actions = watch(
            ObjectEvents(), 0, 2, lambda seconds: [parked(seconds, label="person")],
            lambda seconds: moving(shifted(HERE, 0.01)) if seconds >= 1 else STILL,
        )  # fmt: skip
        assert [event.seen for event in opened(actions)] == [after(1.4)]

    @pytest.mark.parametrize(("score", "opens"), [(0.59, False), (0.6, True)])
    def test_for_who_was_once_as_sure_as_the_filter_of_the_label_wants(self, score: float, opens: bool) -> None:
        rules = Rules(filters=(Filter("person", min_score=0.6), Filter("car", min_score=0.1)))

        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, score=score if seconds == 1 else 0.5)]

        assert bool(opened(watch(ObjectEvents(rules, min_score=0.4), 0, 2, scene))) is opens

    def test_for_nobody_who_is_less_sure_than_wanted(self) -> None:
        assert opened(watch(ObjectEvents(min_score=0.71), 0, 2, one)) == []
        assert opened(watch(ObjectEvents(min_score=0.7), 0, 2, one)) != []

    def test_not_at_hours_that_are_not_scheduled(self) -> None:
        events = ObjectEvents(Rules(schedule=parse({"mon-sun": ["13:06-13:07"]}, UTC)))
        actions = watch(events, 0, 150, one)
        assert [event.start for event in opened(actions)] == [after(59)]
        assert closed(actions) == []

    def test_not_for_what_stood_there_before_its_hours_began(self) -> None:
        events = ObjectEvents(Rules(schedule=parse({"mon-sun": ["13:06-13:07"]}, UTC)))
        assert watch(events, 0, 120, lambda seconds: [walker(seconds, still=30 if seconds > 40 else None)]) == []


class TestADoubtfulSight:
    def test_counts_once_a_sure_one_follows(self) -> None:
        actions = watch(ObjectEvents(), 0, 4, lambda seconds: [walker(seconds, sure=not 1 <= seconds < 3)])
        told = [(action.at, len(action.path)) for action in actions if isinstance(action, Seen)]
        assert told == [(after(0.8), 2), (after(0.8), 0), (after(3.4), 13)]
        assert way(actions) == [round(n * BEAT, 3) for n in range(18)]

    def test_is_neither_end_nor_way_of_who_is_gone(self) -> None:
        actions = watch(ObjectEvents(), 0, 60, lambda seconds: [walker(seconds, sure=seconds < 2)])
        assert len(opened(actions)) == 1
        assert closed(actions) == [(1, 1.8, "lost from sight")]
        assert max(way(actions)) == 1.8

    def test_helps_to_open_it_but_is_not_its_end(self) -> None:
        events = ObjectEvents()
        actions = watch(events, 0, 1, lambda seconds: [walker(seconds, sure=seconds == 0 or seconds == 0.8)])
        (event,) = opened(actions)
        assert (event.start, event.seen, [point.at for point in event.path]) == (after(0), after(0), [after(0)])
        end = events.flush("nvr stopped")
        assert closed(end) == [(1, 0.8, "nvr stopped")]
        assert way([*actions, *end]) == [0, 0.2, 0.4, 0.6, 0.8]

    def test_opens_none_without_a_sure_one(self) -> None:
        events = ObjectEvents()
        watch(events, 0, 60, lambda seconds: [walker(seconds, moved=False, sure=seconds == 0)])
        assert watch(events, 60, 90, lambda seconds: [walker(seconds, sure=False)]) == []
        (event,) = opened(watch(events, 90, 91, one))
        assert (event.start, event.seen) == (after(89), after(90))


class TestItsEnd:
    def test_is_when_it_was_last_seen(self) -> None:
        actions = watch(ObjectEvents(), 0, 20, lambda seconds: one(seconds) if seconds < 6 else [])
        assert closed(actions) == [(1, 5.8, "lost from sight")]

    def test_is_at_the_border_for_who_leaves(self) -> None:
        def leaving(seconds: float) -> list[Track]:
            return [walker(seconds, shifted(HERE, seconds / 10))] if seconds <= 5 else []

        assert closed(watch(ObjectEvents(), 0, 20, leaving)) == [(1, 5, "left the picture")]

    def test_comes_also_where_the_detector_sleeps_or_no_picture_comes(self) -> None:
        events = ObjectEvents()
        watch(events, 0, 0.6, one, moving())
        assert events.look(after(5.2), STILL) == ()
        assert closed(events.look(after(5.4), STILL)) == [(1, 0.4, "lost from sight")]

    def test_comes_with_a_flush(self) -> None:
        events = ObjectEvents()
        watch(events, 0, 2, lambda seconds: [walker(seconds), walker(seconds, shifted(HERE, 0.3), id=2)])
        assert closed(events.flush("nvr stopped")) == [(1, 1.8, "nvr stopped"), (2, 1.8, "nvr stopped")]
        assert events.flush("nvr stopped") == ()

    def test_tells_the_rest_of_the_way(self) -> None:
        events = ObjectEvents()
        watch(events, 0, 1.8, one)
        (end,) = events.flush("nvr stopped")
        assert isinstance(end, Closed)
        assert [point.at for point in end.path] == [after(1.6)]

    def test_is_not_while_it_is_hidden_and_tracked_on(self) -> None:
        actions = watch(ObjectEvents(), 0, 12, lambda seconds: one(seconds) if seconds < 4 or seconds >= 8 else [])
        assert (len(opened(actions)), closed(actions)) == (1, [])

    def test_is_not_before_it_was_seen_where_the_clock_is_set_back_a_little(self) -> None:
        events = ObjectEvents()
        for seconds in (0, 0.2, 0.4, 0.1):
            events.look(after(seconds), moving(), (walker(seconds),))
        assert closed(events.flush("nvr stopped")) == [(1, 0.4, "nvr stopped")]

    @pytest.mark.parametrize(("back", "closes"), [(0.5, False), (3600, True)])
    def test_comes_where_the_clock_is_set_far_back(self, back: float, closes: bool) -> None:
        events = ObjectEvents()
        watch(events, 0, 0.6, one, moving())
        actions = events.look(after(0.4 - back), STILL)
        assert closed(actions) == ([(1, 0.4, "lost from sight")] if closes else [])

    def test_is_told_before_that_the_next_began_where_the_clock_is_set_far_back(self) -> None:
        events = ObjectEvents()
        actions = watch(events, 0, 3, one)
        actions += watch(events, -3600, -3597, lambda seconds: [walker(seconds, id=2, first=-3600)])
        assert [(type(action), action.key) for action in actions if not isinstance(action, Seen)] == [
            (Opened, 1),
            (Closed, 1),
            (Opened, 2),
        ]
        assert opened(actions)[1].start == after(-3600)

    def test_one_whose_track_began_before_the_clock_was_set_back_does_not_begin_after_it_was_seen(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for seconds in (1, 1.2, 0.5, 0.7, 0.9):
            actions += events.look(after(seconds), moving(), (walker(seconds, first=1),))
        assert [(event.start, event.seen) for event in opened(actions)] == [(after(0.5), after(0.9))]


class TestWhatStands:
    def test_is_none_if_it_only_stands_there(self) -> None:
        elsewhere = moving(shifted(HERE, 0.3))
        assert watch(ObjectEvents(), 0, 60, lambda seconds: [parked(seconds)], elsewhere) == []

    def test_is_none_though_somebody_walks_past_it(self) -> None:
        def passer_by(seconds: float) -> Motion:
            return moving(Box(0.25 + seconds / 60, 0.35, 0.32 + seconds / 60, 0.6))

        car = Box(0.3, 0.4, 0.6, 0.55)
        assert watch(ObjectEvents(), 0, 30, lambda seconds: [parked(seconds, car)], passer_by) == []

    def test_is_none_though_somebody_covers_it(self) -> None:
        covered = watch(
            ObjectEvents(), 0, 30, lambda seconds: [parked(seconds)],
            lambda seconds: moving() if seconds > 15 else STILL,
        )  # fmt: skip
        assert covered == []

    def test_is_over_thirty_seconds_after_it_came_to_stand_though_it_stays_in_sight(self) -> None:
        events = ObjectEvents()

        def stands(seconds: float) -> list[Track]:
            return [walker(seconds, label="car", still=5 if seconds >= 15 else None)]

        actions = watch(events, 0, 44.8, stands)
        assert (len(opened(actions)), closed(actions)) == (1, [])
        assert closed(watch(events, 44.8, 45, stands)) == [(1, 14.8, "came to stand")]
        assert watch(events, 45, 100, stands) == []

    def test_is_over_then_though_nobody_looks(self) -> None:
        events = ObjectEvents()
        watch(events, 0, 16, lambda seconds: [walker(seconds, still=5 if seconds >= 15 else None)])
        assert closed(watch(events, 16, 46, lambda seconds: None)) == [(1, 14.8, "came to stand")]

    def test_and_walks_on_in_time_is_the_same(self) -> None:
        events = ObjectEvents()
        actions = watch(events, 0, 60, lambda seconds: [walker(seconds, still=5 if 15 <= seconds < 44 else None)])
        assert (len(opened(actions)), closed(actions)) == (1, [])
        assert closed(events.flush("nvr stopped")) == [(1, 59.8, "nvr stopped")]

    def test_and_drives_off_later_is_a_new_one_that_begins_then(self) -> None:
        actions = watch(
            ObjectEvents(), 0, 100, lambda seconds: [walker(seconds, still=5 if 15 <= seconds < 90 else None)]
        )
        first, second = opened(actions)
        assert (first.start, first.began) == (after(0), "came into sight")
        assert (second.start, second.seen, second.began) == (after(89), after(90), "moved off")
        assert second.path[0].at == after(89)

    def test_is_no_better_picture(self) -> None:
        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, score=0.9 if seconds > 15 else 0.5, still=5 if seconds > 14 else None)]

        assert not any(isinstance(action, Better) for action in watch(ObjectEvents(), 0, 20, scene))

    def test_stays_where_it_is_while_somebody_walks_in_front_of_it(self) -> None:
        car = Detection(Box(0.3, 0.4, 0.6, 0.55), "car", 0.8)
        tracker, events, actions = Tracker(), ObjectEvents(), list[Action]()
        for n in range(150):
            person = Box(-0.05 + n / 150, 0.35, 0.02 + n / 150, 0.6)
            hidden = car.box.left < person.left < car.box.left + 0.05
            seen = Detection(Box(person.right, 0.4, 0.6, 0.55), "car", 0.6) if hidden else car
            touched = person.right > car.box.left and person.left < car.box.right
            sightings = [Sighting(seen, touched), Sighting(Detection(person, "person", 0.7), True)]
            tracks = tracker.update(after(n / 5), sightings if n > 20 else sightings[:1])
            actions += events.look(after(n / 5), moving(person) if n > 20 else STILL, tracks)
        assert [event.label for event in opened(actions)] == ["person"]
        (parked_car,) = (track for track in tracks if track.label == "car")
        assert parked_car.id == 1
        edges = ("left", "top", "right", "bottom")
        assert all(getattr(parked_car.box, edge) == pytest.approx(getattr(car.box, edge), abs=0.01) for edge in edges)


class TestANewTrack:
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
    def test_takes_over_the_event_of_one_that_was_lost_near_by(
        self, box: Box, label: str, gone: float, events_opened: int
    ) -> None:
        def scene(seconds: float) -> list[Track]:
            if seconds < 3:
                return [walker(seconds)]
            return [walker(seconds, box, id=2, first=3 + gone, label=label)] if seconds >= 3 + gone else []

        events = ObjectEvents()
        actions = watch(events, 0, 12, scene)
        assert len(opened(actions)) == events_opened
        assert len({action.key for action in [*actions, *events.flush("nvr stopped")]}) == events_opened

    @pytest.mark.parametrize(
        ("label", "other", "same"), [("car", "truck", True), ("bus", "car", True), ("car", "dog", False)]
    )
    def test_may_take_one_kind_of_vehicle_for_another(self, label: str, other: str, same: bool) -> None:
        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, label=label) if seconds < 3 else walker(seconds, id=2, first=3, label=other)]

        assert len(opened(watch(ObjectEvents(), 0, 6, scene))) == (1 if same else 2)

    @pytest.mark.parametrize(("grey", "same"), [(100, True), (115, True), (140, False), (None, True)])
    def test_of_other_colours_takes_nothing_over(self, grey: float | None, same: bool) -> None:
        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, grey=100) if seconds < 3 else walker(seconds, id=2, first=3, grey=grey)]

        assert len(opened(watch(ObjectEvents(), 0, 6, scene))) == (1 if same else 2)

    def test_takes_over_with_its_way_and_its_zones(self) -> None:
        rules = Rules(zones=(YARD, Zone("gate", ((0.5, 0.5), (1, 0.5), (1, 1), (0.5, 1)))))

        def scene(seconds: float) -> list[Track]:
            if seconds < 3:
                return [walker(seconds)]
            return [walker(seconds, shifted(HERE, 0.11), id=2, first=3)]

        actions = watch(ObjectEvents(rules), 0, 6, scene)
        assert [event.zones for event in opened(actions)] == [("yard",)]
        assert [action.zones for action in actions if isinstance(action, Seen)][-1] == ("yard", "gate")
        assert max(way(actions)) > 5

    def test_takes_none_over_while_the_first_is_in_sight(self) -> None:
        def scene(seconds: float) -> list[Track]:
            return [walker(seconds), walker(seconds, shifted(HERE, 0.05), id=2, first=3)][: 1 if seconds < 3 else 2]

        assert len(opened(watch(ObjectEvents(), 0, 6, scene))) == 2

    @pytest.mark.parametrize("first", [0, 2.4])
    def test_takes_none_over_that_it_was_seen_beside(self, first: float) -> None:
        def scene(seconds: float) -> list[Track]:
            other = walker(seconds, shifted(HERE, 0.05), id=2, first=first, moved=False)
            return [*([other] if seconds >= first else []), *([walker(seconds)] if seconds < 3 else [])]

        events = ObjectEvents()
        assert len(opened(watch(events, 0, 6, scene))) == 1
        assert closed(events.flush("nvr stopped")) == [(1, 2.8, "nvr stopped")]

    def test_takes_the_nearest_over_whichever_comes_first(self) -> None:
        def scene(seconds: float) -> list[Track]:
            if seconds < 3:
                return one(seconds)
            far = walker(seconds, shifted(HERE, 0.25), id=2, first=5, moved=False)
            return [far, walker(seconds, shifted(HERE, 0.05), id=3, first=5)] if seconds >= 5 else []

        events = ObjectEvents()
        actions = watch(events, 0, 8, scene)
        assert len(opened(actions)) == 1
        (end,) = events.flush("nvr stopped")
        assert isinstance(end, Closed)
        assert {point.box for point in end.path} == {shifted(HERE, 0.05)}

    def test_that_is_seen_too_seldom_takes_none_over(self) -> None:
        def scene(seconds: float) -> list[Track]:
            return one(seconds) if seconds < 3 else [walker(seconds, id=2, first=3, seen=3)]

        assert closed(watch(ObjectEvents(), 0, 9, scene)) == [(1, 2.8, "lost from sight")]


class TestAPart:
    HEAD = Box(0.43, 0.4, 0.47, 0.45)

    def test_of_another_is_none(self) -> None:
        actions = watch(ObjectEvents(), 0, 6, lambda seconds: [walker(seconds), walker(seconds, self.HEAD, id=2)])
        assert [event.box for event in opened(actions)] == [HERE]

    def test_that_is_seen_without_the_whole_is_one(self) -> None:
        actions = watch(
            ObjectEvents(), 0, 6, lambda seconds: [walker(seconds, seen=0), walker(seconds, self.HEAD, id=2)]
        )
        assert [event.box for event in opened(actions)] == [self.HEAD]

    def test_is_of_the_same_label(self) -> None:
        def in_car(seconds: float) -> list[Track]:
            return [walker(seconds, label="car"), walker(seconds, self.HEAD, id=2)]

        assert len(opened(watch(ObjectEvents(), 0, 6, in_car))) == 2

    def test_of_another_later_goes_on(self) -> None:
        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, shifted(HERE, 0.3 if seconds < 3 else 0)), walker(seconds, self.HEAD, id=2)]

        events = ObjectEvents()
        watch(events, 0, 6, scene)
        assert {end[:2] for end in closed(events.flush("nvr stopped"))} == {(1, 5.8), (2, 5.8)}

    def test_of_another_later_is_still_told_where_it_goes(self) -> None:
        def scene(seconds: float) -> list[Track]:
            return [walker(seconds), walker(seconds, UP if seconds < 3 else shifted(HERE, 0.01), id=2)]

        actions = watch(ObjectEvents(Rules(zones=(YARD,))), 0, 6, scene)
        assert [action.zones for action in actions if isinstance(action, Seen) and action.key == 2][-1] == ("yard",)


class TestAZone:
    def test_that_is_required_opens_one_when_it_is_entered(self) -> None:
        events = ObjectEvents(Rules(zones=(YARD,), required=("yard",)))
        assert watch(events, 0, 5, lambda seconds: [walker(seconds, UP)]) == []
        (event,) = opened(watch(events, 5, 6, one))
        assert (event.seen, event.began, event.zones) == (after(5), "entered yard", ("yard",))

    def test_of_other_labels_opens_none(self) -> None:
        yard = Zone("yard", YARD.points, labels=("car",))
        assert watch(ObjectEvents(Rules(zones=(yard,), required=("yard",))), 0, 5, one) == []

    def test_that_is_not_required_is_told_of(self) -> None:
        (event,) = opened(watch(ObjectEvents(Rules(zones=(YARD,))), 0, 5, one))
        assert (event.began, event.zones) == ("entered yard", ("yard",))

    def test_that_is_entered_later_is_told_at_once(self) -> None:
        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, UP if seconds < 3 else HERE)]

        actions = watch(ObjectEvents(Rules(zones=(YARD,))), 0, 5, scene)
        assert [(event.began, event.zones) for event in opened(actions)] == [("came into sight", ())]
        told = [(action.at, action.zones) for action in actions if isinstance(action, Seen)]
        assert told[:4] == [(after(1.4), ()), (after(2.4), ()), (after(3), ("yard",)), (after(4), ("yard",))]

    def test_that_was_left_before_the_required_one_is_told_of(self) -> None:
        street = Zone("street", ((0, 0), (1, 0), (1, 0.45), (0, 0.45)))

        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, UP if seconds < 3 else HERE)]

        (event,) = opened(watch(ObjectEvents(Rules(zones=(YARD, street), required=("yard",))), 0, 5, scene))
        assert (event.began, event.zones) == ("entered yard", ("street", "yard"))

    def test_a_line_that_is_required_opens_one_when_it_is_crossed(self) -> None:
        line = Line("gate", ((0.0, 0.45), (1.0, 0.45)))

        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, UP if seconds < 3 else HERE)]

        (event,) = opened(watch(ObjectEvents(Rules(lines=(line,), required=("gate",))), 0, 5, scene))
        assert (event.seen, event.began, event.zones) == (after(3), "crossed gate inwards", ("gate",))

    def test_in_which_a_car_was_parked_is_not_why_it_moved_off(self) -> None:
        def scene(seconds: float) -> list[Track]:
            still = -90 if seconds < 60 else None
            return [walker(seconds, first=-90, label="car", moved=seconds > 60, still=still)]

        (event,) = opened(watch(ObjectEvents(Rules(zones=(YARD,))), 0, 65, scene))
        assert (event.began, event.zones) == ("moved off", ("yard",))

    def test_from_before_it_stood_is_not_of_the_event_of_its_moving_off(self) -> None:
        def scene(seconds: float) -> list[Track]:
            box = HERE if seconds < 5 else UP
            return [walker(seconds, box, still=6 if 15 <= seconds < 90 else None)]

        actions = watch(ObjectEvents(Rules(zones=(YARD,))), 0, 95, scene)
        first, second = opened(actions)
        assert (first.zones, second.zones) == (("yard",), ())
        assert {action.zones for action in actions if isinstance(action, Seen) and action.key == 2} == {()}

    def test_that_is_entered_after_it_stood_is_why_it_began(self) -> None:
        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, UP if seconds < 91 else HERE, still=6 if 15 <= seconds < 90 else None)]

        (event,) = opened(watch(ObjectEvents(Rules(zones=(YARD,), required=("yard",))), 0, 95, scene))
        assert (event.seen, event.began) == (after(91), "entered yard")

    @pytest.mark.parametrize(("moved", "began"), [(True, ["stayed 20 s in yard"]), (False, [])])
    def test_in_which_somebody_stays_standing_for_too_long_opens_one(self, moved: bool, began: list[str]) -> None:
        yard = Zone("yard", YARD.points, dwell=timedelta(seconds=20))

        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, moved=moved, still=2 if seconds >= 12 else None)]

        actions = watch(ObjectEvents(Rules(zones=(yard,), required=("yard",))), 0, 300, scene)
        assert [event.began for event in opened(actions)] == began
        assert closed(actions) == ([(1, 20, "came to stand")] if moved else [])

    def test_in_which_somebody_stays_is_waited_for_as_what_stands_though_nobody_looks_then(self) -> None:
        yard = Zone("yard", YARD.points, dwell=timedelta(seconds=20))

        def scene(seconds: float) -> list[Track] | None:
            return [walker(seconds, still=2 if seconds >= 12 else None)] if seconds <= 20 else None

        actions = watch(ObjectEvents(Rules(zones=(yard,), required=("yard",))), 0, 300, scene)
        assert closed(actions) == [(1, 20, "came to stand")]

    def test_that_is_not_required_opens_none_for_who_stays_in_it(self) -> None:
        yard = Zone("yard", YARD.points, dwell=timedelta(seconds=50))

        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, still=2 if seconds >= 12 else None)]

        assert len(opened(watch(ObjectEvents(Rules(zones=(yard,))), 0, 90, scene))) == 1

    def test_that_is_dwelt_in_by_one_who_stands_is_told_of(self) -> None:
        yard = Zone("yard", YARD.points, dwell=timedelta(seconds=20))

        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, still=2 if seconds >= 12 else None)]

        actions = watch(ObjectEvents(Rules(zones=(yard,))), 0, 30, scene)
        told = [action for action in actions if isinstance(action, Seen) and action.zones]
        assert told == [Seen(1, after(11.8), "person", ("yard",), told[0].path)]


class TestTheBestPicture:
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
    def test_is_the_one_that_is_clearly_better(self, box: Box, score: float, is_better: bool) -> None:
        events = ObjectEvents()
        watch(events, 0, 0.6, one, moving())
        actions = events.look(after(0.6), moving(), (walker(0.6, box, score=score),))
        assert actions == ((Better(1, after(0.6), "person", score, box),) if is_better else ())

    def test_is_whole_where_the_first_was_cut_off(self) -> None:
        def scene(seconds: float) -> list[Track]:
            return [walker(seconds, Box(0, 0.4, 0.1, 0.6) if seconds < 1 else HERE)]

        better = [action for action in watch(ObjectEvents(), 0, 2, scene) if isinstance(action, Better)]
        assert better == [Better(1, after(1), "person", 0.7, HERE)]

    def test_is_replaced_seldom_by_ever_larger_ones(self) -> None:
        def nearer(seconds: float) -> list[Track]:
            grown = seconds / 100
            return [walker(seconds, Box(0.4 - grown, 0.4 - grown, 0.5 + grown, 0.6 + grown))]

        better = [action for action in watch(ObjectEvents(), 0, 10, nearer) if isinstance(action, Better)]
        assert 2 <= len(better) <= 6
        widths = [action.box.right - action.box.left for action in better]
        assert widths == sorted(widths)

    def test_shows_what_the_detector_saw_rather_than_where_it_is_taken_to_be(self) -> None:
        track = walker(0.6, Box(0.3, 0.3, 0.5, 0.7))
        seen = Detection(Box(0.31, 0.3, 0.52, 0.7), "dog", 0.7)
        events = ObjectEvents()
        watch(events, 0, 0.6, one)
        moved = Track(1, "person", track.box, seen, track.first_seen, track.last_seen, moved=True)
        assert events.look(after(0.6), moving(), (moved,)) == (Better(1, after(0.6), "person", 0.7, seen.box),)

    @pytest.mark.parametrize(("sharp", "better"), [(400, True), (150, False), (100, False), (20, False)])
    def test_is_the_sharper_one(self, sharp: float, better: bool) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for n in range(4):
            value = 100.0 if n < 3 else sharp
            actions += events.look(after(n / 5), moving(), (walker(n / 5),), as_sharp_as(value))
        assert any(isinstance(action, Better) for action in actions) is better

    def test_is_not_the_larger_one_that_is_blurred(self) -> None:
        events, actions = ObjectEvents(), list[Action]()
        for n in range(4):
            box, value = (HERE, 100.0) if n < 3 else (Box(0.3, 0.3, 0.5, 0.7), 20.0)
            actions += events.look(after(n / 5), moving(), (walker(n / 5, box),), as_sharp_as(value))
        assert not any(isinstance(action, Better) for action in actions)

    def test_is_asked_for_its_sharpness_only_where_that_may_matter(self) -> None:
        asked: list[Box] = []

        def sharpness(box: Box) -> float:
            asked.append(box)
            return 100.0

        events = ObjectEvents()
        small, large = Box(0.4, 0.4, 0.44, 0.48), Box(0.4, 0.4, 0.49, 0.58)
        for n, box in enumerate((HERE, HERE, HERE, small, large)):
            events.look(after(n / 5), moving(), (walker(n / 5, box), parked(n / 5, shifted(HERE, 0.3))), sharpness)
        assert asked == [HERE, large]


def test_that_it_was_seen_is_told_once_a_second() -> None:
    told = [action.at for action in watch(ObjectEvents(), 0, 10, one) if isinstance(action, Seen)]
    assert told == [after(0.4 + n) for n in range(1, 10)]


def test_nothing_is_told_of_what_stands() -> None:
    actions = watch(ObjectEvents(), 0, 30, lambda seconds: [walker(seconds, still=2 if seconds >= 12 else None)])
    assert max(action.at for action in actions if isinstance(action, Seen)) == after(11.4)
    assert len([action for action in actions if isinstance(action, Seen)]) == 11


class TestTheDetector:
    def test_sleeps_until_something_moves_or_may(self) -> None:
        assert ObjectEvents().wants_detector(T0, STILL) is False
        assert ObjectEvents().wants_detector(T0, moving()) is True
        assert ObjectEvents().wants_detector(T0, BLIND) is True

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
        for n in range(300):
            motion = moving() if n == 0 else STILL
            if events.wants_detector(after(n * BEAT), motion):
                awake.append(n * BEAT)
                events.look(after(n * BEAT), motion, (walker(n * BEAT),))
        assert max(awake) == 10

    def test_sleeps_though_the_clock_was_set_far_back(self) -> None:
        events = ObjectEvents()
        events.look(after(0), moving(), (walker(0),))
        assert events.wants_detector(after(-3600), STILL) is False


class TestTheNextLook:
    def urgent(
        self, events: ObjectEvents, start: float, stop: float, scene: Scene, motion: Motion = STILL
    ) -> list[float]:
        """The looks after which the next was urgent."""
        found = []
        for n in range(round((stop - start) / BEAT)):
            seconds = round(start + n * BEAT, 3)
            watch(events, seconds, seconds + BEAT, scene, motion)
            found += [seconds] if events.is_urgent() else []
        return found

    def test_is_not_urgent_at_first(self) -> None:
        assert ObjectEvents().is_urgent() is False

    def test_is_urgent_until_a_new_track_is_known(self) -> None:
        assert self.urgent(ObjectEvents(), 0, 3, one, moving()) == [0, 0.2]

    def test_is_urgent_at_once_where_the_detector_did_not_look_at_what_moves(self) -> None:
        assert self.urgent(ObjectEvents(), 0, 0.4, lambda seconds: None, moving()) == [0, 0.2]
        assert self.urgent(ObjectEvents(), 0, 0.4, lambda seconds: None) == []

    def test_is_not_urgent_where_something_only_stands(self) -> None:
        assert max(self.urgent(ObjectEvents(), 0, 20, lambda seconds: [parked(seconds)])) == 9.8

    def test_is_not_urgent_for_a_part_of_who_is_known(self) -> None:
        def scene(seconds: float) -> list[Track]:
            return [walker(seconds), walker(seconds, TestAPart.HEAD, id=2)]

        assert self.urgent(ObjectEvents(), 0, 3, scene, moving()) == [0, 0.2]

    def test_is_urgent_for_a_few_seconds_where_nothing_is_found_that_moves(self) -> None:
        events = ObjectEvents()
        assert max(self.urgent(events, 0, 60, nobody, moving())) == 2.8
        assert self.urgent(events, 60, 61, nobody) == []
        assert max(self.urgent(events, 61, 70, nobody, moving())) == 63.8

    def test_is_urgent_again_where_the_detector_slept_meanwhile(self) -> None:
        events = ObjectEvents()
        self.urgent(events, 0, 10, nobody, moving())
        self.urgent(events, 10, 20, lambda seconds: None)
        assert self.urgent(events, 20, 20.4, nobody, moving()) == [20, 20.2]

    def test_is_urgent_where_something_moves_beside_who_is_known(self) -> None:
        events = ObjectEvents()
        self.urgent(events, 0, 3, one, moving())
        assert self.urgent(events, 3, 3.4, one, moving(HERE, shifted(HERE, 0.3))) == [3, 3.2]
        assert self.urgent(events, 3.4, 4, one, moving(shifted(HERE, 0.02))) == []

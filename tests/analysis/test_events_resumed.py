from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from nvr.analysis.actions import Action, Better, Closed, Seen
from nvr.analysis.events import ObjectEvents
from nvr.analysis.tracker import Track
from nvr.analysis.zones import Rules
from nvr.model import Box
from nvr.schedule import parse
from tests.analysis.scenes import (
    BLIND,
    HERE,
    T0,
    UP,
    YARD,
    Scene,
    after,
    as_sharp_as,
    closed,
    left_open,
    moving,
    nobody,
    one,
    opened,
    shifted,
    walker,
    watch,
    way,
)


class TestOneLeftOpenByAKilledAnalyzer:
    @pytest.mark.parametrize("box", [shifted(HERE, 0.3), None], ids=["near", "anywhere"])
    def test_goes_on_with_who_is_found_near_by(self, box: Box | None) -> None:
        events = ObjectEvents(Rules(zones=(YARD,)), resumed=[left_open(box=box)])
        actions = watch(events, 6, 30, lambda seconds: [walker(seconds, first=6)] if seconds < 10 else [])
        assert opened(actions) == []
        assert closed(actions) == [(-7, 9.8, "lost from sight")]
        told = [action for action in actions if isinstance(action, Seen)]
        assert told[0] == Seen(-7, after(6.4), "person", ("street", "yard"), told[0].path)
        assert way(actions)[0] == 6.4

    def test_goes_on_though_its_subject_does_not_move_yet(self) -> None:
        events = ObjectEvents(resumed=[left_open()])
        actions = watch(events, 6, 20, lambda seconds: [walker(seconds, first=6, moved=seconds > 12)], BLIND)
        assert [action.key for action in [*actions, *events.flush("nvr stopped")] if isinstance(action, Closed)] == [-7]
        assert opened(actions) == []

    def test_goes_on_though_it_is_not_where_or_when_there_are_events(self) -> None:
        rules = Rules(zones=(YARD,), required=("yard",), schedule=parse({"mon": ["00:00-00:01"]}, UTC))
        events = ObjectEvents(rules, resumed=[left_open()])
        watch(events, 6, 9, lambda seconds: [walker(seconds, UP, first=6)])
        assert closed(events.flush("nvr stopped")) == [(-7, 8.8, "nvr stopped")]

    @pytest.mark.parametrize("scene", [nobody, lambda seconds: None], ids=["nobody", "asleep"])
    def test_closes_where_nobody_is_found_for_long_enough(self, scene: Scene) -> None:
        events = ObjectEvents(resumed=[left_open()])
        assert watch(events, 3, 20, scene) == []
        assert watch(events, 20, 20.2, scene) == [Closed(-7, after(0), "not found again after a restart")]

    @pytest.mark.parametrize(
        ("seconds", "track"),
        [(1, walker(1, shifted(HERE, 0.35))), (1, walker(1, label="car"))],
        ids=["too far", "other label"],
    )
    def test_is_not_of_others(self, seconds: float, track: Track) -> None:
        def scene(at: float) -> list[Track]:
            return [walker(at, track.box, first=seconds, label=track.label)]

        actions = watch(ObjectEvents(resumed=[left_open()]), seconds, 30, scene)
        assert [event.key for event in opened(actions)] == [1]
        assert closed(actions) == [(-7, 0, "not found again after a restart")]

    def test_goes_on_for_each_of_several(self) -> None:
        resumed = [left_open(7), left_open(8, box=shifted(HERE, 0.3)), left_open(9, label="dog")]
        events = ObjectEvents(resumed=resumed)

        def scene(seconds: float) -> list[Track]:
            people = [
                walker(seconds, shifted(HERE, 0.35), first=3),
                walker(seconds, shifted(HERE, 0.05), id=2, first=3),
            ]
            return [*people, walker(seconds, shifted(HERE, -0.3), id=3, first=5)] if seconds >= 5 else people

        actions = watch(events, 3, 30, scene)
        assert [event.key for event in opened(actions)] == [1]
        assert closed(actions) == [(-9, 0, "not found again after a restart")]
        assert {end[0] for end in closed(events.flush("nvr stopped"))} == {-7, -8, 1}

    def test_is_no_second_event_for_who_stays(self) -> None:
        first = ObjectEvents()
        before = watch(first, 0, 4, one, moving())
        seen = max(action.at for action in before if isinstance(action, Seen))
        events = ObjectEvents(resumed=[left_open(seen=(seen - T0).total_seconds())])
        after_restart = watch(events, 7, 60, lambda seconds: [walker(seconds, first=7)], moving())
        assert len(opened([*before, *after_restart])) == 1

    def test_waits_no_longer_than_others_once_it_was_found(self) -> None:
        events = ObjectEvents(resumed=[left_open()])
        actions = watch(events, 6, 13, lambda seconds: [walker(seconds, first=6)] if seconds < 7 else [])
        assert closed(actions) == [(-7, 6.8, "lost from sight")]

    @pytest.mark.parametrize(("score", "better"), [(0.8, 0), (0.95, 1)])
    def test_keeps_its_picture_unless_there_is_a_better_one(self, score: float, better: int) -> None:
        events, actions = ObjectEvents(resumed=[left_open()]), list[Action]()
        for n in range(5):
            tracks = (walker(6 + n / 5, first=6, score=score),)
            actions += events.look(after(6 + n / 5), moving(), tracks, as_sharp_as(500))
        assert sum(isinstance(action, Better) for action in actions) == better

    def test_gets_a_picture_where_the_kill_came_before_the_first(self) -> None:
        events = ObjectEvents(resumed=[replace(left_open(), snapshot=None)])
        actions = watch(events, 6, 8, lambda seconds: [walker(seconds, first=6, score=0.3)])
        assert [type(action) for action in actions].count(Better) == 1

    def test_closes_with_a_flush(self) -> None:
        events = ObjectEvents(resumed=[left_open()])
        assert closed(events.flush("nvr stopped")) == [(-7, 0, "nvr stopped")]

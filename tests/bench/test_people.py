from __future__ import annotations

from pathlib import Path

import people
from replay import Look, Replay, Story
from sequence import Film, Person, Truth

from nvr.analysis.motion import Motion
from nvr.analysis.observer import Observation
from nvr.model import Box, Waypoint

FILM = Film(Path("film"), 100, 100, 10.0, 100)
LEFT, RIGHT = Box(0.1, 0.1, 0.2, 0.4), Box(0.6, 0.1, 0.7, 0.4)
NOTHING = Observation(Motion(), None, None, ())


def place(box: Box, frames: range) -> list[Waypoint]:
    return [Waypoint(FILM.at(frame), box) for frame in frames]


def events(*paths: list[Waypoint]) -> Replay:
    stories = [Story(key, "person", path[0].at, path[0].at, path) for key, path in enumerate(paths, 1)]
    return Replay([Look(frame, FILM.at(frame), NOTHING) for frame in range(1, 101)], stories)


def standing(**people: tuple[Box, range]) -> Truth:
    truth = Truth()
    for id, (box, frames) in enumerate(people.values(), 1):
        for frame in frames:
            truth.people.setdefault(frame, []).append(Person(id, box))
    return truth


def figures(truth: Truth, run: Replay) -> dict[str, float]:
    return {each.what: each.got for each in people.score("", FILM, truth, run, 1)}


BOTH = standing(ann=(LEFT, range(1, 41)), bob=(RIGHT, range(1, 41)))


def test_everybody_has_an_event_of_his_own() -> None:
    got = figures(BOTH, events(place(LEFT, range(5, 40)), place(RIGHT, range(5, 40))))
    assert (got["share of them with an event"], got["events a person, mean"], got["false events"]) == (1, 1, 0)


def test_who_has_none_is_told() -> None:
    assert figures(BOTH, events(place(LEFT, range(5, 40))))["share of them with an event"] == 0.5


def test_an_event_that_went_over_to_somebody_else_is_both_s() -> None:
    got = figures(BOTH, events(place(LEFT, range(1, 21)) + place(RIGHT, range(21, 41))))
    assert (got["share of them with an event"], got["events a person, most"]) == (1, 1)


def test_who_was_touched_for_less_than_a_second_has_no_event_by_that() -> None:
    got = figures(BOTH, events(place(LEFT, range(1, 31)) + place(RIGHT, range(31, 40))))
    assert got["share of them with an event"] == 0.5


def test_an_event_of_nobody_is_false() -> None:
    assert figures(BOTH, events(place(Box(0.4, 0.6, 0.5, 0.9), range(1, 30))))["false events"] == 1


def test_who_was_visible_for_less_than_two_seconds_needs_none_but_may_have_one() -> None:
    got = figures(standing(ann=(LEFT, range(1, 20))), events(place(LEFT, range(1, 20))))
    assert (got["people visible for 2 s"], got["false events"]) == (0, 0)


def test_of_two_boxes_on_one_person_only_the_likelier_is_his() -> None:
    near = Box(0.11, 0.1, 0.21, 0.4)
    assert people.pairs([(1, near), (2, LEFT)], BOTH, 1) == {2: 1}

"""Which events tell the same: tables, and what holds for whatever there is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.analysis.comparison import TOLERANCE, Match, compare, last
from nvr.analysis.story import Story
from nvr.clock import EPOCH
from nvr.model import Box, Event, EventKind, Waypoint

SINCE, UNTIL = EPOCH + timedelta(seconds=100), EPOCH + timedelta(seconds=400)


def story(
    start: float,
    end: float | None,
    place: float = 0.5,
    label: str = "person",
    *,
    kind: EventKind = "object",
    zones: tuple[str, ...] = (),
    path: bool = True,
    step: float = 1.0,
) -> Story:
    """Somebody who walks to the right from ``place``, a tenth of the picture wide, a hundredth a second."""
    begun = EPOCH + timedelta(seconds=start)
    seen = EPOCH + timedelta(seconds=start + 10 if end is None else end)
    points: list[Waypoint] = []
    while path and (at := begun + len(points) * timedelta(seconds=step)) <= seen:
        left = place + 0.01 * (at - begun).total_seconds()
        points.append(Waypoint(at, Box(left, 0.4, left + 0.1, 0.8)))
    event = Event("hik1", kind, label, begun, seen, None if end is None else seen, zones=zones)
    return Story(event, tuple(points))


def told(then: list[Story], now: list[Story]) -> list[str]:
    """Each match in a word, with what differs."""
    return [
        " ".join([match.what, *(each.field for each in match.differences)])
        for match in compare(then, now, SINCE, UNTIL)
    ]


HERE = story(200, 220)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (story(200, 220), ["same"]),
        (story(202, 218, 0.52), ["same"]),
        (story(203, 220, 0.53), ["different start"]),
        (story(200, 223), ["different end"]),
        (story(200, None), ["different end"]),
        (story(200, 220, label="dog"), ["different label"]),
        (story(200, 220, zones=("yard",)), ["different zones"]),
        (story(210, 240, 0.6, "dog", zones=("yard",)), ["different label zones start end"]),
        (story(200, 220, 0.0), ["only then", "only now"]),
        (story(200, 220, kind="motion"), ["only then", "only now"]),
        (story(230, 240), ["only then", "only now"]),
        (story(221, 240, 0.71), ["different start end"]),
        (story(221, 240, 0.2), ["only then", "only now"]),
        (story(200, 220, 0.0, path=False), ["same"]),
        (story(200, 220, step=7), ["same"]),
        (story(200, 220, step=0.2), ["same"]),
    ],
)
def test_two_events(now: Story, expected: list[str]) -> None:
    assert told([HERE], [now]) == expected


def test_each_of_several_finds_its_own() -> None:
    then = [story(200, 220, 0.1), story(200, 220, 0.5)]
    now = [story(201, 221, 0.5), story(199, 219, 0.1)]
    pairs = [(match.then, match.now) for match in compare(then, now, SINCE, UNTIL)]
    assert pairs == [(then[0], now[1]), (then[1], now[0])]


def test_of_an_event_that_fell_apart_the_larger_part_is_its_own() -> None:
    parts = [story(200, 206), story(206.5, 220, 0.565)]
    matches = compare([HERE], parts, SINCE, UNTIL)
    assert [(match.then, match.now) for match in matches] == [(None, parts[0]), (HERE, parts[1])] or [
        (match.then, match.now) for match in matches
    ] == [(HERE, parts[1]), (None, parts[0])]
    assert {match.what for match in matches} == {"different", "only now"}


def test_one_of_the_same_label_is_preferred() -> None:
    now = [story(200, 220, label="dog"), story(201, 219, 0.51)]
    (pair, alone) = compare([HERE], now, SINCE, UNTIL)
    assert (pair.now, pair.what, alone.now) == (now[1], "same", now[0])


def test_the_order_of_zones_does_not_matter() -> None:
    assert told([story(200, 220, zones=("yard", "gate"))], [story(200, 220, zones=("gate", "yard"))]) == ["same"]


def test_what_lies_outside_of_the_span_is_not_compared() -> None:
    assert told([story(50, 450, 0.0)], [story(90, 403, 0.4)]) == ["same"]
    assert told([story(50, 120, 0.0)], [story(90, 130, 0.4)]) == ["different end"]


def test_motion_has_no_place_but_time() -> None:
    one, other = (
        story(200, 220, 0.1, "motion", kind="motion", path=False),
        story(201, 221, 0.8, "motion", kind="motion"),
    )
    assert told([one], [other]) == ["same"]


@pytest.mark.parametrize(("place", "expected"), [(0.73, ["same"]), (0.77, ["only then", "only now"])])
def test_who_only_passes_is_somebody_else(place: float, expected: list[str]) -> None:
    """HERE comes near at the end: for the last third of his way, or for the last fifth."""
    box = Box(place, 0.4, place + 0.1, 0.8)
    stands = Story(HERE.event, tuple(Waypoint(point.at, box) for point in HERE.path))
    assert told([HERE], [stands]) == expected


def test_a_hole_in_a_path_is_not_bridged_for_ever() -> None:
    """Where one was for a minute is not known: it is no place, and time alone is left."""
    there = [Waypoint(EPOCH + timedelta(seconds=at), Box(0.5, 0.4, 0.6, 0.8)) for at in (200, 290)]
    elsewhere = story(210, 280, 0.0)
    holed = Story(replace(story(200, 290).event), tuple(there))
    assert told([holed], [elsewhere]) == ["different start end"]


def test_what_differs_is_told_with_both_values() -> None:
    (match,) = compare([HERE], [story(210, 220, 0.6, "dog", zones=("yard", "gate"))], SINCE, UNTIL)
    assert [(each.field, each.then, each.now) for each in match.differences] == [
        ("label", "person", "dog"),
        ("zones", "", "yard,gate"),
        ("start", EPOCH + timedelta(seconds=200), EPOCH + timedelta(seconds=210)),
    ]


def test_nothing_is_compared_with_nothing() -> None:
    assert compare([], [], SINCE, UNTIL) == []
    assert told([HERE], []) == ["only then"]
    assert told([], [HERE]) == ["only now"]


STORIES = st.lists(
    st.builds(
        lambda start, length, place, label, path, kind: story(
            start, start + length, place, label, path=path, kind=kind
        ),
        st.integers(80, 420),
        st.floats(0, 60).map(lambda seconds: round(seconds, 1)),
        st.floats(0, 0.9),
        st.sampled_from(["person", "car"]),
        st.booleans(),
        st.sampled_from(["object", "motion"]),
    ),
    max_size=8,
)


def ids(stories: list[Story | None]) -> Counter[int]:
    return Counter(id(each) for each in stories if each is not None)


@given(STORIES, STORIES)
def test_every_event_is_told_exactly_once(then: list[Story], now: list[Story]) -> None:
    matches = compare(then, now, SINCE, UNTIL)
    assert ids([match.then for match in matches]) == ids(list(then))
    assert ids([match.now for match in matches]) == ids(list(now))
    assert [match.start for match in matches] == sorted(match.start for match in matches)
    for match in matches:
        if match.then is not None and match.now is not None:
            assert match.then.event.kind == match.now.event.kind
            apart = max(match.then.event.start, match.now.event.start) - min(
                last(match.then.event), last(match.now.event)
            )
            assert apart <= TOLERANCE
        else:
            assert match.differences == ()


@given(STORIES)
def test_the_same_again_is_the_same(stories: list[Story]) -> None:
    def certain(matches: list[Match]) -> set[str]:
        return {match.what for match in matches}

    assert certain(compare(stories, list(stories), SINCE, UNTIL)) <= {"same"}


@given(STORIES, STORIES)
def test_no_two_are_left_alone_that_would_be_one(then: list[Story], now: list[Story]) -> None:
    matches = compare(then, now, SINCE, UNTIL)
    gone = [match.then for match in matches if match.then is not None and match.now is None]
    new = [match.now for match in matches if match.now is not None and match.then is None]
    assert all(len(compare([one], [other], SINCE, UNTIL)) == 2 for one in gone for other in new)


def test_two_that_only_met_are_not_one() -> None:
    """The one begins at the place of the other, just before that is over."""
    matches = compare([story(120, 124)], [story(123.9, 126, place=0.54)], SINCE, UNTIL)
    assert [match.what for match in matches] == ["only then", "only now"]

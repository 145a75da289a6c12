"""Stories are what the actions said, and end with them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nvr.analysis.actions import Better, Closed, Opened, Seen
from nvr.analysis.story import WAYPOINTS, Stories
from nvr.clock import EPOCH
from nvr.model import Box, Event, Waypoint

LEFT, RIGHT = Box(0.1, 0.2, 0.2, 0.6), Box(0.7, 0.2, 0.8, 0.6)


def at(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def opened(key: int = 1, **more: object) -> Opened:
    start, seen = EPOCH + at(1), EPOCH + at(2)
    return Opened(key, "object", "person", start, seen, 0.6, LEFT, "came into sight", **more)  # type: ignore[arg-type]


def test_a_story_is_told_when_it_is_over() -> None:
    stories = Stories("hik1")
    first, second, third = (Waypoint(EPOCH + at(n), LEFT) for n in (1, 2, 3))
    assert stories.take([opened(zones=("yard",), path=(first,))]) == []
    assert stories.take([Better(1, EPOCH + at(3), "car", 0.9, RIGHT)]) == []
    assert stories.take([Seen(1, EPOCH + at(4), "car", ("yard", "gate"), (second,))]) == []
    (story,) = stories.take([Closed(1, EPOCH + at(5), "left the picture", (third,))])
    assert story.event == Event(
        "hik1",
        "object",
        "car",
        EPOCH + at(1),
        EPOCH + at(5),
        EPOCH + at(5),
        score=0.9,
        box=RIGHT,
        zones=("yard", "gate"),
        began="came into sight",
        ended="left the picture",
    )
    assert story.path == (first, second, third)
    assert story.pictured == EPOCH + at(3)


def test_without_a_better_picture_it_is_that_of_the_beginning() -> None:
    (story,) = Stories("hik1").take([opened(), Closed(1, EPOCH + at(5))])
    assert (story.pictured, story.event.box, story.event.label) == (EPOCH + at(2), LEFT, "person")


def test_several_at_a_time_are_kept_apart() -> None:
    stories = Stories("hik1")
    stories.take([opened(1), opened(2), Seen(2, EPOCH + at(3), "person", ("yard",))])
    (first,) = stories.take([Closed(1, EPOCH + at(4))])
    (second,) = stories.take([Closed(2, EPOCH + at(5))])
    assert (first.event.zones, second.event.zones) == ((), ("yard",))
    with pytest.raises(KeyError):
        stories.take([Closed(1, EPOCH + at(6))])


def test_a_long_path_is_thinned_and_keeps_its_end() -> None:
    stories = Stories("hik1")
    stories.take([opened()])
    for second in range(5000):
        stories.take([Seen(1, EPOCH + at(second), "person", (), (Waypoint(EPOCH + at(second), LEFT),))])
    (story,) = stories.take([Closed(1, EPOCH + at(5000))])
    assert len(story.path) <= WAYPOINTS
    assert story.path[0].at == EPOCH
    assert story.path[-1].at == EPOCH + at(4999)
    assert list(story.path) == sorted(story.path, key=lambda point: point.at)

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nvr.analysis.evidence import Evidence
from nvr.analysis.presence import Presence
from nvr.analysis.tracker import Track
from nvr.analysis.zones import Rules, Zone
from nvr.model import Box, Detection

T0 = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
HERE = Box(0.4, 0.4, 0.5, 0.6)
HOLD = timedelta(seconds=5)
YARD = Zone("yard", ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)))


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def track(seconds: float, *, first: float = 0, sure: bool = True, still: bool = False, score: float = 0.7) -> Track:
    return Track(
        1, "person", HERE, Detection(HERE, "person", score), after(first), after(seconds),
        stationary_since=after(first) if still else None, sure=sure,
    )  # fmt: skip


def evidence(looks: str = "", beat: float = 0.2, *, zones: tuple[Zone, ...] = ()) -> Evidence:
    """After looks: ``s`` seen, ``m`` and moving, ``d`` and doubtful, ``t`` and standing, ``.`` not seen."""
    found = Evidence(Presence(Rules(zones=zones)))
    for n, look in enumerate(looks):
        if look == ".":
            found.miss(after(n * beat))
        else:
            seen = track(n * beat, sure=look != "d", still=look == "t")
            found.see(after(n * beat), seen, moving=look == "m")
    return found


@pytest.mark.parametrize(
    ("looks", "beat", "enough"),
    [
        ("", 0.2, False),
        ("ss", 1, False),
        ("sss", 0.2, True),
        ("s.s.s", 0.2, True),
        ("ss..s.", 0.2, False),
        ("s" * 9, 0.05, True),
        ("s" * 8, 0.05, False),
        ("s" * 13 + "." * 12, 0.04, False),
        ("s" * 16 + "." * 9, 0.04, True),
        ("sdd", 0.2, True),
        ("s" + "d" * 10, 0.2, False),
        ("ddd", 0.2, False),
    ],
)
def test_is_enough_after_three_of_five_looks_a_moment_and_a_sure_one(looks: str, beat: float, enough: bool) -> None:
    assert evidence(looks, beat).is_enough is enough


@pytest.mark.parametrize(("looks", "moving"), [("mmm", True), ("m.m.m", True), ("mmss", False), ("mmm......", False)])
def test_moves_where_something_of_its_shape_moved_in_three_of_its_last_looks(looks: str, moving: bool) -> None:
    assert evidence(looks).is_moving is moving


def test_is_in_sight_where_the_last_look_saw_it() -> None:
    assert [evidence(looks).is_in_sight for looks in ("", "s", "s.", "s.d")] == [False, True, False, True]


def test_keeps_the_best_score() -> None:
    found = evidence()
    for n, score in enumerate((0.5, 0.9, 0.6)):
        found.see(after(n), track(n, score=score), moving=False)
    assert found.score == 0.9


def test_starts_when_it_was_first_seen_or_with_the_looks_that_are_remembered() -> None:
    found = evidence("." * 10 + "s" * 20)
    assert found.start(after(5.8), track(5.8, first=1), HOLD) == after(1)
    assert found.start(after(5.8), track(5.8, first=0.8), HOLD) == after(4.8)
    assert found.start(after(5.8), track(5.8, first=6), HOLD) == after(4.8)


def test_was_seen_until_the_last_sure_look() -> None:
    assert evidence("sssdd").seen_until(after(0)) == after(0.4)
    assert evidence("sssdd").seen_until(after(0.6)) == after(0.6)
    assert evidence("dd").seen_until(after(0)) == after(0)


def test_knows_its_way_once_for_each_instant() -> None:
    found = evidence("ss.s")
    found.see(after(0.6), track(0.6), moving=False)
    assert [point.at for point in found.way(after(0.1))] == [after(0.2), after(0.6)]


def test_remembers_a_bounded_number_of_looks() -> None:
    found = evidence("s" * 1000, 0.001)
    assert len(found.way(T0)) == 150
    assert found.is_enough is False
    assert evidence("s" * 1000, 0.04).start(after(39.96), track(39.96), HOLD) == after(38.96)


def test_forgets_looks_but_not_where_it_has_been() -> None:
    found = evidence("mmm", zones=(YARD,))
    found.forget()
    assert (found.is_enough, found.is_moving, found.is_in_sight, found.way(T0)) == (False, False, False, ())
    assert (found.presence.zones, found.score) == (("yard",), 0.7)


@pytest.mark.parametrize(
    ("looks", "zones", "reason"),
    [
        ("sss", (), "came into sight"),
        ("sss", (YARD,), "entered yard"),
        ("sts", (), "moved off"),
        ("stts", (YARD,), "moved off"),
        ("t", (YARD,), "entered yard"),
        ("stt", (YARD,), "entered yard"),
    ],
)
def test_its_reason_is_what_it_does_now(looks: str, zones: tuple[Zone, ...], reason: str) -> None:
    assert evidence(looks, zones=zones).reason == reason


def test_has_stayed_where_a_zone_was_entered_only_just_now() -> None:
    found = evidence("s", zones=(YARD,))
    assert [found.has_stayed(after(seconds)) for seconds in (0, 1, 1.2)] == [True, True, False]
    assert evidence("s").has_stayed(after(0)) is False

"""Where on nvr's clock an alert belongs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nvr.isapi.placement import LATE, WINDOW_US, Placement

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def second(number: float) -> timedelta:
    return timedelta(seconds=number)


def place(placement: Placement, off: float, happened: float, lag: float) -> float:
    """Seconds after noon at which an alert is placed; the camera's clock is ``off`` by so much, and tells late."""
    received = NOON + second(happened + lag)
    placed = placement.place(NOON + second(happened + off), received, round((happened + lag) * 1e6))
    return (placed - NOON).total_seconds()


@pytest.mark.parametrize("off", [0, -70, 70, 3600, -3600 * 24 * 365 * 50])
def test_a_clock_that_is_off_moves_nothing(off: float) -> None:
    placement = Placement()
    assert place(placement, off, 0, 0) == 0
    assert place(placement, off, 10, 3) == 10
    assert placement.offset == second(off)


def test_without_a_time_it_is_when_it_came() -> None:
    placement = Placement()
    assert placement.place(None, NOON, 0) == NOON
    assert placement.offset is None


def test_the_least_lag_is_what_clocks_differ_by() -> None:
    placement = Placement()
    assert place(placement, 0, 0, 2) == 2
    assert place(placement, 0, 10, 0.5) == 10.5
    assert place(placement, 0, 20, 2) == 20.5


@pytest.mark.parametrize("step", [-3600.0, -11.0, 5.0, 3600.0])
def test_a_clock_that_is_set_is_followed_at_once(step: float) -> None:
    placement = Placement()
    assert place(placement, 0, 0, 0) == 0
    assert place(placement, step, 10, 0) == 10
    assert place(placement, step, 20, 1) == 20


def test_a_clock_that_drifts_is_followed() -> None:
    placement = Placement()
    for minute in range(600):
        placed = place(placement, -minute * 0.05, minute * 60, 0)
        assert abs(placed - minute * 60) < 1
    assert WINDOW_US == 300_000_000


def test_nothing_is_placed_after_it_came_or_long_before() -> None:
    placement = Placement()
    for turn, off in enumerate((0, 5, -5, 100, -100, 9, -9, 0)):
        received = NOON + second(turn * 20)
        placed = placement.place(received + second(off), received, turn)
        assert received - LATE <= placed <= received

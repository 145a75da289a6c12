"""A clock that was set is seen, and a camera's that is far off is told once."""

from __future__ import annotations

import pytest

from nvr.recording.clockwatch import WARNING_US, ClockWatch
from nvr.recording.timeline import STEP_US


@pytest.mark.parametrize("step_us", [3_600_000_000, -3_600_000_000, STEP_US + 1])
def test_a_clock_that_is_set_is_seen_once(step_us: int) -> None:
    clocks = ClockWatch()
    seen = [
        clocks.stepped(second * 1_000_000, second * 1_000_000 + (step_us if second >= 3 else 0)) for second in range(6)
    ]
    assert seen == [False, False, False, True, False, False]


def test_a_clock_that_is_slewed_is_not() -> None:
    clocks = ClockWatch()
    assert not any(clocks.stepped(second * 1_000_000, second * 1_000_500) for second in range(10_000))


def test_a_camera_far_off_is_told_once_and_again_when_it_moves() -> None:
    clocks = ClockWatch()
    assert not clocks.is_news(None)
    assert not clocks.is_news(WARNING_US)
    assert clocks.is_news(7_200_000_000)
    assert not clocks.is_news(7_200_100_000)
    assert clocks.is_news(0)

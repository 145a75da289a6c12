"""Rates over the last few marks."""

from __future__ import annotations

from nvr.recording.rate import WINDOW_BEATS, Rate


def test_there_is_no_rate_before_two_marks() -> None:
    rate = Rate()
    assert (rate.fps, rate.bitrate) == (0.0, 0)
    rate.mark(5)
    assert (rate.fps, rate.bitrate) == (0.0, 0)


def test_it_is_what_came_between_the_marks_and_forgets_what_is_old() -> None:
    rate = Rate()
    for second in range(20):
        rate.mark(second * 1_000_000)
        rate.frames += 25 if second > 10 else 100
        rate.bytes += 1000 if second > 10 else 9000
    rate.mark(20_000_000)
    assert WINDOW_BEATS < 8
    assert (rate.fps, rate.bitrate) == (25.0, 8000)

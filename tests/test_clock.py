"""Reading and writing of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.clock import (
    SystemClock,
    duration_us,
    format_duration,
    format_local,
    format_rfc3339,
    from_us,
    parse_duration,
    parse_instant,
    to_us,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("1h", NOW - timedelta(hours=1)),
        ("90s", NOW - timedelta(seconds=90)),
        ("14:03", datetime(2026, 11, 22, 13, 3, tzinfo=UTC)),
        ("14:03:30", datetime(2026, 11, 22, 13, 3, 30, tzinfo=UTC)),
        ("yesterday 14:03", datetime(2026, 11, 21, 13, 3, tzinfo=UTC)),
        ("2026-11-22T14:03:00+01:00", datetime(2026, 11, 22, 13, 3, tzinfo=UTC)),
        ("2026-11-22T13:03:00Z", datetime(2026, 11, 22, 13, 3, tzinfo=UTC)),
        ("2026-11-22 14:03", datetime(2026, 11, 22, 13, 3, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_people_write_them(text: str, want: datetime) -> None:
    assert parse_instant(text, NOW, BERLIN) == want


@pytest.mark.parametrize("text", ["", "soon", "25:00", "7 days", "tomorrow 14:03", "2026-13-01", "-1h"])
def test_other_words_are_refused_with_what_is_wanted(text: str) -> None:
    with pytest.raises(ValueError, match="want a time such as"):
        parse_instant(text, NOW, BERLIN)


def test_durations() -> None:
    assert parse_duration("7d") == timedelta(days=7)
    assert parse_duration("500ms") == timedelta(milliseconds=500)
    with pytest.raises(ValueError, match="want a duration"):
        parse_duration("7 days")
    assert [format_duration(timedelta(seconds=s)) for s in (9.95, 65, 7205, 400_000)] == [
        "9.9s",
        "1m 5s",
        "2h 0m",
        "4d 15h",
    ]


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_us(datetime(2026, 1, 1))  # noqa: DTZ001


@given(st.integers(0, 4_102_444_800_000_000))
def test_instants_are_exact_microseconds(us: int) -> None:
    assert to_us(from_us(us)) == us
    assert parse_instant(format_rfc3339(from_us(us)), NOW) == from_us(us)
    assert duration_us(timedelta(microseconds=us)) == us


def test_the_hour_that_repeats_is_told_apart() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert format_local(first, BERLIN) == "2026-10-25 02:30:00+0200"
    assert format_local(first + timedelta(hours=1), BERLIN) == "2026-10-25 02:30:00+0100"


def test_written_instants_sort_as_time_does() -> None:
    instants = [datetime(2026, 1, 1, tzinfo=BERLIN), NOW, NOW + timedelta(microseconds=1)]
    texts = [format_rfc3339(at) for at in instants]
    assert texts == sorted(texts)
    assert texts[0] == "2025-12-31T23:00:00.000000Z"


@pytest.mark.parametrize("text", ["99999999999999d", "1" * 400 + "h"])
def test_an_age_before_all_time_is_no_crash(text: str) -> None:
    with pytest.raises(ValueError, match="too long"):
        parse_duration(text)


def test_the_machines_clocks_do_not_go_back() -> None:
    clock = SystemClock()
    assert clock.monotonic_us() <= clock.monotonic_us()
    assert from_us(clock.now_us()).tzinfo is UTC

"""Reading and writing of time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
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
from tests.fakes.station import nvr

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
"""Its clocks change by half an hour."""
BACK = [
    (BERLIN, datetime(2026, 10, 25, 1, tzinfo=UTC), 60),
    (NEW_YORK, datetime(2026, 11, 1, 6, tzinfo=UTC), 60),
    (LORD_HOWE, datetime(2026, 4, 4, 15, tzinfo=UTC), 30),
]
"""Zone, the instant at which the clocks went back, and by how many minutes."""
FORWARD = [
    (BERLIN, datetime(2026, 3, 29, 1, tzinfo=UTC), 60),
    (NEW_YORK, datetime(2026, 3, 8, 7, tzinfo=UTC), 60),
    (LORD_HOWE, datetime(2026, 10, 3, 15, 30, tzinfo=UTC), 30),
]
"""Zone, the instant at which the clocks went forward, and by how many minutes."""
CHANGES = [(zone, at) for zone, at, _ in [*BACK, *FORWARD]]


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


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's local time is Berlin's."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@given(st.sampled_from(BACK), st.integers(0, 3_599_999_999))
def test_a_local_time_that_was_there_twice_is_refused_with_both(night: tuple[ZoneInfo, datetime, int], us: int) -> None:
    zone, change, minutes = night
    second = change + timedelta(microseconds=us % (minutes * 60_000_000))
    first = second - timedelta(minutes=minutes)
    text = second.astimezone(zone).replace(tzinfo=None).isoformat()
    with pytest.raises(ValueError, match="which was there twice") as raised:
        parse_instant(text, NOW, zone)
    given_first, given_second = str(raised.value).rpartition(": give ")[2].split(" or ")
    assert parse_instant(given_first, NOW, zone) == first
    assert parse_instant(given_second, NOW, zone) == second
    assert given_first[:19] == given_second[:19] == text[:19]


@given(st.sampled_from(FORWARD), st.integers(0, 3_599_999_999))
def test_a_local_time_that_never_was_is_refused_with_the_next(night: tuple[ZoneInfo, datetime, int], us: int) -> None:
    zone, change, minutes = night
    wall = (change - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) + timedelta(seconds=1)
    text = (wall + timedelta(microseconds=us % (minutes * 60_000_000))).isoformat()
    with pytest.raises(ValueError, match="which never was") as raised:
        parse_instant(text, NOW, zone)
    assert parse_instant(str(raised.value).rpartition(" is ")[2], NOW, zone) == change


@given(st.sampled_from(CHANGES), st.integers(-7_200_000_000, 7_200_000_000))
def test_around_a_change_every_instant_can_be_written_and_no_text_means_another(
    night: tuple[ZoneInfo, datetime], us: int
) -> None:
    zone, change = night
    at = change + timedelta(microseconds=us)
    local = at.astimezone(zone)
    assert parse_instant(local.isoformat(), NOW, zone) == at
    assert parse_instant(format_rfc3339(at), NOW, zone) == at
    try:
        assert parse_instant(local.replace(tzinfo=None).isoformat(), NOW, zone) == at
    except ValueError as error:
        assert local.isoformat() in str(error)  # noqa: PT017  # it may be refused, but not be misread


@given(st.sampled_from(CHANGES), st.integers(0, 23), st.integers(0, 59))
def test_a_time_of_day_is_one_of_that_day_or_refused(night: tuple[ZoneInfo, datetime], hour: int, minute: int) -> None:
    zone, change = night
    now = (change + timedelta(days=1)).astimezone(zone)
    try:
        local = parse_instant(f"yesterday {hour}:{minute:02}", now, zone).astimezone(zone)
    except ValueError as error:
        assert "as the clocks went" in str(error)  # noqa: PT017
        return
    day = now.date() - timedelta(days=1)
    assert (local.date(), local.hour, local.minute) == (day, hour, minute)


@pytest.mark.parametrize(
    ("text", "now", "message"),
    [
        (
            "02:30",
            datetime(2026, 10, 25, 12, tzinfo=UTC),
            'got "02:30", which was there twice, as the clocks went back: '
            "give 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00",
        ),
        (
            "yesterday 02:30",
            datetime(2026, 3, 30, 12, tzinfo=UTC),
            'got "yesterday 02:30", which never was, as the clocks went forward: '
            "the next time is 2026-03-29T03:00:00+02:00",
        ),
    ],
)
def test_the_machines_own_zone_is_no_different(berlin: None, text: str, now: datetime, message: str) -> None:
    for zone in (None, BERLIN):
        with pytest.raises(ValueError, match="as the clocks went") as raised:
            parse_instant(text, now, zone)
        assert str(raised.value) == message


def test_the_minutes_beside_a_change_are_ordinary(berlin: None) -> None:
    for text, want in [
        ("2026-10-25 01:59:59", datetime(2026, 10, 24, 23, 59, 59, tzinfo=UTC)),
        ("2026-10-25 03:00", datetime(2026, 10, 25, 2, tzinfo=UTC)),
        ("2026-03-29 01:59:59", datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)),
        ("2026-03-29 03:00", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ]:
        assert parse_instant(text, NOW) == want


def test_a_span_that_begins_in_such_an_hour_is_one_clear_line(tmp_path: Path) -> None:
    config = tmp_path / "nvr.yaml"
    config.write_text("storage: storage\ncameras:\n  hik1: {url: 'rtsp://127.0.0.1:9/x'}\n")
    since = ("--since", "2026-10-25 02:30", "--config", str(config))
    done = nvr("events", "list", *since, env={"TZ": "Europe/Berlin"})
    assert done.returncode == 2
    assert done.stderr == (
        'nvr: --since: got "2026-10-25 02:30", which was there twice, as the clocks went back: '
        "give 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00\n"
    )

"""The weekly schedule: what it covers, when that changes, in both nights of daylight saving."""

from __future__ import annotations

import pickle
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.clock import from_us, to_us
from nvr.schedule import DAYS, Schedule, parse

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")]
MINUTE_US = 60_000_000


def at(text: str, zone: ZoneInfo = BERLIN) -> int:
    wall = datetime.fromisoformat(text)
    return to_us(wall if wall.tzinfo else wall.replace(tzinfo=zone))


def clock_time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


WEEK = parse({"mon-fri": ["07:00-19:00"], "sat": ["22:00-06:00"], "sun": []}, BERLIN)


@pytest.mark.parametrize(
    ("instant", "covered"),
    [
        ("2026-11-23T06:59:59.999999", False),  # a Monday
        ("2026-11-23T07:00", True),
        ("2026-11-27T18:59:59.999999", True),
        ("2026-11-27T19:00", False),
        ("2026-11-28T12:00", False),
        ("2026-11-28T22:00", True),
        ("2026-11-29T05:59", True),  # Saturday's night goes on into Sunday
        ("2026-11-29T06:00", False),
        ("2026-11-29T22:30", False),
    ],
)
def test_covers_what_the_wall_clock_shows(instant: str, covered: bool) -> None:
    assert WEEK.covers(at(instant)) is covered


@pytest.mark.parametrize(
    ("instant", "change"),
    [
        ("2026-11-23T06:00", "2026-11-23T07:00"),
        ("2026-11-23T07:00", "2026-11-23T19:00"),
        ("2026-11-27T19:00", "2026-11-28T22:00"),
        ("2026-11-28T23:00", "2026-11-29T06:00"),  # midnight between is no change
        ("2026-11-29T06:00", "2026-11-30T07:00"),
    ],
)
def test_change_is_the_next_edge(instant: str, change: str) -> None:
    assert WEEK.change_us(at(instant)) == at(change)


def test_a_night_that_clocks_go_back_is_an_hour_longer() -> None:
    night = parse({"sat": "22:00-06:00"}, BERLIN)
    begin = at("2026-10-24T22:00+02:00")
    assert night.change_us(begin) == at("2026-10-25T06:00+01:00") == begin + 9 * 60 * MINUTE_US


def test_a_night_that_clocks_go_forward_is_an_hour_shorter() -> None:
    night = parse({"sat": "22:00-06:00"}, BERLIN)
    begin = at("2026-03-28T22:00+01:00")
    assert night.change_us(begin) == at("2026-03-29T06:00+02:00") == begin + 7 * 60 * MINUTE_US


def test_the_repeated_hour_is_covered_twice() -> None:
    hour = parse({"sun": "02:00-02:30"}, BERLIN)
    changes, instant = [], at("2026-10-25T00:00+02:00")
    for _ in range(4):
        instant = hour.change_us(instant)
        changes.append(instant)
    assert changes == [
        at("2026-10-25T02:00+02:00"),
        at("2026-10-25T02:30+02:00"),
        at("2026-10-25T02:00+01:00"),
        at("2026-10-25T02:30+01:00"),
    ]


def test_the_hour_that_does_not_exist_is_not_covered() -> None:
    hour = parse({"sun": "02:00-03:00"}, BERLIN)
    first = hour.change_us(at("2026-03-29T00:00+01:00"))
    assert first == at("2026-04-05T02:00+02:00")


def test_a_span_that_begins_in_the_hour_that_does_not_exist_begins_when_clocks_are_set() -> None:
    early = parse({"sun": "02:30-04:00"}, BERLIN)
    assert early.change_us(at("2026-03-29T00:00+01:00")) == at("2026-03-29T03:00+02:00")


def test_a_whole_week_asks_again_in_about_a_week() -> None:
    always = parse({"mon-sun": "00:00-24:00"}, BERLIN)
    now = at("2026-11-23T12:00")
    assert always.covers(now)
    assert timedelta(days=7) <= from_us(always.change_us(now)) - from_us(now) < timedelta(days=8)


def test_a_week_may_wrap() -> None:
    weekend = parse({"sat-mon": "00:00-24:00"}, BERLIN)
    assert weekend.change_us(at("2026-11-27T12:00")) == at("2026-11-28T00:00")
    assert weekend.change_us(at("2026-11-28T12:00")) == at("2026-12-01T00:00")


def test_sunday_night_goes_on_into_monday() -> None:
    assert parse({"sun": "23:00-01:00"}, BERLIN).change_us(at("2026-11-29T23:30")) == at("2026-11-30T01:00")


def test_spans_that_touch_are_one() -> None:
    day = parse({"mon": ["12:00-18:00", "06:00-12:00", "10:00-13:00"]}, BERLIN)
    assert day.week[0] == ((360, 1080),)


def test_pickles() -> None:
    assert pickle.loads(pickle.dumps(WEEK)) == WEEK


def test_without_a_zone_the_machines_local_time_is_meant() -> None:
    local = parse({"mon": "12:00-13:00"})
    instant = to_us(datetime(2026, 11, 23, 12, 30).astimezone())  # local on purpose
    assert local.covers(instant)
    assert not local.covers(instant + 60 * MINUTE_US)


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        ({"mo": "07:00-19:00"}, 'got "mo", want a day'),
        ({"mon-": "07:00-19:00"}, 'got "mon-", want a day'),
        ({1: "07:00-19:00"}, 'got "1", want a day'),
        ({"mon": "7-19"}, 'mon: got "7-19", want a span such as 07:00-19:00'),
        ({"mon": "07:60-19:00"}, "with times from 00:00 to 24:00"),
        ({"mon": "07:00-24:01"}, "with times from 00:00 to 24:00"),
        ({"mon": "24:00-06:00"}, "with times from 00:00 to 24:00"),
        ({"mon": "07:00-07:00"}, "a whole day is 00:00-24:00"),
        ({"mon": None}, "or [] for none"),
        ({"mon": [["07:00-19:00"]]}, "want a span"),
        ({"mon-fri": "07:00-19:00", "fri": "20:00-21:00"}, "names fri twice"),
        ({}, "nothing would be recorded"),
        ({"mon": []}, "nothing would be recorded"),
    ],
)
def test_what_is_no_schedule_is_refused_in_words(spans: dict[object, object], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse(spans)


schedules = st.dictionaries(
    st.sampled_from(DAYS),
    st.lists(
        st.tuples(st.integers(0, 1439), st.integers(0, 1440))
        .filter(lambda span: span[0] != span[1])
        .map(lambda span: f"{clock_time(span[0])}-{clock_time(span[1])}"),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
)


@given(schedules, st.sampled_from(ZONES), st.integers(at("2026-01-01T00:00"), at("2027-01-01T00:00")), st.data())
def test_nothing_changes_before_the_change(
    spans: dict[object, object], zone: ZoneInfo, now_us: int, data: st.DataObject
) -> None:
    schedule: Schedule = parse(spans, zone)
    change_us = schedule.change_us(now_us)
    assert now_us < change_us <= now_us + 8 * 86_400_000_000 + 3_600_000_000
    between_us = data.draw(st.integers(now_us, change_us - 1))
    assert schedule.covers(between_us) == schedule.covers(now_us) == schedule.covers(change_us - 1)


def test_instants_are_utc() -> None:
    noon = parse({"mon": "12:00-13:00"}, BERLIN)
    assert noon.covers(to_us(datetime(2026, 11, 23, 11, tzinfo=UTC)))

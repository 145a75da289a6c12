"""The weekly schedule of a camera: which hours of which days are recorded. Pure.

A schedule speaks of what the clock on the wall shows. So when clocks go forward, the hour that does not exist is in
no span; when they go back, a span holds the repeated hour both times; and a span over such a night is an hour shorter
or longer than its text says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from nvr.clock import duration_us, from_us

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_MINUTE_US = 60_000_000
_WEEK_US = duration_us(timedelta(days=7))
DAY_PATTERN = rf"^({'|'.join(DAYS)})(?:-({'|'.join(DAYS)}))?$"
SPAN_PATTERN = r"^([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})$"
_DAY = re.compile(DAY_PATTERN)
_SPAN = re.compile(SPAN_PATTERN)

Minutes = tuple[int, int]
"""From the first minute of a day to before the second; 1440 is the day's end."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What of each week is covered. A plain value that pickles; ``parse`` makes it. No schedule at all means always."""

    week: tuple[tuple[Minutes, ...], ...]
    """The spans of each day, Monday first, in order and apart from each other."""
    zone: tzinfo | None = None
    """Whose wall clock is meant; None is the machine's local time."""

    def covers(self, at_us: int) -> bool:
        """Whether the instant, microseconds since 1970 UTC, is in a span."""
        wall = self._wall(at_us)
        minute = wall.hour * 60 + wall.minute
        return any(begin <= minute < end for begin, end in self.week[wall.weekday()])

    def change_us(self, at_us: int) -> int:
        """The next instant after ``at_us`` at which ``covers`` differs, microseconds since 1970 UTC.

        Where that is more than a week away, an instant about a week away, at which to ask again.
        """
        covered, after_us = self.covers(at_us), at_us
        while after_us < at_us + _WEEK_US:
            after_us = self._edge_us(after_us)
            if self.covers(after_us) != covered:
                break
        return after_us

    def _edge_us(self, at_us: int) -> int:
        """The next edge of a span, midnight, or setting of the wall clock after ``at_us``."""
        wall = self._wall(at_us)
        minute = wall.hour * 60 + wall.minute
        edges = [edge for span in self.week[wall.weekday()] for edge in span if edge > minute]
        within_us = wall.second * 1_000_000 + wall.microsecond
        edge_us = at_us + (min(edges, default=_DAY_MINUTES) - minute) * _MINUTE_US - within_us
        return self._clock_set_us(at_us, edge_us) or edge_us

    def _clock_set_us(self, before_us: int, after_us: int) -> int | None:
        """When the wall clock was set in (before, after]; None where it was not. At most once a day it is."""
        offset = self._wall(before_us).utcoffset()
        if self._wall(after_us).utcoffset() == offset:
            return None
        while after_us - before_us > 1:
            middle_us = (before_us + after_us) // 2
            if self._wall(middle_us).utcoffset() == offset:
                before_us = middle_us
            else:
                after_us = middle_us
        return after_us

    def _wall(self, at_us: int) -> datetime:
        return from_us(at_us).astimezone(self.zone)


def parse(spans: Mapping[object, object], zone: tzinfo | None = None) -> Schedule:
    """A schedule from ``{"mon-fri": ["07:00-19:00"], "sat": ["22:00-06:00"], "sun": []}``.

    A key is a day or days from one to another, its value one span or a list of them; a span whose end is not after its
    beginning goes on into the next day, 24:00 is a day's end. A day that is not named has no span. Raises ValueError
    that says what is wanted.
    """
    week: list[list[Minutes]] = [[] for _ in DAYS]
    named: set[int] = set()
    for key, value in spans.items():
        for day in _days(key):
            if day in named:
                raise ValueError(f"names {DAYS[day]} twice: write all its spans into one list")
            named.add(day)
            for begin, end in _spans(key, value):
                week[day].append((begin, min(end, _DAY_MINUTES)))
                if end > _DAY_MINUTES:
                    week[(day + 1) % 7].append((0, end - _DAY_MINUTES))
    if not any(week):
        raise ValueError("has no span, so nothing would be recorded: want spans such as 07:00-19:00, or record: off")
    return Schedule(tuple(tuple(_joined(day)) for day in week), zone)


def _days(key: object) -> Iterator[int]:
    """The numbers of the days that a key names, Monday 0."""
    match = _DAY.fullmatch(key) if isinstance(key, str) else None
    if match is None:
        raise ValueError(f'got "{key!s:.60}", want a day such as mon, or days such as mon-fri')
    first, last = DAYS.index(match[1]), DAYS.index(match[2] or match[1])
    for step in range((last - first) % 7 + 1):
        yield (first + step) % 7


def _spans(key: object, value: object) -> Iterator[Minutes]:
    """Spans in minutes of the day on which they begin; an end above 1440 is on the next day."""
    for text in value if isinstance(value, list | tuple) else [value]:
        match = _SPAN.fullmatch(text) if isinstance(text, str) else None
        want = f'{key}: got "{text!s:.60}", want a span such as 07:00-19:00'
        if match is None:
            raise ValueError(f"{want}, or [] for none" if text is None else want)
        hour, minute, end_hour, end_minute = map(int, match.groups())
        begin, end = hour * 60 + minute, end_hour * 60 + end_minute
        if minute > 59 or end_minute > 59 or begin >= _DAY_MINUTES or end > _DAY_MINUTES:
            raise ValueError(f"{want} with times from 00:00 to 24:00")
        if begin == end:
            raise ValueError(f"{want}; a whole day is 00:00-24:00")
        yield begin, end if end > begin else end + _DAY_MINUTES


def _joined(spans: list[Minutes]) -> Iterator[Minutes]:
    """Spans in order, those that touch made one."""
    joined: Minutes | None = None
    for begin, end in sorted(spans):
        if joined is not None and begin <= joined[1]:
            joined = joined[0], max(joined[1], end)
            continue
        if joined is not None:
            yield joined
        joined = begin, end
    if joined is not None:
        yield joined

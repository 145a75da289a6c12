"""Time: clocks, and how instants and durations are read and written.

Instants are aware UTC ``datetime``, durations ``timedelta``. Where a value is handled per packet it is an ``int`` of
microseconds and its name ends in ``_us``. Three clocks are never mixed: media time (camera PTS), wall clock (``now``)
and monotonic (timeouts). Code that needs one takes a ``Clock``, so that tests own time.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h|d|w)")
_TIME_OF_DAY = re.compile(r"(?:(?P<day>yesterday|today)\s+)?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?")


class Clock(Protocol):
    """What a process knows about time."""

    def now_us(self) -> int:
        """Wall clock, microseconds since 1970 UTC. May step."""

    def monotonic_us(self) -> int:
        """Microseconds from an arbitrary point. Never steps; counts suspend like CLOCK_MONOTONIC."""


class SystemClock:
    """The machine's clocks."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1000


def to_us(at: datetime) -> int:
    """Microseconds since 1970 of an aware instant. Raises ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError(f"naive datetime: {at!r}")
    return (at - EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The UTC instant that is ``us`` microseconds after 1970."""
    return EPOCH + timedelta(microseconds=us)


def duration_us(span: timedelta) -> int:
    """Exact microseconds of a duration."""
    return span // _MICROSECOND


def parse_duration(text: str) -> timedelta:
    """Read ``90s``, ``1h``, ``7d``, ``500ms``. Raises ValueError that says what is wanted."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'got "{text}", want a duration such as 90s, 1h or 7d')
    try:
        return timedelta(seconds=float(match["number"]) * _UNITS[match["unit"]])
    except OverflowError:
        raise ValueError(f'got "{text}", a duration that is too long') from None


def parse_instant(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Read RFC 3339, ``14:03``, ``yesterday 14:03``, or an age (``90s``, ``1h``, ``7d``) before ``now``.

    Times without an offset are in ``zone``, the machine's local time where it is None. Returns a UTC instant; raises
    ValueError that says what is wanted, also for a local time that happened twice, or never, as clocks were changed.
    """
    text = text.strip()
    want = f'got "{text}", want a time such as 2026-11-22T14:03:00+01:00, 14:03, "yesterday 14:03" or an age such as 1h'
    if _DURATION.fullmatch(text):
        try:
            return now - parse_duration(text)
        except OverflowError:
            return EPOCH
    try:
        wall = _read_wall(text, now.astimezone(zone))
        instants = [_place(wall.replace(fold=fold), zone) for fold in (0, 1)]
    except (ValueError, OverflowError):
        raise ValueError(want) from None
    before, after = instants
    if before < after:
        both = " or ".join(at.astimezone(zone).isoformat() for at in instants)
        raise ValueError(f'got "{text}", which was there twice, as the clocks went back: give {both}')
    if before > after:
        first = _first_after_change(after, before, zone).astimezone(zone).isoformat()
        raise ValueError(f'got "{text}", which never was, as the clocks went forward: the next time is {first}')
    return before


def _read_wall(text: str, local_now: datetime) -> datetime:
    """The time that the text says, without an offset where it gives none. Raises ValueError, OverflowError."""
    match = _TIME_OF_DAY.fullmatch(text)
    if match is None:
        return datetime.fromisoformat(text)
    day = local_now.date() - timedelta(days=1 if match["day"] == "yesterday" else 0)
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    return datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001  # its zone follows


def _place(wall: datetime, zone: tzinfo | None) -> datetime:
    """The UTC instant of a local time; where it was there twice, or never, ``fold`` decides (PEP 495).

    Where the fold tells nothing apart both give the same. ``astimezone`` of a naive time would take the wrong side of
    the hour that never was.
    """
    if wall.tzinfo is None and zone is None:
        seconds = int(wall.replace(microsecond=0).timestamp())
        return from_us(seconds * 1_000_000 + wall.microsecond)
    return (wall if wall.tzinfo is not None else wall.replace(tzinfo=zone)).astimezone(UTC)


def _first_after_change(before: datetime, after: datetime, zone: tzinfo | None) -> datetime:
    """The first whole second between two UTC instants at which the zone's offset is that of the later one."""
    offset = after.astimezone(zone).utcoffset()
    low, high = to_us(before) // 1_000_000, -(to_us(after) // -1_000_000)
    while high - low > 1:
        middle = (low + high) // 2
        if from_us(middle * 1_000_000).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return from_us(high * 1_000_000)


def format_rfc3339(at: datetime) -> str:
    """``2026-11-22T13:05:00.120000Z``: always UTC, always microseconds, so that text sorts as time does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def format_local(at: datetime, zone: tzinfo | None = None) -> str:
    """``2026-11-22 14:05:00+0100``, for people: local time with its UTC offset."""
    try:
        at = at.astimezone(zone)
    except (OverflowError, ValueError):  # the first and last day of the calendar have no other zone
        at = at.astimezone(UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S%z")


def format_duration(span: timedelta) -> str:
    """``59.9s``, ``12m 5s``, ``3h 4m``: for people, not exact."""
    seconds = span.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes}m" if hours < 48 else f"{hours // 24}d {hours % 24}h"

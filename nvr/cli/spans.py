"""What ``--since`` and ``--until`` mean."""

from __future__ import annotations

from datetime import datetime

from nvr.clock import SystemClock, format_local, from_us, parse_instant
from nvr.errors import ConfigError


def span(since: str, until: str | None) -> tuple[datetime, datetime | None]:
    """The UTC instants of two options; the second is None for an open end. Raises ConfigError."""
    now = from_us(SystemClock().now_us())
    begin = _instant("--since", since, now)
    end = None if until is None else _instant("--until", until, now)
    if end is not None and end <= begin:
        raise ConfigError(f"--until ({format_local(end)}) is not after --since ({format_local(begin)})")
    return begin, end


def _instant(option: str, text: str, now: datetime) -> datetime:
    try:
        return parse_instant(text, now)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from error

"""How instants and spans are written on the wire, and read from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic_core import to_json as to_json_bytes

from nvr.clock import Clock, format_rfc3339, from_us, parse_instant
from nvr.web.refusal import Refusal

Instant = Annotated[
    str, Query(max_length=64, description="RFC 3339, 14:03, yesterday 14:03, or an age such as 90s, 1h or 7d")
]


def instant(text: str, name: str, clock: Clock) -> datetime:
    """The UTC instant of a parameter. Raises Refusal."""
    try:
        at = parse_instant(
            text.replace(" ", "+") if "T" in text and text.count(" ") == 1 else text, from_us(clock.now_us())
        )
        at.timestamp()
    except (ValueError, OverflowError) as error:
        raise Refusal(422, "malformed", f"{name}: {error}") from error
    if not 1970 <= at.year < 9999:
        raise Refusal(422, "malformed", f"{name}: {at.year} is no year of a recording")
    return at.astimezone(UTC)


def span(since: str, until: str | None, clock: Clock, most: timedelta) -> tuple[datetime, datetime]:
    """The UTC instants of ``from`` and ``to``; now where the second is not given. Raises Refusal."""
    begin = instant(since, "from", clock)
    end = from_us(clock.now_us()) if until is None else instant(until, "to", clock)
    if end <= begin:
        raise Refusal(422, "malformed", f"to ({told(end)}) is not after from ({told(begin)})")
    if end - begin > most:
        raise Refusal(422, "too_long", f"at most {most / timedelta(hours=1):g} h at once")
    return begin, end


def told(at: datetime) -> str:
    return format_rfc3339(at)


def told_or_none(at: datetime | None) -> str | None:
    return None if at is None else format_rfc3339(at)


def to_json(value: Any) -> Response:
    """An answer of plain values: without a model between, which costs a long one most of its time."""
    return Response(to_json_bytes(value), media_type="application/json", headers={"Cache-Control": "no-store"})

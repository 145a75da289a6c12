"""Instants and spans in requests."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.web.refusal import Refusal
from nvr.web.wire import instant, span, told
from tests.fakes.clock import FakeClock

CLOCK = FakeClock(datetime(2026, 11, 22, 13, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11-22T12:00:00Z", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("2026-11-22T12:00:00+01:00", datetime(2026, 11, 22, 11, tzinfo=UTC)),
        ("2026-11-22T12:00:00 01:00", datetime(2026, 11, 22, 11, tzinfo=UTC)),
        ("90s", datetime(2026, 11, 22, 13, 3, 30, tzinfo=UTC)),
    ],
)
def test_what_is_understood(text: str, found: datetime) -> None:
    """A plus sign that nobody escaped arrives as a space."""
    assert instant(text, "from", CLOCK) == found


@given(st.text(max_size=80))
def test_whatever_is_written_it_is_an_instant_or_a_refusal(text: str) -> None:
    with suppress(Refusal):
        found = instant(text, "from", CLOCK)
        assert found.tzinfo is UTC
        assert 1970 <= found.year < 9999


@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001  # Hypothesis wants naive ones
def test_what_is_told_is_read_again(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC)
    assert instant(told(at), "at", CLOCK) == at


def test_a_span_has_a_length_and_a_limit() -> None:
    hour = timedelta(hours=1)
    assert span("1h", None, CLOCK, hour) == (datetime(2026, 11, 22, 12, 5, tzinfo=UTC), CLOCK_NOW)
    for since, until in (("1h", "1h"), ("30m", "1h"), ("2h", None)):
        with pytest.raises(Refusal):
            span(since, until, CLOCK, hour)


CLOCK_NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)

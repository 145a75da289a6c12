"""What ``--since`` and ``--until`` mean; how an instant is written is tested in ``tests/test_clock.py``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nvr.cli.spans import span
from nvr.errors import ConfigError
from tests.fakes.station import nvr


def test_a_span_without_an_end_is_open() -> None:
    begin, end = span("1h", None)
    assert timedelta(hours=1) <= datetime.now(UTC) - begin < timedelta(hours=1, minutes=1)
    assert end is None


def test_ages_are_counted_from_one_moment() -> None:
    begin, end = span("1h", "30m")
    assert end is not None
    assert end - begin == timedelta(minutes=30)


def test_instants_are_utc() -> None:
    assert span("2026-11-22T14:00:00+01:00", None)[0] == datetime(2026, 11, 22, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        ("soon", None, '--since: got "soon", want a time such as'),
        ("1h", "", '--until: got ""'),
        ("1h", "1h", "--until .* is not after --since"),
        ("1h", "2d", "--until .* is not after --since"),
        ("14:61", None, "--since"),
    ],
)
def test_a_span_that_is_none_is_refused_by_the_options_name(since: str, until: str | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        span(since, until)


@pytest.mark.parametrize(
    ("zone", "since"), [("America/New_York", "0001-01-01T00:00:00Z"), ("Asia/Tokyo", "9999-12-31T23:59:59Z")]
)
def test_the_ends_of_the_calendar_are_instants_too(config: Path, zone: str, since: str) -> None:
    done = nvr("events", "list", "--camera", "hik2", "--since", since, "--config", str(config), env={"TZ": zone})
    assert "Traceback" not in done.stderr

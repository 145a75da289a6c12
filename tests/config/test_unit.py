from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.config.unit import DURATION_PATTERN, SIZE_PATTERN, parse_size, parse_span

UNITS = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4}
UNITS |= {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}
WEEK = timedelta(days=7)
T = TypeVar("T")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500GB", 500_000_000_000),
        ("5GB", 5_000_000_000),
        ("200MB", 200_000_000),
        ("1TB", 1_000_000_000_000),
        ("1.5TB", 1_500_000_000_000),
        ("1GiB", 1_073_741_824),
        ("0B", 0),
        ("0.1B", 0),
        (" 1kB ", 1000),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "5", "GB", "5 GB", "-5GB", "5gb", "5Gb", "5PB", ".5GB", "5.GB", "1e3GB", "5GB2"])
def test_what_is_not_a_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="want a size such as 500GB"):
        parse_size(text)


@pytest.mark.parametrize("text", ["99999999TB", "9223372036854775.808kB"])
def test_a_size_beyond_every_disk_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a size that no disk has"):
        parse_size(text)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(sorted(UNITS)))
def test_sizes_are_exact_whatever_the_fraction(whole: int, millionths: int, unit: str) -> None:
    text = f"{whole}.{millionths:06d}{unit}"
    assert parse_size(text) == int((whole + Fraction(f"0.{millionths:06d}")) * UNITS[unit])


def outcome(parse: Callable[[str], T], text: str) -> T | str:
    try:
        return parse(text)
    except ValueError as error:
        return str(error)


@given(st.text())
def test_any_text_is_a_size_or_a_value_error(text: str) -> None:
    size = outcome(parse_size, text)
    if isinstance(size, str):
        assert "\n" not in size
    else:
        assert 0 <= size < 2**63
        assert re.search(SIZE_PATTERN, text.strip())


@given(st.integers(0, 604_800), st.sampled_from("sm"))
def test_spans_within_the_limits_are_read(number: int, unit: str) -> None:
    span = timedelta(seconds=number * {"s": 1, "m": 60}[unit])
    if span <= WEEK:
        assert parse_span(f"{number}{unit}", timedelta(), WEEK) == span
    else:
        with pytest.raises(ValueError, match="want a duration from 0s to 7d"):
            parse_span(f"{number}{unit}", timedelta(), WEEK)


@given(st.text() | st.from_regex(DURATION_PATTERN))
def test_any_text_is_a_span_or_a_value_error(text: str) -> None:
    span = outcome(lambda text: parse_span(text, timedelta(), WEEK), text)
    assert "\n" not in span if isinstance(span, str) else timedelta() <= span <= WEEK


@pytest.mark.parametrize("text", ["7 days", "60", "1y", "", "9" * 400 + "d", "inf"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^got .*, want a duration such as 90s, 1h or 7d$"):
        parse_span(text, timedelta(), WEEK)


@pytest.mark.parametrize(
    ("most", "words"), [(timedelta(minutes=5), "90s"), (timedelta(hours=1), "90s or 1h"), (WEEK, "90s, 1h or 7d")]
)
def test_the_durations_named_as_examples_would_be_taken(most: timedelta, words: str) -> None:
    with pytest.raises(ValueError, match=f"want a duration such as {words}$"):
        parse_span("soon", timedelta(seconds=1), most)


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [
        (timedelta(seconds=5), timedelta(minutes=15), "from 5s to 15m"),
        (timedelta(), timedelta(days=36500), "from 0s to 36500d"),
        (timedelta(seconds=90), timedelta(hours=36), "from 90s to 36h"),
    ],
)
def test_limits_are_spelt_as_the_file_would(least: timedelta, most: timedelta, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_span("40000d", least, most)

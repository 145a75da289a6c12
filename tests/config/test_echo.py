from __future__ import annotations

import pytest

from nvr.config.echo import clean, kind, printable, redact, shown


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("rtsp://viewer:hunter2@cam/x", "rtsp://***@cam/x"),
        ("rtsp://viewer:hun@ter2@cam/x", "rtsp://***@cam/x"),
        ("rtsp://viewer:hun/ter2@cam/x", "rtsp://***@cam/x"),
        ("viewer:hunter2@cam", "***@cam"),
        ("rtsp://cam/live?user=a&password=hunter2&c=1", "rtsp://cam/live?user=a&password=***&c=1"),
        ("rtsp://cam/live?PWD=hunter2", "rtsp://cam/live?PWD=***"),
        ("rtsp://cam:554/Streaming/Channels/101", "rtsp://cam:554/Streaming/Channels/101"),
    ],
)
def test_a_login_is_not_shown(text: str, safe: str) -> None:
    assert redact(text) == safe


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (False, "false"),
        ("7 days", '"7 days"'),
        ("a\nb\x1b[31m", '"a·b·[31m"'),
        ("x" * 100, '"' + "x" * 59 + '…"'),
        (12, "12"),
        (0.5, "0.5"),
        pytest.param(10**5000, "a huge number", id="huge"),
        ([1], "a list"),
        ({"a": 1}, "a mapping"),
    ],
)
def test_a_value_is_shown_short_and_on_one_line(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("hunter2", "text"), (12345, "a number"), (1.5, "a number"), (True, "true"), (None, "nothing"), ([], "a list")],
)
def test_the_kind_of_a_value_tells_nothing_of_it(value: object, text: str) -> None:
    assert kind(value) == text


def test_unprintable_letters_become_dots_and_long_text_is_cut() -> None:
    assert printable("a\tb\r\nc") == "a·b··c"
    assert clean("x" * 60) == "x" * 60
    assert len(clean("x" * 61)) == 60

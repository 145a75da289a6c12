"""No password leaves through a log."""

from __future__ import annotations

import logging

import pytest

from nvr.logs import FORMAT, RedactingFormatter, redact


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("rtsp://viewer:secret@cam/x failed", "rtsp://***@cam/x failed"),
        ("two: rtsp://a:b@c/ rtsp://d:e@f/", "two: rtsp://***@c/ rtsp://***@f/"),
        ("rtsp://cam:554/x?a=b@c", "rtsp://cam:554/x?a=b@c"),
        ("rtsp://us%2Fer:p%40ss@cam/", "rtsp://***@cam/"),
        ("nothing here", "nothing here"),
    ],
)
def test_credentials_are_taken_out(text: str, want: str) -> None:
    assert redact(text) == want


def test_the_formatter_is_the_last_line_of_defence() -> None:
    record = logging.LogRecord("n", logging.INFO, "f", 1, "open %s", ("rtsp://u:secret@h/",), None)
    assert "secret" not in RedactingFormatter(FORMAT).format(record)

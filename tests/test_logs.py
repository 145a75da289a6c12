"""No password leaves through a log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest

from nvr.logs import FORMAT, CameraLog, RedactingFormatter, configure, redact


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


def test_a_traceback_is_redacted_as_well() -> None:
    try:
        raise OSError("cannot open rtsp://u:secret@h/")
    except OSError:
        record = logging.LogRecord("n", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    text = RedactingFormatter(FORMAT).format(record)
    assert "OSError: cannot open rtsp://***@h/" in text
    assert "secret" not in text


@pytest.fixture
def _root_logger() -> Iterator[None]:
    """The root logger as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_root_logger")
def test_one_line_goes_to_standard_error_once_however_often_it_is_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        configure("info")
    CameraLog(logging.getLogger("nvr.test"), "hik1").info("open %s", "rtsp://u:secret@h/")
    logging.getLogger("nvr.test").debug("not shown")
    logging.getLogger("sqlalchemy.engine").info("not shown")
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.endswith("INFO    hik1: open rtsp://***@h/")

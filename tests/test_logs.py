"""No password leaves through a log."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator

import pytest

from nvr.logs import FORMAT, RedactingFormatter, UnhurriedHandler, configure, redact


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
def test_one_line_goes_to_standard_error_once_however_often_it_is_set_up(capfd: pytest.CaptureFixture[str]) -> None:
    with open(2, "w", closefd=False) as stderr, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        for _ in range(2):
            configure("info")
        logging.getLogger("nvr.test").info("hik1: open %s", "rtsp://u:secret@h/")
        logging.getLogger("nvr.test").debug("not shown")
        logging.getLogger("sqlalchemy.engine").info("not shown")
    out, err = capfd.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.endswith("INFO    hik1: open rtsp://***@h/")


def test_a_log_that_nobody_reads_holds_nobody_up_and_says_what_it_lost() -> None:
    read, write = os.pipe()
    with os.fdopen(read, "rb") as reader, os.fdopen(write, "w") as stream:
        handler = UnhurriedHandler(stream)
        lines = 3000
        for number in range(lines):
            handler.emit(logging.makeLogRecord({"msg": f"line {number:04} {'x' * 80}"}))
        first = os.read(reader.fileno(), 1 << 20).decode().splitlines()
        assert 100 < len(first) < lines
        handler.emit(logging.makeLogRecord({"msg": "again"}))
        told, line = os.read(reader.fileno(), 1 << 20).decode().splitlines()
    assert told == f"({lines - len(first)} lines lost: nobody read the log)"
    assert line == "again"


def test_a_log_whose_reader_has_gone_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        handler = UnhurriedHandler(stream)
        handler.emit(logging.makeLogRecord({"msg": "to nobody"}))
    handler.emit(logging.makeLogRecord({"msg": "closed"}))

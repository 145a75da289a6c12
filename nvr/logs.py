"""Logging: one line per state change, to standard error, without passwords.

Every process configures its own handler; lines are short enough that the kernel keeps them whole. None ever waits for
who reads them: a terminal that was stopped by Ctrl-S, or a pipe that is full, loses lines and not video.
"""

from __future__ import annotations

import logging
import os
import re
import select
import sys
from typing import TextIO

_CREDENTIAL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s@'\"]*(?::[^/\s]*)?@", re.IGNORECASE)
FORMAT = "%(asctime)s %(levelname)-7s %(message)s"


def redact(text: str) -> str:
    """``rtsp://user:secret@host/`` → ``rtsp://***@host/``, wherever it stands in a text."""
    return _CREDENTIAL.sub(r"\g<scheme>***@", text)


class RedactingFormatter(logging.Formatter):
    """The last line of defence of invariant 9: no URL with a credential leaves through a log."""

    default_time_format = "%Y-%m-%d %H:%M:%S"
    default_msec_format = "%s.%03d"

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class UnhurriedHandler(logging.StreamHandler[TextIO]):
    """Never waits for whoever reads the log: a line that a full pipe has no room for is left out, and counted.

    A pipe that polls as writable takes ``PIPE_BUF`` bytes at once (pipe(7)); longer lines are cut to that.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            descriptor = self.stream.fileno()
            line = self.format(record)
            if self._lost:
                line = f"({self._lost} lines lost: nobody read the log)\n{line}"
            if not select.select([], [descriptor], [], 0)[1]:
                self._lost += 1
                return
            os.write(descriptor, f"{line}\n".encode(errors="replace")[: select.PIPE_BUF])
            self._lost = 0
        except (OSError, ValueError, AttributeError):  # closed, or its disk is full: there is nowhere to say so
            self._lost += 1


def configure(level: str = "info") -> None:
    """Set this process's logging up. Call once, at the process's start."""
    handler = UnhurriedHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter(FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("sqlalchemy", "alembic", "PIL", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)

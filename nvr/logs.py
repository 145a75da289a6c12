"""Logging: one line per state change, to standard error, without passwords.

Every process configures its own handler; lines are short enough that the kernel keeps them whole.
"""

from __future__ import annotations

import logging
import re
import sys

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


class CameraLog(logging.LoggerAdapter[logging.Logger]):
    """A logger that begins each line with its camera's name."""

    def __init__(self, logger: logging.Logger, camera: str) -> None:
        super().__init__(logger, {"camera": camera})
        self._camera = camera

    def process(self, msg: str, kwargs):  # type: ignore[no-untyped-def]  # the base's signature, in logging's own words
        return f"{self._camera}: {msg}", kwargs


def configure(level: str = "info") -> None:
    """Set this process's logging up. Call once, at the process's start."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter(FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("sqlalchemy", "alembic", "PIL", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)

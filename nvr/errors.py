"""Exceptions that a handler somewhere treats differently from a bug.

    NvrError                 one line for the user, exit code 1
    ├── ConfigError          bad usage or configuration, exit code 2
    ├── SourceError          a camera or file could not be opened or read; the run ends and is retried
    │   └── LoginError       401: no further login is tried with this credential
    ├── StorageError         the storage folder or a file in it cannot be used
    ├── CatalogueError       the database cannot be used
    │   ├── DamagedError     its file is damaged; the video files are all that is needed to make it anew
    │   └── RowError         it can, but will never take this row
    ├── LastAdminError       nobody who can log in would be left to manage accounts
    └── ModelError           a detector model cannot be used

Everything else is a builtin exception, and a builtin that reaches a process's top is a bug.
"""

from nvr.reason import Reason


class NvrError(Exception):
    """Base of all: its text says what was wrong, where, and what to do next."""


class ConfigError(NvrError):
    """The configuration or the command line is wrong; the text lists every problem, one a line."""


class SourceError(NvrError):
    """A camera or video file cannot be opened, or broke off. ``reason`` is what the ledger says of it."""

    def __init__(self, text: str, reason: Reason = Reason.UNUSABLE) -> None:
        super().__init__(text)
        self.reason = reason


class LoginError(SourceError):
    """The camera refused the credential (RTSP 401). Trying again may lock the account."""

    def __init__(self, text: str) -> None:
        super().__init__(text, Reason.REFUSED)


class StorageError(NvrError):
    """The storage folder cannot be used: missing marker, not writable, full. ``reason`` is what the ledger says."""

    def __init__(self, text: str, reason: Reason = Reason.DISK_ERROR) -> None:
        super().__init__(text)
        self.reason = reason


class CatalogueError(NvrError):
    """The catalogue cannot be used: missing, from a newer version, not a database."""


class DamagedError(CatalogueError):
    """The catalogue's file is damaged, or no database at all."""


class RowError(CatalogueError):
    """The catalogue can be used, but will never take this row."""


class LastAdminError(NvrError):
    """Nobody who can log in would be left to manage accounts."""


class ModelError(NvrError):
    """A detector model cannot be used: missing, not ONNX, unknown layout."""

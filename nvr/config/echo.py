"""How a value from the file is shown in an error: short, on one line, and never a secret."""

from __future__ import annotations

import re

_LONGEST = 60
_SECRET_PARAMETER = re.compile(r"((?:pass(?:word|wd)?|pwd|secret|token)=)[^&\s]*", re.IGNORECASE)


def redact(text: str) -> str:
    """``rtsp://user:secret@host/`` → ``rtsp://***@host/``, also where the secret itself holds ``/`` or ``@``."""
    before, at, after = text.rpartition("@")
    if at:
        scheme, separator, _ = before.partition("://")
        text = f"{scheme}://***@{after}" if separator else f"***@{after}"
    return _SECRET_PARAMETER.sub(r"\1***", text)


def printable(text: str) -> str:
    """A text that is safe in a terminal and stays on its line."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def clean(text: str) -> str:
    """The same, and at most 60 characters."""
    text = printable(text[: _LONGEST + 1])
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def shown(value: object) -> str:
    """A value of the file as an error names it: ``"7 days"``, ``12``, ``false``, ``a list``."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f'"{clean(redact(value))}"'
        case int() if abs(value) >= 10**18:
            return "a huge number"
        case int() | float():
            return str(value)
        case list() | tuple():
            return "a list"
    return "a mapping"


def kind(value: object) -> str:
    """What sort of value it is, without the value: for keys that may hold a secret."""
    match value:
        case None | bool() | list() | tuple() | dict():
            return shown(value)
        case int() | float():
            return "a number"
    return "text"

"""The alert stream's bytes → its alerts, whatever the camera does to multipart (RFC 2046). Pure; use from one thread.

What cameras announce as boundary and length is often wrong, and one line end may be CRLF and the next LF. So an alert
is found by its own tags, in any case and with any prefix. Headers matter for what is no alert: a picture is skipped by
its length or up to the next part, JSON is taken by the same rule. What is found depends on the bytes alone, not on how
they were cut on their way: every token is bounded, and looked for again when more has come.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

LARGEST = 1 << 20
"""Bytes of an alert; a larger one is skipped."""
LARGEST_PICTURE = 16 << 20
"""A picture that is said to be larger ends at the next part."""
_TOKEN = 8192
"""No token is longer, so that more of what led to none need not be kept."""
_TAG = rb"(?:[A-Za-z_][\w.-]{0,40}:)?EventNotificationAlert"
_START = rb"(?P<start><" + _TAG + rb"(?=[\s/>]))"
_END = rb"(?P<end></" + _TAG + rb"\s{0,9}>)"
_FIELD = rb"[\w-]{1,40}[ \t]{0,9}:[^\r\n<]{0,300}\r?\n"
_HEAD = rb"(?P<head>Content-(?:" + _FIELD + rb")(?:" + _FIELD + rb"){0,20}\r?\n)"
_NEXT = rb"(?P<next>\r?\n--[^\r\n<>]{0,200}\r?\nContent-)"
_SEEK = re.compile(_START + rb"|" + _HEAD, re.IGNORECASE)
_IN_ALERT = re.compile(_END + rb"|" + _START + rb"|" + _NEXT, re.IGNORECASE)
_IN_OTHER = re.compile(_START + rb"|" + _NEXT, re.IGNORECASE)
_NEXT_ONLY = re.compile(_NEXT, re.IGNORECASE)
_TYPE = re.compile(rb"Content-Type[ \t]*:[ \t]*([\w.+/-]+)", re.IGNORECASE)
_LENGTH = re.compile(rb"Content-Length[ \t]*:[ \t]*(\d{1,12})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One alert as it came, from its first tag or brace to its last."""

    form: Literal["xml", "json"]
    body: bytes


class Splitter:
    """Bytes in, alerts out; keeps at most what one alert may take and what was fed last."""

    def __init__(self) -> None:
        self.bad = 0
        """Alerts that had no end, or were too large."""
        self._buffer = bytearray()
        self._mode: Literal["seek", "alert", "json", "other"] = "seek"
        self._left: int | None = None
        """Bytes that the part still has by its own account."""
        self._looked = 0
        """Up to there the buffer has no token of this mode."""

    def feed(self, data: bytes) -> Iterator[Part]:
        """The alerts that ``data`` completes, in their order."""
        self._buffer += data
        while True:
            before = (len(self._buffer), self._mode)
            part = self._step()
            if part is not None:
                yield part
            elif before == (len(self._buffer), self._mode):
                return

    def _step(self) -> Part | None:
        """Go one token on; where none is whole yet, nothing but what is done with goes."""
        if self._mode == "seek":
            self._seek()
            return None
        return self._alert() if self._mode == "alert" else self._other()

    def _seek(self) -> None:
        found = _SEEK.search(self._buffer)
        if found is None:
            self._drop(len(self._buffer) - _TOKEN)
        elif found["start"] is not None:
            self._drop(found.start())
            self._mode, self._looked = "alert", 1  # behind its own start
        else:
            self._begin(found["head"])
            self._drop(found.end())

    def _begin(self, head: bytes) -> None:
        """Decide by its headers how a part is read. XML is found by its tags."""
        kind, length = _TYPE.search(head), _LENGTH.search(head)
        form = b"" if kind is None else kind[1].lower()
        if form.endswith(b"json"):
            self._mode = "json"
        elif form.startswith((b"image/", b"video/", b"audio/", b"application/octet-stream")):
            self._mode = "other"
        else:
            return
        limit = LARGEST if self._mode == "json" else LARGEST_PICTURE
        self._left = int(length[1]) if length is not None and int(length[1]) <= limit else None

    def _alert(self) -> Part | None:
        found = self._search(_IN_ALERT, LARGEST)
        if found is None:
            if len(self._buffer) >= LARGEST:
                self._lose(LARGEST)
            return None
        if found["end"] is None:  # the next one begins, and this one has not ended
            self._lose(found.start())
            return None
        return self._take("xml", found.end())

    def _other(self) -> Part | None:
        """JSON or a picture: up to its length, or to what cannot be in it."""
        json = self._mode == "json"
        if self._left is not None:
            found = self._search(_NEXT_ONLY, self._left)
            end = self._left if found is None and len(self._buffer) >= self._left else None
        else:
            found, end = self._search(_IN_OTHER, LARGEST if json else None), None
        if found is not None:
            end = found.start()
        if end is not None:
            part = self._take("json", end)
            return part if json else None
        if json and len(self._buffer) >= LARGEST:
            self._lose(LARGEST)
        elif not json:
            self._pass(len(self._buffer) - _TOKEN)
        return None

    def _search(self, tokens: re.Pattern[bytes], until: int | None) -> re.Match[bytes] | None:
        """The first token that is whole before ``until``."""
        end = len(self._buffer) if until is None else min(until, len(self._buffer))
        found = tokens.search(self._buffer, self._looked, end)
        if found is None:
            self._looked = max(self._looked, end - _TOKEN)
        return found

    def _pass(self, length: int) -> None:
        """Let go of a picture's beginning."""
        if length > 0:
            self._drop(length)
            self._left = None if self._left is None else self._left - length

    def _take(self, form: Literal["xml", "json"], length: int) -> Part:
        part = Part(form, bytes(self._buffer[:length]))
        self._end(length)
        return part

    def _lose(self, length: int) -> None:
        self.bad += 1
        self._end(length)

    def _end(self, length: int) -> None:
        self._drop(length)
        self._mode, self._left = "seek", None

    def _drop(self, length: int) -> None:
        del self._buffer[: max(0, length)]
        self._looked = 0

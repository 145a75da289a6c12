"""Watches two clocks that may be wrong: this machine's, which may be set, and the camera's, which may be far off. Pure.

The camera's clock (its RTCP reports) only ever leads to a warning: video is placed by this machine's.
"""

from __future__ import annotations

from nvr.recording.timeline import STEP_US

WARNING_US = 5_000_000
"""A camera clock that is further off, or has moved by more since the last warning, is worth one."""


class ClockWatch:
    """Asked about once a second. Times are microseconds."""

    def __init__(self) -> None:
        self._ahead_us: int | None = None
        self._warned_us = 0

    def stepped(self, monotonic_us: int, wall_us: int) -> bool:
        """Whether the wall clock was set since the last call: it moved against the clock that cannot be set."""
        before_us, self._ahead_us = self._ahead_us, wall_us - monotonic_us
        return before_us is not None and abs(self._ahead_us - before_us) > STEP_US

    def is_news(self, offset_us: int | None) -> bool:
        """Whether a camera clock that is ``offset_us`` ahead of ours is worth a (new) warning."""
        if offset_us is None or abs(offset_us - self._warned_us) <= WARNING_US:
            return False
        self._warned_us = offset_us
        return True

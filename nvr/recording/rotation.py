"""Where a run's packets are cut into segments.

Pure; lives in the recorder process. A segment starts at a key frame and ends at the first key frame after its target
duration, however long a smart codec makes one wait: a cut anywhere else would start a file that cannot be decoded.
"""

from __future__ import annotations

from enum import Enum


class Decision(Enum):
    """What to do with a packet."""

    KEEP = "keep"
    CUT = "cut"
    """Close the segment, start the next with this packet."""
    DISCARD = "discard"
    """No decoder could use it: it comes before the first key frame."""


class Rotation:
    """Decides for each packet of a run. Times are media microseconds of the run."""

    def __init__(self, segment_us: int) -> None:
        self._segment_us = segment_us
        self._start_us: int | None = None
        self._cut_wanted = False

    def decide(self, *, video: bool, key: bool, dts_us: int, changed: bool = False) -> Decision:
        """The packet's fate. ``changed``: what came before cannot share a file with what follows (the camera's clock
        jumped, ours was set, the picture's format is another), so the next key frame starts a file."""
        self._cut_wanted = self._cut_wanted or changed
        if not (video and key):
            return Decision.DISCARD if self._start_us is None else Decision.KEEP
        if self._start_us is None or self._cut_wanted or dts_us - self._start_us >= self._segment_us:
            self._start_us = dts_us
            self._cut_wanted = False
            return Decision.CUT
        return Decision.KEEP

    def restart(self) -> None:
        """The segment was ended (a full disk, the schedule): discard until the next key frame."""
        self._start_us = None

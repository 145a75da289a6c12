"""How much comes from the camera: pictures and bits a second over the last few beats. Pure."""

from __future__ import annotations

from collections import deque

WINDOW_BEATS = 5


class Rate:
    """Counts what comes; ``mark`` it about once a second."""

    def __init__(self) -> None:
        self.frames = self.bytes = 0
        self._marks: deque[tuple[int, int, int]] = deque(maxlen=WINDOW_BEATS)

    def mark(self, monotonic_us: int) -> None:
        """Note how much had come by now."""
        self._marks.append((monotonic_us, self.frames, self.bytes))

    @property
    def fps(self) -> float:
        """Pictures a second; 0 before there are two marks."""
        span_us = self._span_us
        return (self.frames - self._marks[0][1]) * 1e6 / span_us if span_us else 0.0

    @property
    def bitrate(self) -> int:
        """Bits a second."""
        span_us = self._span_us
        return round((self.bytes - self._marks[0][2]) * 8e6 / span_us) if span_us else 0

    @property
    def _span_us(self) -> int:
        return self._marks[-1][0] - self._marks[0][0] if self._marks else 0

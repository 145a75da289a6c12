"""A clock that stands still until told otherwise."""

from __future__ import annotations

from datetime import UTC, datetime

from nvr.clock import to_us


class FakeClock:
    """Wall and monotonic clock of a test; ``advance`` moves both, ``step`` only the wall clock."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)) -> None:
        self._wall_us = to_us(start)
        self._monotonic_us = 1_000_000

    def now_us(self) -> int:
        return self._wall_us

    def monotonic_us(self) -> int:
        return self._monotonic_us

    def advance(self, seconds: float) -> None:
        self._wall_us += round(seconds * 1e6)
        self._monotonic_us += round(seconds * 1e6)

    def step(self, seconds: float) -> None:
        self._wall_us += round(seconds * 1e6)

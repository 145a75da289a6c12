"""How long to wait before the next try: doubling, capped, jittered, and forgotten after a healthy spell. Pure."""

from __future__ import annotations

import random

FIRST_US = 1_000_000
LONGEST_US = 30_000_000
HEALTHY_US = 60_000_000
JITTER = 0.2


class Backoff:
    """1, 2, 4 … 30 s, each ± 20 %, so that cameras that fell together do not return together."""

    def __init__(self, jitter: random.Random | None = None) -> None:
        self._jitter = jitter or random.Random()  # spreads load, guards nothing
        self._next_us = FIRST_US

    def failed(self, lasted_us: int) -> int:
        """Microseconds to wait after a try that lasted ``lasted_us``; a long one begins the series anew."""
        if lasted_us >= HEALTHY_US:
            self._next_us = FIRST_US
        delay_us = round(self._next_us * self._jitter.uniform(1 - JITTER, 1 + JITTER))
        self._next_us = min(self._next_us * 2, LONGEST_US)
        return delay_us

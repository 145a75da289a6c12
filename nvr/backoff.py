"""How long to wait before the next try: doubling, capped, jittered, and forgotten after a healthy spell. Pure."""

from __future__ import annotations

import random

FIRST_US = 500_000
LONGEST_US = 30_000_000
HEALTHY_US = 60_000_000
JITTER = 0.2


class Backoff:
    """0.5, 1, 2, 4 … 30 s, each ± 20 %, so that cameras that fell together do not return together."""

    def __init__(self, jitter: random.Random | None = None, healthy_us: int = HEALTHY_US) -> None:
        """A try that lasted ``healthy_us`` or longer begins the series anew."""
        self._healthy_us = healthy_us
        self._jitter = jitter or random.Random()  # spreads load, guards nothing
        self._next_us = FIRST_US

    def failed(self, lasted_us: int) -> int:
        """Microseconds to wait after a try that lasted ``lasted_us``."""
        if lasted_us >= self._healthy_us:
            self.reset()
        delay_us = round(self._next_us * self._jitter.uniform(1 - JITTER, 1 + JITTER))
        self._next_us = min(self._next_us * 2, LONGEST_US)
        return delay_us

    def reset(self) -> None:
        """Begin the series anew: what failed before has nothing to do with what fails now."""
        self._next_us = FIRST_US

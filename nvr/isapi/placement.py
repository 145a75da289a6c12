"""A camera's time of an alert → the instant by nvr's own clock, which places the video. Pure; one per device.

Cameras' clocks are off by seconds or hours and get set; what they say is told late. So neither the camera's time alone
places an alert, nor the moment of hearing it: of the last minutes the least lag between the two is taken for what the
clocks differ by, and an alert that lags more was told that much later.
"""

from __future__ import annotations

from datetime import datetime, timedelta

LATE = timedelta(seconds=10)
"""An alert that seems later than that was not late: the clock was set."""
WINDOW_US = 300_000_000
"""The least lag is that of the last five to ten minutes."""


class Placement:
    """What is known of one camera's clock."""

    def __init__(self) -> None:
        self.offset: timedelta | None = None
        """How far the camera's clock is ahead of nvr's, up to a second; None before it told a time."""
        self._lags: list[timedelta] = []
        """The least of the last window and of this one."""
        self._turn_us = 0

    def place(self, at: datetime | None, received: datetime, now_us: int) -> datetime:
        """The instant of an alert, no later than ``received`` and no more than ``LATE`` before it.

        ``at`` is UTC by the camera's clock, None where it gave no time; ``now_us`` is monotonic.
        """
        if at is None:
            return received
        lag = received - at
        if now_us >= self._turn_us:
            self._turn_us = now_us + WINDOW_US
            self._lags = [*self._lags[-1:], lag]
        self._lags[-1] = min(self._lags[-1], lag)
        if lag - min(self._lags) > LATE:
            self._lags = [lag]
        self.offset = -min(self._lags)
        return received - (lag - min(self._lags))

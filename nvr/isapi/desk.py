"""One device's alerts → the events of its cameras. Pure.

A device tells of all its channels in one stream. Recorders number the cameras in their network from 33 on, whatever
their menus call them, and some alerts name no channel at all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime

from nvr.isapi.alert import Alert
from nvr.isapi.placement import Placement
from nvr.isapi.report import Report, Reporter

log = logging.getLogger(__name__)
IN_NETWORK = 32
"""What recorders add to the channel of a camera in their network."""


class Desk:
    """The cameras of one device by their channels."""

    def __init__(self, device: str, reporters: Mapping[int, Reporter]) -> None:
        """``device`` is its name in the log."""
        self.astray = 0
        """Alerts whose camera could not be told."""
        self.placement = Placement()
        self._device = device
        self._reporters = reporters

    def hear(self, alert: Alert, received: datetime, now_us: int) -> Iterator[Report]:
        """Take an alert; ``received`` is UTC by nvr's clock, ``now_us`` monotonic."""
        if alert.late:  # what it tells is over, and its time says nothing of the clock
            return
        at = self.placement.place(alert.at, received, now_us)
        reporter = self._reporter(alert.channel)
        if reporter is not None:
            yield from reporter.hear(alert, at, received, now_us)
        elif alert.active:
            self.astray += 1
            if self.astray == 1:
                log.warning(
                    "%s: tells of channel %s, which no camera with alerts has: left out, as others of that kind",
                    self._device,
                    alert.channel,
                )

    def _reporter(self, channel: int | None) -> Reporter | None:
        if channel is not None and channel > 0:
            return self._reporters.get(channel) or self._reporters.get(channel - IN_NETWORK)
        if len(self._reporters) == 1:
            return next(iter(self._reporters.values()))
        return self._reporters.get(1)

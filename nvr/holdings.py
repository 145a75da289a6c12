"""What there is of a span of a camera, for whoever copies it: files, and what the ledger says of it.

Used by commands and front ends, in their own processes, with ``nvr start`` up or down.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from nvr.catalogue.store import Catalogue
from nvr.clock import SystemClock, from_us
from nvr.history import entries, recording
from nvr.ledger import Entry
from nvr.media.gathering import gather
from nvr.model import Gap, Segment
from nvr.reason import Reason


def recorded_of(
    catalogue: Catalogue, storage: Path, camera: str, begin: datetime, end: datetime
) -> tuple[list[Segment], list[Entry]]:
    """What is there of the span, and what the ledger says of it. Raises CatalogueError."""
    clock = SystemClock()
    live = recording(storage, camera, clock)
    told = entries(catalogue, storage, camera, begin, end, from_us(clock.now_us()), live)
    return gather(storage, camera, catalogue.segments(begin, end, camera), begin, end), told


def as_gaps(camera: str, told: Sequence[Entry]) -> tuple[Gap, ...]:
    """The holes in it, as an exported file names them."""
    return tuple(
        Gap(str(number), camera, entry.start, entry.reason or Reason.UNKNOWN, entry.detail, entry.end)
        for number, entry in enumerate(told)
        if entry.kind != "recorded"
    )

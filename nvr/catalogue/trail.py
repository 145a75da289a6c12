"""An event's path as text: compact, bounded, and back again.

``[[0,0.1,0.2,0.3,0.8],[200,0.1125,…]]``: milliseconds since an instant that is stored beside it, then the edges of the
box as fractions of the picture, to four digits: half a pixel of a picture 5000 wide.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from nvr.model import Box, Waypoint

MOST = 1000
"""Points kept of one path, about 40 bytes each."""
DIGITS = 4
_MILLISECOND = timedelta(milliseconds=1)


def to_text(path: Sequence[Waypoint], start: datetime) -> str:
    """Points by their time; of more than ``MOST`` so many, evenly taken, the first and the last among them."""
    kept = sorted(path, key=lambda point: point.at)
    if len(kept) > MOST:
        kept = [kept[place * (len(kept) - 1) // (MOST - 1)] for place in range(MOST)]
    points = [[round((point.at - start) / _MILLISECOND), *_edges(point.box)] for point in kept]
    return json.dumps(points, separators=(",", ":"), allow_nan=False)


def from_text(text: str, start: datetime) -> tuple[Waypoint, ...]:
    """The path that ``to_text`` wrote."""
    return tuple(Waypoint(start + ms * _MILLISECOND, Box(*edges)) for ms, *edges in json.loads(text))


def _edges(box: Box) -> list[float]:
    return [round(edge, DIGITS) for edge in (box.left, box.top, box.right, box.bottom)]

"""Window: which part of a picture is worth all of the detector's pixels? Pure.

A detector's input has a few hundred pixels; somebody far away in a large picture is a dozen of them and not found. So
where all that moves or is followed is small and close together, the detector looks at that part alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from nvr.analysis.geometry import touches
from nvr.model import Box

_AROUND = 0.5
"""Share of the size of what is looked at that is added on each side: motion shows a part of somebody."""
_LARGEST = 0.7
"""Share of the picture's width or height from which a window gains too little."""
_ENLARGED = 2.0
"""Model pixels that a picture's pixel becomes, at most: beyond that there is nothing more to see."""
_LARGE, _TALL = 64.0, 0.3
"""Model pixels, and share of its height, that the tallest has at most: what COCO calls medium is 32 to 96. Of the
people in PETS09-S2L1 the shipped model finds 78 % where they are 36 pixels tall, 98 % at 64, 91 % at 80, 74 % at 128.
"""


def window(wanted: Iterable[Box], picture: tuple[int, int], model: tuple[int, int]) -> Box | None:
    """The part that shows all that is ``wanted``, of the model's shape; None for the whole picture.

    ``picture`` and ``model`` are width and height in pixels.
    """
    boxes = list(wanted)
    if not boxes:
        return None
    tallest = max(box.bottom - box.top for box in boxes) * picture[1]
    least = max(1 / _ENLARGED, tallest / min(_LARGE, _TALL * model[1]))
    across = _span(boxes, "left", "right")
    down = _span(boxes, "top", "bottom")
    width = max(across[1] * picture[0], model[0] * least)
    height = max(down[1] * picture[1], model[1] * least)
    width, height = max(width, height * model[0] / model[1]), max(height, width * model[1] / model[0])
    share = width / picture[0], height / picture[1]
    if max(share) > _LARGEST:
        return None
    left, top = (
        min(max(middle - part / 2, 0.0), 1.0 - part) for middle, part in ((across[0], share[0]), (down[0], share[1]))
    )
    return Box(left, top, left + share[0], top + share[1])


def is_cut_off(box: Box, part: Box) -> bool:
    """Whether a box that was found in a window goes on beyond an edge that is not the picture's."""
    inner = Box(
        part.left if part.left > 0 else -1.0,
        part.top if part.top > 0 else -1.0,
        part.right if part.right < 1 else 2.0,
        part.bottom if part.bottom < 1 else 2.0,
    )
    return touches(box, inner)


def _span(boxes: list[Box], low: str, high: str) -> tuple[float, float]:
    """Middle and length along an axis of all boxes, with what is around them, within the picture."""
    begin, end = min(getattr(box, low) for box in boxes), max(getattr(box, high) for box in boxes)
    around = (end - begin) * _AROUND
    begin, end = max(begin - around, 0.0), min(end + around, 1.0)
    return (begin + end) / 2, end - begin

"""Arithmetic of boxes in fractions of the picture. Pure; knows nothing of what is in them."""

from __future__ import annotations

from nvr.model import Box

WHOLE = Box(0.0, 0.0, 1.0, 1.0)
"""All of the picture."""
_BORDER = 0.004
"""Share of the picture: a detector's box seldom reaches the last pixel."""


def area(box: Box) -> float:
    """Share of the picture; 0 for a box that is none (right of left, bottom of top)."""
    return max(box.right - box.left, 0.0) * max(box.bottom - box.top, 0.0)


def shared(box: Box, other: Box) -> float:
    """The area that two boxes have in common, share of the picture."""
    return area(
        Box(
            left=max(box.left, other.left),
            top=max(box.top, other.top),
            right=min(box.right, other.right),
            bottom=min(box.bottom, other.bottom),
        )
    )


def overlap(box: Box, other: Box) -> float:
    """Intersection over union, 0..1."""
    both = shared(box, other)
    union = area(box) + area(other) - both
    return both / union if union > 0 else 0.0


def share_inside(box: Box, other: Box) -> float:
    """How much of a box is inside the other, 0..1."""
    return shared(box, other) / area(box) if area(box) > 0 else 0.0


def distance(box: Box, other: Box) -> float:
    """Between the centres, in mean widths or mean heights of the two, whichever is more."""
    width = max(box.right - box.left + other.right - other.left, 1e-6)
    height = max(box.bottom - box.top + other.bottom - other.top, 1e-6)
    across = abs(box.left + box.right - other.left - other.right) / width
    down = abs(box.top + box.bottom - other.top - other.bottom) / height
    return max(across, down)


def is_cut(box: Box) -> bool:
    """Whether the box touches the picture's border, so that part of its subject is probably outside."""
    return touches(box, WHOLE)


def touches(box: Box, frame: Box) -> bool:
    """Whether the box reaches an edge of a frame around it."""
    reaches = (frame.left - box.left, frame.top - box.top, box.right - frame.right, box.bottom - frame.bottom)
    return max(reaches) > -_BORDER

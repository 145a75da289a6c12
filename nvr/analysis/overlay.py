"""Zones, lines and masks drawn onto a picture, for the person who places them.

Each is drawn twice, in its colour on black, so that it is seen on snow as well as at night. Writes no file.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nvr.analysis.zones import Line, Point, Polygon, Rules, contains
from nvr.model import Frame

if TYPE_CHECKING:
    from cv2.typing import MatLike
    from numpy.typing import NDArray

Colour = tuple[int, int, int]
"""Blue, green, red, as OpenCV has it."""
QUALITY = 90
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BLACK: Colour = (0, 0, 0)
_GREY: Colour = (190, 190, 190)
_ZONES: tuple[Colour, ...] = ((80, 200, 60), (240, 160, 40), (200, 80, 220), (60, 200, 230), (90, 120, 255))
_LINE: Colour = (40, 230, 255)
_FILL, _DARK = 0.3, 0.45
"""Share of a zone's colour in its inside, and of the picture's brightness that is left in a mask."""


def render(frame: Frame, rules: Rules | None = None) -> bytes:
    """JPEG of a frame whose width and height are even, as it is or with what a camera's rules place in it."""
    picture = cv2.cvtColor(frame.i420, cv2.COLOR_YUV2BGR_I420)
    if rules is not None:
        draw(picture, rules)
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError(f"OpenCV could not encode a picture of {frame.width}x{frame.height} as JPEG")
    return encoded.tobytes()


def draw(picture: MatLike, rules: Rules) -> None:
    """Draw masks darkened and hatched, zones filled, lines with an arrow that points in; and the names of all.

    ``picture`` is uint8 (height, width, 3), blue, green, red, and is drawn into.
    """
    plates = _Plates(picture)
    for mask in rules.masks:
        _shade(picture, mask)
    zones = [(zone, _ZONES[number % len(_ZONES)]) for number, zone in enumerate(rules.zones)]
    for zone, colour in zones:
        _fill(picture, zone.points, colour)
    for zone, colour in zones:
        _outline(picture, _pixels(picture, zone.points), colour, closed=True)
    tips = [_arrow(picture, line) for line in rules.lines]
    for line in rules.lines:
        _outline(picture, _pixels(picture, line.points), _LINE, closed=False)
    for number, mask in enumerate(rules.masks, 1):
        plates.put(f"mask {number}", _middle(mask), _GREY)
    for zone, colour in zones:
        plates.put(zone.name, _middle(zone.points), colour)
    for line, tip in zip(rules.lines, tips, strict=True):
        plates.put("in", tip, _LINE)
        only = "" if line.direction == "both" else f" ({line.direction} only)"
        plates.put(line.name + only, line.points[0], _LINE)


def _pixels(picture: MatLike, points: Polygon) -> NDArray[np.int32]:
    height, width = picture.shape[:2]
    return np.array([(round(x * (width - 1)), round(y * (height - 1))) for x, y in points], np.int32)


def _pen(picture: MatLike) -> int:
    """Thickness that suits the picture's size, px."""
    height, width = picture.shape[:2]
    pen: int = max(1, round(min(height, width) / 300))
    return pen


def _stencil(picture: MatLike, polygon: Polygon) -> NDArray[np.bool_]:
    stencil = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(stencil, [_pixels(picture, polygon)], 255)
    return stencil > 0


def _fill(picture: MatLike, polygon: Polygon, colour: Colour) -> None:
    inside = _stencil(picture, polygon)
    picture[inside] = picture[inside] * (1 - _FILL) + np.array(colour) * _FILL


def _shade(picture: MatLike, polygon: Polygon) -> None:
    """Darken, and hatch from left below to right above."""
    inside = _stencil(picture, polygon)
    picture[inside] = picture[inside] * _DARK
    height, width = picture.shape[:2]
    pen = _pen(picture)
    rows, columns = np.indices((height, width), sparse=True)
    hatched = inside & ((rows + columns) % (12 * pen) < pen)
    picture[hatched] = picture[hatched] * 0.4 + np.array(_GREY) * 0.6
    _outline(picture, _pixels(picture, polygon), _GREY, closed=True)


def _outline(picture: MatLike, points: NDArray[np.int32], colour: Colour, *, closed: bool) -> None:
    pen = _pen(picture) * (1 if closed else 2)
    cv2.polylines(picture, [points], closed, _BLACK, pen + 2, cv2.LINE_AA)
    cv2.polylines(picture, [points], closed, colour, pen, cv2.LINE_AA)


def _arrow(picture: MatLike, line: Line) -> Point:
    """From the middle of the line's longest piece to its right, which is in; a point for that word beyond its tip."""
    pixels = _pixels(picture, line.points).astype(float)
    start, end = max(pairwise(pixels), key=lambda piece: math.dist(*piece))
    length = math.dist(start, end) or 1.0
    height, width = picture.shape[:2]
    right = np.array([start[1] - end[1], end[0] - start[0]]) / length * min(height, width) / 8
    tail = (start + end) / 2
    begin, tip = ((round(x), round(y)) for x, y in (tail, tail + right))
    for colour, pen in ((_BLACK, _pen(picture) * 2 + 2), (_LINE, _pen(picture) * 2)):
        cv2.arrowedLine(picture, begin, tip, colour, pen, cv2.LINE_AA, tipLength=0.3)
    x, y = tail + right * 1.4
    return x / width, y / height


def _middle(polygon: Polygon) -> Point:
    """A point for the name: the mean of the corners, or the first corner where that is outside."""
    mean = sum(x for x, _ in polygon) / len(polygon), sum(y for _, y in polygon) / len(polygon)
    return mean if contains(polygon, mean) else polygon[0]


class _Plates:
    """Names on plates of their own, inside the picture and beside each other."""

    def __init__(self, picture: MatLike) -> None:
        self._picture = picture
        self._taken: list[tuple[int, int, int, int]] = []
        self._scale = max(0.4, min(picture.shape[0] / 900, picture.shape[1] / 1200))
        self._pen = max(1, round(self._scale * 1.6))

    def put(self, text: str, at: Point, colour: Colour) -> None:
        """Write around a point; none where the picture is too small for it."""
        height, width = self._picture.shape[:2]
        (wide, tall), below = cv2.getTextSize(text, _FONT, self._scale, self._pen)
        pad = round(5 * self._scale) + 1
        across, down = wide + 2 * pad, tall + below + 2 * pad
        if across > width or down > height:
            return
        left = min(max(round(at[0] * width) - across // 2, 0), width - across)
        top = self._free(left, min(max(round(at[1] * height) - down // 2, 0), height - down), across, down)
        self._taken.append((left, top, left + across, top + down))
        cv2.rectangle(self._picture, (left, top), (left + across - 1, top + down - 1), _BLACK, cv2.FILLED)
        base = top + pad + tall
        cv2.putText(self._picture, text, (left + pad, base), _FONT, self._scale, colour, self._pen, cv2.LINE_AA)

    def _free(self, left: int, top: int, across: int, down: int) -> int:
        """The nearest height at which no other plate is; the wished one where there is none."""
        most = self._picture.shape[0] - down
        wished = sorted(range(0, most + 1), key=lambda tried: abs(tried - top))
        return next((tried for tried in wished if self._is_free(left, tried, left + across, tried + down)), top)

    def _is_free(self, left: int, top: int, right: int, bottom: int) -> bool:
        return all(
            right <= taken[0] or left >= taken[2] or bottom <= taken[1] or top >= taken[3] for taken in self._taken
        )

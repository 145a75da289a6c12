"""Motion gate: where does a picture differ from what this camera usually shows?

Owns the background of one camera: for each pixel of a small luma picture a running mean and a running deviation
(running Gaussian average, Wren et al., "Pfinder", 1997). A picture of a camera that shakes is first brought back to
where the background is (phase correlation, Kuglin and Hines, 1975). Knows nothing of objects, slots or events; pure but
for its state, no colour conversion. It thinks in seconds: how far the background follows depends on the time passed,
not on the number of pictures, so that dropped pictures change nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nvr.model import Box

if TYPE_CHECKING:
    from cv2.typing import MatLike
    from numpy.typing import NDArray

MAX_BOXES = 32
_WIDTH = 320
"""Pixels, of the picture that is compared. Halving down to it averages noise away and takes 0.02 to 0.2 ms."""
_MIN_CONTRAST = 10.0
"""Grey levels: what differs less is noise, or a thing that no detector would recognise."""
_NOISE_FACTOR = 3.5
_MAX_DEVIATION = 10.0
"""Grey levels that one look may add to a pixel's deviation. A person who paces about must not become "noise"."""
_MIN_AREA = 0.0004
"""Share of the picture. A person is found from about 20 px of 416 on; such a one fills 0.001."""
_GLOBAL_CHANGE = 0.5
"""Share of the picture that no object but a change of light (IR filter, lamps, exposure) alters between two looks."""
_CELLS = (8, 6)
_IN_CELL, _SHAKEN = 0.02 * 255, 0.5
"""A shaken camera moves all edges: there is motion in half of the picture's cells, more than 2 % of each."""
_LEAST_SHIFT, _MOST_SHIFT = 0.2, 0.05
"""By how much a camera shakes: pixels of the small picture, and share of its width."""
_EXPLAINED = 0.6
"""Share of the motion that is left, at most, where a shift of the camera was the cause of it."""
_LEAST_SIDE = 32
_OPEN = np.ones((3, 3), np.uint8)
_JOIN = np.ones((7, 7), np.uint8)


@dataclass(frozen=True, slots=True)
class Motion:
    """What moved in one look: ``area`` is the share of the picture (0..1), ``boxes`` where, largest first.

    At most ``MAX_BOXES`` boxes. Without a box nothing moves, and ``area`` is 0.
    """

    area: float = 0.0
    boxes: tuple[Box, ...] = ()
    blind: bool = False
    """There is nothing to compare with yet: whether something moves is not known."""
    shift: tuple[float, float] = (0.0, 0.0)
    """How far the shaken camera's picture is to the right of and below the background, fractions of the picture."""
    mask: MatLike | None = field(default=None, repr=False, compare=False)
    """The moving pixels, 255, in the small picture that was compared, where the background is."""

    def share(self, box: Box) -> float:
        """How much of the part of a box that is in the picture moves, 0..1; 1 where that is not known."""
        if self.blind:
            return 1.0
        if self.mask is None:
            return 0.0
        height, width = self.mask.shape
        across = _pixels(box.left - self.shift[0], box.right - self.shift[0], width)
        down = _pixels(box.top - self.shift[1], box.bottom - self.shift[1], height)
        part = self.mask[down, across]
        return cv2.countNonZero(part) / part.size if part.size else 0.0


def _pixels(low: float, high: float, length: int) -> slice:
    """Those that an edge from ``low`` to ``high``, fractions of ``length``, touches; none outside of it."""
    return slice(max(math.floor(low * length), 0), max(min(math.floor(high * length) + 1, length), 0))


class MotionGate:
    """The background of one camera and the comparison with it. Lives in the analyzer process, one thread.

    ``memory`` is the time constant of the background: a thing that stays is background after about as long.
    ``settle`` is how long it only learns, and is blind: at first, when the picture's size changes, after a gap of more
    than ``memory``, when time goes back, and after a change of the whole picture's light. ``raster`` gives, for a
    width and a height, where motion counts (255; 0 elsewhere), or None for everywhere.
    """

    def __init__(
        self,
        *,
        memory: timedelta = timedelta(seconds=10),
        settle: timedelta = timedelta(seconds=2),
        raster: Callable[[int, int], NDArray[np.uint8] | None] = lambda width, height: None,
    ) -> None:
        self._memory = memory
        self._settle = settle
        self._raster = raster
        self._counting: NDArray[np.uint8] | None = None
        self._began: datetime | None = None
        self._last: datetime | None = None
        self._mean: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._deviation: NDArray[np.float32] = self._mean
        self._window: MatLike = self._mean
        # used again at each look: fresh memory of this size costs more than what is done in it
        self._difference = self._noise = self._mean

    def look(self, at: datetime, luma: NDArray[np.uint8]) -> Motion:
        """Compare a luma plane, uint8 (height, width) of any size, captured at ``at`` (UTC), and learn from it."""
        picture = np.asarray(cv2.blur(_shrink(luma), (3, 3)), np.float32)
        began, last = self._began, self._last
        if began is None or last is None or not self._continues(at, last, picture):
            return self._start(at, picture)
        difference, mask = self._compare(picture, self._difference)
        shift = (0.0, 0.0)
        if _is_shaken(mask):
            picture, difference, mask, shift = self._steadied(picture, difference, mask)
        if cv2.countNonZero(mask) > _GLOBAL_CHANGE * mask.size:
            return self._start(at, picture)
        self._learn(at, at - last, at - began, picture, difference)
        if at - began < self._settle:
            return Motion(blind=True)
        return _regions(mask if self._counting is None else cv2.bitwise_and(mask, self._counting), shift)

    def _continues(self, at: datetime, last: datetime, picture: NDArray[np.float32]) -> bool:
        return picture.shape == self._mean.shape and timedelta(0) <= at - last <= self._memory

    def _start(self, at: datetime, picture: NDArray[np.float32]) -> Motion:
        height, width = picture.shape
        if picture.shape != self._mean.shape:
            self._counting = self._raster(width, height)
            self._window = cv2.createHanningWindow((width, height), cv2.CV_32F) if min(width, height) > 1 else picture
        self._began = self._last = at
        self._mean = picture
        self._deviation = np.full_like(picture, _MIN_CONTRAST / _NOISE_FACTOR)
        self._difference, self._noise = np.empty_like(picture), np.empty_like(picture)
        return Motion(blind=True)

    def _compare(
        self, picture: NDArray[np.float32], difference: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], MatLike]:
        """How much each pixel differs from the background, written to ``difference``, and where it is motion (255)."""
        np.subtract(picture, self._mean, out=difference)
        # Exposure and clouds shift all of the picture: the shift that most pixels share is not motion.
        some = np.ravel(difference[::8, ::8])
        difference -= np.partition(some, some.size // 2)[some.size // 2]
        np.abs(difference, out=difference)
        noise = np.multiply(self._deviation, _NOISE_FACTOR, out=self._noise)
        return difference, cv2.compare(difference, np.maximum(noise, _MIN_CONTRAST, out=noise), cv2.CMP_GT)

    def _steadied(
        self, picture: NDArray[np.float32], difference: NDArray[np.float32], mask: MatLike
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], MatLike, tuple[float, float]]:
        """The picture moved back to where the background is, and its comparison, where that explains the motion."""
        height, width = picture.shape
        if min(height, width) < _LEAST_SIDE:
            return picture, difference, mask, (0.0, 0.0)
        (right, down), _ = cv2.phaseCorrelate(self._mean.copy(), picture.copy(), self._window)  # it writes into both
        if not _LEAST_SHIFT <= math.hypot(right, down) <= _MOST_SHIFT * width:
            return picture, difference, mask, (0.0, 0.0)
        back = np.array([[1, 0, -right], [0, 1, -down]], np.float32)
        moved = np.asarray(cv2.warpAffine(picture, back, (width, height), borderMode=cv2.BORDER_REPLICATE), np.float32)
        difference_left, left = self._compare(moved, np.empty_like(moved))
        edge = math.ceil(max(abs(right), abs(down)))
        cv2.rectangle(left, (0, 0), (width - 1, height - 1), 0, 2 * edge)  # what came into view is not known
        if cv2.countNonZero(left) > _EXPLAINED * cv2.countNonZero(mask):
            return picture, difference, mask, (0.0, 0.0)
        return moved, difference_left, left, (right / width, down / height)

    def _learn(
        self,
        at: datetime,
        passed: timedelta,
        age: timedelta,
        picture: NDArray[np.float32],
        difference: NDArray[np.float32],
    ) -> None:
        """Follow the picture: a plain average over time at first, an exponential one when ``memory`` has passed."""
        share = max(1 - math.exp(-passed / self._memory), passed / (age + passed) if age + passed else 0.0)
        cv2.accumulateWeighted(picture, self._mean, share)
        _, limited = cv2.threshold(difference, _MAX_DEVIATION, 0, cv2.THRESH_TRUNC, self._noise)
        cv2.accumulateWeighted(limited, self._deviation, share)
        self._last = at


def _is_shaken(mask: MatLike) -> bool:
    """Whether there is motion in so much of the picture that the camera may have moved."""
    if cv2.countNonZero(mask) < _SHAKEN * _IN_CELL / 255 * mask.size:  # so little cannot be in so many cells
        return False
    return bool(np.mean(cv2.resize(mask, _CELLS, interpolation=cv2.INTER_AREA) > _IN_CELL) >= _SHAKEN)


def _shrink(luma: MatLike) -> MatLike:
    height, width = luma.shape
    while width >= 2 * _WIDTH and height >= 2:
        width, height = width // 2, height // 2
        luma = cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA)
    if width <= _WIDTH:
        return luma
    return cv2.resize(luma, (_WIDTH, max(1, round(height * _WIDTH / width))), interpolation=cv2.INTER_LINEAR)


def _regions(mask: MatLike, shift: tuple[float, float]) -> Motion:
    """Connected regions of a mask (uint8, 0 or 255): specks dropped, neighbours joined, as fractions of the picture."""
    height, width = mask.shape
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _OPEN)
    if not cv2.countNonZero(opened):
        return Motion(shift=shift)
    outlines, _ = cv2.findContours(cv2.dilate(opened, _JOIN), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found: list[tuple[int, Box]] = []
    for x, y, w, h in map(cv2.boundingRect, outlines):
        region = opened[y : y + h, x : x + w]
        moving = cv2.countNonZero(region)
        if moving >= _MIN_AREA * width * height:
            dx, dy, w, h = cv2.boundingRect(region)  # without the margin that joining added
            x, y = x + dx, y + dy
            edges = (x / width, y / height, (x + w) / width, (y + h) / height)
            found.append((moving, Box(*(edge + move for edge, move in zip(edges, shift * 2, strict=True)))))
    found.sort(key=lambda region: -region[0])
    boxes = tuple(box for _, box in found[:MAX_BOXES])
    if not boxes:
        return Motion(shift=shift)
    return Motion(cv2.countNonZero(opened) / (width * height), boxes, shift=shift, mask=opened)

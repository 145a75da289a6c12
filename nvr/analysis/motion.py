"""Motion gate: where does a picture differ from what this camera usually shows?

Owns the background of one camera: for each pixel of a small luma picture a running mean and a running deviation
(running Gaussian average, Wren et al., "Pfinder", 1997). Knows nothing of objects, slots or events; pure but for its
state, no colour conversion. It thinks in seconds: how far the background follows depends on the time passed, not on
the number of pictures, so that dropped pictures change nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
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
_OPEN = np.ones((3, 3), np.uint8)
_JOIN = np.ones((7, 7), np.uint8)


@dataclass(frozen=True, slots=True)
class Motion:
    """What moved in one look: ``area`` is the share of the picture (0..1), ``boxes`` where, largest first.

    At most ``MAX_BOXES`` boxes. Without a box nothing moves, and ``area`` is 0.
    """

    area: float = 0.0
    boxes: tuple[Box, ...] = ()


class MotionGate:
    """The background of one camera and the comparison with it. Lives in the analyzer process, one thread.

    ``memory`` is the time constant of the background: a thing that stays is background after about as long.
    ``settle`` is how long it only learns: at first, when the picture's size changes, after a gap of more than
    ``memory``, when time goes back, and after a change of the whole picture's light.
    """

    def __init__(self, *, memory: timedelta = timedelta(seconds=10), settle: timedelta = timedelta(seconds=2)) -> None:
        self._memory = memory
        self._settle = settle
        self._began: datetime | None = None
        self._last: datetime | None = None
        self._mean: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._deviation: NDArray[np.float32] = self._mean

    def look(self, at: datetime, luma: NDArray[np.uint8]) -> Motion:
        """Compare a luma plane, uint8 (height, width) of any size, captured at ``at`` (UTC), and learn from it."""
        picture = np.asarray(cv2.blur(_shrink(luma), (3, 3)), np.float32)
        began, last = self._began, self._last
        if began is None or last is None or not self._continues(at, last, picture):
            return self._start(at, picture)
        difference = picture - self._mean
        # Exposure and clouds shift all of the picture: the shift that most pixels share is not motion.
        difference -= np.median(difference[::8, ::8])
        np.abs(difference, out=difference)
        mask = cv2.compare(difference, np.maximum(self._deviation * _NOISE_FACTOR, _MIN_CONTRAST), cv2.CMP_GT)
        if cv2.countNonZero(mask) > _GLOBAL_CHANGE * mask.size:
            return self._start(at, picture)
        self._learn(at, at - last, at - began, picture, difference)
        return Motion() if at - began < self._settle else _regions(mask)

    def _continues(self, at: datetime, last: datetime, picture: NDArray[np.float32]) -> bool:
        return picture.shape == self._mean.shape and timedelta(0) <= at - last <= self._memory

    def _start(self, at: datetime, picture: NDArray[np.float32]) -> Motion:
        self._began = self._last = at
        self._mean = picture
        self._deviation = np.full_like(picture, _MIN_CONTRAST / _NOISE_FACTOR)
        return Motion()

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
        cv2.accumulateWeighted(np.minimum(difference, _MAX_DEVIATION), self._deviation, share)
        self._last = at


def _shrink(luma: MatLike) -> MatLike:
    height, width = luma.shape
    while width >= 2 * _WIDTH and height >= 2:
        width, height = width // 2, height // 2
        luma = cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA)
    if width <= _WIDTH:
        return luma
    return cv2.resize(luma, (_WIDTH, max(1, round(height * _WIDTH / width))), interpolation=cv2.INTER_LINEAR)


def _regions(mask: MatLike) -> Motion:
    """Connected regions of a mask (uint8, 0 or 255): specks dropped, neighbours joined, as fractions."""
    height, width = mask.shape
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _OPEN)
    outlines, _ = cv2.findContours(cv2.dilate(opened, _JOIN), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found: list[tuple[int, Box]] = []
    for x, y, w, h in map(cv2.boundingRect, outlines):
        region = opened[y : y + h, x : x + w]
        moving = cv2.countNonZero(region)
        if moving >= _MIN_AREA * width * height:
            dx, dy, w, h = cv2.boundingRect(region)  # without the margin that joining added
            x, y = x + dx, y + dy
            found.append((moving, Box(x / width, y / height, (x + w) / width, (y + h) / height)))
    found.sort(key=lambda region: -region[0])
    boxes = tuple(box for _, box in found[:MAX_BOXES])
    return Motion(cv2.countNonZero(opened) / (width * height), boxes) if boxes else Motion()

"""Places without people: a real street by day, a drawn yard by night, and a filmed city; and what a sensor adds."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import measure
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""BGR, (HEIGHT, WIDTH, 3)."""
WIDTH, HEIGHT = 640, 360
LOOKS = 5
"""A second."""
_TOP = 30
_MARGIN = 64


def footage(what: str) -> Path:
    """The folder of ``scripts/footage``, with what is asked for in it."""
    command = [str(measure.ROOT / "scripts/footage"), what]
    return Path(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def street() -> Picture:
    """The street of vtest.avi as the median of its pictures leaves it: two parked cars, nobody. Cut to 16:9."""
    picture = cv2.imread(str(footage("empty") / "empty.png"))
    assert picture is not None
    width = picture.shape[1]
    high = width * HEIGHT // WIDTH
    return pixels(cv2.resize(picture[_TOP : _TOP + high], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


def yard(chance: np.random.Generator) -> Picture:
    """A yard at night: a wall with windows, a road, a parked car, lamps that shine on it."""
    picture = np.full((HEIGHT, WIDTH, 3), (30, 24, 22), np.uint8)
    cv2.rectangle(picture, (40, 60), (330, 210), (38, 40, 46), -1)
    for column, row in itertools.product(range(6), range(2)):
        left, top = 60 + column * 44, 80 + row * 60
        shade = int(chance.integers(20, 110))
        cv2.rectangle(picture, (left, top), (left + 22, top + 34), (shade // 2, shade, shade), -1)
    cv2.fillPoly(picture, [np.array([(360, 150), (420, 150), (640, 330), (640, 360), (200, 360)])], (46, 46, 48))
    cv2.rectangle(picture, (70, 225), (190, 275), (52, 44, 40), -1)
    cv2.rectangle(picture, (95, 203), (165, 230), (44, 38, 36), -1)
    for x in (92, 168):
        cv2.circle(picture, (x, 275), 12, (18, 18, 18), -1)
    cv2.line(picture, (480, 60), (480, 260), (60, 60, 60), 4)
    texture = cv2.resize(chance.normal(0, 8, (HEIGHT // 4, WIDTH // 4)), (WIDTH, HEIGHT))[..., None]
    lit = picture * (0.7 + 1.8 * glow((480, 230), 120)[..., None] + 1.2 * glow((180, 130), 90)[..., None])
    return pixels(lit + texture)


def city() -> Iterator[Picture]:
    """Looks at the city at night, again and again: each loop is a cut."""
    with av.open(str(footage("city") / "cityCC0.mpg")) as container:
        loop = [frame.to_ndarray(format="bgr24", width=WIDTH, height=HEIGHT) for frame in container.decode(video=0)]
    for number in itertools.count():
        yield pixels(loop[number * 25 // LOOKS % len(loop)])


def pixels(values: object) -> Picture:
    """Any numbers as grey levels."""
    return np.asarray(np.clip(np.asarray(values), 0, 255), np.uint8)


def glow(centre: tuple[float, float], radius: float) -> NDArray[np.float32]:
    """Light around a place: 1 in its middle, (HEIGHT, WIDTH)."""
    y, x = np.ogrid[:HEIGHT, :WIDTH]
    away = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * radius**2)
    return np.asarray(np.exp(-away), np.float32)


class Grain:
    """Sensor noise of a standard deviation in grey levels; the kind that denoisers leave is coarser than a pixel."""

    def __init__(self, deviation: float, chance: np.random.Generator) -> None:
        self._chance = chance
        shape = (HEIGHT + _MARGIN, WIDTH + _MARGIN, 3)
        fields = [chance.normal(0, 1, shape) for _ in range(4)]
        coarse = [cv2.GaussianBlur(field, (0, 0), 0.7) for field in fields]
        self._fields = [np.round(field / field.std() * deviation).astype(np.int16) for field in coarse]

    def on(self, picture: Picture) -> Picture:
        x, y = self._chance.integers(0, _MARGIN, 2)
        field = self._fields[self._chance.integers(len(self._fields))]
        return pixels(cv2.add(picture, field[y : y + HEIGHT, x : x + WIDTH], dtype=cv2.CV_8U))


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr)

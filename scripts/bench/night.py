"""By night: what happens before a camera without anything happening. Endless looks at 5 a second, from a picture."""

from __future__ import annotations

import itertools
import math

import cv2
import numpy as np
from disturbances import Chance, Looks, calm, daynight, drifting, rain, shake, snow
from scenery import HEIGHT, LOOKS, WIDTH, Picture, glow, pixels


def headlights(base: Picture, chance: Chance) -> Looks:
    """Pairs of lights come down the road and grow, their light sweeps over wall and ground; no car is to be seen."""
    while True:
        yield from itertools.repeat(base, int(chance.integers(1, 4)) * LOOKS)
        steps = int(chance.integers(2, 6)) * LOOKS
        for step in range(steps):
            way = (step / steps) ** 2
            x, y, size = 390 + way * chance.normal(60, 3), 155 + way * 230, 2 + 16 * way
            light = glow((x - size * 2, y), size) + glow((x + size * 2, y), size)
            beam = glow((x - 250 + 500 * step / steps, y + 20), 40 + 120 * way)
            yield pixels(base * (1 + 2.5 * beam[..., None]) + (300 * light[..., None]))


def sweep(base: Picture, chance: Chance) -> Looks:
    """Cars that turn outside the picture: a bar of light runs along the wall, with the shadow of a post in it."""
    while True:
        yield from itertools.repeat(base, int(chance.integers(1, 5)) * LOOKS)
        steps, wide = int(chance.integers(1, 4)) * LOOKS, chance.uniform(40, 120)
        for step in range(steps):
            x = step / steps * (WIDTH + 200) - 100
            bar, post = glow((x, 140), wide), glow((x + wide / 2, 140), 6)
            yield pixels(base * (1 + (3 * bar - 2.5 * post).clip(0)[..., None]))


def insects(base: Picture, chance: Chance) -> Looks:
    """One to four, bright in the infrared light, out of focus near the lens, in quick zigzag, some as streaks."""
    places = chance.uniform((0, 0), (WIDTH, HEIGHT), (4, 2))
    for look in itertools.count():
        light = np.zeros((HEIGHT, WIDTH), np.uint8)
        places = (places + chance.normal(0, 45, places.shape)) % (WIDTH, HEIGHT)
        for x, y in places[: 1 + look // 60 % 4]:
            axes = (int(chance.uniform(3, 22)), int(chance.uniform(2, 7)))
            cv2.ellipse(light, (int(x), int(y)), axes, chance.uniform(0, 180), 0, 360, int(chance.uniform(90, 220)), -1)
        yield pixels(base.astype(np.int16) + cv2.GaussianBlur(light, (0, 0), 2.5)[..., None])


def spider(base: Picture, chance: Chance) -> Looks:
    """It sits before the lens, bright and blurred, swings on its thread, walks a little, and sits again."""
    x, y, size = 300.0, 150.0, 16.0
    for look in itertools.count():
        passed = look / LOOKS
        if look // 25 % 3 == 1:
            x, y = (x + chance.normal(4, 6)) % WIDTH, float(np.clip(y + chance.normal(0, 5), 40, HEIGHT - 40))
        here = (int(x + 6 * math.sin(passed * 1.7)), int(y + 2 * math.sin(passed)))
        light = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.line(light, (here[0], 0), here, 60, 1, cv2.LINE_AA)
        cv2.ellipse(light, here, (int(size), int(size * 1.4)), 0, 0, 360, 200, -1)
        for leg in range(8):
            angle = leg * math.pi / 4 + 0.3 * math.sin(passed * 3 + leg)
            tip = (int(here[0] + 3.2 * size * math.cos(angle)), int(here[1] + 3.2 * size * math.sin(angle)))
            cv2.line(light, here, tip, 150, 4, cv2.LINE_AA)
        soft = cv2.GaussianBlur(light, (0, 0), 3)[..., None].astype(np.int32)
        yield pixels(base.astype(np.int32) * (255 - soft) // 255 + soft)


def flicker(base: Picture, chance: Chance) -> Looks:
    """A lamp about to die, and an advertisement that changes its colour."""
    lamp, sign = glow((480, 230), 100)[..., None], glow((180, 130), 60)[..., None]
    for look in itertools.count():
        colour = np.array([(1.5, 0.2, 0.2), (0.2, 1.5, 0.3), (0.3, 0.3, 1.5)][look // 8 % 3])
        yield pixels(base * (1 + lamp * chance.choice([-0.6, 0, 0.8]) + sign * colour))


def fog(base: Picture, chance: Chance) -> Looks:
    """Steam or fog in the light: pale, shapeless, drifting and thickening."""
    field = 0.5 + 0.5 * drifting(chance, 25)
    for look in itertools.count():
        thick = 0.35 * (1 + math.sin(look / LOOKS / 6))
        veil = thick * np.roll(field, look * 5, axis=1)[:, :WIDTH, None]
        yield pixels(base * (1 - veil) + 150 * veil)


NIGHT = {
    each.__name__: each
    for each in (calm, headlights, sweep, insects, spider, flicker, fog, rain, snow, shake, daynight)
}

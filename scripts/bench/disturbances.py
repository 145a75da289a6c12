"""By day: what happens before a camera without anything happening. Endless looks at 5 a second, from a picture."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from scenery import HEIGHT, LOOKS, WIDTH, Picture, pixels

Chance = np.random.Generator
Looks = Iterator[Picture]
_Y, _X = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)


def calm(base: Picture, chance: Chance) -> Looks:
    """Nothing but the sensor's noise, which all have."""
    return itertools.repeat(base)


def clock(base: Picture, chance: Chance) -> Looks:
    """The camera writes the time into its picture, white with a dark edge, as cameras do when nobody turns it off."""
    for second in itertools.count(86_390):
        text = f"2026-01-01 {second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"
        written = base.copy()
        for shade, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(written, text, (10, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, shade, thickness, cv2.LINE_AA)
        yield from itertools.repeat(written, LOOKS)


def clouds(base: Picture, chance: Chance) -> Looks:
    """The sun comes and goes within 20 to 60 s, and shadows with soft edges drift over the ground."""
    field = drifting(chance, 40)
    for look in itertools.count():
        light = 0.85 + 0.2 * math.sin(look / LOOKS * 0.2) + 0.1 * math.sin(look / LOOKS * 0.05)
        shadow = np.roll(field, look * 3, axis=1)[:, :WIDTH, None]
        yield pixels(base * (light + 0.3 * shadow))


def drifting(chance: Chance, scale: float) -> NDArray[np.float32]:
    """A soft random field, -1 to 1, wider than the picture and without a seam when it is rolled sideways."""
    field = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH * 2)).astype(np.float32), (0, 0), scale)
    return np.asarray(np.concatenate([field, field[:, ::-1]], axis=1) / np.abs(field).max(), np.float32)


def lamps(base: Picture, chance: Chance) -> Looks:
    """Every few seconds light is switched: of the whole picture, of a side, or of a place."""
    while True:
        light = chance.uniform(0.45, 1.8)
        place = np.ones((HEIGHT, WIDTH), np.float32)
        kind = chance.integers(3)
        if kind == 1:
            place[:, : int(chance.uniform(0.3, 0.7) * WIDTH)] = 0
        elif kind == 2:
            radius = chance.uniform(40, 160)
            away = np.hypot(_X - chance.uniform(0, WIDTH), _Y - chance.uniform(0, HEIGHT))
            place = (away < radius).astype(np.float32)
        lit = pixels(base * (1 + (light - 1) * cv2.GaussianBlur(place, (0, 0), 8))[..., None])
        yield from itertools.repeat(lit, int(chance.integers(4, 12)) * LOOKS // 2)
        yield from itertools.repeat(base, int(chance.integers(4, 12)) * LOOKS // 2)


def exposure(base: Picture, chance: Chance) -> Looks:
    """The camera's exposure or white balance jumps and comes back within two seconds."""
    while True:
        gain, tint = chance.uniform(0.4, 2.2), chance.uniform(0.85, 1.15, 3)
        for look in range(int(chance.integers(5, 12)) * LOOKS):
            left = math.exp(-look / LOOKS / 0.8)
            yield pixels(base * (1 + (gain * tint - 1) * left))


def rain(base: Picture, chance: Chance) -> Looks:
    """Streaks, few or many, near ones long and bright."""
    for look in itertools.count():
        drops = int(80 + 120 * (1 + math.sin(look / LOOKS / 9)))
        streaks = np.zeros((HEIGHT, WIDTH), np.uint8)
        for x, y, length, light in chance.uniform((0, 0, 6, 40), (WIDTH, HEIGHT, 45, 120), (drops, 4)):
            end = (int(x + length * 0.2), int(y + length))
            cv2.line(streaks, (int(x), int(y)), end, int(light), 1 + (length > 36), cv2.LINE_AA)
        yield pixels(base.astype(np.int16) * 9 // 10 + 12 + cv2.blur(streaks, (2, 3))[..., None])


def snow(base: Picture, chance: Chance) -> Looks:
    """Flakes, the near ones large and blurred."""
    while True:
        flakes = np.zeros((HEIGHT, WIDTH), np.uint8)
        for x, y, radius in chance.uniform((0, 0, 1), (WIDTH, HEIGHT, 4), (120, 3)):
            cv2.circle(flakes, (int(x), int(y)), int(radius), 150, -1, cv2.LINE_AA)
        for x, y, radius in chance.uniform((0, 0, 5), (WIDTH, HEIGHT, 12), (4, 3)):
            cv2.circle(flakes, (int(x), int(y)), int(radius), 90, -1, cv2.LINE_AA)
        yield pixels(base.astype(np.int16) + cv2.GaussianBlur(flakes, (0, 0), 1.2)[..., None])


def shake(base: Picture, chance: Chance) -> Looks:
    """Wind in the mast: blows that move all by 3 to 8 pixels and die away, some turning, on a slight sway."""
    while True:
        size, speed, way = chance.uniform(3, 8), chance.uniform(0.6, 2.4), chance.uniform(0, 2 * math.pi)
        turn = chance.uniform(-0.3, 0.3)
        for look in range(int(chance.integers(3, 8)) * LOOKS):
            passed = look / LOOKS + chance.uniform(-0.03, 0.03)
            swing = math.exp(-passed / 2) * math.sin(2 * math.pi * speed * passed + 1)
            move = size * swing + 0.4 * math.sin(passed * 2)
            matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT), turn * swing, 1.0)
            matrix[:, 2] += np.array((move * math.cos(way), move * math.sin(way) * 0.5))
            yield pixels(cv2.warpAffine(base, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT))


def foliage(base: Picture, chance: Chance) -> Looks:
    """A bush before the camera and a part of the scene sway in gusts, each leaf a little otherwise."""
    leaves = _leaves(chance)
    mask = cv2.GaussianBlur(
        ((np.hypot((_X - 90) / 1.2, _Y - 120) + leaves[..., 1] / 4) < 110).astype(np.float32), (0, 0), 2
    )
    part = cv2.GaussianBlur((np.hypot(_X - 430, _Y - 90) < 90).astype(np.float32), (0, 0), 10)
    phase = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 12) * 60
    for look in itertools.count():
        passed = look / LOOKS
        gust = 1 + 0.8 * math.sin(passed / 3) + 0.4 * math.sin(passed / 1.3)
        sway = (gust * (3.5 * np.sin(2 * math.pi * 0.7 * passed + phase) + 2)).astype(np.float32)
        bush = cv2.remap(leaves, _X + sway, _Y + sway / 3, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        edge = cv2.remap(mask, _X + sway, _Y + sway / 3, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)[..., None]
        moved = cv2.remap(base, _X + sway * part, _Y + sway * part / 2, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        yield pixels(moved * (1 - edge) + bush * edge)


def _leaves(chance: Chance) -> NDArray[np.float32]:
    """Green of several scales."""
    texture = np.zeros((HEIGHT, WIDTH), np.float32)
    for scale in (1.5, 4, 10):
        layer = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), scale)
        texture += layer / layer.std()
    return np.stack([30 + 8 * texture, 70 + 25 * texture, 45 + 15 * texture], axis=2).astype(np.float32)


def shadows(base: Picture, chance: Chance) -> Looks:
    """Hard shadows of things outside the picture cross it: broad and slow, or as narrow as a pole and quick."""
    while True:
        wide, seconds = (chance.uniform(60, 250), 12) if chance.integers(2) else (chance.uniform(8, 25), 5)
        slant, dark = chance.uniform(-0.5, 0.5), chance.uniform(0.45, 0.7)
        for look in range(seconds * LOOKS):
            left = look / (seconds * LOOKS) * (WIDTH + wide + 200) - wide - 100
            inside = (np.abs(_X + slant * _Y - left - wide / 2) < wide / 2).astype(np.float32)
            yield pixels(base * (1 - (1 - dark) * cv2.blur(inside, (3, 3)))[..., None])


def blocks(base: Picture, chance: Chance) -> Looks:
    """A starved encoder: each key frame is coarse, and the pictures after it get better."""
    for look in itertools.count():
        quality = 6 + 4 * (look % (2 * LOOKS))
        noise = chance.normal(0, 2, (HEIGHT, WIDTH, 1)).repeat(3, 2).astype(np.int16)
        noisy = cv2.add(base, noise, dtype=cv2.CV_8U)
        packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
        unpacked = cv2.imdecode(packed, cv2.IMREAD_COLOR)
        assert unpacked is not None
        yield pixels(unpacked)


def daynight(base: Picture, chance: Chance) -> Looks:
    """The infrared filter goes in and out: a black look, then grey and brighter in the middle, settling for 2 s."""
    infrared = (
        cv2.cvtColor(base, cv2.COLOR_BGR2GRAY)[..., None]
        * (0.5 + 0.7 * np.exp(-np.hypot(_X - 320, _Y - 180) / 300))[..., None]
    )
    night, dark = pixels(np.broadcast_to(infrared, base.shape)), np.zeros_like(base)
    while True:
        for after in (night, base):
            yield dark
            for look in range(int(chance.integers(8, 15)) * LOOKS):
                yield pixels(after * (1 + 0.6 * math.exp(-look / LOOKS / 0.7)))


DAY = {
    each.__name__: each
    for each in (calm, clock, clouds, shadows, lamps, exposure, rain, snow, shake, foliage, blocks, daynight)
}

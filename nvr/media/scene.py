"""Draw and encode a small scene, for a demonstration without a camera: figures walk through a yard.

The figures move as people do, so that motion is found; no detector takes them for people, and none is meant to.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH, HEIGHT, FPS, SECONDS = 1280, 720, 25, 40
GOP = 50
GROUND, WALL, FIGURES = 96, 150, ((0.0, 46, 40), (12.0, 74, 200), (26.0, 60, 120))
"""Shades of the picture, and each figure's entrance (seconds), speed (pixels a second), and shade."""


def draw_scene(path: Path, on_frame: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Write a video of ``SECONDS`` to ``path``, with a key frame every two; ``on_frame(done, total)`` after each."""
    part = path.with_name(path.name + ".part")
    total = FPS * SECONDS
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "g": str(GOP), "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, FPS)
        background = _background()
        for number in range(total):
            picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
            picture[:HEIGHT] = background
            for entrance, speed, shade in FIGURES:
                _draw_figure(picture[:HEIGHT], number / FPS - entrance, speed, shade)
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
            on_frame(number + 1, total)
        container.mux(stream.encode(None))
    part.rename(path)


def _background() -> NDArray[np.uint8]:
    noise = np.random.default_rng(7).integers(-6, 7, (HEIGHT, WIDTH))
    shade = np.where(np.arange(HEIGHT)[:, None] < HEIGHT * 0.42, WALL, GROUND)
    return np.clip(shade + noise, 16, 235).astype(np.uint8)


def _draw_figure(luma: NDArray[np.uint8], since: float, speed: int, shade: int) -> None:
    """A body and a head, walking from left to right and swaying a little."""
    x = round(since * speed) - 40
    if since < 0 or x > WIDTH:
        return
    top = round(HEIGHT * 0.38 + 4 * np.sin(since * 6))
    for left, right, upper, lower in ((8, 32, 0, 36), (0, 40, 36, 130), (2, 16, 130, 210), (24, 38, 130, 210)):
        luma[top + upper : top + lower, max(0, x + left) : max(0, x + right)] = shade

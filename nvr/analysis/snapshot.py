"""The picture of an event: its frame as JPEG, with the box, what it is, where and when.

Runs in the analyzer process. Writes no file; ``nvr.layout`` knows where snapshots are and how they are written.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nvr.clock import format_local
from nvr.model import Box, Frame

if TYPE_CHECKING:
    from cv2.typing import MatLike

QUALITY = 88
THUMBNAIL = 240
_AROUND = 0.15
"""Share of the box's size that a thumbnail shows on each side of it."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BOX = (60, 220, 60)  # blue, green, red, as OpenCV has it
_WHITE = (255, 255, 255)
_BLACK = (0, 0, 0)


def render(
    frame: Frame, box: Box | None, label: str, score: float, at: datetime, camera: str, zone: tzinfo | None = None
) -> bytes:
    """JPEG of a frame: a box with label and score (0..1) where there is one, camera and time below.

    ``at`` is shown in ``zone``, the machine's local time where it is None, always with the UTC offset. A picture too
    small for legible text gets none, one of odd size loses its last row or column, which I420 gives no colour.
    """
    picture = _bgr(frame)
    if box is not None:
        _draw_box(picture, box, f"{label} {score:.0%}")
    _write(picture, f"{camera}  {format_local(at, zone)}", 0, picture.shape[0], _WHITE, _BLACK)
    return _jpeg(picture)


def thumbnail(frame: Frame, box: Box) -> bytes:
    """JPEG of what is in a box (fractions) and a little around it, at most ``THUMBNAIL`` pixels in height and width.

    Nothing is drawn into it.
    """
    picture = _bgr(frame)
    height, width = picture.shape[:2]
    across, down = ((box.right - box.left) * _AROUND, (box.bottom - box.top) * _AROUND)
    left, right = (_within((box.left - across) * width, width), _within((box.right + across) * width, width))
    top, bottom = (_within((box.top - down) * height, height), _within((box.bottom + down) * height, height))
    part = picture[top : max(bottom, top + 1), left : max(right, left + 1)]
    scale = THUMBNAIL / max(part.shape[:2])
    if scale < 1:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    return _jpeg(part)


def _within(at: float, length: int) -> int:
    return min(max(round(at), 0), length - 1)


def _jpeg(picture: MatLike) -> bytes:
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError(f"OpenCV could not encode a picture of {picture.shape[1]}x{picture.shape[0]} as JPEG")
    return encoded.tobytes()


def _bgr(frame: Frame) -> MatLike:
    width, height = frame.width // 2 * 2, frame.height // 2 * 2
    if (width, height) == (frame.width, frame.height):
        return cv2.cvtColor(frame.i420, cv2.COLOR_YUV2BGR_I420)
    luma = frame.luma[:height, :width].reshape(-1)
    chroma = frame.i420[frame.height :].reshape(-1)[: height * width // 2]
    return cv2.cvtColor(np.concatenate([luma, chroma]).reshape(height * 3 // 2, width), cv2.COLOR_YUV2BGR_I420)


def _draw_box(picture: MatLike, box: Box, text: str) -> None:
    """A green frame between two black ones is seen on snow as well as at night."""
    height, width = picture.shape[:2]
    left, right = (round(min(max(x, 0.0), 1.0) * (width - 1)) for x in (box.left, box.right))
    top, bottom = (round(min(max(y, 0.0), 1.0) * (height - 1)) for y in (box.top, box.bottom))
    line = max(2, height // 360)
    cv2.rectangle(picture, (left, top), (right, bottom), _BLACK, line + 2)
    cv2.rectangle(picture, (left, top), (right, bottom), _BOX, line)
    _, tall = _text_size(picture, text)
    _write(picture, text, left - line // 2, top if top >= tall else min(bottom, height - tall) + tall, _BLACK, _BOX)


def _write(picture: MatLike, text: str, left: int, bottom: int, ink: tuple[int, ...], paper: tuple[int, ...]) -> None:
    """Text on a plate of its own, kept inside the picture; none where the picture is too small for it."""
    height, width = picture.shape[:2]
    wide, tall = _text_size(picture, text)
    if wide > width or tall > height:
        return
    left, bottom = max(0, min(left, width - wide)), max(tall, min(bottom, height))
    scale, line, pad = _pen(picture)
    cv2.rectangle(picture, (left, bottom - tall), (left + wide - 1, bottom - 1), paper, cv2.FILLED)
    base = bottom - pad - round(7 * scale)
    cv2.putText(picture, text, (left + pad, base), _FONT, scale, ink, line, cv2.LINE_AA)


def _pen(picture: MatLike) -> tuple[float, int, int]:
    """Scale of the font, its line and the space around it, px, that suit the picture's size."""
    scale = max(0.4, min(picture.shape[0] / 900, picture.shape[1] / 1200))
    return scale, max(1, round(scale * 1.6)), round(6 * scale) + 1


def _text_size(picture: MatLike, text: str) -> tuple[int, int]:
    """Width and height of the plate of a text, px."""
    scale, line, pad = _pen(picture)
    (wide, tall), below = cv2.getTextSize(text, _FONT, scale, line)
    return wide + 2 * pad, tall + below + 2 * pad

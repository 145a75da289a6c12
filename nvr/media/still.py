"""One picture of a stream, in a login of its own. Lives in the command line."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import av.error
import numpy as np

from nvr.clock import Clock, from_us
from nvr.errors import SourceError
from nvr.media.decoder import Decoder
from nvr.media.source import Source, open_source, translate
from nvr.model import Address, Frame
from nvr.reason import Reason

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

WAIT_US = 20_000_000
"""How long to wait for a key frame: with a smart codec they come every ten seconds and more."""


def still(address: Address, clock: Clock, *, login: AbstractContextManager[None] | None = None) -> Frame:
    """The first picture that a stream gives, a private copy; ``login`` is held while it is opened.

    Its instant is that of its packet's arrival. Raises SourceError, also where no picture comes in 20 s; LoginError.
    """
    with login or nullcontext():
        source = open_source(address, clock, audio=False)
    try:
        return _first(source, address, clock)
    except av.error.FFmpegError as error:
        raise translate(error, address) from error
    finally:
        source.close()


def _first(source: Source, address: Address, clock: Clock) -> Frame:
    until_us = clock.monotonic_us() + WAIT_US
    decoder, decodes = Decoder(source.info), source.info
    for info, packet in source.packets():
        if source.info is not decodes:
            decoder, decodes = Decoder(source.info), source.info
        for picture in decoder.decode(bytes(packet), info.pts_us or 0, key=info.key):
            return _frame(picture, info.arrival_us)
        if clock.monotonic_us() > until_us:
            text = f"{address.url}: no key frame in {WAIT_US // 1_000_000} s: set the camera's I-frame interval to 2 s"
            raise SourceError(text, Reason.STALLED)
    raise SourceError(f"{address.url}: it ended before there was a picture")


def _frame(picture: VideoFrame, at_us: int) -> Frame:
    """An odd last row or column is left out, as in the slot."""
    width, height = picture.width & ~1, picture.height & ~1
    shapes = (height, width), (height // 2, width // 2), (height // 2, width // 2)
    planes: list[NDArray[np.uint8]] = [
        np.ndarray(shape, np.uint8, memoryview(plane), strides=(plane.line_size, 1)).reshape(-1)
        for shape, plane in zip(shapes, picture.planes[:3], strict=True)
    ]
    i420 = np.concatenate(planes).reshape(height * 3 // 2, width)
    return Frame(i420, width, height, from_us(at_us), picture.pts or 0, 1, 1)

"""Pictures as JPEG, by FFmpeg: for processes that do without OpenCV."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.error
from av.video.codeccontext import VideoCodecContext

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUALITY = 2
"""FFmpeg's ``qscale`` of JPEG: 2 is the best that it recommends, 31 the worst."""
PREVIEW_QUALITY = 5


def encode(i420: NDArray[np.uint8], widest: int | None = None, quality: int = QUALITY) -> bytes:
    """A picture (uint8, shape (height * 3 // 2, width), limited range) in its own size, or at most ``widest`` wide.

    Raises ValueError where FFmpeg cannot.
    """
    height, width = i420.shape[0] * 2 // 3, i420.shape[1]
    try:
        frame = av.VideoFrame.from_ndarray(i420, format="yuv420p")
        if widest is not None and widest < width:
            width, height = max(2, widest & ~1), max(2, round(height * widest / width) & ~1)
        frame = frame.reformat(width, height, "yuvj420p", src_color_range="MPEG", dst_color_range="JPEG")
        encoder = av.CodecContext.create("mjpeg", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
        encoder.time_base = Fraction(1)
        encoder.options = {"qmin": str(quality), "qmax": str(quality)}
        frame.pts = 0
        return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
    except (av.error.FFmpegError, ValueError) as error:
        raise ValueError(f"FFmpeg could not encode {width}x{height} as JPEG: {error}") from error

"""Decode packets into pictures for the slot.

Lives in the recorder process, in the thread that feeds the slot. Decoding may fall behind; it then skips to the next
key frame instead of queueing, and counts what it left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.error
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from nvr.errors import SourceError

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from nvr.media.source import StreamInfo

MICROSECOND = Fraction(1, 1_000_000)
PLANAR = {"yuv420p", "yuvj420p"}
"""The two names of I420; they differ in range, not in layout."""


class Decoder:
    """Decodes one run's packets in their order. Not for use from several threads."""

    def __init__(self, info: StreamInfo, *, key_frames_only: bool = False) -> None:
        self.skipped = 0
        """Packets left out to catch up."""
        self.broken = 0
        """Packets the decoder refused."""
        self._key_frames_only = key_frames_only
        self._skipping = True
        try:
            context = av.CodecContext.create(info.codec, "r")
        except (av.error.FFmpegError, ValueError) as error:
            raise SourceError(f"no decoder for {info.codec}") from error
        if not isinstance(context, VideoCodecContext):
            raise SourceError(f"{info.codec} is not video")
        context.extradata = info.extradata
        context.thread_count = 1  # frame threads would hold frames back
        context.thread_type = "NONE"
        context.flags |= Flags.low_delay
        self._context = context

    def skip_to_key(self) -> None:
        """Leave packets out until the next key frame: decoding is too far behind."""
        self._skipping = True

    def decode(self, data: bytes, pts_us: int, *, key: bool) -> Iterator[VideoFrame]:
        """Pictures that came out of one packet, usually one; ``frame.pts`` is the ``pts_us`` of its packet."""
        if key:
            self._skipping = False
        elif self._skipping or self._key_frames_only:
            self.skipped += self._skipping
            return
        packet = av.Packet(data)
        packet.pts = packet.dts = pts_us
        packet.time_base = MICROSECOND
        try:
            frames = self._context.decode(packet)
        except av.error.InvalidDataError:  # a damaged packet; the decoder goes on with the next
            self.broken += 1
            return
        for frame in frames:
            yield frame if frame.format.name in PLANAR else frame.reformat(format="yuv420p")

"""The audio track of a segment: AAC is copied, everything else becomes AAC.

Lives in the recorder process. MP4 holds no G.711, which is what most cameras send, so it is decoded and encoded at
16 kHz mono, 32 kb/s: 1.1 % of a core for a camera. A broken track never costs video: it is given up for the segment.
"""

from __future__ import annotations

import logging
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.error
from av.audio.resampler import AudioResampler

from nvr.model import Placed

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

    from nvr.media.source import RawPacket

log = logging.getLogger(__name__)
RATE = 16_000
BIT_RATE = 32_000
MICROSECOND = Fraction(1, 1_000_000)


class AudioTrack:
    """Writes one segment's audio. Times are microseconds from the segment's start."""

    def __init__(self, container: OutputContainer, source: AudioStream) -> None:
        self._container = container
        self._broken = False
        self._source = source
        self._copied = source.codec_context.name == "aac" and bool(source.codec_context.extradata)
        self._last_us = -1
        if self._copied:
            self._stream = container.add_stream_from_template(source)
        else:
            self._stream = container.add_stream("aac", rate=RATE, layout="mono", bit_rate=BIT_RATE)
            self._decoder = av.CodecContext.create(source.codec_context.name, "r")
            self._decoder.sample_rate = source.codec_context.sample_rate  # type: ignore[attr-defined]
            self._decoder.layout = source.codec_context.layout.name  # type: ignore[attr-defined]
            self._decoder.extradata = source.codec_context.extradata
            self._resampler = AudioResampler(format="fltp", layout="mono", rate=RATE, frame_size=1024)
            self._next_sample: int | None = None

    def write(self, packet: RawPacket, placed: Placed, start_us: int) -> None:
        """Mux a packet. One that lies before the start (it came late) is moved to it."""
        if self._broken:
            return
        time_us = max(placed.dts_us - start_us, self._last_us + 1_000, 0)
        self._last_us = time_us
        try:
            if self._copied:
                packet.stream = self._stream
                packet.time_base = MICROSECOND
                packet.pts = packet.dts = time_us
                packet.duration = placed.duration_us
                self._container.mux_one(packet)
            else:
                self._encode(packet, time_us)
        except (av.error.FFmpegError, ValueError) as error:
            self._give_up(error)

    def finish(self) -> None:
        """Write out what the encoder still holds."""
        if self._broken or self._copied:
            return
        try:
            if self._next_sample is not None:
                for frame in self._resampler.resample(None):
                    self._encode_frame(frame)
                self._container.mux(self._stream.encode(None))
        except (av.error.FFmpegError, ValueError) as error:
            self._give_up(error)

    def _encode(self, packet: RawPacket, time_us: int) -> None:
        if self._next_sample is None:
            self._next_sample = time_us * RATE // 1_000_000
        behind = time_us * RATE // 1_000_000 - self._next_sample
        if abs(behind) > RATE:  # a pause in the sound: let the clock jump over it
            self._next_sample += behind
        for decoded in self._decoder.decode(packet):  # type: ignore[attr-defined]
            decoded.pts = None
            for frame in self._resampler.resample(decoded):
                self._encode_frame(frame)

    def _encode_frame(self, frame: av.AudioFrame) -> None:
        frame.pts = self._next_sample
        frame.time_base = Fraction(1, RATE)
        self._next_sample = (self._next_sample or 0) + frame.samples
        # The encoder's run-in lies before the start; with it FFmpeg would shift the video.
        self._container.mux([packet for packet in self._stream.encode(frame) if (packet.pts or 0) >= 0])

    def _give_up(self, error: Exception) -> None:
        self._broken = True
        log.warning("audio of %s is broken (%s): this segment goes on without", self._container.name, error)

"""Write one segment: camera packets into a crash-safe MP4, never transcoded.

Lives in the recorder process. A file being written is ``*.mp4.part``: a fragmented MP4 with two fragments a second, so
that ``kill -9`` leaves it playable up to its last moment. Closed, it becomes an ordinary MP4 in place (FFmpeg's
``hybrid_fragmented``). ``empty_moov`` is not optional: without it a silent audio track keeps all media in memory.

``SegmentWriter`` writes into an object with ``write``, ``seek`` and ``tell`` and so never meets a disk; ``seal`` makes
the file durable and gives it its name, in the order of invariant 6. They are apart because the second waits.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import av
import av.error

from nvr import layout
from nvr.clock import from_us
from nvr.errors import SourceError
from nvr.media.audio import AudioTrack
from nvr.model import Placed, Segment, SegmentState

if TYPE_CHECKING:
    from nvr.media.source import RawPacket, Source

OPTIONS = {
    "movflags": "hybrid_fragmented+empty_moov+default_base_moof+use_metadata_tags",
    "frag_duration": "500000",
    "flush_packets": "1",
    "max_interleave_delta": "250000",
}
BUFFER_BYTES = 1 << 18
"""FFmpeg's own, emptied after every fragment."""


class Output(Protocol):
    """A file that can be written anywhere, as FFmpeg wants it."""

    def write(self, data: bytes) -> int: ...

    def seek(self, offset: int, whence: int = ...) -> int: ...

    def tell(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose segment it is and when it starts (microseconds since 1970 UTC): the file's metadata says so, too."""

    camera: str
    run: str
    start_us: int


class SegmentWriter:
    """One open file. It has the picture format that the source had when the file was begun."""

    def __init__(self, output: Output, source: Source, origin: Origin, start_media_us: int) -> None:
        """``start_media_us`` is the run's media time of the first packet to be written.

        Raises SourceError for a stream that no MP4 can hold.
        """
        self.origin = origin
        self.packets = 0
        """Video packets written."""
        self.refused = 0
        """Video packets that FFmpeg could not make part of an MP4: damaged on their way."""
        self.end_media_us = start_media_us
        self.start_media_us = start_media_us
        self._info = source.info
        try:
            self._container = av.open(output, "w", format="mp4", options=OPTIONS, buffer_size=BUFFER_BYTES)
            self._container.metadata.update(_metadata(origin))
            self._video = self._container.add_stream_from_template(source.template, opaque=True)
            if source.info.codec == "hevc":
                self._video.codec_context.codec_tag = "hvc1"  # hev1, FFmpeg's default, does not play on Apple's
            self._audio = AudioTrack(self._container, source.audio) if source.audio else None
            self._container.start_encoding()
        except (av.error.FFmpegError, ValueError) as error:
            raise SourceError(f"{origin.camera}: {source.info.codec} does not go into an MP4: {error}") from error
        base = source.video.time_base
        self._ticks, self._units = (base.denominator, base.numerator * 1_000_000) if base else (90_000, 1_000_000)

    def write_video(self, packet: RawPacket, placed: Placed) -> None:
        """Mux a packet at its place in the run; one that is damaged costs itself."""
        packet.stream = self._video
        packet.dts = self._to_ticks(placed.dts_us - self.start_media_us)
        packet.pts = self._to_ticks(placed.pts_us - self.start_media_us)
        try:
            self._container.mux_one(packet)
        except av.error.FFmpegError:
            self.refused += 1
            return
        self.packets += 1
        self.end_media_us = max(self.end_media_us, placed.dts_us + placed.duration_us)

    def write_audio(self, packet: RawPacket, placed: Placed) -> None:
        """Mux or transcode a packet; a broken one costs sound, not video."""
        if self._audio is not None:
            self._audio.write(packet, placed, self.start_media_us)

    def finish(self) -> None:
        """Write the trailer and close."""
        if self._audio is not None:
            self._audio.finish()
        self._container.close()

    def segment(self, path: Path, size: int, end_us: int, state: SegmentState = "closed") -> Segment:
        """The row of this file, once it is sealed at ``path``; ``end_us`` by the run's clock, ``size`` in bytes."""
        return Segment(
            camera=self.origin.camera,
            run=self.origin.run,
            path=path,
            start=from_us(self.origin.start_us),
            end=from_us(end_us),
            bytes=size,
            packets=self.packets,
            codec=self._info.codec,
            width=self._info.width,
            height=self._info.height,
            state=state,
        )

    def _to_ticks(self, time_us: int) -> int:
        return (time_us * self._ticks + self._units // 2) // self._units


def seal(part: Path, descriptor: int) -> int:
    """Make a finished file durable under its final name; returns its size. Waits for the disk.

    Raises OSError; the ``.part`` is then still there, and the call may be repeated.
    """
    final = part.with_name(part.name.removesuffix(layout.PART_SUFFIX))
    os.fsync(descriptor)
    if part.exists() or not final.exists():
        part.rename(final)
    layout.sync_folder(part.parent)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # nobody reads it soon; keep the cache for others
    return os.fstat(descriptor).st_size


def _metadata(origin: Origin) -> dict[str, str]:
    created = datetime.fromtimestamp(origin.start_us // 1_000_000, UTC)
    return {
        "creation_time": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "nvr_camera": origin.camera,
        "nvr_run": origin.run,
        "nvr_start_us": str(origin.start_us),
    }

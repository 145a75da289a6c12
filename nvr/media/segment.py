"""Write one segment: camera packets into a crash-safe MP4, never transcoded.

Lives in the recorder process. A file being written is ``*.mp4.part``: a fragmented MP4 with a fragment a second, so
that ``kill -9`` leaves it playable up to its last second. Closed, it becomes an ordinary MP4 in place (FFmpeg's
``hybrid_fragmented``). ``empty_moov`` is not optional: without it a silent audio track keeps all media in memory.

``SegmentWriter.finish`` writes the trailer; ``seal`` then makes the file durable and gives it its name, in the order of
invariant 6. They are apart because the second waits for the disk, and is done where recording does not.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error

from nvr import layout
from nvr.clock import from_us
from nvr.errors import StorageError
from nvr.media.audio import AudioTrack
from nvr.model import Placed, Segment, SegmentState

if TYPE_CHECKING:
    from nvr.media.source import RawPacket, Source

PROBE_BYTES = 4096
OPTIONS = {
    "movflags": "hybrid_fragmented+empty_moov+default_base_moof+use_metadata_tags",
    "frag_duration": "1000000",
    "flush_packets": "1",
    "max_interleave_delta": "500000",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose segment it is and when it starts (microseconds since 1970 UTC): the file's metadata says so, too."""

    camera: str
    run: str
    start_us: int


class SegmentWriter:
    """One open ``.part``. Every method raises StorageError when the disk refuses; the file keeps what it has."""

    def __init__(self, storage: Path, path: Path, source: Source, origin: Origin, start_media_us: int) -> None:
        """``path`` is the final one, relative to ``storage``; ``start_media_us`` the run's media time of the first
        packet to be written."""
        self.path = path
        self.storage = storage
        self.origin = origin
        self.packets = 0
        self.broken = False
        """The disk refused a write: the file ends earlier than this object thinks."""
        self.end_media_us = start_media_us
        self.start_media_us = start_media_us
        self._info = source.info
        self.part = storage / path.with_name(path.name + layout.PART_SUFFIX)
        try:
            _probe(self.part)
            self._container = av.open(str(self.part), "w", format="mp4", options=OPTIONS)
            self._container.metadata.update(_metadata(origin))
            self._video = self._container.add_stream_from_template(source.video, opaque=True)
            if source.info.codec == "hevc":
                self._video.codec_context.codec_tag = "hvc1"  # hev1, FFmpeg's default, does not play on Apple's
            self._audio = AudioTrack(self._container, source.audio) if source.audio else None
            self._container.start_encoding()
            self.descriptor = os.open(self.part, os.O_RDONLY)
            fcntl.flock(self.descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # salvage leaves a locked file alone
        except (av.error.FFmpegError, OSError) as error:
            raise StorageError(f"cannot write {self.part}: {_reason(error)}") from error
        base = source.video.time_base
        self._ticks, self._units = (base.denominator, base.numerator * 1_000_000) if base else (90_000, 1_000_000)

    def write_video(self, packet: RawPacket, placed: Placed) -> None:
        """Mux a packet at its place in the run."""
        packet.stream = self._video
        packet.dts = self._to_ticks(placed.dts_us - self.start_media_us)
        packet.pts = self._to_ticks(placed.pts_us - self.start_media_us)
        try:
            self._container.mux_one(packet)
        except (av.error.FFmpegError, OSError) as error:
            raise StorageError(f"cannot write {self.part}: {_reason(error)}") from error
        self.packets += 1
        self.end_media_us = max(self.end_media_us, placed.dts_us + placed.duration_us)

    def write_audio(self, packet: RawPacket, placed: Placed) -> None:
        """Mux or transcode a packet; a broken one costs sound, not video."""
        if self._audio is None:
            return
        try:
            self._audio.write(packet, placed, self.start_media_us)
        except OSError as error:
            raise StorageError(f"cannot write {self.part}: {_reason(error)}") from error

    def finish(self) -> None:
        """Write the trailer and close. FFmpeg holds the GIL here."""
        try:
            if self._audio is not None:
                self._audio.finish()
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            raise StorageError(f"cannot finish {self.part}: {_reason(error)}") from error

    def segment(self, end_us: int, size: int, state: SegmentState = "closed") -> Segment:
        """The row of this file, once it is sealed; ``end_us`` by the run's clock, ``size`` in bytes."""
        return Segment(
            camera=self.origin.camera,
            run=self.origin.run,
            path=self.path,
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


def _probe(part: Path) -> None:
    """Raise OSError where the disk takes no new file: FFmpeg never closes one whose header it could not write."""
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as file:
            file.write(bytes(PROBE_BYTES))
    except OSError:
        part.unlink(missing_ok=True)
        raise


def seal(part: Path, descriptor: int | None = None) -> int:
    """Make a finished file durable under its final name; returns its size. Closes ``descriptor``. Waits for the disk.

    Raises StorageError; the ``.part`` is then still there for the next start to salvage.
    """
    try:
        own = descriptor if descriptor is not None else os.open(part, os.O_RDONLY)
        try:
            os.fsync(own)
            size = os.fstat(own).st_size
            os.posix_fadvise(own, 0, 0, os.POSIX_FADV_DONTNEED)  # nobody reads it soon; keep the cache for others
        finally:
            os.close(own)
        part.rename(part.with_name(part.name.removesuffix(layout.PART_SUFFIX)))
        layout.sync_folder(part.parent)
        layout.sync_folder(part.parent.parent)
    except OSError as error:
        raise StorageError(f"cannot keep {part}: {_reason(error)}") from error
    return size


def _metadata(origin: Origin) -> dict[str, str]:
    created = datetime.fromtimestamp(origin.start_us // 1_000_000, UTC)
    return {
        "creation_time": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "nvr_camera": origin.camera,
        "nvr_run": origin.run,
        "nvr_start_us": str(origin.start_us),
    }


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)

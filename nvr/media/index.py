"""Read segment files back: what their index says, what of a growing one is whole, and whether every packet is there.

Used by ``nvr check``, ``nvr rebuild`` and ``nvr export``, in their own process; writes nothing. A closed file has two
indexes: the ``moov`` at its end, which players read, and, hidden in its ``mdat``, the fragments that it was written as
(FFmpeg's ``hybrid_fragmented``). ``read_index`` needs the first alone, a few kilobytes of the file. ``read_packets``
goes by the second and holds each packet against the first, so that damage to either is seen.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error
from av.video.codeccontext import VideoCodecContext

from nvr import layout
from nvr.clock import from_us
from nvr.errors import StorageError
from nvr.media.boxes import hidden_fragments, whole_fragments
from nvr.model import Segment

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

QUICK = {"analyzeduration": "0", "probesize": "32"}
"""The index tells all there is to know: FFmpeg need not look at the pictures."""
BUFFER_BYTES = 1 << 20
_LENGTH_BYTES_AT = {"h264": 4, "hevc": 21}
"""Where avcC and hvcC say how many bytes a NAL unit's length has (ISO/IEC 14496-15, 5.3.3.1.2 and 8.3.3.1.2)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What all packets of a file come to, and what is wrong with it, in words; empty where nothing is."""

    segment: Segment
    problems: tuple[str, ...]


def read_index(storage: Path, file: Path) -> Segment:
    """What a file says of itself. A closed one is not read beyond its index; a fragmented one is read whole.

    The state is ``closed``, ``salvaged`` for a file of fragments, or ``open`` for a ``.part``, of which only whole
    fragments count. Raises StorageError for a file that cannot be read, holds no picture, or is none of nvr's.
    """
    try:
        with file.open("rb") as opened:
            if file.name.endswith(layout.PART_SUFFIX):
                return _describe(storage, file, whole_fragments(opened) or opened)
            with av.open(str(file), "r", format="mp4", options=QUICK) as container:
                video = _video(container, file)
                if video.frames and video.duration:
                    end_us = _to_us(video.duration, video)
                    return _segment(storage, file, container, video.frames, end_us)
            return _describe(storage, file, opened)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise _unreadable(file, error) from error


@contextmanager
def open_segment(storage: Path, segment: Segment) -> Iterator[InputContainer]:
    """A segment's file to read, as far as it is whole; one that is being closed meanwhile is found by its new name.

    Raises FileNotFoundError, FFmpegError.
    """
    final = storage / segment.path
    for file in (final, final.with_name(final.name + layout.PART_SUFFIX), final):
        try:
            opened = file.open("rb")
        except FileNotFoundError:
            continue
        with opened:
            view = whole_fragments(opened)
            # FFmpeg reads a file by itself quicker than through Python
            with av.open(view if view is not None else str(file), "r", format="mp4", options=QUICK) as container:
                yield container
        return
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(final))


def read_packets(storage: Path, file: Path) -> Reading:
    """Read every packet of a file. Raises StorageError like ``read_index``; what is damaged is told, not raised."""
    try:
        with file.open("rb") as opened:
            view = hidden_fragments(opened)
            if view is None:
                reading = _read(storage, file, opened, None)
            else:
                with av.open(str(file), "r", format="mp4", options=QUICK, buffer_size=BUFFER_BYTES) as indexed:
                    reading = _read(storage, file, view, indexed)
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # leave the cache to recording
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise _unreadable(file, error) from error
    return reading


def _read(storage: Path, file: Path, opened: Any, indexed: InputContainer | None) -> Reading:
    """Read an open file of fragments, side by side with the same file by its index where it has one."""
    with av.open(opened, "r", format="mp4", options=QUICK, buffer_size=BUFFER_BYTES) as container:
        video = _video(container, file)
        look, packets, end, differing = _Look(video), 0, 0, 0
        others = iter(()) if indexed is None else _packets(indexed, _video(indexed, file))
        for packet in _packets(container, video):
            packets += 1
            end = max(end, (packet.dts or 0) + (packet.duration or 0))
            look.at(packet, packets)
            if indexed is not None:
                differing += not _equal(packet, next(others, None))
        segment = _segment(storage, file, container, packets, _to_us(end, video))
        problems = look.problems
        if indexed is not None:
            differing += sum(1 for _ in others)
            known = _video(indexed, file)
            other = _segment(storage, file, indexed, packets, _to_us(known.duration or 0, known))
            if differing or replace(segment, state="closed") != other or not _same_format(video, known):
                problems.append(f"its index and its fragments tell of different pictures ({differing} of {packets})")
            segment = replace(segment, state="closed")
    return Reading(segment, tuple(problems))


def _packets(container: InputContainer, video: VideoStream) -> Iterator[Packet[Any]]:
    return (packet for packet in container.demux(video) if packet.size and packet.dts is not None)


def _equal(one: Packet[Any], other: Packet[Any] | None) -> bool:
    """Whether two indexes tell the same of a packet. How long a fragment's last one lasts is known to one alone."""
    return other is not None and (
        (one.pos, one.size, one.dts, one.pts, one.is_keyframe)
        == (other.pos, other.size, other.dts, other.pts, other.is_keyframe)
    )


def _same_format(one: VideoStream, other: VideoStream) -> bool:
    """Once all is read: format, and key frames as the index has them; a packet's flag is what FFmpeg makes of it."""
    keys = [[entry.is_keyframe for entry in stream.index_entries] for stream in (one, other)]
    return (one.time_base, one.codec_context.extradata, keys[0]) == (
        other.time_base,
        other.codec_context.extradata,
        keys[1],
    )


def _describe(storage: Path, file: Path, opened: Any) -> Segment:
    """A file of fragments, from all its packets."""
    with av.open(opened, "r", format="mp4", options=QUICK, buffer_size=BUFFER_BYTES) as container:
        video = _video(container, file)
        packets = end = 0
        for packet in _packets(container, video):
            packets += 1
            end = max(end, (packet.dts or 0) + (packet.duration or 0))
        return _segment(storage, file, container, packets, _to_us(end, video))


class _Look:
    """Looks into packets: whole NAL units, and a first key frame that decodes. Tells of the first of a kind alone."""

    def __init__(self, video: VideoStream) -> None:
        codec, extradata = video.codec_context.name, video.codec_context.extradata or b""
        at = _LENGTH_BYTES_AT.get(codec)
        self._length_bytes = (extradata[at] & 3) + 1 if at is not None and len(extradata) > at else 0
        self.problems: list[str] = []
        self._torn = False
        self._decoder = av.CodecContext.create(codec, "r")
        self._decoder.extradata = extradata or None
        if isinstance(self._decoder, VideoCodecContext):
            self._decoder.thread_count = 1

    def at(self, packet: Packet[Any], number: int) -> None:
        if number == 1 and not (packet.is_keyframe and self._decodes(packet)):
            self.problems.append("its first picture is no key frame that can be decoded")
        if self._length_bytes and not self._torn and not _whole_units(memoryview(packet), self._length_bytes):
            self._torn = True
            self.problems.append(f"picture {number} is damaged: its NAL units do not add up to its size")

    def _decodes(self, packet: Packet[Any]) -> bool:
        assert isinstance(self._decoder, VideoCodecContext)
        try:
            frames = [*self._decoder.decode(packet), *self._decoder.decode(None)]
        except av.error.FFmpegError:
            return False
        return bool(frames) and not any(frame.is_corrupt for frame in frames)


def _whole_units(data: memoryview, length_bytes: int) -> bool:
    """Whether a packet is NAL units one after the other, each with its length and forbidden_zero_bit 0."""
    place, size = 0, len(data)
    while place + length_bytes < size:
        length = int.from_bytes(data[place : place + length_bytes])
        if length == 0 or data[place + length_bytes] & 0x80:
            return False
        place += length_bytes + length
    return place == size


def _segment(storage: Path, file: Path, container: InputContainer, packets: int, end_us: int) -> Segment:
    tags, video = container.metadata, _video(container, file)
    if not packets:
        raise StorageError(f"{file} holds no picture")
    try:
        start_us, camera, run = int(tags["nvr_start_us"]), tags["nvr_camera"], tags["nvr_run"]
    except (KeyError, ValueError):
        raise StorageError(f"{file} is no segment of nvr: its metadata names no camera, run and start") from None
    part = file.name.endswith(layout.PART_SUFFIX)
    return Segment(
        camera=camera,
        run=run,
        path=file.relative_to(storage).with_name(file.name.removesuffix(layout.PART_SUFFIX)),
        start=from_us(start_us),
        end=from_us(start_us + end_us),
        bytes=file.stat().st_size,
        packets=packets,
        codec=video.codec_context.name,
        width=video.codec_context.width,
        height=video.codec_context.height,
        state="open" if part else "closed" if video.frames else "salvaged",
    )


def _video(container: InputContainer, file: Path) -> VideoStream:
    video = next(iter(container.streams.video), None)
    if video is None or video.codec_context is None or not video.time_base:
        raise StorageError(f"{file} cannot be read: its index is damaged, it names no video")
    return video


def _to_us(ticks: int, video: VideoStream) -> int:
    return round(ticks * (video.time_base or 0) * 1_000_000)


def _unreadable(file: Path, error: Exception) -> StorageError:
    return StorageError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}")

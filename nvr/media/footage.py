"""Recorded footage as pictures, so many a second, each with its exact instant.

Used by commands, in their own process, with ``nvr start`` up or down; writes nothing. What is shown when is what
``nvr.media.splice`` says; an instant is the segment's start plus the picture's time in the file (invariant 8). A packet
is decoded only where a wanted picture needs it: what lies before a key frame that comes in time is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av.error
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from nvr.clock import duration_us, format_local, from_us, to_us
from nvr.media.index import open_segment
from nvr.media.splice import Piece, splice
from nvr.model import Frame, Segment

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

REORDERED_US = 1_000_000
"""How much later than it is decoded a picture may be shown: a file is searched by the time of decoding."""
TREMBLE_US = 5_000
"""By so much a picture may come before it is due: instants are rounded, and cameras are not quite even."""


def length(segments: Sequence[Segment], since: datetime, until: datetime) -> timedelta:
    """How much footage of [since, until) ``segments`` have, by their rows."""
    if until <= since:
        return timedelta()
    pieces = splice(segments, since, until)
    return sum((min(piece.end or piece.segment.end, until) - piece.start for piece in pieces), timedelta())


class Footage:
    """The pictures of [since, until) in the order of time, to be iterated over once, in one thread.

    At least ``interval`` lies between two of them. Those of more than ``widest`` pixels are scaled down to that width
    (None: never). A file that is gone or damaged costs itself, from there on, and is told in ``notes``.
    """

    def __init__(
        self,
        storage: Path,
        segments: Sequence[Segment],
        since: datetime,
        until: datetime,
        *,
        interval: timedelta = timedelta(),
        widest: int | None = None,
        key_frames_only: bool = False,
        threads: int = 1,
    ) -> None:
        """``segments`` are those around the span (``nvr.media.gathering.gather`` finds them). ``threads`` decode."""
        self.notes: list[str] = []
        """What is missing of the footage, in words; grows while it is read."""
        self.broken = 0
        """Packets and pictures that were damaged, and left out."""
        self._storage = storage
        self._pieces = splice(segments, since, until)
        self._until_us = to_us(until)
        self._interval_us = duration_us(interval)
        self._scaler = _Scaler(widest)
        self._key_frames_only = key_frames_only
        self._threads = threads
        self._due_us = to_us(since)
        self._count = 0

    def __iter__(self) -> Iterator[Frame]:
        for piece in self._pieces:
            yield from self._read(piece)

    def _read(self, piece: Piece) -> Iterator[Frame]:
        path, broken, count = piece.segment.path, self.broken, self._count
        try:
            with open_segment(self._storage, piece.segment) as source:
                yield from self._pictures(source, piece)
        except FileNotFoundError:
            self.notes.append(f"{path} is gone: nothing of it was looked at")
        except (av.error.FFmpegError, OSError, IndexError) as error:  # IndexError: a file without video
            why = getattr(error, "strerror", None) or "it holds no video"
            self.notes.append(f"{path} is damaged ({why}): {self._reached(count, piece)}")
        else:
            if self.broken > broken:
                self.notes.append(f"{path} is damaged: {self.broken - broken} pictures of it were left out")
            elif self._count == count and self._wants_of(piece):
                self.notes.append(f"{path} gave no picture: it is damaged, or has none where it should")

    def _reached(self, count: int, piece: Piece) -> str:
        if self._count == count:
            return "nothing of it was looked at"
        return f"it was looked at up to {format_local(max(from_us(self._due_us - self._interval_us), piece.start))}"

    def _wants_of(self, piece: Piece) -> bool:
        """Whether a picture was due in this piece, for as long as two would be."""
        end_us = to_us(piece.end or piece.segment.end)
        return not self._key_frames_only and self._due_us + self._interval_us + REORDERED_US < end_us

    def _pictures(self, source: InputContainer, piece: Piece) -> Iterator[Frame]:
        video, start_us = source.streams.video[0], to_us(piece.segment.start)
        context = video.codec_context
        context.thread_type, context.thread_count = ("FRAME", self._threads) if self._threads > 1 else ("NONE", 1)
        end_us = self._until_us if piece.end is None else min(to_us(piece.end), self._until_us)
        self._due_us = max(self._due_us, to_us(piece.start))
        if piece.segment.state == "closed":  # the index of fragments is not known before they are read
            wanted_us = max(0, self._due_us - start_us - REORDERED_US)
            source.seek(_to_ticks(wanted_us, video.time_base), stream=video)
        for packet in self._needed(source.demux(video), start_us, end_us):
            for picture in self._decode(context, packet):
                pts_us = _to_us(picture.pts, video.time_base)  # the last ones do not know their own time base
                at_us = start_us + pts_us
                if at_us >= end_us:
                    break
                if at_us >= self._due_us - TREMBLE_US and at_us >= to_us(piece.start):
                    self._due_us = at_us + self._interval_us
                    yield self._frame(picture, at_us, pts_us)

    def _needed(self, packets: Iterator[Packet[Any]], start_us: int, end_us: int) -> Iterator[Packet[Any] | None]:
        """What has to be decoded, in order, None at the end: what waits goes once a packet is due, or not at all."""
        waiting: list[Packet[Any]] = []
        for packet in packets:
            if not packet.size or packet.dts is None or packet.pts is None:
                continue
            if self._key_frames_only and not packet.is_keyframe:
                continue
            if start_us + _to_us(packet.dts, packet.time_base) >= end_us:
                break
            shown_us = start_us + _to_us(packet.pts, packet.time_base)
            if packet.is_keyframe and shown_us <= self._due_us:
                waiting.clear()
            waiting.append(packet)
            if shown_us >= self._due_us - TREMBLE_US:
                yield from waiting
                waiting.clear()
        yield None

    def _decode(self, context: VideoCodecContext, packet: Packet[Any] | None) -> Iterator[VideoFrame]:
        """The whole pictures that come out of the decoder for a packet."""
        try:
            pictures = context.decode(packet)
        except av.error.InvalidDataError:
            self.broken += 1
            return
        for picture in pictures:
            self.broken += picture.is_corrupt
            if picture.pts is not None and not picture.is_corrupt:
                yield picture

    def _frame(self, picture: VideoFrame, at_us: int, pts_us: int) -> Frame:
        i420, width, height = self._scaler.scaled(picture)
        self._count += 1
        return Frame(i420, width, height, from_us(at_us), pts_us, self._count, self._scaler.generation)


class _Scaler:
    """Pictures as I420 of a width that is not exceeded; levels stay as they are, as in the slot."""

    def __init__(self, widest: int | None) -> None:
        self._widest = widest
        self._reformatter = VideoReformatter()  # keeps what it has computed for a size
        self._size = (0, 0)
        self.generation = 0
        """Counts the sizes that pictures had."""

    def scaled(self, picture: VideoFrame) -> tuple[NDArray[np.uint8], int, int]:
        """uint8 (height * 3 // 2, width), width and height, both even."""
        width, height = picture.width, picture.height
        if self._size != (width, height):
            self._size, self.generation = (width, height), self.generation + 1
        if self._widest is not None and width > self._widest:
            width, height = self._widest, round(height * self._widest / width)
        width, height = max(2, width // 2 * 2), max(2, height // 2 * 2)
        if (width, height) != (picture.width, picture.height) or picture.format.name != "yuv420p":
            levels = ColorRange.JPEG if picture.color_range == ColorRange.JPEG else ColorRange.MPEG
            picture = self._reformatter.reformat(
                picture,
                width,
                height,
                "yuv420p",
                interpolation=Interpolation.AREA,
                src_color_range=levels,
                dst_color_range=levels,
            )
        return np.asarray(picture.to_ndarray(), np.uint8), width, height


def _to_us(ticks: int | None, base: Fraction | None) -> int:
    return round((ticks or 0) * (base or 0) * 1_000_000)


def _to_ticks(us: int, base: Fraction | None) -> int:
    return us * base.denominator // (1_000_000 * base.numerator) if base else 0

"""One picture of the recording at an instant, decoded from the file that holds it.

Used by commands, in their own process, with ``nvr start`` up or down; writes nothing. What is shown at an instant is
the last picture at or before it (invariant 8), decoded from the key frame that it needs; of a file being written what
is whole counts. A closed file is read from about that key frame on, and no further than the instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av.error
import numpy as np
from av.video.reformatter import ColorRange

from nvr.clock import duration_us, from_us, to_us
from nvr.media.decoder import PLANAR
from nvr.media.index import open_segment
from nvr.media.splice import CONTIGUOUS

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from nvr.model import Segment

OLDEST = timedelta(seconds=2)
"""How long after the end of a file its last picture stands for what would have followed."""
REORDERED_US = 1_000_000
"""How much later than it is decoded a picture may be shown: a file is searched by the time of decoding."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of the recording and the instant (UTC) from which on it was shown.

    ``i420`` is uint8 of shape (height * 3 // 2, width), as in ``nvr.model.Frame``; width and height are even.
    """

    i420: NDArray[np.uint8]
    width: int
    height: int
    at: datetime


def shown_at(storage: Path, segments: Iterable[Segment], at: datetime, *, exact: bool = True) -> Shown | None:
    """The picture of a camera at ``at``, out of its ``segments`` around that (see ``nvr.media.gathering``).
    Without ``exact`` the key frame before it, which takes less decoding.

    None where nothing was recorded then. Where the clock was set back and two files hold the instant, that of the later
    recording. A file that is gone or damaged gives no picture, and the one before does not stand for it.
    """
    unreadable = False
    for segment in _candidates(list(segments), at):
        holds = segment.start <= at < segment.end
        if unreadable and not holds:
            break
        try:
            with open_segment(storage, segment) as source:
                found = _last(source, segment, at, exact)
        except (av.error.FFmpegError, OSError, IndexError):  # IndexError: a file without video
            unreadable = unreadable or holds
            continue
        if found is not None:
            return found
    return None


def _candidates(segments: Sequence[Segment], at: datetime) -> Iterator[Segment]:
    """Those that may hold the picture, the one most likely first: it began last; or the one that it goes on from."""
    begun = sorted((each for each in segments if each.start <= at < each.end + OLDEST), key=lambda each: each.start)
    inside = [each for each in begun if at < each.end]
    for segment in (inside or begun)[-1:]:
        yield segment
        before = [each for each in segments if each is not segment and each.start < segment.start]
        yield from (each for each in before if abs(segment.start - each.end) <= CONTIGUOUS)


def _last(source: InputContainer, segment: Segment, at: datetime, exact: bool) -> Shown | None:
    """The last picture of an open file at or before ``at``."""
    video = source.streams.video[0]
    want_us = duration_us(at - segment.start)
    if segment.state == "closed":  # the index of fragments is not known before they are read
        source.seek(_to_ticks(max(0, want_us - REORDERED_US), video.time_base), stream=video)
    needed = _needed(source.demux(video), want_us)[: None if exact else 1]
    video.codec_context.thread_type = "NONE"
    found: VideoFrame | None = None
    for frame in _decoded(video.codec_context, needed):
        if frame.pts is not None and _to_us(frame.pts, video.time_base) <= want_us:
            found = frame
    if found is None or found.pts is None:
        return None
    return _as_shown(found, from_us(to_us(segment.start) + _to_us(found.pts, video.time_base)))


def _needed(packets: Iterable[Packet[Any]], want_us: int) -> list[Packet[Any]]:
    """What has to be decoded for the picture at ``want_us``: from the last key frame shown by then, in their order."""
    needed: list[Packet[Any]] = []
    for packet in packets:
        if not packet.size or packet.dts is None or packet.pts is None:
            continue
        if _to_us(packet.dts, packet.time_base) > want_us:
            break
        if packet.is_keyframe and _to_us(packet.pts, packet.time_base) <= want_us:
            needed.clear()
        needed.append(packet)
    return needed


def _decoded(context: VideoCodecContext, packets: Sequence[Packet[Any]]) -> Iterator[VideoFrame]:
    """Pictures in the order in which they are shown; what is damaged among them is left out."""
    for packet in [*packets, None]:
        try:
            yield from context.decode(packet)
        except av.error.InvalidDataError:
            continue


def _as_shown(frame: VideoFrame, at: datetime) -> Shown:
    """I420 of limited range and even size, which is what everybody takes it for."""
    width, height = frame.width // 2 * 2, frame.height // 2 * 2
    full = frame.color_range == ColorRange.JPEG
    if full or frame.format.name not in PLANAR or (width, height) != (frame.width, frame.height):
        before, after = ("JPEG", "MPEG") if full else (None, None)
        frame = frame.reformat(width, height, "yuv420p", src_color_range=before, dst_color_range=after)
    return Shown(np.asarray(frame.to_ndarray(), np.uint8), width, height, at)


def _to_us(ticks: int, base: Fraction | None) -> int:
    return round(ticks * (base or 0) * 1_000_000)


def _to_ticks(us: int, base: Fraction | None) -> int:
    return us * base.denominator // (1_000_000 * base.numerator) if base else 0

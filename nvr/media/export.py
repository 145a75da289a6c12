"""Copy a span of a camera's video into one MP4, without transcoding.

Used by ``nvr export``, in its own process, with ``nvr start`` up or down. Every packet is placed at its instant (the
segment's start plus its time in the file), so that a gap stays a gap in time: the picture before it lasts until the
next. One MP4 holds one picture format, so that another one, as well as a gap of more than six hours, goes on in a file
of its own, ``clip-2.mp4``. ``nvr.media.splice`` says what happens where segments overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av.error

from nvr import layout
from nvr.clock import format_duration, to_us
from nvr.errors import StorageError
from nvr.media.clip import Clip, ClipWriter, tags
from nvr.media.index import open_segment
from nvr.media.splice import Piece, covered, splice
from nvr.model import Gap, Segment
from nvr.reason import Reason

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet

REPORT_BYTES = 1 << 20

Progress = Callable[[int, int], None]
"""Called with the bytes copied and those to copy in all, about."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to export: [since, until) of a camera into ``target``; ``gaps`` are the known holes in it, in order."""

    camera: str
    since: datetime
    until: datetime
    target: Path
    gaps: Sequence[Gap] = ()
    force: bool = False
    """Replace files that are there."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The files that were written, in the order of time, and what is to be said of them. No file: no picture."""

    clips: tuple[Clip, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _State:
    order: Order
    total: int
    progress: Progress
    done: int = 0
    reported: int = 0
    writers: list[ClipWriter] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def export(storage: Path, segments: Sequence[Segment], order: Order, progress: Progress) -> Exported:
    """Copy what ``segments`` have of the span.

    It begins with the last key frame at or before ``since`` (where that lies in a gap: with the first after it) and
    ends with the last picture before ``until``, in the order of decoding. All files are complete and durable when this
    returns, or none is there: raises StorageError for a file that is there already and a disk that refuses. A segment
    that vanished or broke meanwhile costs itself and is noted.
    """
    pieces = splice(segments, order.since, order.until)
    state = _State(order, sum(map(_share, pieces)), progress)
    if twice := covered(segments, order.since, order.until):
        text = "was recorded twice, because the clock was set back: the clip goes on with the later recording"
        state.notes.append(f"{format_duration(twice)} {text}; nvr segments list names all files")
    _require_room(order.target, state.total)
    try:
        for piece in pieces:
            _copy(storage, piece, state)
        clips = tuple(writer.finish(order.gaps) for writer in state.writers)
        for writer in state.writers:
            writer.keep()
    except BaseException:
        for writer in state.writers:
            writer.discard()
        raise
    return Exported(clips, tuple(state.notes))


def needed_bytes(segments: Sequence[Segment], since: datetime, until: datetime) -> int:
    """What a copy of [since, until) takes, about."""
    return sum(map(_share, splice(segments, since, until)))


def _copy(storage: Path, piece: Piece, state: _State) -> None:
    segment = piece.segment
    try:
        with open_segment(storage, segment) as source:
            begin_us = _begin(source, piece)
        if begin_us is None:
            return
        with open_segment(storage, segment) as source:
            for packet in _packets(source, piece, begin_us):
                _write(packet, source, segment, state, begin_us)
    except (av.error.FFmpegError, OSError, IndexError) as error:  # IndexError: a file without video
        why = "it names no video" if isinstance(error, IndexError) else error.strerror
        what = "is gone" if isinstance(error, FileNotFoundError) else f"is damaged ({why})"
        state.notes.append(f"{segment.path} {what}: the clip goes on without what it held from there")


def _write(packet: Packet[Any], source: InputContainer, segment: Segment, state: _State, begin_us: int) -> None:
    start_us = to_us(segment.start)
    writer = state.writers[-1] if state.writers else None
    if packet.stream.type == "video" and (writer is None or not writer.takes(source, begin_us)):
        writer = _next_clip(source, state, begin_us)
    if writer is None:
        return
    if packet.stream.type == "audio" and not writer.takes_audio(source):
        _note(state, "sound of another kind than at the beginning of the clip was left out")
        return
    state.done += packet.size
    writer.write(packet, start_us)
    if state.done - state.reported >= REPORT_BYTES:
        state.reported = state.done
        state.progress(min(state.done, state.total), state.total)


def _next_clip(source: InputContainer, state: _State, start_us: int) -> ClipWriter:
    order, number = state.order, len(state.writers) + 1
    path = order.target
    if number > 1:
        path = path.with_stem(f"{path.stem}-{number}")
        _note(
            state, f"{path} begins where the picture's format changed, after a gap of hours, or because of the length"
        )
    if path.exists() and not order.force:
        raise StorageError(f"{path} is there already: choose another -o, or --force to replace it")
    described = tags(order.camera, order.since, order.until, order.gaps)
    state.writers.append(ClipWriter(path, source, start_us, described))
    return state.writers[-1]


def _begin(source: InputContainer, piece: Piece) -> int | None:
    """The instant (dts, us since 1970) of the key frame that a piece begins with; None where it has none."""
    video = source.streams.video[0]
    start_us = to_us(piece.segment.start)
    until_us = None if piece.end is None else to_us(piece.end)
    want_us, found = to_us(piece.start), None
    if piece.early and want_us <= start_us:
        return start_us
    for packet in source.demux(video):
        if not packet.size or packet.dts is None or not packet.is_keyframe:
            continue
        at_us, shown_us = (start_us + _to_us(ticks, packet) for ticks in (packet.dts, packet.pts or packet.dts))
        if until_us is not None and at_us >= until_us:
            break
        if not piece.early and at_us >= want_us:
            return at_us
        if piece.early:
            if shown_us > want_us and found is not None:
                break
            found = at_us
    return found


def _packets(source: InputContainer, piece: Piece, begin_us: int) -> Iterator[Packet[Any]]:
    """A piece's packets of video and sound, in their order, from the instant of its first key frame on."""
    start_us = to_us(piece.segment.start)
    until_us = None if piece.end is None else to_us(piece.end)
    streams = [*source.streams.video[:1], *source.streams.audio[:1]]
    ended: set[int] = set()
    for packet in source.demux(*streams):
        if not packet.size or packet.dts is None:
            continue
        at_us = start_us + _to_us(packet.dts, packet)
        if until_us is not None and at_us >= until_us:
            ended.add(packet.stream.index)
            if len(ended) == len(streams):
                return
        elif at_us >= begin_us:
            yield packet


def _share(piece: Piece) -> int:
    """The bytes that a piece copies, about."""
    length = ((piece.end or piece.segment.end) - piece.start) / max(piece.segment.duration, timedelta(microseconds=1))
    return round(piece.segment.bytes * max(0.0, min(1.0, length)))


def _require_room(target: Path, needed: int) -> None:
    folder = target.absolute().parent
    if not folder.is_dir():
        raise StorageError(f"{folder} is no folder: make it, or choose another -o")
    free = layout.free_bytes(folder)
    if free < needed:
        raise StorageError(
            f"{folder} has {free / 1e6:.0f} MB free, the clip needs about {needed / 1e6:.0f} MB: "
            "free some space, choose another -o, or a shorter span",
            Reason.DISK_FULL,
        )


def _note(state: _State, text: str) -> None:
    if text not in state.notes:
        state.notes.append(text)


def _to_us(ticks: int, packet: Packet[Any]) -> int:
    base = packet.time_base
    return ticks * 1_000_000 * base.numerator // base.denominator

"""One exported MP4 being written: packets of many segments at their instants, never transcoded.

Lives in the process of ``nvr export``. The file is ``<name>.part`` until it is complete and durable; ``faststart`` puts
its index first, so that it plays while it is still being downloaded.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error

from nvr import layout
from nvr.clock import duration_us, format_local, format_rfc3339, from_us, to_us
from nvr.errors import StorageError
from nvr.model import Gap

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

RATE = 90_000
"""Ticks a second of the video's times."""
LONGEST_GAP = timedelta(hours=6)
"""FFmpeg keeps a picture's duration in 31 bits: 6 h 37 min at 90 kHz."""
MOST_PACKETS = 2_000_000
"""Pictures in one file: FFmpeg keeps its index in memory until the end, about 100 bytes each. A day of 23 fps."""
_OPTIONS = {"movflags": "faststart+use_metadata_tags", "max_interleave_delta": "1000000"}
_MILLISECONDS = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Clip:
    """One exported file: ``start`` and ``end`` are the instants of its first picture and of its last one's end."""

    path: Path
    start: datetime
    end: datetime
    packets: int
    bytes: int


class ClipWriter:
    """Writes ``path`` as ``path.part``. ``finish`` completes it, ``keep`` gives it its name, ``discard`` removes it.

    Every method raises StorageError where the disk refuses.
    """

    def __init__(self, path: Path, template: InputContainer, start_us: int, tags: dict[str, str]) -> None:
        """``template`` has the format of all that will be written; ``start_us`` (since 1970) is the file's time 0."""
        self.path = path
        self.part = path.with_name(path.name + layout.PART_SUFFIX)
        self.packets = 0
        self.end_us = start_us
        self._start_us = start_us
        self._lock = _take(self.part)
        self._last = {"video": -1, "audio": -1}
        self._format = _format(template)
        try:
            self._container = av.open(str(self.part), "w", format="mp4", options=_OPTIONS)
            self._container.metadata.update(tags | {"creation_time": f"{from_us(start_us):%Y-%m-%dT%H:%M:%SZ}"})
            self._video = self._container.add_stream_from_template(template.streams.video[0], opaque=True)
            self._video.time_base = Fraction(1, RATE)
            if template.streams.video[0].codec_context.name == "hevc":
                self._video.codec_context.codec_tag = "hvc1"  # hev1, FFmpeg's default, does not play on Apple's
            sound = next(iter(template.streams.audio), None)
            self._audio = self._container.add_stream_from_template(sound) if sound is not None else None
            self._rates = {"video": RATE, "audio": sound.codec_context.sample_rate if sound is not None else 1}
            self._container.start_encoding()
        except (av.error.FFmpegError, OSError) as error:
            self.discard()
            raise self._refused(error) from error

    def takes(self, source: InputContainer, start_us: int) -> bool:
        """Whether what ``source`` holds can go on in this file at ``start_us``."""
        return (
            self._format[0] == _format(source)[0]
            and start_us - self.end_us <= duration_us(LONGEST_GAP)
            and self.packets < MOST_PACKETS
        )

    def takes_audio(self, source: InputContainer) -> bool:
        """Whether the sound of ``source`` is of this file's layout."""
        return bool(source.streams.audio) and self._format[1] == _format(source)[1]

    def write(self, packet: Packet[Any], start_us: int) -> None:
        """Copy a packet of a segment that starts at ``start_us``. One that would come before the last is moved
        behind it, as the clock's slewing between segments may ask for a few milliseconds."""
        kind = packet.stream.type
        stream: VideoStream | AudioStream | None = self._video if kind == "video" else self._audio
        if stream is None or packet.dts is None:
            return
        base, rate = packet.time_base, self._rates[kind]
        up, down = base.numerator * rate, base.denominator
        natural = _nearest((start_us - self._start_us) * rate, 1_000_000) + _nearest(packet.dts * up, down)
        duration = _nearest((packet.duration or 0) * up, down)
        dts = max(natural, self._last[kind] + 1)
        if kind == "audio" and (natural < 0 or dts - natural > duration // 2):
            return  # before the first picture, or where other sound is already
        packet.pts = dts + _nearest(((packet.pts if packet.pts is not None else packet.dts) - packet.dts) * up, down)
        packet.dts, packet.duration, packet.time_base = dts, duration, Fraction(1, rate)
        packet.stream = stream
        self._last[kind] = dts
        if kind == "video":
            self.packets += 1
            self.end_us = self._start_us + _nearest((dts + duration) * 1_000_000, rate)
        try:
            self._container.mux_one(packet)
        except (av.error.FFmpegError, OSError) as error:
            raise self._refused(error) from error

    def finish(self, gaps: Sequence[Gap]) -> Clip:
        """Write the index, with a chapter for each of ``gaps`` (in order) and for what is between them, and sync.

        FFmpeg's close may be silent about a full disk: the file is read back.
        """
        try:
            chapters = _chapters(gaps, self._start_us, self.end_us)
            if len(chapters) > 1:
                self._container.set_chapters(chapters)  # type: ignore[arg-type]
            self._container.close()
            with av.open(str(self.part), "r", format="mp4") as written:
                if written.streams.video[0].frames != self.packets:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._lock)
            size = os.fstat(self._lock).st_size
        except (av.error.FFmpegError, OSError) as error:
            raise self._refused(error) from error
        return Clip(self.path, from_us(self._start_us), from_us(self.end_us), self.packets, size)

    def keep(self) -> None:
        """Give the finished file its name."""
        try:
            self.part.rename(self.path)
            layout.sync_folder(self.path.absolute().parent)
        except OSError as error:
            raise self._refused(error) from error
        finally:
            os.close(self._lock)

    def discard(self) -> None:
        """Remove what was written. First the name: closing would else move all of it to put the index first."""
        with contextlib.suppress(OSError):
            self.part.unlink()
        with contextlib.suppress(av.error.FFmpegError, OSError, AttributeError):
            self._container.close()
        with contextlib.suppress(OSError):
            os.close(self._lock)

    def _refused(self, error: Exception) -> StorageError:
        text = getattr(error, "strerror", None) or str(error)
        hint = ": free some space there, or choose another -o" if getattr(error, "errno", 0) == errno.ENOSPC else ""
        return StorageError(f"cannot write {self.path} ({text}); nothing of it was kept{hint}")


def tags(camera: str, since: datetime, until: datetime, gaps: Sequence[Gap]) -> dict[str, str]:
    """What a clip's metadata says of it: camera, the span that was asked for, and what is missing in it."""
    missing = [f"{format_local(gap.start)} to {format_local(gap.end or until)}: {gap.reason.meaning}" for gap in gaps]
    return {
        "title": f"{camera} {format_local(since)} to {format_local(until)}",
        "nvr_camera": camera,
        "nvr_from": format_rfc3339(since),
        "nvr_to": format_rfc3339(until),
        **({"comment": "\n".join(["no video:", *missing[:100]])} if missing else {}),
    }


def _take(part: Path) -> int:
    """Create a file, or take one that a killed export left. Its descriptor is locked while it is being written."""
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StorageError(f"cannot write {part}: {error.strerror}; choose another -o") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StorageError(f"{part} is being written by another export: wait for it, or choose another -o") from None
    return descriptor


def _format(source: InputContainer) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
    """What one MP4 can have but one of: the picture's format, and the sound's (None without sound)."""
    video = source.streams.video[0].codec_context
    sound = next(iter(source.streams.audio), None)
    heard = None
    if sound is not None:
        context = sound.codec_context
        heard = (context.name, context.sample_rate, context.layout.name, context.extradata)
    return (video.name, video.width, video.height, video.extradata), heard


def _chapters(gaps: Sequence[Gap], start_us: int, end_us: int) -> list[dict[str, Any]]:
    """Chapters in milliseconds of the file's time: gaps with their reason, and the video between them."""
    marks: list[tuple[int, int, str]] = []
    at = start_us
    for gap in gaps:
        begin, end = max(to_us(gap.start), at), min(to_us(gap.end) if gap.end else end_us, end_us)
        if end <= begin:
            continue
        if begin > at:
            marks.append((at, begin, format_local(from_us(at))))
        marks.append((begin, end, f"no video: {gap.reason.meaning}"))
        at = end
    if at < end_us:
        marks.append((at, end_us, format_local(from_us(at))))
    return [
        {
            "id": number,
            "start": (begin - start_us) // 1000,
            "end": (end - start_us) // 1000,
            "time_base": _MILLISECONDS,
            "metadata": {"title": title},
        }
        for number, (begin, end, title) in enumerate(marks)
    ]


def _nearest(value: int, divisor: int) -> int:
    """``value / divisor``, to the nearest integer. In integers: this runs for every packet."""
    return (2 * value + divisor) // (2 * divisor)

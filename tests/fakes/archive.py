"""Recorded segments made from a clip, so that every picture's instant is known by the number in it.

Picture ``n`` of a tape is shown at ``START + n / 25 s``, whatever segment it is in. The files are written as a recorder
writes them, with FFmpeg alone.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer

from nvr import layout
from nvr.clock import to_us
from nvr.media.index import read_index
from nvr.media.segment import OPTIONS
from nvr.model import Segment, SegmentState
from tests.fakes.clip import FPS, slices_digest
from tests.fakes.footage import frame_number

START = datetime(2026, 11, 22, 13, 5, 0, 120_000, tzinfo=UTC)
FRAME = timedelta(seconds=1) / FPS


def instant(number: int) -> datetime:
    """When picture ``number`` of a tape is shown."""
    return START + number * FRAME


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture read back from a file: the number in it, and its time in the file in microseconds."""

    number: int | None
    at_us: int


class Archive:
    """Segments of ``camera`` in a storage folder, cut from a video file."""

    def __init__(self, storage: Path, tape: Path, camera: str = "hik1", run: str = "run-1") -> None:
        self.storage = storage
        self.tape = tape
        self.camera = camera
        self.run = run
        self._open: list[OutputContainer] = []

    def add(
        self,
        first: int,
        end: int,
        *,
        at: datetime | None = None,
        run: str | None = None,
        state: SegmentState = "closed",
        sound: bool = False,
    ) -> Segment:
        """A segment of the tape's pictures ``first`` to before ``end`` in decoding order, and its row.

        ``first`` is a key frame, shown at its instant or at ``at``. ``salvaged`` and ``open`` files are fragments alone
        and lack what was not flushed; the row of an open one says what it will be.
        """
        start = at or instant(first)
        path = layout.segment_path(self.camera, start, UTC)
        final = self.storage / path
        final.parent.mkdir(parents=True, exist_ok=True)
        part = final.with_name(final.name + layout.PART_SUFFIX)
        with av.open(str(self.tape)) as source:
            video, audio = source.streams.video[0], next(iter(source.streams.audio), None) if sound else None
            container = av.open(str(part), "w", format="mp4", options=OPTIONS)
            tags = {"nvr_camera": self.camera, "nvr_run": run or self.run, "nvr_start_us": str(to_us(start))}
            container.metadata.update(tags)
            out = container.add_stream_from_template(video, opaque=True)
            if video.codec_context.name == "hevc":
                out.codec_context.codec_tag = "hvc1"
            heard = container.add_stream_from_template(audio) if audio is not None else None
            container.start_encoding()
            packets = _cut(source, [video, *([audio] if audio is not None else [])], first, end)
            for packet in packets:
                packet.stream = out if packet.stream.type == "video" else heard
                container.mux_one(packet)
            codec = video.codec_context
            name, width, height = codec.name, codec.width, codec.height
        if state == "closed":
            container.close()
            part.rename(final)
        elif state == "salvaged":
            shutil.copy(part, final)
            container.close()
            part.unlink()
        else:
            self._open.append(container)
        if state == "salvaged":
            return read_index(self.storage, final)
        return Segment(
            camera=self.camera,
            run=run or self.run,
            path=path,
            start=start,
            end=start + (end - first) * FRAME,
            bytes=(part if state == "open" else final).stat().st_size,
            packets=end - first,
            codec=name,
            width=width,
            height=height,
            state=state,
        )

    def close(self) -> None:
        """Close what is open; under its ``.part`` name."""
        for container in self._open:
            container.close()
        self._open.clear()


def shown(path: Path) -> list[Shown]:
    """Every picture that a video file shows, decoded."""
    found = []
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        video.codec_context.thread_type = "NONE"
        for frame in container.decode(video):
            assert frame.pts is not None
            assert not frame.is_corrupt
            number = frame_number(np.asarray(frame.to_ndarray(format="gray"), np.uint8))
            found.append(Shown(number, round(frame.pts * (video.time_base or 0) * 1_000_000)))
    return found


def digests(path: Path) -> list[str]:
    """The coded H.264 pictures of a file, in decoding order."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    return [slices_digest(packet, in_mp4=True) for packet in packets]


def _cut(source: Any, streams: list[Any], first: int, end: int) -> list[Any]:
    """Packets of pictures ``first`` to ``end`` and the sound with them, their times from the first picture's."""
    video = streams[0]
    number, kept, begin = -1, [], Fraction(0)
    for packet in source.demux(*streams):
        if not packet.size:
            continue
        time = packet.dts * packet.time_base
        if packet.stream is video:
            number += 1
            if number == first:
                assert packet.is_keyframe
                begin = time
        if packet.stream is video and not first <= number < end:
            continue
        if packet.stream is not video and not Fraction(first, FPS) <= time < Fraction(end, FPS):
            continue
        kept.append(packet)
    for packet in kept:
        shift = round(begin / packet.time_base)
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
    return kept

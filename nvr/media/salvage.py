"""Read a segment file back: who recorded it, when, and how much of it plays.

Lives in the recorder process, where it rescues what a killed predecessor left as ``.part``, and in the janitor, which
reads back files whose row was lost between the rename and the catalogue.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import av
import av.error

from nvr import layout
from nvr.clock import from_us
from nvr.media.segment import seal
from nvr.model import Segment, SegmentState

log = logging.getLogger(__name__)
HEADER_BYTES = 4096


def salvage(storage: Path, camera: str) -> Iterator[Segment]:
    """Give every ``.part`` of a camera its final name and its row, one at a time, as they are asked for.

    A file that another process has locked is being written and left alone; one that cannot be read is kept as
    ``.unreadable``, and removed when it is no more than a header. Each is read whole.
    """
    root = storage / "segments" / camera
    for part in sorted(root.glob(f"*/*.mp4{layout.PART_SUFFIX}")):
        segment = _rescue(storage, part)
        if segment is not None:
            yield segment


def cut_back(file: Path) -> None:
    """Cut a fragmented file that broke off to its last whole fragment (``moof`` with its ``mdat``, ISO/IEC 14496-12).

    What lies behind it is half a picture that a strict decoder stumbles over. A file that was closed has no fragments
    and stays as it is. Raises OSError.
    """
    with file.open("r+b") as opened:
        size, place, whole, kind = file.stat().st_size, 0, 0, b""
        while place + 8 <= size:
            opened.seek(place)
            head = opened.read(16)
            length, before, kind = int.from_bytes(head[:4]), kind, head[4:8]
            length = int.from_bytes(head[8:16]) if length == 1 else length
            place += length
            if length < 8 or place > size:
                break
            if kind == b"mdat" and before == b"moof":
                whole = place
        if whole and whole < size:
            opened.truncate(whole)


def describe(storage: Path, file: Path, state: SegmentState) -> Segment | None:
    """What a file's own metadata and packets say; None if it is not a segment of nvr or holds no frame."""
    try:
        with av.open(str(file), "r", format="mp4") as container:
            tags = container.metadata
            video = container.streams.video[0]
            codec = video.codec_context
            packets, end = 0, 0
            for packet in container.demux(video):
                if packet.size and packet.dts is not None:
                    packets += 1
                    end = max(end, packet.dts + (packet.duration or 0))
            if not packets:
                return None
            start_us = int(tags["nvr_start_us"])
            return Segment(
                camera=tags["nvr_camera"],
                run=tags["nvr_run"],
                path=file.relative_to(storage).with_name(file.name.removesuffix(layout.PART_SUFFIX)),
                start=from_us(start_us),
                end=from_us(start_us + round(end * (video.time_base or 0) * 1_000_000)),
                bytes=file.stat().st_size,
                packets=packets,
                codec=codec.name,
                width=codec.width,
                height=codec.height,
                state=state,
            )
    except (av.error.FFmpegError, OSError, KeyError, IndexError, ValueError) as error:
        log.warning("%s cannot be read back: %s", file, error)
        return None


def _rescue(storage: Path, part: Path) -> Segment | None:
    try:
        descriptor = os.open(part, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)  # a pipe would wait for its writer
    except OSError as error:
        log.warning("%s cannot be salvaged: %s", part, error.strerror)
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        log.warning("%s is no file of nvr's and is left alone", part)
        os.close(descriptor)
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    try:
        return _close(storage, part, descriptor)
    except OSError as error:
        log.warning("%s cannot be salvaged: %s", part, error.strerror)
        return None
    finally:
        os.close(descriptor)


def _close(storage: Path, part: Path, descriptor: int) -> Segment | None:
    """Cut, describe, rename. Raises OSError; the ``.part`` is then still there."""
    cut_back(part)
    segment = describe(storage, part, "salvaged")
    if segment is not None:
        seal(part, descriptor)
        log.warning("salvaged %s: %d frames, %s", segment.path, segment.packets, segment.duration)
    elif os.fstat(descriptor).st_size < HEADER_BYTES:
        part.unlink()
    else:
        part.rename(part.with_name(part.name.removesuffix(layout.PART_SUFFIX) + ".unreadable"))
        log.warning("%s holds no playable frame; kept as .unreadable", part)
    return segment

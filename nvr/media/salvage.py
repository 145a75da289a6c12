"""Give what a killed recorder left as ``.part`` its final name and its row. Lives in the recorder process."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nvr import layout
from nvr.errors import StorageError
from nvr.media.boxes import whole_bytes
from nvr.media.index import read_index
from nvr.media.segment import seal
from nvr.model import Segment

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
        whole = whole_bytes(opened)
        if whole and whole < os.fstat(opened.fileno()).st_size:
            opened.truncate(whole)


def describe(storage: Path, part: Path) -> Segment | None:
    """What a ``.part``'s own metadata and packets say; None if it is not a segment of nvr or holds no frame."""
    try:
        return replace(read_index(storage, part), state="salvaged")
    except StorageError as error:
        log.warning("%s", error)
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
    segment = describe(storage, part)
    if segment is not None:
        seal(part, descriptor)
        log.warning("salvaged %s: %d frames, %s", segment.path, segment.packets, segment.duration)
    elif os.fstat(descriptor).st_size < HEADER_BYTES:
        part.unlink()
    else:
        part.rename(part.with_name(part.name.removesuffix(layout.PART_SUFFIX) + ".unreadable"))
        log.warning("%s holds no playable frame; kept as .unreadable", part)
    return segment

"""Files and rows of a storage folder side by side, a day at a time.

Used by ``nvr check`` and ``nvr rebuild``. Memory is for some days of one camera, however long it was recorded:
rows come in the order of their start, and a day's folder holds what began on that local date.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.clock import EPOCH
from nvr.errors import StorageError
from nvr.model import Segment

FURTHEST_ZONE = timedelta(hours=14)
"""A local date begins at most so long before or after the same date in UTC."""
_DAY = timedelta(days=1)
_SNAPSHOT = re.compile(r"(?P<stamp>[^_]+)_(?P<label>[a-z0-9-]+)_(?P<id>\d{1,18})(?P<small>\.thumb)?\.jpg")


@dataclass(frozen=True, slots=True)
class Pair:
    """A segment file, relative to the storage folder, and its row; one of them may be missing."""

    path: Path
    row: Segment | None
    bytes: int | None
    """Size of the file; None where there is none."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the name of a snapshot or thumbnail says: camera, instant, event, label as far as a name can hold it."""

    path: Path
    camera: str
    at: datetime
    label: str
    event: int
    small: bool = False
    """A thumbnail."""


def cameras(storage: Path, catalogue: Catalogue | None = None) -> list[str]:
    """Every camera that has files or rows, by name."""
    found = {entry.name for entry in _folders(storage / "segments")}
    if catalogue is not None:
        found |= set(catalogue.cameras())
    return sorted(found)


def pairs(storage: Path, catalogue: Catalogue, camera: str) -> Iterator[Pair]:
    """Every closed file and every row of footage of a camera, day by day; within a day the files by their start.

    A row or a file that comes or goes meanwhile may be seen alone: ask again before it is called a problem.
    """
    rows = catalogue.segments(EPOCH, None, camera)
    waiting: dict[Path, Segment] = {}
    ahead = next(rows, None)
    for folder in _folders(storage / "segments" / camera):
        until = _end_of(folder)
        while ahead is not None and (until is None or ahead.start < until):
            waiting[ahead.path] = ahead
            ahead = next(rows, None)
        for file in _by_start(folder):
            path = file.relative_to(storage)
            yield Pair(path, waiting.pop(path, None), _size(file))
        for path in [path for path in waiting if path.parent.name <= folder.name]:
            yield Pair(path, waiting.pop(path), None)
    for row in waiting.values():
        yield Pair(row.path, row, None)
    while ahead is not None:
        yield Pair(ahead.path, ahead, None)
        ahead = next(rows, None)


def others(storage: Path, camera: str) -> Iterator[Path]:
    """Files of a camera that are no closed segments: ``.part``, ``.unreadable`` and strangers."""
    for folder in _folders(storage / "segments" / camera):
        for file in sorted(folder.iterdir()):
            if not _may_be_segment(file):
                yield file.relative_to(storage)


def shown(path: Path) -> str:
    """A path for people: a name may hold line breaks, and bytes that are no text."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in str(path))


def pictures(storage: Path, camera: str | None = None) -> Iterator[Picture]:
    """Every snapshot and thumbnail whose name is one that nvr gives."""
    for folder in _folders(storage / "snapshots"):
        if camera in (None, folder.name):
            for file in sorted(folder.glob("*/*.jpg")):
                picture = read_name(file.relative_to(storage))
                if picture is not None:
                    yield picture


def read_name(path: Path) -> Picture | None:
    """What ``layout.snapshot_path`` or ``thumbnail_path`` put into a name; None for any other name."""
    match = _SNAPSHOT.fullmatch(path.name)
    if match is None or len(path.parts) != 4:
        return None
    try:
        at = layout.parse_stamp(path.parent.name, match["stamp"])
    except ValueError:
        return None
    small = match["small"] is not None
    return Picture(path, path.parts[1], at, match["label"].replace("-", " "), int(match["id"]), small)


@contextmanager
def held(storage: Path) -> Iterator[bool]:
    """Hold the storage folder against ``nvr start``; False where one runs. Raises StorageError without a marker."""
    try:
        marker = os.open(storage / layout.MARKER, os.O_RDONLY)
    except OSError as error:
        raise StorageError(
            f"{storage} has no {layout.MARKER}: nothing was recorded there, or its disk is not mounted"
        ) from error
    try:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(marker)


def is_locked(file: Path) -> bool:
    """Whether a process is writing a ``.part``: its writer holds a lock on it. False where it is gone."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(entry for entry in parent.iterdir() if layout.is_text(entry.name) and entry.is_dir())
    except FileNotFoundError:
        return []


def _may_be_segment(file: Path) -> bool:
    """Whether it can be opened without waiting (a pipe cannot), and the catalogue can hold its name."""
    return file.suffix == ".mp4" and layout.is_text(file.name) and file.is_file()


def _end_of(folder: Path) -> datetime | None:
    """The instant before which all began that lies in a day's folder; None where its name is no date."""
    try:
        day = datetime.strptime(folder.name, "%Y-%m-%d").replace(tzinfo=UTC)
        return day + _DAY + FURTHEST_ZONE
    except (ValueError, OverflowError):
        return None


def _by_start(folder: Path) -> list[Path]:
    """The files of a day by the instant in their name: by name alone, the hour that clocks repeat would be mixed."""

    def key(file: Path) -> tuple[datetime, str]:
        try:
            return layout.parse_stamp(folder.name, file.stem), file.name
        except ValueError:
            return EPOCH, file.name

    return sorted(filter(_may_be_segment, folder.iterdir()), key=key)


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return None

"""Which files hold a span: those with a row, and those that are too new to have one.

Used by commands and the web process; writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from nvr import layout
from nvr.errors import StorageError
from nvr.media.index import read_index
from nvr.model import Segment

LONG = timedelta(minutes=15)
"""How long before a span a file may begin that has no row yet and reaches into it."""
NAMED_LATER = timedelta(seconds=1)
"""By so much less a file's name is later than its start: by milliseconds, where others have had it before."""


def gather(storage: Path, camera: str, rows: Iterable[Segment], since: datetime, until: datetime) -> list[Segment]:
    """All that overlaps [since, until): ``rows``, what is being written now (state ``open``), and files so new that
    they have no row yet. Files that cannot be read are left out. Reads the folders after ``rows``."""
    known = {row.path: row for row in rows}
    latest = max((row.start for row in known.values()), default=since - LONG)
    for file in _unlisted(storage, camera, since, latest, until):
        if file.relative_to(storage) in known:
            continue
        with suppress(StorageError):
            segment = read_index(storage, file)
            if segment.camera == camera:
                known.setdefault(segment.path, segment)
    return sorted(
        (segment for segment in known.values() if segment.start < until and segment.end > since),
        key=lambda segment: (segment.start, segment.path),
    )


def _unlisted(storage: Path, camera: str, since: datetime, latest: datetime, until: datetime) -> Iterator[Path]:
    """Files that are being written, unless they began later, and closed ones whose name says that they began in
    [latest, until]."""
    root = storage / "segments" / camera
    names = [name for name in layout.segment_names(storage, camera, since, until) if _may_begin_by(until, *name)]
    parts = [root / folder / name for folder, name in names if name.endswith(layout.PART_SUFFIX)]
    yield from sorted(part for part in parts if part.is_file())
    # listed once more, behind those: one that is closed meanwhile is then met by its new name
    for folder, name in sorted(layout.segment_names(storage, camera, latest, until)):
        file = root / folder / name
        with suppress(ValueError):
            if name.endswith(".mp4") and latest <= layout.parse_stamp(folder, file.stem) <= until and file.is_file():
                yield file


def _may_begin_by(until: datetime, folder: str, name: str) -> bool:
    """By its name: what is being written is read whole to be known, which a span of yesterday need not wait for."""
    try:
        return layout.parse_stamp(folder, name) < until + NAMED_LATER
    except ValueError:
        return True

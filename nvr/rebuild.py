"""``nvr rebuild``: rows from files alone.

Files are the truth (invariant 5): camera, run and start are in their metadata, pictures and length in their index. Rows
that agree with their file stay as they are, so that it may be run again at any time. Runs while ``nvr start`` does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from nvr import archive
from nvr.archive import Pair, Picture
from nvr.catalogue.store import Catalogue
from nvr.check import tolerance
from nvr.errors import StorageError
from nvr.media.index import read_index
from nvr.model import Event, EventKind, Segment

OPEN_RUNS = 16
"""So many runs are looked at side by side: a segment waits for the one that follows, to end where that one starts."""


@dataclass(slots=True)
class Rebuilt:
    """What was done. ``files`` were looked at, ``total`` there are."""

    total: int = 0
    files: int = 0
    kept: int = 0
    """Rows that agreed with their file."""
    added: int = 0
    """Segments that had no row, or one that did not agree."""
    missing: int = 0
    """Rows whose file is gone: dropped, once the ledger says that it is."""
    events: int = 0
    """Events made again from their snapshots."""
    unreadable: list[str] = field(default_factory=list)
    """Files that are no segments, and why; they stay where they are."""


Progress = Callable[[Rebuilt], None]
"""Called after every file."""


class Rebuild:
    """One rebuild of a catalogue, which must be open for writing and used by nobody else."""

    def __init__(self, storage: Path, catalogue: Catalogue, progress: Progress) -> None:
        self._storage = storage
        self._catalogue = catalogue
        self._progress = progress
        self._waiting: dict[str, tuple[Segment, bool]] = {}
        self._doomed: set[Path] = set()
        self.done = Rebuilt()

    def run(self) -> Rebuilt:
        """Rebuild all cameras. Raises CatalogueError."""
        self.done.total = sum(1 for _ in (self._storage / "segments").glob("*/*/*.mp4"))
        for camera in archive.cameras(self._storage, self._catalogue):
            self._doomed = {row.path for row in self._catalogue.segments_in_state("deleting", camera)}
            gone = [row.path for row in self._catalogue.segments_in_state("missing", camera)]
            gone = [path for path in gone if not (self._storage / path).exists()]
            for pair in archive.pairs(self._storage, self._catalogue, camera):
                self._take(pair, gone)
            for run in list(self._waiting):
                self._store(run, None)
            self._catalogue.set_state(gone, "missing")
            self._catalogue.drop_segments(gone)
            self.done.missing += len(gone)
        for picture in archive.pictures(self._storage):
            self._restore(picture)
        self._catalogue.close_dangling()
        return self.done

    def _take(self, pair: Pair, gone: list[Path]) -> None:
        if pair.bytes is None:
            gone.append(pair.path)
            return
        self.done.files += 1
        self._progress(self.done)
        if pair.path in self._doomed:
            return
        row, keep = pair.row, pair.row is not None and pair.row.bytes == pair.bytes
        if row is None or not keep:
            try:
                row = read_index(self._storage, self._storage / pair.path)
            except StorageError as error:
                self.done.unreadable.append(str(error))
                return
        self._store(row.run, row.start)
        self._waiting[row.run] = row, keep
        if len(self._waiting) > OPEN_RUNS:
            self._store(next(iter(self._waiting)), None)

    def _store(self, run: str, following: datetime | None) -> None:
        """Store the segment of a run that waits for the start of the one behind it."""
        if run not in self._waiting:
            return
        segment, keep = self._waiting.pop(run)
        if keep:
            self.done.kept += 1
            return
        if following is not None and abs(following - segment.end) <= tolerance(segment):
            segment = replace(segment, end=following)
        self._catalogue.add_segment(segment)
        self.done.added += 1

    def _restore(self, picture: Picture) -> None:
        """An event with its pictures, as much of it as the file's name holds: it ends where it begins."""
        if picture.small or self._catalogue.event(picture.event) is not None:
            return
        thumbnail = picture.path.with_suffix(".thumb.jpg")
        kind: EventKind = "motion" if picture.label == "motion" else "object"
        event = Event(
            camera=picture.camera,
            kind=kind,
            label=picture.label,
            start=picture.at,
            seen=picture.at,
            end=picture.at,
            snapshot=picture.path,
            thumbnail=thumbnail if (self._storage / thumbnail).exists() else None,
            id=picture.event,
        )
        self._catalogue.update_event(event)
        self.done.events += 1

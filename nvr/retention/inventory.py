"""Files against rows, after a start or a recorder's death: what has no row is read back, what has no file is missing.

Runs in the janitor process, a little at a time. No file is changed or deleted here.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.errors import CatalogueError, StorageError
from nvr.media.index import read_index
from nvr.retention.removal import alone

log = logging.getLogger(__name__)
PATIENCE_S = 5.0
CHUNK = 500
"""Files whose loss is stored in one step."""


class Inventory:
    """One reconciliation of a storage folder with its catalogue."""

    def __init__(self, storage: Path, catalogue: Catalogue, before: datetime, camera: str | None = None) -> None:
        """Files that began ``before`` then should have a row: what is recorded later has one on its way. Of one
        camera, or of all."""
        self._storage = storage
        self._volume = layout.volume_id(storage)
        self._catalogue = catalogue
        self._before = before
        self._cameras = None if camera is None else [camera]

    def steps(self) -> Iterator[bool]:
        """Do it, in short steps; True asks for a pause first, because the catalogue cannot be used just now.

        Raises StorageError and OSError where the folder cannot be read; what was found so far is stored.
        """
        cameras = self._cameras
        while cameras is None:
            try:
                cameras = sorted({*self._catalogue.cameras(), *_folders(self._storage / "segments")})
            except CatalogueError:
                yield True
        for camera in cameras:
            pending = True
            while pending:
                try:
                    yield False
                    found, lost, back = self._compare(camera)
                    pending = False
                except CatalogueError:
                    yield True
            for path in found:
                yield from self._read_back(path)
            yield from self._settle(camera, lost, back)

    def _compare(self, camera: str) -> tuple[list[Path], list[Path], list[Path]]:
        """Files without a row, rows without a file, and rows said to be missing whose file is there."""
        known = {path.as_posix() for path in self._catalogue.segment_paths(camera)}
        missing = {one.path.as_posix() for one in self._catalogue.segments_in_state("missing", camera)}
        going = {one.path.as_posix() for one in self._catalogue.segments_in_state("deleting", camera)}
        root = self._storage / "segments" / camera
        there = {f"segments/{camera}/{day}/{name}" for day in _folders(root) for name in _names(root / day)}
        found = [Path(path) for path in sorted(there - known - missing - going) if self._is_ours(Path(path))]
        return found, [Path(path) for path in sorted(known - there)], [Path(path) for path in sorted(missing & there)]

    def _is_ours(self, path: Path) -> bool:
        try:
            return path.suffix == ".mp4" and layout.parse_stamp(path.parent.name, path.stem) < self._before
        except ValueError:
            return False

    def _read_back(self, path: Path) -> Iterator[bool]:
        """Give a file its row. One that cannot be read is kept, and listed by ``nvr check``."""
        try:
            segment = read_index(self._storage, self._storage / path)
        except StorageError as error:
            log.warning("%s has no row and cannot be read back: %s", path, error)
            yield False
            return
        while True:
            try:
                if not self._catalogue.has_segment(path):
                    self._catalogue.add_segment(segment)
                    log.info("read back %s: it had no row", path)
                break
            except CatalogueError:
                yield True
        yield False

    def _settle(self, camera: str, lost: list[Path], back: list[Path]) -> Iterator[bool]:
        """Store what became of files."""
        while lost or back:
            try:
                self._store(camera, lost[:CHUNK], back[:CHUNK])
                lost, back = lost[CHUNK:], back[CHUNK:]
                yield False
            except CatalogueError:
                yield True

    def _store(self, camera: str, lost: list[Path], back: list[Path]) -> None:
        """What is seen once more while nobody else deletes, on a disk that is there before and after."""
        with alone(self._storage, PATIENCE_S):
            going = {one.path for one in self._catalogue.segments_in_state("deleting", camera)}
            gone = [path for path in lost if path not in going and not (self._storage / path).exists()]
            gone = [path for path in gone if self._catalogue.has_segment(path)]
            back = [path for path in back if (self._storage / path).exists()]
            if layout.volume_id(self._storage) != self._volume:
                raise StorageError(f"{self._storage} is another volume than before")
            self._catalogue.set_state(gone, "missing")
            self._catalogue.set_state(back, "closed")
        if gone:
            log.warning("%s: %d files are gone, though nvr did not delete them: %s…", camera, len(gone), gone[0])
        if back:
            log.info("%s: %d files that were missing are there again", camera, len(back))


def _folders(root: Path) -> list[str]:
    """Names of the folders in a folder; none where it is not there. Raises OSError for one that cannot be read."""
    return _names(root, folders=True)


def _names(root: Path, *, folders: bool = False) -> list[str]:
    try:
        with os.scandir(root) as entries:
            kept = (entry for entry in entries if (entry.is_dir() if folders else entry.is_file()))
            return sorted(entry.name for entry in kept if layout.is_text(entry.name))
    except FileNotFoundError:
        return []

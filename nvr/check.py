"""``nvr check``: files against rows.

Reads only, and works beside ``nvr start``: what looks wrong is asked for again before it is called so, because files
are closed and deleted meanwhile. Memory is for some days of one camera.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from nvr import archive, layout
from nvr.archive import Pair
from nvr.catalogue.store import Catalogue
from nvr.clock import EPOCH, Clock, from_us
from nvr.errors import StorageError
from nvr.history import entries, recording
from nvr.media.index import Reading, read_packets
from nvr.model import Event, Segment

SETTLED = timedelta(seconds=60)
"""A file younger than that may still be waiting for its row, or be written at this moment."""
SLEW_PPM = 500
PAUSE = timedelta(seconds=11)
"""A segment's row ends where the next starts, its file with its last picture: a camera may pause so long in between."""
STEPPED = timedelta(seconds=2)
"""From here on an overlap within a run is a clock that was set back, and not an error."""
LEDGER_SPAN = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where (a path relative to the storage folder, or an event), and what to do next."""

    camera: str
    kind: str
    where: str
    what: str
    advice: str


@dataclass(slots=True)
class Report:
    """What was looked at: ``bytes`` are those of the files, which are read if ``deep``; ``us`` is how long it took."""

    deep: bool
    files: int = 0
    bytes: int = 0
    us: int = 0
    problems: list[Problem] = field(default_factory=list)


Progress = Callable[[Report], None]
"""Called after every file."""


class Check:
    """One check of a storage folder. ``running`` says that an ``nvr start`` is recording into it."""

    def __init__(self, storage: Path, catalogue: Catalogue, clock: Clock, *, deep: bool, running: bool) -> None:
        self._storage = storage
        self._catalogue = catalogue
        self._clock = clock
        self._running = running
        self._ends: dict[str, Segment] = {}
        self.report = Report(deep)

    def run(self, camera: str | None, progress: Progress) -> Report:
        """Look at one camera, or at all. Raises CatalogueError."""
        begin_us = self._clock.monotonic_us()
        for name in archive.cameras(self._storage, self._catalogue):
            if camera in (None, name):
                for problem in self._camera(name, progress):
                    self.report.problems.append(problem)
        self.report.us = self._clock.monotonic_us() - begin_us
        return self.report

    def _camera(self, camera: str, progress: Progress) -> Iterator[Problem]:
        self._ends.clear()
        for pair in archive.pairs(self._storage, self._catalogue, camera):
            yield from self._pair(camera, pair)
            if pair.bytes is not None:
                self.report.files += 1
                self.report.bytes += pair.bytes
                progress(self.report)
        for path in archive.others(self._storage, camera):
            yield from self._other(camera, path)
        yield from self._left_out(camera)
        yield from self._events(camera)
        yield from self._ledger(camera)

    def _pair(self, camera: str, pair: Pair) -> Iterator[Problem]:
        file, where = self._storage / pair.path, archive.shown(pair.path)
        if pair.row is None:
            if not self._catalogue.has_segment(pair.path) and self._is_settled(file):
                advice = "it is kept; nvr rebuild makes its row again"
                yield Problem(camera, "orphan", where, "the file has no row in the catalogue", advice)
            return
        if pair.bytes is None:
            if self._is_footage(pair.row) and not file.exists():
                advice = "restore it from a backup, or let nvr rebuild note that it is missing"
                yield Problem(camera, "missing", where, "the row's file is not there", advice)
            return
        yield from self._overlap(pair.row)
        if pair.bytes != pair.row.bytes:
            what = f"the file has {pair.bytes} bytes, its row says {pair.row.bytes}"
            yield Problem(camera, "size", where, what, "look at it with nvr check --deep; nvr rebuild corrects the row")
        if self.report.deep:
            yield from self._deep(pair.row, file)

    def _deep(self, row: Segment, file: Path) -> Iterator[Problem]:
        advice = "play it: what is whole still plays; restore it from a backup if you have one"
        try:
            reading = read_packets(self._storage, file)
        except StorageError as error:
            if file.exists():
                yield Problem(row.camera, "damaged", str(row.path), str(error).replace(f"{file} ", "", 1), advice)
            return
        for what in reading.problems:
            yield Problem(row.camera, "damaged", str(row.path), what, advice)
        advice = "nvr rebuild makes the row again from the file"
        for what in _differences(row, reading):
            yield Problem(row.camera, "differs", str(row.path), what, advice)

    def _overlap(self, row: Segment) -> Iterator[Problem]:
        before = self._ends.pop(row.run, None)
        self._ends[row.run] = row
        if len(self._ends) > 100:
            self._ends.pop(next(iter(self._ends)))
        if before is not None and _MILLISECOND < before.end - row.start < STEPPED:
            what = f"it begins {before.end - row.start} before {before.path} of the same run ends"
            yield Problem(
                row.camera, "overlap", str(row.path), what, "report this as a bug of nvr; both files are kept"
            )

    def _other(self, camera: str, path: Path) -> Iterator[Problem]:
        file = self._storage / path
        where = archive.shown(path)
        if path.name.endswith(layout.PART_SUFFIX) and file.is_file():
            if self._is_settled(file) and not archive.is_locked(file) and file.exists():
                advice = "nvr start closes it when it records this camera again"
                yield Problem(camera, "part", where, "nobody writes it: its recorder was killed", advice)
        elif path.suffix == ".unreadable":
            advice = "keep it for a repair tool, or remove it"
            yield Problem(camera, "unreadable", where, "it held no playable picture when it was salvaged", advice)
        elif file.exists() or file.is_symlink():  # else it has been deleted, or closed, meanwhile
            yield Problem(camera, "stranger", where, "nvr did not make this file", "move it away")

    def _left_out(self, camera: str) -> Iterator[Problem]:
        for row in self._catalogue.segments_in_state("missing", camera):
            what, advice = "the row's file has been missing before", "restore it from a backup, then run nvr rebuild"
            if (self._storage / row.path).exists():
                what, advice = "the row says that its file is missing, and it is there", "nvr rebuild corrects the row"
            yield Problem(camera, "missing", str(row.path), what, advice)
        if not self._running:
            for row in self._catalogue.segments_in_state("deleting", camera):
                what, advice = "its deletion was broken off", "nvr start ends it"
                yield Problem(camera, "deleting", str(row.path), what, advice)

    def _events(self, camera: str) -> Iterator[Problem]:
        known: set[int | None] = set()
        for event in self._catalogue.events(EPOCH, None, camera):
            known.add(event.id)
            for name, path in _pictures(event):
                if (self._storage / path).exists():
                    continue
                again = self._catalogue.event(event.id or 0)
                if again is not None and (name, path) in _pictures(again) and not (self._storage / path).exists():
                    advice = "restore it from a backup; the event itself is kept"
                    what = f"the {name} of event {event.id} is not there"
                    yield Problem(camera, "snapshot", str(path), what, advice)
        for picture in archive.pictures(self._storage, camera):
            if picture.event in known or not self._is_settled(self._storage / picture.path):
                continue
            if self._catalogue.event(picture.event) is None:
                what, advice = f"there is no event {picture.event}", "nvr rebuild makes it again"
                if picture.small:
                    advice = "nvr rebuild makes it again where its snapshot is there, too; else remove it"
                yield Problem(camera, "orphan", str(picture.path), what, advice)

    def _ledger(self, camera: str) -> Iterator[Problem]:
        """Invariant 4: what is recorded, missing with a reason and not scheduled is all of the last day."""
        until = from_us(self._clock.now_us())
        since, live = until - LEDGER_SPAN, recording(self._storage, camera, self._clock)
        told = entries(self._catalogue, self._storage, camera, since, until, until, live)
        joints = [since, *(entry.end for entry in told)]
        if [*(entry.start for entry in told), until] != joints:
            what = f"the last day's {len(told)} entries do not follow each other from {since} to {until}"
            yield Problem(camera, "ledger", camera, what, "report this as a bug of nvr, with what nvr gaps --json says")

    def _is_footage(self, row: Segment) -> bool:
        """Whether a row still says that it has a file."""
        return any(
            each.path == row.path for each in self._catalogue.segments(row.start, row.start + _MILLISECOND, row.camera)
        )

    def _is_settled(self, file: Path) -> bool:
        """Whether nothing is going on with a file: it is there, and not just written or about to get its row."""
        try:
            changed_us = int(file.stat().st_mtime * 1_000_000)
        except FileNotFoundError:
            return False
        return not self._running or abs(self._clock.now_us() - changed_us) > SETTLED // timedelta(microseconds=1)


def _pictures(event: Event) -> list[tuple[str, Path]]:
    """The files that belong to an event, each with its name for people."""
    both = (("snapshot", event.snapshot), ("thumbnail", event.thumbnail))
    return [(name, path) for name, path in both if path is not None]


def _differences(row: Segment, reading: Reading) -> Iterator[str]:
    found = reading.segment
    if found.packets != row.packets:
        yield f"the file holds {found.packets} pictures, its row says {row.packets}"
    if (found.camera, found.run, found.start) != (row.camera, row.run, row.start):
        yield f"the file says that it is of {found.camera}, run {found.run}, from {found.start}; its row differs"
    if (found.codec, found.width, found.height) != (row.codec, row.width, row.height):
        yield f"the file holds {_format(found)}, its row says {_format(row)}"
    late = row.end - found.end
    if late < -tolerance(found) or late > tolerance(found) + PAUSE:
        yield f"the file lasts {found.duration}, its row says {row.duration}"


def _format(segment: Segment) -> str:
    return f"{segment.codec} {segment.width}x{segment.height}"


def tolerance(segment: Segment) -> timedelta:
    """How far the end that a file tells may be from its row's: a picture (how long the last one lasts is a guess), and
    the 500 ppm by which a recorder follows the clock."""
    return segment.duration / segment.packets + segment.duration * SLEW_PPM / 1_000_000

"""A camera's ledger from all there is: rows, files that have none yet, and whether it is being recorded right now.

Read by commands and front ends in their own processes, with ``nvr start`` up or down; writes nothing. The rules are in
``ledger.py``. Rows come after files (invariant 6), so files are looked at first: what is being closed meanwhile is
seen at least once, and what is seen twice does no harm.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nvr import layout, pulse
from nvr.catalogue.store import Catalogue
from nvr.clock import EPOCH, Clock, from_us
from nvr.errors import StorageError
from nvr.ledger import SEAM, Entry, Span, tell
from nvr.model import Gap, Stint
from nvr.reason import Reason

TRAIL = timedelta(seconds=2)
"""How far a file that is being written may be behind: its newest pictures are still in memory."""
FRESH = timedelta(seconds=30)
"""A stint without an end that was alive so lately goes on."""
STALE_US = 10_000_000
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_TICK = timedelta(microseconds=1)
_EVER = datetime.max.replace(tzinfo=UTC)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A file newer than every row of its camera: being written, or closed a moment ago. ``path`` is relative to the
    storage folder; ``end`` is when it was last written to."""

    path: Path
    start: datetime
    end: datetime

    @property
    def writing(self) -> bool:
        return self.path.suffix == layout.PART_SUFFIX


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant of a camera: the entry it is in, whole but for footage that goes on for days, and its neighbours.

    ``file`` is relative to the storage folder and holds the instant ``offset`` after its start; both are None where
    nothing was recorded.
    """

    at: datetime
    entry: Entry
    before: Entry | None
    after: Entry | None
    file: Path | None
    offset: timedelta | None


class Background:
    """What is the same for all cameras: asked for once where several ledgers are told at one moment."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._stints: dict[tuple[datetime, datetime], list[Stint]] = {}
        self._gaps: dict[tuple[datetime, datetime], dict[str, list[Gap]]] = {}
        self.cameras = catalogue.cameras()
        self.last_stint = catalogue.last_stint()

    def stints(self, low: datetime, high: datetime) -> list[Stint]:
        """At least those of [low, high), and their neighbours."""
        span = _whole_hours(low, high)
        if span not in self._stints:
            self._stints[span] = self._catalogue.stints(*span, neighbours=True)
        return self._stints[span]

    def gaps(self, camera: str, low: datetime, high: datetime) -> list[Gap]:
        """At least those of a camera that overlap [low, high)."""
        span = _whole_hours(low, high)
        if span not in self._gaps:
            found: dict[str, list[Gap]] = {}
            for gap in self._catalogue.gaps(*span):
                found.setdefault(gap.camera, []).append(gap)
            self._gaps[span] = found
        return self._gaps[span].get(camera, [])


def _whole_hours(low: datetime, high: datetime) -> tuple[datetime, datetime]:
    """A span that holds another, and is the same for most that are nearly the same."""
    low = low.replace(minute=0, second=0, microsecond=0)
    return low, min(high, _EVER - _HOUR).replace(minute=0, second=0, microsecond=0) + _HOUR


def entries(
    catalogue: Catalogue,
    storage: Path,
    camera: str,
    begin: datetime,
    end: datetime,
    now: datetime,
    live: bool,
    background: Background | None = None,
) -> list[Entry]:
    """The ledger of [begin, end), cut at ``now``: contiguous, oldest first, empty where all of it is still to come.

    ``live`` says whether the camera's recorder runs (``recording`` tells): then its newest file, which is written
    a little late, counts up to ``now``. Raises CatalogueError.
    """
    end = min(end, now)
    if end <= begin:
        return []
    newest, before, after = catalogue.edges(camera, begin, end)
    files = unlisted(storage, camera, begin, newest)
    shared = background is not None
    background = background or Background(catalogue)
    added = background.cameras.get(camera)
    low = max(min(begin, before or added or begin), EPOCH) - _TICK  # the holes at both ends are to be seen whole
    high = max(end, after or now) + _TICK
    gaps = background.gaps(camera, low, high) if shared else list(catalogue.gaps(low, high, camera))
    recorded = heapq.merge(catalogue.recorded(camera, low, high), _spans(files, newest, gaps, now, live))
    return tell(added, begin, end, recorded, gaps, _stints(background, low, high, now, live))


def moment(catalogue: Catalogue, storage: Path, camera: str, at: datetime, now: datetime, live: bool) -> Moment:
    """All that is known of an instant before ``now``. Raises CatalogueError, and ValueError for one to come."""
    if at > now:
        raise ValueError(f"{at} is still to come")
    at = min(at, now - _TICK)
    back = ahead = _DAY
    while True:
        begin, end = (at - back if at > EPOCH + back else min(at, EPOCH)), at + ahead
        told = entries(catalogue, storage, camera, begin, end, now, live)
        place = next(number for number, entry in enumerate(told) if entry.start <= at < entry.end)
        entry = told[place]
        cut_before, cut_behind = entry.start == begin > EPOCH, entry.end == end < now
        if entry.kind == "recorded" or not (cut_before or cut_behind):
            break
        back, ahead = back * (8 if cut_before else 1), ahead * (8 if cut_behind else 1)
    file = _file_at(catalogue, storage, camera, at) if entry.kind == "recorded" else None
    return Moment(
        at,
        entry,
        told[place - 1] if place else None,
        told[place + 1] if place + 1 < len(told) else None,
        file[0] if file else None,
        at - file[1] if file else None,
    )


def condensed(told: Sequence[Entry]) -> Iterator[Entry]:
    """Entries with footage that one rule deleted over days as one: its detail gives the first and the last deletion."""
    held: Entry | None = None
    for entry in told:
        if held is not None and _same_rule(held, entry):
            first, last = held.detail.split(" … ")[0], entry.detail.rpartition(", ")[2]
            held = replace(held, end=entry.end, detail=f"{first} … {last}")
            continue
        if held is not None:
            yield held
        held = entry
    if held is not None:
        yield held


def recording(storage: Path, camera: str, clock: Clock) -> bool:
    """Whether the camera's recorder shows life, as far as this account may see."""
    try:
        beat = pulse.read(layout.pulse_path(layout.run_folder(layout.volume_id(storage)), f"recorder.{camera}"))
    except StorageError:
        return False
    if beat is None or beat.state == "stopped":
        return False
    return clock.monotonic_us() - beat.beat_monotonic_us < STALE_US


def unlisted(storage: Path, camera: str, begin: datetime, newest: datetime | None) -> list[Unlisted]:
    """Files newer than ``newest``, the end of the last row, or without any row those from ``begin`` on; by start.

    Files that nvr did not name are passed over.
    """
    since = begin - _DAY if newest is None else newest - SEAM
    found = []
    for folder, name in layout.segment_names(storage, camera, max(since, EPOCH), None):
        described = _describe(storage, camera, folder, name)
        if described is not None and (described.writing or newest is None or described.start >= newest - SEAM):
            found.append(described)
    return sorted(found, key=lambda file: file.start)


def _describe(storage: Path, camera: str, folder: str, name: str) -> Unlisted | None:
    path = Path("segments") / camera / folder / name
    try:
        start = layout.parse_stamp(folder, name.removesuffix(layout.PART_SUFFIX))
        end = from_us((storage / path).stat().st_mtime_ns // 1000)
    except (ValueError, FileNotFoundError):  # another file, or it has just been given its name
        return None
    return Unlisted(path, start, max(start, end))


def _spans(
    files: Sequence[Unlisted], newest: datetime | None, gaps: Sequence[Gap], now: datetime, live: bool
) -> list[Span]:
    """What files without rows hold. The last one counts up to now while pictures on their way to it are in memory."""
    spans = [(file.start, min(file.end, now)) for file in files]
    last = files[-1] if files else None
    writing = last is not None and last.writing
    begun = last.start if last is not None else newest
    ended = max((span for span in (newest, *(end for _, end in spans)) if span is not None), default=None)
    if begun is None or ended is None:
        return spans
    interrupted = any(gap.end is None and gap.start >= begun for gap in gaps)
    late = now - ended
    if (live and writing and not interrupted) or ((live or writing) and not interrupted and late <= TRAIL):
        spans.append((min(ended, now), now))
    return spans


def _stints(background: Background, low: datetime, high: datetime, now: datetime, live: bool) -> list[Stint]:
    """The lives of ``nvr start``, the present one up to now; and our own, whose boot tells how the last one ended."""
    last = background.last_stint
    if last is None:
        return []
    running = last.end is None and (live or now - last.alive <= FRESH)
    stints = [
        replace(stint, alive=max(stint.alive, now)) if running and stint.id == last.id else stint
        for stint in background.stints(low, high)
    ]
    return [*stints, Stint(last.id + 1, now, now, None, boot_id())]


def boot_id() -> str:
    """What the kernel calls the time since it started; another one after every restart of the machine."""
    return _BOOT_ID.read_text().strip()


def _file_at(catalogue: Catalogue, storage: Path, camera: str, at: datetime) -> tuple[Path, datetime] | None:
    """The file that holds an instant which was recorded, and when it starts."""
    newest, *_ = catalogue.edges(camera, _EVER, _EVER)
    if newest is None or at >= newest - SEAM:
        for file in reversed(unlisted(storage, camera, at, newest)):
            if file.start <= at:
                return file.path, file.start
    segment = catalogue.segment_at(camera, at) or catalogue.segment_at(camera, at - SEAM)
    return None if segment is None else (segment.path, segment.start)


def _same_rule(one: Entry, following: Entry) -> bool:
    return (
        one.reason is following.reason is Reason.DELETED
        and one.end == following.start
        and one.detail.rpartition(", ")[0] == following.detail.rpartition(", ")[0]
    )

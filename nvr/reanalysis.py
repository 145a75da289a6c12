"""Re-analysis: a camera's recorded footage seen again, by another model or with other zones, as the analyzer would.

Runs in the command's own process, with ``nvr start`` up or down; it reads files, and knows nothing of slots. Pictures
are decoded in a thread of their own, because decoding and inference both leave Python's lock alone.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nvr import layout
from nvr.analysis.events import HOLD
from nvr.analysis.observer import Models, Observer
from nvr.analysis.snapshot import render, thumbnail
from nvr.analysis.story import Stories, Story
from nvr.analysis.watcher import CALM
from nvr.media.footage import TREMBLE_US, Footage
from nvr.media.instant import shown_at
from nvr.model import Event, Frame, Segment

if TYPE_CHECKING:
    from nvr.analysis.sight import Sight
    from nvr.catalogue.store import Catalogue

LEAD = timedelta(seconds=15)
"""Footage before the span that is looked at, so that what usually is there, and who is, is known at its beginning."""
TRAIL = HOLD
"""Footage after the span: who comes at its very end is an event only after some looks."""
AHEAD = 8
"""Pictures that wait between the two threads, at most."""
DECODERS = 2
WAIT_S = 0.1
FOUND_LATER = "found later by nvr analyze"
"""``detail`` of an event that was stored by re-analysis."""
_TREMBLE = timedelta(microseconds=TREMBLE_US)


@dataclass(frozen=True, slots=True)
class Order:
    """What to look at: [since, until) of a camera, and how."""

    camera: str
    since: datetime
    until: datetime
    sight: Sight
    interval: timedelta
    """Between two looks, at least."""
    widest: int | None = None
    """Pixels to which larger pictures are scaled down; None for never."""
    key_frames_only: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of it. ``reached`` is the instant up to which all was looked at, ``until`` if it was not stopped."""

    reached: datetime
    stories: list[Story] = field(default_factory=list)
    looks: int = 0
    detections: int = 0
    """Looks at which the detector ran."""
    notes: tuple[str, ...] = ()
    stopped: bool = False


def reanalyse(
    storage: Path,
    segments: Sequence[Segment],
    order: Order,
    progress: Callable[[datetime], None] = lambda at: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Look at a span of footage again. ``segments`` are those from ``LEAD`` before it to ``TRAIL`` after it.

    ``progress`` is told the instant of each picture; once ``stopping`` says so, what was found so far is returned.
    Raises ModelError.
    """
    observer, stories = Observer(order.sight, Models()), Stories(order.camera)
    footage = Footage(
        storage,
        segments,
        order.since - LEAD,
        order.until + TRAIL,
        interval=order.interval,
        widest=order.widest,
        key_frames_only=order.key_frames_only,
        threads=DECODERS,
    )
    outcome, due = Outcome(order.since), order.since - LEAD
    with _ahead(footage) as frames:
        for frame in frames:
            outcome.stopped = stopping()
            if outcome.stopped:
                break
            progress(frame.at)
            outcome.reached = min(max(frame.at, order.since), order.until)
            if frame.at < due - _TREMBLE:
                continue
            seen = observer.observe(frame)
            outcome.looks += 1
            outcome.detections += seen.detections is not None
            calm = seen.detections is not None and not seen.urgent
            due = frame.at + order.interval * (CALM if calm else 1)
            outcome.stories += stories.take(seen.actions)
    outcome.stories += stories.take(observer.flush("the footage ended"))
    outcome.stories = [story for story in outcome.stories if _overlaps(story.event, order)]
    outcome.notes = tuple(footage.notes)
    if not outcome.stopped:
        outcome.reached = order.until
    return outcome


def stored(catalogue: Catalogue, camera: str, since: datetime, until: datetime) -> list[Story]:
    """The events of nvr's own that the catalogue has of a span, oldest first. Raises CatalogueError."""
    found = []
    for kind in ("object", "motion"):
        for event in catalogue.events(since, until, camera, kind):
            assert event.id is not None
            found.append(Story(event, catalogue.path_of(event.id)))
    return sorted(found, key=lambda story: story.event.start)


def picture_of(storage: Path, segments: Sequence[Segment], story: Story) -> Frame | None:
    """The best picture of an event that was found, whole and in its own size; None where it is gone meanwhile."""
    if story.pictured is None:
        return None
    shown = shown_at(storage, segments, story.pictured)
    return None if shown is None else Frame(shown.i420, shown.width, shown.height, shown.at, 0, 0, 0)


def snapshot_of(story: Story, frame: Frame) -> bytes:
    """JPEG of an event's picture, with its box where it has one."""
    event = story.event
    box = None if event.kind == "motion" else event.box
    return render(frame, box, event.label, event.score, frame.at, event.camera)


def keep(catalogue: Catalogue, storage: Path, story: Story, frame: Frame | None) -> Event:
    """Store an event that was found, with its path and pictures, and return it with its id.

    The picture is written before the row names it (invariant 6). Raises CatalogueError, StorageError, OSError.
    """
    layout.require_marker(storage)
    event = replace(story.event, detail=FOUND_LATER)
    id = catalogue.open_event(event)
    event = replace(event, id=id)
    if frame is not None:
        path = layout.snapshot_path(event.camera, frame.at, event.label, id)
        layout.write_durably(storage / path, snapshot_of(story, frame))
        event = replace(event, snapshot=path)
        if event.kind == "object" and event.box is not None:
            small = layout.thumbnail_path(event.camera, frame.at, event.label, id)
            layout.write_durably(storage / small, thumbnail(frame, event.box))
            event = replace(event, thumbnail=small)
        catalogue.update_event(event)
    catalogue.put_path(id, story.path)
    return event


def _overlaps(event: Event, order: Order) -> bool:
    return event.start < order.until and (event.end or event.seen) >= order.since


@contextmanager
def _ahead(pictures: Iterable[Frame]) -> Iterator[Iterator[Frame]]:
    """Read in a thread of its own, ``AHEAD`` pictures at most; what that raises is raised here. It ends with this."""
    waiting: queue.Queue[Frame | BaseException | None] = queue.Queue(AHEAD)
    over = threading.Event()

    def offer(value: Frame | BaseException | None) -> None:
        while not over.is_set():
            try:
                waiting.put(value, timeout=WAIT_S)
            except queue.Full:
                continue
            return

    def read() -> None:
        try:
            for frame in pictures:
                offer(frame)
                if over.is_set():
                    return
            offer(None)
        except BaseException as error:  # raised again by who waits for the pictures
            offer(error)

    def taken() -> Iterator[Frame]:
        while (value := waiting.get()) is not None:
            if isinstance(value, BaseException):
                raise value
            yield value

    thread = threading.Thread(target=read, name="footage", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        over.set()
        thread.join(timeout=10)

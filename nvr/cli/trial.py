"""Carrying out ``nvr analyze``: progress, Ctrl-C, and keeping what was found."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nvr.cli.app import database_of, open_catalogue

if TYPE_CHECKING:
    from nvr.analysis.comparison import Match
    from nvr.analysis.story import Story
    from nvr.config import Config
    from nvr.errors import NvrError
    from nvr.ledger import Entry
    from nvr.model import Segment
    from nvr.reanalysis import Order, Outcome

EVERY_S = 0.25
"""Between two updates of the bar: how much is done costs some milliseconds where there are many files."""


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a re-analysis. ``entries`` are the ledger of the span, ``footage`` is how much of it was looked at,
    ``took`` how long that lasted."""

    order: Order
    outcome: Outcome
    matches: list[Match]
    entries: list[Entry]
    footage: timedelta
    took: timedelta
    pictures: dict[int, Path] = field(default_factory=dict)
    """Saved pictures of events that are only now, by their places in ``matches``."""
    stored: dict[int, int] = field(default_factory=dict)
    """Ids of those that were stored, likewise."""

    @property
    def speed(self) -> float:
        """Times real time."""
        return self.footage / max(self.took, timedelta(milliseconds=1))


def run(settings: Config, order: Order, save: Path | None, *, store: bool, quiet: bool) -> Found:
    """Look at the footage, compare with the events of then, and keep what is asked for.

    After Ctrl-C it is what was found so far; nothing of that is stored. Raises NvrError, also where there is no
    footage: its text then says why.
    """
    import cv2

    from nvr.analysis.comparison import compare
    from nvr.clock import SystemClock
    from nvr.errors import NvrError
    from nvr.holdings import recorded_of
    from nvr.media.footage import length
    from nvr.media.gathering import gather
    from nvr.reanalysis import LEAD, TRAIL, reanalyse, stored

    clock, storage = SystemClock(), settings.storage
    cv2.setNumThreads(1)  # as in the analyzer: pictures are small
    with open_catalogue(settings) as catalogue:
        segments, entries = recorded_of(catalogue, storage, order.camera, order.since, order.until)
        if not (total := length(segments, order.since, order.until)):
            raise _nothing(order, entries)
        around = order.since - LEAD, order.until + TRAIL
        segments = gather(storage, order.camera, catalogue.segments(*around, order.camera), *around)
        begun_us = clock.monotonic_us()
        with _stopping() as stopping, _shown(order, segments, total, quiet=quiet) as progress:
            outcome = reanalyse(storage, segments, order, progress, stopping)
        took = timedelta(microseconds=clock.monotonic_us() - begun_us)
        if not outcome.looks and not outcome.stopped:
            raise NvrError("nothing could be looked at: " + "; ".join(outcome.notes or ("no picture was due",)))
        then = stored(catalogue, order.camera, order.since, outcome.reached)
    footage = length(segments, order.since, outcome.reached)
    matches = compare(then, outcome.stories, order.since, outcome.reached)
    found = Found(order, outcome, matches, entries, footage, took)
    _keep(settings, found, segments, save, store=store and not outcome.stopped)
    return found


def _nothing(order: Order, entries: Sequence[Entry]) -> NvrError:
    from nvr.cli.export import sentence_of
    from nvr.clock import format_local
    from nvr.errors import NvrError

    why = "; ".join(sentence_of(entry) for entry in entries if entry.kind != "recorded")
    return NvrError(
        f"nothing of {order.camera} was recorded from {format_local(order.since)} to {format_local(order.until)}: "
        f"{why or 'its newest pictures are not on the disk yet'} (see nvr gaps --camera {order.camera})"
    )


def _keep(settings: Config, found: Found, segments: Sequence[Segment], save: Path | None, *, store: bool) -> None:
    """Pictures and rows of the events that are only now."""
    from nvr.catalogue.store import Catalogue
    from nvr.reanalysis import keep, picture_of, snapshot_of

    if save is None and not store:
        return
    storage = settings.storage
    with Catalogue.open(database_of(settings)) if store else nullcontext() as catalogue:
        for place, match in enumerate(found.matches):
            if match.now is None or match.then is not None:
                continue
            frame = picture_of(storage, segments, match.now)
            if save is not None and frame is not None:
                found.pictures[place] = save / _named(match.now, frame.at)
                found.pictures[place].write_bytes(snapshot_of(match.now, frame))
            if catalogue is not None:
                id = keep(catalogue, storage, match.now, frame).id
                assert id is not None
                found.stored[place] = id


def _named(story: Story, at: datetime) -> str:
    """``hik1_2026-11-22_14-05-12.640+0100_person.jpg``; the same picture of two subjects tells them by their places."""
    from nvr import layout

    event = story.event
    day, time = layout.stamp(at + timedelta(microseconds=999))  # as snapshots are named
    where = "" if event.box is None else f"_{event.box.left * 100:.0f}-{event.box.top * 100:.0f}"
    return f"{event.camera}_{day}_{time}_{layout.slug(event.label)}{where}.jpg"


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """A function that says whether to stop: Ctrl-C or SIGTERM came. A second Ctrl-C ends the command at once."""
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _shown(
    order: Order, segments: Sequence[Segment], total: timedelta, *, quiet: bool
) -> Iterator[Callable[[datetime], None]]:
    """A bar on standard error, with the speed and the time that is left; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from nvr.media.footage import length

    columns = (TextColumn("looking"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[speed]}"))
    hidden = quiet or not sys.stderr.isatty()
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("", total=total.total_seconds(), speed="")

        shown = 0.0

        def show(at: datetime) -> None:
            nonlocal shown
            spent = progress.tasks[0].elapsed or 0.0
            if spent - shown < EVERY_S:
                return
            shown = spent
            done = length(segments, order.since, min(max(at, order.since), order.until)).total_seconds()
            progress.update(task, completed=done, speed=f"{done / spent:.1f} × real time")

        yield (lambda at: None) if hidden else show

"""``nvr events watch``: events as they happen."""

from __future__ import annotations

import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvr.cli.app import CameraOption, ConfigOption, JsonOption, check_camera, database_of, load_config, open_catalogue
from nvr.cli.happening import KindOption, LabelOption, as_json, check_kind, events

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from nvr.config import Config
    from nvr.follow import Told
    from nvr.model import Event

LOOK_MS = 200
"""Between two looks into the catalogue."""
PATIENCE = 10
"""So many looks at a new catalogue that cannot be used are nothing to tell of."""


@events.command("watch")
def watch_events(
    since: Annotated[
        str | None, typer.Option("--since", help="Tell first what happened since then; else only what lasts.")
    ] = None,
    camera: CameraOption = None,
    label: LabelOption = None,
    kind: KindOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Events as they happen, a line for each thing that becomes of one, until Ctrl-C."""
    from nvr.cli.spans import span
    from nvr.clock import SystemClock, from_us

    check_kind(kind)
    settings = load_config(config)
    check_camera(settings, camera)
    now = from_us(SystemClock().now_us())
    begin = now if since is None else span(since, None)[0]

    def chosen(event: Event) -> bool:
        return (camera or event.camera, label or event.label, kind or event.kind) == (
            event.camera,
            event.label,
            event.kind,
        )

    for told in _follow(settings, begin, chosen):
        _print(told, settings.storage, json=json)


def _follow(settings: Config, begin: datetime, chosen: Any) -> Iterator[Told]:
    """What is to be told, until a signal or the reader's end; a catalogue that was replaced is opened anew.

    The new one cannot be used while it is being made, and is waited for.
    """
    from nvr.clock import SystemClock, from_us
    from nvr.errors import CatalogueError
    from nvr.follow import Follower

    path = database_of(settings)
    with _stopping() as wait:
        stopped, again, refused = False, False, 0
        while not stopped:
            file, missed = _identity(path), 0  # before it is opened: another one that comes between is noticed
            try:
                opened = open_catalogue(settings)
            except CatalogueError as error:
                if not again:
                    raise
                refused += 1
                if refused == PATIENCE:
                    typer.echo(f"nvr: {error}; waiting for it", err=True)
                stopped = wait()
                continue
            refused = 0
            with opened as catalogue:
                follower = Follower(catalogue, chosen)
                yield from follower.begin(begin)
                while not (stopped := wait()):
                    yield from follower.look()
                    if follower.missed > missed:
                        missed = follower.missed
                        typer.echo(f"nvr: {missed} changes came too fast to be told", err=True)
                    if _identity(path) not in (None, file):
                        begin, again = from_us(SystemClock().now_us()), True
                        break


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file is there; None for none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _stopping() -> Iterator[Any]:
    """A function that waits ``LOOK_MS`` and says whether to stop: Ctrl-C, SIGTERM, or nobody reads any more."""
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    def wait() -> bool:
        gone = poll.poll(LOOK_MS)  # a closed pipe is told at once, with no line to write
        if gone:
            raise BrokenPipeError
        return stopped

    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wait
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print(told: Told, storage: Path, *, json: bool) -> None:
    from nvr.cli.listing import print_json
    from nvr.clock import format_local

    event = told.event
    if json:
        print_json({"change": told.what} | as_json(event, storage, told.also))
        return
    at = {"begin": event.start, "update": event.seen, "end": event.end or event.seen}[told.what]
    words = "; ".join(word for word in _words(told) if word)
    line = f"{format_local(at)}  {told.what:6}  {event.camera}  {event.label}  event {event.id}"
    typer.echo(f"{line}  {words}".rstrip())


def _words(told: Told) -> Iterator[str]:
    """What there is to say of it, for people."""
    from nvr.clock import format_duration

    event, before = told.event, told.before
    if told.what == "begin":
        yield event.began or event.detail
        yield f"in {', '.join(event.zones)}" if event.zones else ""
    elif told.what == "end" and event.same_as is not None:
        yield f"the same as event {event.same_as}"
    elif told.what == "end":
        yield f"after {format_duration((event.end or event.seen) - event.start)}"
        yield event.ended
    else:
        yield "told by the camera, too" if told.heard else ""
        yield from _differences(event, before)


def _differences(event: Event, before: Event | None) -> Iterator[str]:
    if before is not None:
        if event.label != before.label:
            yield f"was {before.label}"
        entered = [zone for zone in event.zones if zone not in before.zones]
        yield f"in {', '.join(entered)}" if entered else ""
        if event.snapshot != before.snapshot:
            yield "a better picture" if before.snapshot else "a picture"
        if before.end is not None and event.end is None:
            yield "goes on"
        if event.detail != before.detail:
            yield event.detail
    if event.locked != (before is not None and before.locked):
        yield "locked" if event.locked else "not locked any more"
    if event.false != (before is not None and before.false):
        yield "marked false" if event.false else "not marked false any more"

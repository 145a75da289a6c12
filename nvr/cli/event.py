"""``nvr events show``: one event, with all there is of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import typer

from nvr.cli.app import ConfigOption, JsonOption, load_config, open_catalogue
from nvr.cli.happening import Also, as_json, events, find, lasted

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from nvr.catalogue.store import Catalogue
    from nvr.config import Config
    from nvr.model import Box, Event, Segment, Waypoint


@events.command("show")
def show_event(id: int, json: JsonOption = False, config: ConfigOption = None) -> None:
    """One event: when, where, why, its pictures, and the video at its instant."""
    from nvr.cli.listing import print_json

    settings = load_config(config)
    with open_catalogue(settings) as catalogue:
        event = find(catalogue, id)
        also, path = catalogue.twins_of([id]).get(id, ()), catalogue.path_of(id)
        segment = catalogue.segment_at(event.camera, event.start)
        video = _with_video(segment, event, settings.storage) or _without_video(catalogue, settings, event)
    if json:
        file = str(settings.storage / segment.path) if segment else None
        print_json(as_json(event, settings.storage, also) | {"video": file} | _places(event, path))
        return
    typer.echo(f"event {event.id}: {event.label} at {event.camera} ({event.kind})")
    for name, text in (*_lines(event, also, settings.storage), *_path_lines(path), ("video", video)):
        typer.echo(f"  {name:<9} {text}")


def _lines(event: Event, also: Also, storage: Path) -> Iterator[tuple[str, str]]:
    from nvr.clock import format_local

    yield "start", format_local(event.start) + (f" ({event.began})" if event.began else "")
    end = format_local(event.end) if event.end else "still going on"
    yield "end", f"{end} ({lasted(event)}{', ' if event.ended else ''}{event.ended})"
    if event.received is not None:
        late = (event.received - event.start).total_seconds()
        yield "received", f"{format_local(event.received)} ({late:+.1f} s after the camera's start)"
    if event.detail:
        yield "detail", event.detail
    yield "score", f"{event.score:.2f}"
    yield "zones", ", ".join(event.zones) or "none"
    yield "locked", "yes: kept until nvr events unlock" if event.locked else "no"
    if event.false:
        yield "false", "yes: a person said that it was no such thing"
    if event.same_as is not None:
        yield "same as", f"event {event.same_as}, which nvr saw itself"
    if also:
        yield "also", f"told by the camera: event {', '.join(map(str, also))}"
    yield "snapshot", str(storage / event.snapshot) if event.snapshot else "none"
    yield "thumbnail", str(storage / event.thumbnail) if event.thumbnail else "none"


def _path_lines(path: Sequence[Waypoint]) -> Iterator[tuple[str, str]]:
    if path:
        places = [f"{_place(point.box)} at {_time(point.at)}" for point in (path[0], path[-1])]
        yield "path", f"{len(path)} points, from {places[0]} to {places[1]} (of the picture's width and height)"


def _place(box: Box) -> str:
    """Where the middle of a box is."""
    return f"{(box.left + box.right) / 2:.0%} {(box.top + box.bottom) / 2:.0%}"


def _time(at: datetime) -> str:
    return f"{at.astimezone():%H:%M:%S}"


def _places(event: Event, path: Sequence[Waypoint]) -> dict[str, Any]:
    from nvr.clock import format_rfc3339

    return {
        "box": None if event.box is None else _edges(event.box),
        "path": [{"at": format_rfc3339(point.at), "box": _edges(point.box)} for point in path],
    }


def _edges(box: Box) -> list[float]:
    return [round(edge, 4) for edge in (box.left, box.top, box.right, box.bottom)]


def _with_video(segment: Segment | None, event: Event, storage: Path) -> str:
    if segment is None:
        return ""
    return f"{storage / segment.path} at {(event.start - segment.start).total_seconds():.1f} s"


def _without_video(catalogue: Catalogue, config: Config, event: Event) -> str:
    """Where the video of an event is that no closed segment holds, or why there is none."""
    from nvr import history
    from nvr.clock import SystemClock, from_us

    clock = SystemClock()
    live = history.recording(config.storage, event.camera, clock)
    now = from_us(clock.now_us())
    moment = history.moment(catalogue, config.storage, event.camera, min(event.start, now), now, live)
    if moment.file is not None:
        return f"{config.storage / moment.file}, which is still being written"
    reason = moment.entry.reason
    return f"none: {reason.meaning if reason else moment.entry.kind}" + (
        f" ({moment.entry.detail})" if moment.entry.detail else ""
    )

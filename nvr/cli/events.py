"""``nvr events``: what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvr.cli.app import (
    CameraOption,
    ConfigOption,
    JsonOption,
    LimitOption,
    SinceOption,
    UntilOption,
    app,
    check_camera,
    database_of,
    load_config,
    open_catalogue,
)

if TYPE_CHECKING:
    from pathlib import Path

    from nvr.catalogue.store import Catalogue
    from nvr.config import Config
    from nvr.model import Event

events = typer.Typer(help="What happened at the cameras.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(events, name="events")


@events.command("list")
def list_events(
    since: SinceOption = "1h",
    until: UntilOption = None,
    camera: CameraOption = None,
    label: Annotated[str | None, typer.Option("--label", help="person, car, …, motion")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="object, motion, camera or health")] = None,
    limit: LimitOption = 1000,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """The events of a span, newest first."""
    from nvr.cli.listing import print_json_array, print_table
    from nvr.cli.spans import span
    from nvr.clock import format_local
    from nvr.errors import ConfigError

    if kind is not None and kind not in ("object", "motion", "camera", "health"):
        raise ConfigError(f'--kind: got "{kind}", want object, motion, camera or health')
    settings = load_config(config)
    check_camera(settings, camera)
    begin, end = span(since, until)
    with open_catalogue(settings) as catalogue:
        found = catalogue.events(begin, end, camera=camera, kind=kind, label=label, limit=limit)
        if json:
            print_json_array(as_json(event, settings.storage) for event in found)
            return
        print_table(
            ("id", "start", "duration", "camera", "kind", "label", "score", "locked", "snapshot"),
            (
                (
                    str(event.id),
                    format_local(event.start),
                    _lasted(event),
                    event.camera,
                    event.kind,
                    event.label,
                    f"{event.score:.2f}" if event.score else "-",
                    "yes" if event.locked else "-",
                    str(settings.storage / event.snapshot) if event.snapshot else "-",
                )
                for event in found
            ),
            f"no events since {format_local(begin)}",
        )


@events.command("show")
def show_event(id: int, json: JsonOption = False, config: ConfigOption = None) -> None:
    """One event: when, where, its picture, and the video at its instant."""
    from nvr.cli.listing import print_json
    from nvr.clock import format_local
    from nvr.errors import NvrError

    settings = load_config(config)
    with open_catalogue(settings) as catalogue:
        event = catalogue.event(id)
        if event is None:
            raise NvrError(f"no event {id}; see nvr events list")
        segment = catalogue.segment_at(event.camera, event.start)
        missing = None if segment is not None else _without_video(catalogue, settings, event)
    if json:
        video = {"video": str(settings.storage / segment.path) if segment else None}
        print_json(as_json(event, settings.storage) | video)
        return
    typer.echo(f"event {event.id}: {event.label} at {event.camera} ({event.kind})")
    typer.echo(f"  start     {format_local(event.start)}")
    typer.echo(f"  end       {format_local(event.end) if event.end else 'still going on'} ({_lasted(event)})")
    typer.echo(f"  score     {event.score:.2f}")
    typer.echo(f"  locked    {'yes: kept until nvr events unlock' if event.locked else 'no'}")
    typer.echo(f"  snapshot  {settings.storage / event.snapshot if event.snapshot else 'none'}")
    if segment is not None:
        offset = (event.start - segment.start).total_seconds()
        typer.echo(f"  video     {settings.storage / segment.path} at {offset:.1f} s")
    else:
        typer.echo(f"  video     {missing}")


@events.command("lock")
def lock_event(id: int, config: ConfigOption = None) -> None:
    """Keep an event's video and picture, whatever retention says."""
    _lock(id, True, config)
    typer.echo(f"event {id} is locked: what there is of its video and picture is kept until nvr events unlock {id}")


@events.command("unlock")
def unlock_event(id: int, config: ConfigOption = None) -> None:
    """Let retention have an event's video and picture again."""
    _lock(id, False, config)
    typer.echo(f"event {id} is not locked any more")


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


def _lock(id: int, locked: bool, config: Path | None) -> None:
    from nvr.catalogue.store import Catalogue
    from nvr.errors import NvrError

    with Catalogue.open(database_of(load_config(config))) as catalogue:
        if not catalogue.lock_event(id, locked):
            raise NvrError(f"no event {id}; see nvr events list")


def as_json(event: Event, storage: Path) -> dict[str, Any]:
    """The stable keys of an event."""
    from nvr.clock import format_rfc3339

    return {
        "id": event.id,
        "camera": event.camera,
        "kind": event.kind,
        "label": event.label,
        "start": format_rfc3339(event.start),
        "end": format_rfc3339(event.end) if event.end else None,
        "score": round(event.score, 4),
        "zones": list(event.zones),
        "snapshot": str(storage / event.snapshot) if event.snapshot else None,
        "locked": event.locked,
    }


def _lasted(event: Event) -> str:
    from nvr.clock import format_duration

    return format_duration((event.end or event.seen) - event.start) + ("" if event.end else "…")

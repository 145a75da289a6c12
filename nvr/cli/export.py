"""``nvr export`` and ``nvr events export``: a span of a camera as one MP4."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvr.cli.app import ConfigOption, JsonOption, app, check_camera, load_config, open_catalogue
from nvr.cli.happening import events, find

if TYPE_CHECKING:
    from nvr.catalogue.store import Catalogue
    from nvr.config import Config
    from nvr.ledger import Entry
    from nvr.media.export import Exported, Order
    from nvr.model import Event, Segment


SHORTEST = timedelta(seconds=1)
"""What there is to see of an event of no length."""
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


@app.command()
def export(
    camera: Annotated[str, typer.Option("--camera", help="The camera.")],
    since: Annotated[str, typer.Option("--from", help='14:03, "yesterday 14:03", RFC 3339, or an age: 90s 1h 7d.')],
    until: Annotated[str, typer.Option("--to", help="The same.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The MP4 to be written.")],
    force: ForceOption = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Copy a span into one MP4, exact to the key frame, without transcoding."""
    settings = load_config(config)
    begin, end = span_of(since, until)
    output = _target(output, settings.storage)
    with open_catalogue(settings) as catalogue:
        if camera not in catalogue.cameras():  # it may be one of former days
            check_camera(settings, camera)
        write_clip(settings, catalogue, camera, (begin, end), output, force=force, json=json)


@events.command("export")
def export_event(
    id: int,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The MP4; named by the event where it is not given.")
    ] = None,
    no_roll: Annotated[
        bool, typer.Option("--no-roll", help="Without what retention keeps before and after it.")
    ] = False,
    force: ForceOption = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Copy the video of an event into one MP4, with pre_roll and post_roll."""
    from nvr.clock import SystemClock, from_us

    settings = load_config(config)
    now = from_us(SystemClock().now_us())
    none = timedelta()
    before, after = (none, none) if no_roll else (settings.retention.pre_roll, settings.retention.post_roll)
    with open_catalogue(settings) as catalogue:
        event = find(catalogue, id)
        target = _target(output or _named(event), settings.storage)
        end = now if event.end is None else max(event.end + after, event.start + SHORTEST)
        span = event.start - before, min(end, now)
        write_clip(settings, catalogue, event.camera, span, target, force=force, json=json)


def _named(event: Event) -> Path:
    """``hik1_2026-11-22_14-05-12.640+0100_person_17.mp4``, in the folder one is in."""
    from nvr import layout

    day, time = layout.stamp(event.start)
    return Path(f"{event.camera}_{day}_{time}_{layout.slug(event.label)}_{event.id}.mp4")


def write_clip(
    settings: Config,
    catalogue: Catalogue,
    camera: str,
    span: tuple[datetime, datetime],
    output: Path,
    *,
    force: bool,
    json: bool,
) -> None:
    """Copy what there is of a span and print what that came to. Raises NvrError where nothing was recorded."""
    from nvr.cli.listing import print_json
    from nvr.clock import format_local
    from nvr.errors import NvrError
    from nvr.holdings import as_gaps, recorded_of
    from nvr.media.export import Order

    begin, end = span
    segments, entries = recorded_of(catalogue, settings.storage, camera, begin, end)
    order = Order(camera, begin, end, output, as_gaps(camera, entries), force)
    done = _copy(settings.storage, segments, order, quiet=json)
    if not done.clips:
        why = "; ".join(sentence_of(entry) for entry in entries if entry.kind != "recorded")
        raise NvrError(
            f"nothing of {camera} was recorded from {format_local(begin)} to {format_local(end)}: "
            f"{why or 'the span is not over yet'} (see nvr gaps --camera {camera})"
        )
    if json:
        print_json(_as_json(order, done, entries))
    else:
        _print(order, done, entries)


def _target(output: Path, storage: Path) -> Path:
    """The file to write. Raises ConfigError for a folder, and for a place among the recordings themselves."""
    from nvr.errors import ConfigError

    if not output.name or output.is_dir():
        raise ConfigError(f'--output: got "{output}", a folder: name the MP4 to be written')
    for kept in ("segments", "snapshots", "samples"):
        if output.resolve().is_relative_to((storage / kept).resolve()):
            raise ConfigError(f"--output: {output} is among the recordings of nvr itself: choose another folder")
    return output if output.suffix == ".mp4" else output.with_name(output.name + ".mp4")


def span_of(since: str, until: str) -> tuple[datetime, datetime]:
    """The UTC instants of ``--from`` and ``--to``. Raises ConfigError, also for a span that is still to come."""
    from nvr.clock import SystemClock, format_local, from_us, parse_instant
    from nvr.errors import ConfigError

    now = from_us(SystemClock().now_us())
    found = []
    for option, text in (("--from", since), ("--to", until)):
        try:
            found.append(parse_instant(text, now))
        except ValueError as error:
            raise ConfigError(f"{option}: {error}") from error
        if found[-1] > now:
            raise ConfigError(f"{option} ({format_local(found[-1])}) is still to come: it is {format_local(now)}")
    begin, end = found
    if end <= begin:
        raise ConfigError(f"--to ({format_local(end)}) is not after --from ({format_local(begin)})")
    return begin, end


def _copy(storage: Path, segments: list[Segment], order: Order, *, quiet: bool) -> Exported:
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from nvr.media.export import export

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    hidden = quiet or not sys.stderr.isatty()
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("copying", total=None)
        return export(
            storage, segments, order, lambda done, total: progress.update(task, completed=done, total=max(total, 1))
        )


def _print(order: Order, done: Exported, entries: list[Entry]) -> None:
    from nvr.clock import format_duration, format_local

    for clip in done.clips:
        typer.echo(
            f"{clip.path}: {format_local(clip.start)} to {format_local(clip.end)} "
            f"({format_duration(clip.end - clip.start)}, {clip.bytes / 1e6:.1f} MB)"
        )
    for entry in entries:
        if entry.kind != "recorded":
            typer.echo(f"  no video {sentence_of(entry)}")
    for note in done.notes:
        typer.echo(f"nvr: {note}", err=True)


def sentence_of(entry: Entry) -> str:
    from nvr.clock import format_duration, format_local

    why = entry.reason.meaning if entry.reason is not None else "not scheduled"
    detail = f" ({entry.detail})" if entry.detail else ""
    return f"from {format_local(entry.start)} for {format_duration(entry.duration)}: {why}{detail}"


def _as_json(order: Order, done: Exported, entries: list[Entry]) -> dict[str, Any]:
    from nvr.clock import format_rfc3339

    return {
        "camera": order.camera,
        "from": format_rfc3339(order.since),
        "to": format_rfc3339(order.until),
        "start": format_rfc3339(done.clips[0].start),
        "end": format_rfc3339(done.clips[-1].end),
        "bytes": sum(clip.bytes for clip in done.clips),
        "files": [
            {
                "path": str(clip.path),
                "start": format_rfc3339(clip.start),
                "end": format_rfc3339(clip.end),
                "duration": (clip.end - clip.start).total_seconds(),
                "bytes": clip.bytes,
                "packets": clip.packets,
            }
            for clip in done.clips
        ],
        "gaps": [
            {
                "start": format_rfc3339(entry.start),
                "end": format_rfc3339(entry.end),
                "duration": entry.duration.total_seconds(),
                "reason": entry.reason.value if entry.reason is not None else None,
                "detail": entry.detail,
            }
            for entry in entries
            if entry.kind != "recorded"
        ],
        "notes": list(done.notes),
    }

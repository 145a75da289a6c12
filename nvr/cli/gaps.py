"""``nvr gaps`` and ``nvr why``: what is missing, and the reason of any moment."""

from __future__ import annotations

import re
from datetime import datetime
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
    load_config,
    open_catalogue,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nvr.catalogue.store import Catalogue
    from nvr.config import Config
    from nvr.history import Moment
    from nvr.ledger import Entry

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
"""As the ledger's details have it, in UTC; people get it in local time, like everything else."""


@app.command()
def gaps(
    since: SinceOption = "1d",
    until: UntilOption = None,
    camera: CameraOption = None,
    limit: LimitOption = 1000,
    all: Annotated[bool, typer.Option("--all", help="Also spans in which nothing was to be recorded.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """The spans without video and the reason of each, oldest first."""
    from itertools import islice

    from nvr.cli.listing import print_json_array, print_table
    from nvr.cli.spans import span
    from nvr.clock import SystemClock, format_local, from_us

    settings = load_config(config)
    begin, end = span(since, until)
    now = from_us(SystemClock().now_us())
    with open_catalogue(settings) as catalogue:
        names = _names(settings, catalogue, camera)
        found = islice(_missing(settings, catalogue, names, begin, end or now, now, all), limit)
        if json:
            print_json_array(_as_json(name, entry, now) for name, entry in found)
            return
        print_table(
            ("camera", "start", "duration", "reason"),
            ((name, format_local(entry.start), _lasted(entry, now), _in_words(entry)) for name, entry in found),
            f"no gaps since {format_local(begin)}" if begin < now else f"{format_local(begin)} is still to come",
        )
        known = catalogue.cameras()
        for name in names:
            if name not in known:
                typer.echo(f"{name}: never recorded", err=True)


@app.command()
def why(
    camera: Annotated[str, typer.Option("--camera", help="The camera.")],
    at: Annotated[str, typer.Option("--at", help='14:03, "yesterday 14:03", RFC 3339, or an age: 90s 1h 7d.')],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Explain one moment: recorded in which file, or missing because of what."""
    from nvr.cli.listing import print_json
    from nvr.clock import SystemClock, from_us

    settings = load_config(config)
    now = from_us(SystemClock().now_us())
    instant = _instant(at, now)
    with open_catalogue(settings) as catalogue:
        (name,) = _names(settings, catalogue, camera)
        known = name in catalogue.cameras()
        found = _moment(settings, catalogue, name, instant, now)
    if json:
        print_json(_moment_as_json(name, instant, found, settings.storage, now))
        return
    for line in _explained(name, instant, found, settings.storage, now, known):
        typer.echo(line)


def _instant(text: str, now: datetime) -> datetime:
    from nvr.clock import parse_instant
    from nvr.errors import ConfigError

    try:
        return parse_instant(text, now)
    except ValueError as error:
        raise ConfigError(f"--at: {error}") from error


def _names(config: Config, catalogue: Catalogue, camera: str | None) -> list[str]:
    """The cameras asked for: the configured ones, or one, which may also be a camera of former days."""
    from nvr.cli.app import check_camera

    if camera is None:
        return list(config.cameras)
    if camera not in catalogue.cameras():
        check_camera(config, camera)
    return [camera]


def _missing(
    config: Config, catalogue: Catalogue, names: list[str], begin: datetime, end: datetime, now: datetime, all: bool
) -> Iterator[tuple[str, Entry]]:
    """What is not recorded, by start."""
    from nvr import history
    from nvr.clock import SystemClock

    wanted = ("gap", "not scheduled") if all else ("gap",)
    found: list[tuple[str, Entry]] = []
    for name in names:
        live = history.recording(config.storage, name, SystemClock())
        told = history.entries(catalogue, config.storage, name, begin, end, now, live)
        found += [(name, entry) for entry in history.condensed(told) if entry.kind in wanted]
    return iter(sorted(found, key=lambda each: each[1].start))


def _moment(config: Config, catalogue: Catalogue, name: str, at: datetime, now: datetime) -> Moment | None:
    """None for a moment that is still to come."""
    from nvr import history
    from nvr.clock import SystemClock

    if at > now:
        return None
    live = history.recording(config.storage, name, SystemClock())
    return history.moment(catalogue, config.storage, name, at, now, live)


def _explained(
    name: str, at: datetime, moment: Moment | None, storage: Path, now: datetime, known: bool
) -> Iterator[str]:
    from nvr.clock import format_local

    begin = f"{name} at {format_local(at)}:"
    if moment is None:
        yield f'{begin} still to come; it is {format_local(now)} now (for a time before today: --at "yesterday 14:03")'
        return
    entry = moment.entry
    yield f"{begin} {_sentence(entry) if known or entry.kind == 'recorded' else 'never recorded'}"
    if moment.file is not None and moment.offset is not None:
        state = " (still being written)" if moment.file.suffix == ".part" else ""
        yield f"  file      {storage / moment.file} at {moment.offset.total_seconds():.1f} s{state}"
    if moment.before is not None:
        yield f"  from      {format_local(entry.start)}"
    if entry.end < now and (entry.kind != "recorded" or moment.after is not None):
        lasted = f" ({_lasted(entry, now)})" if moment.before is not None else ""
        yield f"  until     {format_local(entry.end)}{lasted}"
    elif entry.end >= now and known:
        yield f"  until     now ({_lasted(entry, now)})"
    for word, other in (("before", moment.before), ("after", moment.after)):
        if other is not None:
            yield f"  {word:<8}  {_sentence(other)}"


def _in_words(entry: Entry) -> str:
    if entry.kind == "recorded":
        return "recorded"
    from nvr.clock import format_local

    said = entry.reason.meaning if entry.reason is not None else ""
    detail = _INSTANT.sub(lambda found: format_local(datetime.fromisoformat(found[0])), entry.detail)
    text = f"{said} ({detail})" if said and detail else said or detail
    return text if entry.kind == "gap" else f"not scheduled: {text}"


def _sentence(entry: Entry) -> str:
    return f"no video, because {_in_words(entry)}" if entry.kind == "gap" else _in_words(entry)


def _lasted(entry: Entry, now: datetime) -> str:
    from nvr.clock import format_duration

    return format_duration(entry.duration) + ("…" if entry.end >= now else "")


def _as_json(camera: str, entry: Entry, now: datetime) -> dict[str, Any]:
    """The stable keys of an entry; ``end`` is null while it lasts."""
    from nvr.clock import format_rfc3339

    return {
        "camera": camera,
        "kind": entry.kind,
        "start": format_rfc3339(entry.start),
        "end": format_rfc3339(entry.end) if entry.end < now else None,
        "duration": entry.duration.total_seconds(),
        "reason": entry.reason.value if entry.reason is not None else None,
        "meaning": entry.reason.meaning if entry.reason is not None else None,
        "detail": entry.detail,
    }


def _moment_as_json(camera: str, at: datetime, moment: Moment | None, storage: Path, now: datetime) -> dict[str, Any]:
    from nvr.clock import format_rfc3339

    if moment is None:
        return {"camera": camera, "at": format_rfc3339(at), "kind": "to come"}
    return (
        {"at": format_rfc3339(at)}
        | _as_json(camera, moment.entry, now)
        | {
            "file": str(storage / moment.file) if moment.file is not None else None,
            "offset": moment.offset.total_seconds() if moment.offset is not None else None,
            "before": _as_json(camera, moment.before, now) if moment.before is not None else None,
            "after": _as_json(camera, moment.after, now) if moment.after is not None else None,
        }
    )

"""``nvr events list``: what happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated

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
    load_config,
    open_catalogue,
)
from nvr.cli.happening import Also, KindOption, LabelOption, as_json, check_kind, events, lasted

if TYPE_CHECKING:
    from pathlib import Path

    from nvr.catalogue.store import Catalogue
    from nvr.model import Event

app.add_typer(events, name="events")

PAGE = 500
"""Events whose twins are asked for at once."""


@events.command("list")
def list_events(
    since: SinceOption = "1h",
    until: UntilOption = None,
    camera: CameraOption = None,
    label: LabelOption = None,
    kind: KindOption = None,
    zone: Annotated[str | None, typer.Option("--zone", help="Those in this zone or across this line.")] = None,
    false: Annotated[bool, typer.Option("--false", help="Only those that were marked false.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those marked false, and what cameras told that nvr saw, too.")
    ] = False,
    limit: LimitOption = 1000,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """The events of a span, newest first."""
    from nvr.cli.listing import print_json_array, print_table
    from nvr.cli.spans import span
    from nvr.clock import format_local

    check_kind(kind)
    settings = load_config(config)
    check_camera(settings, camera)
    begin, end = span(since, until)
    denied = True if false else None if everything else False
    with open_catalogue(settings) as catalogue:
        found = with_twins(
            catalogue,
            catalogue.events(begin, end, camera, kind, label, limit=limit, zone=zone, twins=everything, denied=denied),
        )
        if json:
            print_json_array(as_json(event, settings.storage, also) for event, also in found)
        else:
            header, rows = _table(found, settings.storage)
            print_table(header, rows, f"no events since {format_local(begin)}")
        if denied is False and (left := catalogue.count_denied(begin, end, camera, kind, label, zone=zone)):
            typer.echo(f"nvr: {left} marked false left out; --all lists them, too", err=True)


def with_twins(catalogue: Catalogue, found: Iterable[Event]) -> Iterator[tuple[Event, Also]]:
    """Events with the ids of what the camera told of the same, read as they are asked for."""
    iterator = iter(found)
    while page := list(islice(iterator, PAGE)):
        twins = catalogue.twins_of(event.id for event in page if event.id is not None and event.kind != "camera")
        for event in page:
            yield event, twins.get(event.id or 0, ())


def _table(found: Iterable[tuple[Event, Also]], storage: Path) -> tuple[tuple[str, ...], Iterator[tuple[str, ...]]]:
    from nvr.clock import format_local

    header = ("id", "start", "duration", "camera", "kind", "label", "score", "zones", "also", "marks", "snapshot")
    rows = (
        (
            str(event.id),
            format_local(event.start),
            lasted(event),
            event.camera,
            event.kind,
            event.label,
            f"{event.score:.2f}" if event.score else "-",
            ",".join(event.zones) or "-",
            f"event {event.same_as}" if event.same_as else "camera" if also else "-",
            ",".join(_marks(event)) or "-",
            str(storage / event.snapshot) if event.snapshot else "-",
        )
        for event, also in found
    )
    return header, rows


def _marks(event: Event) -> Iterator[str]:
    if event.locked:
        yield "locked"
    if event.false:
        yield "false"

"""What the commands about events share: their group, their options, and how an event is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from nvr.catalogue.store import Catalogue
    from nvr.model import Event

events = typer.Typer(help="What happened at the cameras.", no_args_is_help=True, rich_markup_mode=None)

LabelOption = Annotated[str | None, typer.Option("--label", help="person, car, …, motion")]
KindOption = Annotated[str | None, typer.Option("--kind", help="object, motion, camera or health")]
Also = tuple[int, ...]
"""Ids of what the camera told of the same."""


def check_kind(kind: str | None) -> None:
    """Raise ConfigError for a kind that no event has."""
    from nvr.errors import ConfigError

    if kind is not None and kind not in ("object", "motion", "camera", "health"):
        raise ConfigError(f'--kind: got "{kind}", want object, motion, camera or health')


def find(catalogue: Catalogue, id: int) -> Event:
    """The event of that number. Raises NvrError where there is none."""
    from nvr.errors import NvrError

    event = catalogue.event(id)
    if event is None:
        raise NvrError(f"no event {id}; see nvr events list")
    return event


def as_json(event: Event, storage: Path, also: Also = ()) -> dict[str, Any]:
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
        "thumbnail": str(storage / event.thumbnail) if event.thumbnail else None,
        "began": event.began,
        "ended": event.ended,
        "false": event.false,
        "received": format_rfc3339(event.received) if event.received else None,
        "detail": event.detail,
        "same_as": event.same_as,
        "also": list(also),
    }


def lasted(event: Event) -> str:
    """How long for, so far where it lasts."""
    from nvr.clock import format_duration

    return format_duration((event.end or event.seen) - event.start) + ("" if event.end else "…")

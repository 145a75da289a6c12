"""An event as the API tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from zlib import crc32

from pydantic import BaseModel, Field

from nvr.model import Event, EventKind
from nvr.web.wire import told, told_or_none

Edges = Annotated[list[float], Field(min_length=4, max_length=4, description="left, top, right, bottom")]


class Happening(BaseModel):
    """One event; ``snapshot`` and ``thumbnail`` are addresses below /api/v1; ``box`` is left, top, right, bottom."""

    id: int
    camera: str
    kind: EventKind
    label: str
    start: str
    end: str | None
    score: float
    zones: list[str]
    snapshot: str | None
    thumbnail: str | None
    locked: bool
    false: bool
    began: str
    ended: str
    detail: str
    box: Edges | None
    same_as: int | None
    also: list[int]


def as_told(event: Event, also: tuple[int, ...]) -> Happening:
    box = event.box
    return Happening(
        id=event.id or 0,
        camera=event.camera,
        kind=event.kind,
        label=event.label,
        start=told(event.start),
        end=told_or_none(event.end),
        score=round(event.score, 4),
        zones=list(event.zones),
        snapshot=_address(event, "snapshot", event.snapshot),
        thumbnail=_address(event, "thumbnail", event.thumbnail),
        locked=event.locked,
        false=event.false,
        began=event.began,
        ended=event.ended,
        detail=event.detail,
        box=None if box is None else [box.left, box.top, box.right, box.bottom],
        same_as=event.same_as,
        also=list(also),
    )


def _address(event: Event, which: str, path: Path | None) -> str | None:
    """Another one for another picture: a browser keeps what it has of an address, and better pictures come."""
    return None if path is None else f"events/{event.id}/{which}.jpg?of={crc32(path.name.encode()):08x}"

"""What a person has marked false, kept as a picture to learn from.

Used by ``nvr events false``, in its own process, with ``nvr start`` up or down. A sample is a JPEG under ``samples/``
and a JSON of the same name beside it that says what it was taken for. The picture is a clean one, out of the recording;
where that is gone the snapshot, with what was drawn into it. Samples belong to the user: none is deleted for its age.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from nvr import archive, layout
from nvr.catalogue.store import Catalogue
from nvr.clock import format_rfc3339
from nvr.errors import StorageError
from nvr.media.gathering import gather
from nvr.media.instant import OLDEST, shown_at
from nvr.media.jpeg import encode
from nvr.model import Event

_TICK = timedelta(microseconds=1)
Source = Literal["video", "snapshot"]


@dataclass(frozen=True, slots=True)
class Sample:
    """A stored sample: ``path`` of its picture, relative to the storage folder, and where that came from."""

    path: Path
    source: Source


def keep(storage: Path, catalogue: Catalogue, event: Event, model: str | None) -> Sample | None:
    """Store a sample of an event, picture before JSON; both are durable when this returns.

    ``model`` names what saw it, None where that is not known. An event that has its sample already keeps it. Returns
    None where neither video nor snapshot is left. Raises StorageError, CatalogueError.
    """
    assert event.id is not None
    layout.require_marker(storage)
    kept = next((path for path in files(storage, event) if path.suffix == ".json"), None)
    if kept is not None:
        return _read(storage, kept)
    at = moment(event)
    found = _picture(storage, catalogue, event, at)
    if found is None:
        return None
    picture, source = found
    path = layout.sample_path(event.camera, at, event.label, event.id)
    told = json.dumps(_describe(event, at, source, path, model), ensure_ascii=False, indent=1) + "\n"
    try:
        layout.write_durably(storage / path, picture)
        layout.write_durably(storage / path.with_suffix(".json"), told.encode())
    except OSError as error:
        raise StorageError(f"cannot keep a sample of event {event.id} in {storage / path.parent}: {error}") from error
    return Sample(path, source)


def drop(storage: Path, event: Event) -> int:
    """Remove an event's sample, JSON before picture; returns how many files that were. Raises StorageError."""
    doomed = sorted(files(storage, event), key=lambda path: path.suffix != ".json")
    try:
        for path in doomed:
            path.unlink(missing_ok=True)
        if doomed:
            layout.sync_folder(doomed[0].parent)
    except OSError as error:
        raise StorageError(f"cannot remove the sample of event {event.id}: {error}") from error
    return len(doomed)


def files(storage: Path, event: Event) -> list[Path]:
    """The files of an event's sample, whatever its label was when it was stored; also what broke off."""
    return sorted((storage / "samples" / event.camera).glob(f"*_{event.id}.j*"))


def moment(event: Event) -> datetime:
    """The instant of an event's best picture: its snapshot's, where it has one, else that at which it began."""
    picture = None if event.snapshot is None else archive.read_name(event.snapshot)
    return event.start if picture is None else picture.at


def _picture(storage: Path, catalogue: Catalogue, event: Event, at: datetime) -> tuple[bytes, Source] | None:
    rows = catalogue.segments(at - OLDEST, at + _TICK, event.camera)
    shown = shown_at(storage, gather(storage, event.camera, rows, at - OLDEST, at + _TICK), at)
    if shown is not None:
        return encode(shown.i420), "video"
    if event.snapshot is not None:
        with suppress(FileNotFoundError):
            return (storage / event.snapshot).read_bytes(), "snapshot"
    return None


def _describe(event: Event, at: datetime, source: Source, path: Path, model: str | None) -> dict[str, Any]:
    box = event.box
    return {
        "picture": path.name,
        "source": source,
        "event": event.id,
        "camera": event.camera,
        "kind": event.kind,
        "label": event.label,
        "score": round(event.score, 4),
        "box": None if box is None else [round(edge, 4) for edge in (box.left, box.top, box.right, box.bottom)],
        "zones": list(event.zones),
        "at": format_rfc3339(at),
        "start": format_rfc3339(event.start),
        "end": None if event.end is None else format_rfc3339(event.end),
        "began": event.began,
        "ended": event.ended,
        "detail": event.detail,
        "model": model,
    }


def _read(storage: Path, kept: Path) -> Sample:
    source: Source = "snapshot"
    with suppress(OSError, ValueError, AttributeError):
        source = "video" if json.loads(kept.read_text()).get("source") == "video" else "snapshot"
    return Sample(kept.with_suffix(".jpg").relative_to(storage), source)

"""How ``nvr analyze`` tells what would have been different: a table, or JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import typer

from nvr.cli.happening import as_json, lasted

if TYPE_CHECKING:
    from nvr.analysis.comparison import Difference, Match
    from nvr.analysis.story import Story
    from nvr.cli.trial import Found

HEADER = ("", "event", "start", "duration", "label", "score", "zones", "differs", "snapshot")


def print_found(found: Found, storage: Path, *, json: bool) -> None:
    """Each match a line, then how many there are; what is missing of the footage on standard error."""
    from nvr.cli.export import sentence_of
    from nvr.cli.listing import print_json, print_table
    from nvr.clock import format_local

    if json:
        print_json(_report(found, storage))
        return
    for entry in found.entries:
        if entry.kind != "recorded" and entry.start < found.outcome.reached:
            typer.echo(f"nvr: no video {sentence_of(entry)}", err=True)
    for note in found.outcome.notes:
        typer.echo(f"nvr: {note}", err=True)
    rows = (_row(found, place, storage) for place in range(len(found.matches)))
    print_table(HEADER, rows, "no events, neither then nor now")
    if found.outcome.stopped:
        typer.echo(f"nvr: stopped: looked at up to {format_local(found.outcome.reached)}", err=True)
    typer.echo(_summary(found))


def _summary(found: Found) -> str:
    from nvr.clock import format_duration

    counts = ", ".join(f"{count} {what}" for what, count in _counts(found).items())
    stored = f", {len(found.stored)} stored" if found.stored else ""
    return (
        f"{counts}{stored}; {format_duration(found.footage)} of footage in {format_duration(found.took)}, "
        f"{found.speed:.1f} × real time"
    )


def _counts(found: Found) -> dict[str, int]:
    from nvr.analysis.comparison import What

    counted = Counter(match.what for match in found.matches)
    return {what: counted[what] for what in get_args(What)}


def _row(found: Found, place: int, storage: Path) -> tuple[str, ...]:
    from nvr.clock import format_local

    match = found.matches[place]
    event = _told(match).event
    id = match.then.event.id if match.then is not None else found.stored.get(place)
    return (
        match.what,
        str(id or "-"),
        format_local(event.start),
        lasted(event),
        event.label,
        f"{event.score:.2f}" if event.score else "-",
        ",".join(event.zones) or "-",
        "; ".join(map(_words, match.differences)) or "-",
        _snapshot(found, place, storage) or "-",
    )


def _told(match: Match) -> Story:
    """The event as it was then; one that is only now as that."""
    story = match.then or match.now
    assert story is not None
    return story


def _snapshot(found: Found, place: int, storage: Path) -> str | None:
    if place in found.pictures:
        return str(found.pictures[place])
    then = found.matches[place].then
    return str(storage / then.event.snapshot) if then is not None and then.event.snapshot is not None else None


def _words(difference: Difference) -> str:
    """``label car → truck``, ``end 12.4s later``."""
    from nvr.clock import format_duration

    then, now = difference.then, difference.now
    if isinstance(then, datetime) and isinstance(now, datetime):
        return f"{difference.field} {format_duration(abs(now - then))} {'later' if now > then else 'earlier'}"
    return f"{difference.field} {then or 'none'} → {now or 'none'}"


def _report(found: Found, storage: Path) -> dict[str, Any]:
    from nvr.clock import format_rfc3339

    order, outcome = found.order, found.outcome
    return {
        "camera": order.camera,
        "from": format_rfc3339(order.since),
        "to": format_rfc3339(order.until),
        "reached": format_rfc3339(outcome.reached),
        "footage": found.footage.total_seconds(),
        "seconds": round(found.took.total_seconds(), 3),
        "looks": outcome.looks,
        "detections": outcome.detections,
        "counts": _counts(found),
        "events": [_as_json(found, place, storage) for place in range(len(found.matches))],
        "gaps": list(_gaps(found)),
        "notes": list(outcome.notes),
    }


def _as_json(found: Found, place: int, storage: Path) -> dict[str, Any]:
    match = found.matches[place]
    then, now = (None if story is None else as_json(story.event, storage) for story in (match.then, match.now))
    if now is not None:
        picture = found.pictures.get(place)
        now |= {"id": found.stored.get(place), "snapshot": None if picture is None else str(picture)}
    return {"what": match.what, "differs": [each.field for each in match.differences], "then": then, "now": now}


def _gaps(found: Found) -> Iterator[dict[str, Any]]:
    from nvr.clock import format_rfc3339

    for entry in found.entries:
        if entry.kind != "recorded" and entry.start < found.outcome.reached:
            yield {
                "start": format_rfc3339(entry.start),
                "end": format_rfc3339(entry.end),
                "duration": entry.duration.total_seconds(),
                "reason": entry.reason.value if entry.reason is not None else None,
                "detail": entry.detail,
            }

"""``nvr events lock``, ``unlock`` and ``false``: what a person says of events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from nvr.cli.app import ConfigOption, database_of, load_config
from nvr.cli.happening import events

if TYPE_CHECKING:
    from nvr.catalogue.store import Catalogue
    from nvr.config import Config

Ids = Annotated[list[int], typer.Argument(metavar="ID", help="Events by their numbers.")]


@events.command("lock")
def lock_events(ids: Ids, config: ConfigOption = None) -> None:
    """Keep the video and pictures of events, whatever retention says."""

    def lock(catalogue: Catalogue, id: int) -> str | None:
        if not catalogue.lock_event(id, True):
            return None
        return f"event {id} is locked: what there is of its video and picture is kept until nvr events unlock {id}"

    _each(ids, load_config(config), lock)


@events.command("unlock")
def unlock_events(ids: Ids, config: ConfigOption = None) -> None:
    """Let retention have the video and pictures of events again."""

    def unlock(catalogue: Catalogue, id: int) -> str | None:
        return f"event {id} is not locked any more" if catalogue.lock_event(id, False) else None

    _each(ids, load_config(config), unlock)


@events.command("false")
def mark_events_false(
    ids: Ids,
    undo: Annotated[bool, typer.Option("--undo", help="It was no mistake: take the mark and the sample back.")] = False,
    config: ConfigOption = None,
) -> None:
    """Say that events were no such thing, and keep a picture of each as a sample."""
    settings = load_config(config)

    def mark(catalogue: Catalogue, id: int) -> str | None:
        return _unmark(settings, catalogue, id) if undo else _mark(settings, catalogue, id)

    _each(ids, settings, mark)


def _mark(settings: Config, catalogue: Catalogue, id: int) -> str | None:
    from nvr.marks import deny

    event = catalogue.event(id)
    if event is None:
        return None
    there, kept = deny(settings, catalogue, event)
    if not there:
        return None
    if kept is None:
        return f"event {id} is marked false; neither video nor snapshot of it is left to keep a sample of"
    source = "out of the video" if kept.source == "video" else "its snapshot, the video being gone"
    return f"event {id} is marked false; sample {settings.storage / kept.path} ({source})"


def _unmark(settings: Config, catalogue: Catalogue, id: int) -> str | None:
    from nvr.marks import affirm

    event = catalogue.event(id)
    if event is None:
        return None
    there, removed = affirm(settings, catalogue, event)
    if not there:
        return None
    return f"event {id} is not marked false any more" + ("; its sample is removed" if removed else "")


def _each(ids: list[int], settings: Config, change: Callable[[Catalogue, int], str | None]) -> None:
    """Change events in their order; ``change`` says what was done, None for an event that there is not."""
    from nvr.catalogue.store import Catalogue
    from nvr.errors import NvrError

    missing = []
    with Catalogue.open(database_of(settings)) as catalogue:
        for id in dict.fromkeys(ids):
            done = change(catalogue, id)
            if done is None:
                missing.append(str(id))
            else:
                typer.echo(done)
    if missing:
        raise NvrError(f"no event {', '.join(missing)}; see nvr events list")

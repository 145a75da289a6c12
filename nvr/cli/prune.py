"""``nvr storage prune``: what retention would delete, and why; with ``nvr start`` up or down."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvr.cli.app import ConfigOption, JsonOption, database_of, load_config, open_catalogue
from nvr.cli.storage import local_time, storage

if TYPE_CHECKING:
    from nvr.catalogue.store import Catalogue
    from nvr.config import Config
    from nvr.model import Event
    from nvr.retention.plan import Deletion
    from nvr.retention.removal import Remover

PATIENCE_S = 30.0
"""How long the janitor may be busy deleting before this command gives up."""
Row = dict[str, Any]


@storage.command("prune")
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be deleted; delete nothing.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Delete now what retention says; nvr start does so by itself."""
    from nvr.catalogue.store import Catalogue
    from nvr.clock import SystemClock
    from nvr.retention.removal import Remover, Reserve, alone

    settings = load_config(config)
    if dry_run:
        with open_catalogue(settings) as catalogue:
            _prune(Pruning(settings, catalogue, None), json)
        return
    database = database_of(settings)
    with Catalogue.open(database) as catalogue, alone(settings.storage, PATIENCE_S):
        remover = Remover(settings.storage, catalogue, SystemClock(), Reserve(database))
        remover.finish()
        _prune(Pruning(settings, catalogue, remover), json)


class Pruning:
    """The plan of this moment, and carrying it out where there is a remover."""

    def __init__(self, config: Config, catalogue: Catalogue, remover: Remover | None) -> None:
        """Raises StorageError where the volume is not there."""
        from nvr import layout
        from nvr.clock import SystemClock, from_us
        from nvr.retention.housekeeping import look_at_disk
        from nvr.retention.plan import Plan
        from nvr.retention.policy import policy_of
        from nvr.retention.vigil import watched

        clock = SystemClock()
        folder = layout.run_folder(layout.volume_id(config.storage))
        self.remover = remover
        self._storage = config.storage
        self._policy = policy_of(config)
        self._now = from_us(clock.now_us())
        only_events = [name for name, limits in self._policy.cameras.items() if limits.only_events]
        told = {name for name, limits in self._policy.cameras.items() if limits.told}
        plan = Plan(catalogue, self._policy, self._now, watched(folder, only_events, clock, told))
        self.deletions: Iterator[Deletion] = plan.all(look_at_disk(config.storage))
        self.events: Iterator[Event] = plan.expired()

    def segment_rows(self, deletions: Iterator[Deletion], *, delete: bool) -> Iterator[Row]:
        """A row of each segment, when it is gone. Raises StorageError where the disk refuses to delete."""
        from itertools import islice

        from nvr.errors import StorageError
        from nvr.retention.removal import BATCH

        while batch := list(islice(deletions, BATCH)):
            if delete and self.remover is not None and self.remover.remove(batch) < len(batch):
                raise StorageError(f"{self.remover.error} ({self.remover.left} files are marked for it)")
            yield from map(self._segment_row, batch)

    def event_rows(self, events: Iterator[Event], *, delete: bool) -> Iterator[Row]:
        """A row of each event, when it is forgotten."""
        for event in events:
            row = self._event_row(event)
            if not delete or self.remover is None or self.remover.forget([event]):
                yield row

    def _segment_row(self, deletion: Deletion) -> Row:
        from nvr.clock import format_rfc3339

        segment = deletion.segment
        return {
            "camera": segment.camera,
            "path": str(self._storage / segment.path),
            "event": None,
            "start": format_rfc3339(segment.start),
            "bytes": segment.bytes,
            "rule": deletion.rule,
            "reason": deletion.reason,
        }

    def _event_row(self, event: Event) -> Row:
        from nvr.clock import format_duration, format_rfc3339
        from nvr.retention.policy import spell_span

        picture = None if event.snapshot is None else self._storage / event.snapshot
        return {
            "camera": event.camera,
            "path": None if picture is None else str(picture),
            "event": event.id,
            "start": format_rfc3339(event.start),
            "bytes": picture.stat().st_size if picture is not None and picture.is_file() else 0,
            "rule": f"events {spell_span(self._policy.of(event.camera).events)}",
            "reason": f"{format_duration(self._now - event.start)} old",
        }


def _prune(pruning: Pruning, json: bool) -> None:
    """Print what goes. JSON is written as it goes, a table before."""
    from nvr.cli.listing import print_json_array, print_table

    if json:
        segments = pruning.segment_rows(pruning.deletions, delete=True)
        print_json_array(chain(segments, pruning.event_rows(pruning.events, delete=True)))
        return
    deletions, events = list(pruning.deletions), list(pruning.events)
    segments = pruning.segment_rows(iter(deletions), delete=False)
    rows = [*segments, *pruning.event_rows(iter(events), delete=False)]
    print_table(
        ("camera", "start", "MB", "rule", "reason", "file"),
        [
            (
                row["camera"],
                local_time(row["start"]),
                f"{row['bytes'] / 1e6:.2f}",
                row["rule"],
                row["reason"],
                row["path"] or f"event {row['event']}",
            )
            for row in rows
        ],
        "nothing is to be deleted",
    )
    if pruning.remover is not None:
        _carry_out(pruning, deletions, events)
    if rows:
        size = sum(row["bytes"] for row in rows) / 1e6
        done = "would be deleted" if pruning.remover is None else "deleted"
        typer.echo(f"files {len(deletions)}, events {len(events)}, {size:.1f} MB: {done}")


def _carry_out(pruning: Pruning, deletions: list[Deletion], events: list[Event]) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("deleting"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=sum(one.segment.bytes for one in deletions))
        for row in pruning.segment_rows(iter(deletions), delete=True):
            progress.advance(bar, row["bytes"])
    for _ in pruning.event_rows(iter(events), delete=True):
        pass

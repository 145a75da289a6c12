"""``nvr storage``: what the recordings take, and what retention deletes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from nvr.cli.app import ConfigOption, JsonOption, app, load_config, open_catalogue

if TYPE_CHECKING:
    from datetime import datetime

    from nvr.catalogue.custody import CameraUsage
    from nvr.catalogue.store import Catalogue
    from nvr.config import Config

storage = typer.Typer(help="What the recordings take, and what goes.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(storage, name="storage")


@storage.command("usage")
def show_usage(json: JsonOption = False, config: ConfigOption = None) -> None:
    """What each camera's video takes, how fast it grows, and how long there is room."""
    from nvr.cli.listing import print_json, print_table

    settings = load_config(config)
    with open_catalogue(settings) as catalogue:
        report = gather(settings, catalogue)
    if json:
        print_json(report)
        return
    print_table(
        ("camera", "files", "GB", "oldest", "newest", "Mbit/s", "limit GB", "full in"),
        [
            (
                row["camera"],
                str(row["segments"]),
                f"{row['bytes'] / 1e9:.2f}",
                local_time(row["oldest"]),
                local_time(row["newest"]),
                f"{row['bitrate'] / 1e6:.2f}",
                f"{row['max_size'] / 1e9:.2f}" if row["max_size"] else "-",
                _days(row["days_left"]),
            )
            for row in report["cameras"]
        ],
        "nothing is recorded yet",
    )
    if report["max_size"] is not None:
        typer.echo(
            f"all   {report['bytes'] / 1e9:.2f} of {report['max_size'] / 1e9:.2f} GB, "
            f"full in {_days(report['days_left'])}"
        )
    disk = report["disk"]
    typer.echo(
        f"disk  {disk['free'] / 1e9:.1f} of {disk['total'] / 1e9:.1f} GB free, full in {_days(disk['days_left'])} "
        f"({disk['min_free'] / 1e9:.1f} GB are kept free)"
    )


def gather(config: Config, catalogue: Catalogue) -> dict[str, Any]:
    """The report with its stable keys; bytes, bits per second, days, and RFC 3339 UTC."""
    import shutil

    from nvr.clock import SystemClock, from_us
    from nvr.errors import StorageError
    from nvr.retention.housekeeping import look_at_disk

    now = from_us(SystemClock().now_us())
    cameras = [_camera(config, catalogue, one, now) for one in catalogue.usage()]
    growth = sum(row.pop("growth") for row in cameras)
    taken = sum(row["bytes"] for row in cameras)
    free = look_at_disk(config.storage).free_bytes
    try:
        total = shutil.disk_usage(config.storage).total
    except OSError as error:
        raise StorageError(f"cannot look at the disk of {config.storage}: {error.strerror}") from error
    most = config.retention.max_size
    return {
        "cameras": cameras,
        "bytes": taken,
        "max_size": most,
        "days_left": None if most is None else _days_left(most - taken, growth),
        "disk": {
            "path": str(config.storage),
            "free": free,
            "total": total,
            "min_free": config.retention.min_free,
            "days_left": _days_left(free - config.retention.min_free, growth),
        },
    }


def _camera(config: Config, catalogue: Catalogue, usage: CameraUsage, now: datetime) -> dict[str, Any]:
    """One camera's row, with its ``growth`` in bytes a day, as in the last one without what was deleted of it."""
    from datetime import timedelta

    from nvr.clock import format_rfc3339
    from nvr.reason import Reason

    day = timedelta(days=1)
    lately = list(catalogue.segments(now - day, now, usage.camera))
    size = sum(segment.bytes for segment in lately)
    seconds = sum(segment.duration.total_seconds() for segment in lately)
    since = max(now - day, usage.oldest)
    deleted = (
        min(gap.end, now) - max(gap.start, since)
        for gap in catalogue.gaps(since, now, usage.camera)
        if gap.reason is Reason.DELETED and gap.end is not None
    )
    known = max(now - since - sum(deleted, timedelta()), timedelta(minutes=1))
    growth = size * (day / known)
    camera = config.cameras.get(usage.camera)
    most = None if camera is None else camera.retention.max_size
    return {
        "camera": usage.camera,
        "segments": usage.segments,
        "bytes": usage.bytes,
        "oldest": format_rfc3339(usage.oldest),
        "newest": format_rfc3339(usage.newest),
        "bitrate": round(size * 8 / seconds) if seconds else 0,
        "max_size": most,
        "days_left": None if most is None else _days_left(most - usage.bytes, growth),
        "growth": growth,
    }


def _days_left(room: int, growth: float) -> float | None:
    """Days until so many bytes are taken; 0 where they are, None where nothing grows."""
    if room <= 0:
        return 0.0
    return round(room / growth, 1) if growth else None


def local_time(text: str) -> str:
    """An instant of a report, for people."""
    from datetime import datetime

    from nvr.clock import format_local

    return format_local(datetime.fromisoformat(text))


def _days(days: float | None) -> str:
    return "-" if days is None else f"{days:.1f} days"

"""``nvr status``: what runs, how fast, and what is wrong; with ``nvr start`` up or down."""

from __future__ import annotations

from typing import Any

import typer

from nvr.cli.app import ConfigOption, JsonOption, app, load_config

BUFFERED = 1_000_000
"""Bytes in memory that are worth a line."""
FAR_S = 5.0
"""Seconds by which a camera's clock may be off without a line."""
SHORT = 0.95
"""Load of the analyzer from which it does not get to all looks."""


@app.command()
def status(json: JsonOption = False, config: ConfigOption = None) -> None:
    """Cameras, processes, rates, drops, disk, and the last frame's age."""
    from nvr.cli.listing import print_json
    from nvr.condition import gather

    report = gather(load_config(config))
    if json:
        print_json(report)
    else:
        _print(report)


def _until(retry_at: str | None) -> str:
    from datetime import datetime

    from nvr.clock import format_local

    return "" if retry_at is None else f"; next try at {format_local(datetime.fromisoformat(retry_at))[11:19]}"


def _spell(alerts: dict[str, Any]) -> str:
    """``listening, 412 read, 1 bad``, and what is wrong."""
    error = f": {alerts['last_error']}" if alerts["last_error"] else ""
    return f"{alerts['state']}, {alerts['read']} read, {alerts['bad']} bad{error}"


def _print(report: dict[str, Any]) -> None:
    from nvr.cli.listing import print_table

    print_table(
        ("camera", "state", "fps", "Mb/s", "looks/s", "frame age", "dropped", "skipped", "segments", "restarts"),
        (
            (
                row["camera"],
                row["state"],
                f"{row['fps']:.1f}",
                f"{row['bitrate'] / 1e6:.2f}",
                "-" if row["looks"] is None else f"{row['looks']:.1f}",
                "-" if row["frame_age"] is None else f"{row['frame_age']:.2f}s",
                str(row["dropped"]),
                str(row["skipped"]),
                str(row["segments"]),
                str(row["restarts"]),
            )
            for row in report["cameras"]
        ),
        "no cameras",
    )
    for row in report["cameras"]:
        if row["last_error"]:
            typer.echo(f"{row['camera']}: {row['last_error']}{_until(row['retry_at'])}")
        if row["buffered"] > BUFFERED:
            typer.echo(f"{row['camera']}: {row['buffered'] / 1e6:.1f} MB of video wait in memory for the disk")
        if abs(row["clock_offset"] or 0) > FAR_S:
            typer.echo(f"{row['camera']}: the camera's clock is {row['clock_offset']:+.1f} s off")
        if row["alerts"] is not None:
            typer.echo(f"{row['camera']}: alerts {_spell(row['alerts'])}")
    for process in report["processes"]:
        of_camera = process["name"].startswith("recorder.")  # its error is told above
        error = f": {process['last_error']}" if process["last_error"] and not of_camera else ""
        short = ", too little CPU: all cameras are looked at less often" if process["load"] >= SHORT else ""
        again = f", started again {process['restarts']}x" if process["restarts"] else ""
        typer.echo(f"{process['name']} (pid {process['pid']}): {process['state']}{again}{short}{error}")
    if not report["processes"]:
        typer.echo("nvr start is not running on this storage folder")
    disk = report["disk"]
    if "free" in disk:
        typer.echo(f"disk {disk['path']}: {disk['free'] / 1e9:.1f} GB free of {disk['total'] / 1e9:.1f} GB")
    else:
        typer.echo(f"disk {disk['path']}: {disk['error']}")
    if report["catalogue"]:
        typer.echo(f"catalogue: {report['catalogue']}")

"""``nvr status``: what runs, how fast, and what is wrong; with ``nvr start`` up or down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from nvr.cli.app import ConfigOption, JsonOption, app, load_config, open_catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from nvr.config import Config
    from nvr.pulse import Pulse

STALE_US = 10_000_000
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

    report = gather(load_config(config))
    if json:
        print_json(report)
    else:
        _print(report)


def gather(config: Config) -> dict[str, Any]:
    """The report with its stable keys; ages and times in seconds and RFC 3339 UTC."""
    from nvr import layout
    from nvr.clock import SystemClock
    from nvr.errors import StorageError

    clock = SystemClock()
    try:
        folder: Path | None = layout.run_folder(layout.volume_id(config.storage))
    except StorageError:
        folder = None
    stored, problem = _stored_segments(config)
    names = [f"recorder.{name}" for name in config.cameras] + ["analyzer", "listener", "janitor"]
    beats = {name: _pulse(folder, name) for name in names}
    monotonic_us = clock.monotonic_us()
    return {
        "cameras": [
            {
                **_camera(name, beats[f"recorder.{name}"], stored.get(name, 0), monotonic_us),
                "looks": _looks(_pulse(folder, f"looks.{name}"), monotonic_us),
                "alerts": _alerts(_pulse(folder, f"alerts.{name}"), monotonic_us),
            }
            for name in config.cameras
        ],
        "disk": _disk(config.storage),
        "processes": [
            {
                "name": name,
                "pid": beat.pid,
                "state": _state(beat, monotonic_us),
                "restarts": beat.restarts,
                "load": round(beat.load, 2) if _is_live(beat, monotonic_us) else 0.0,
                "last_error": beat.last_error or None,
            }
            for name, beat in beats.items()
            if beat is not None
        ],
        "catalogue": problem,
    }


def _pulse(folder: Path | None, process: str) -> Pulse | None:
    from nvr import layout, pulse

    return None if folder is None else pulse.read(layout.pulse_path(folder, process))


def _camera(name: str, beat: Pulse | None, stored: int, monotonic_us: int) -> dict[str, Any]:
    """``frame_age`` is the newest picture's age at the last beat, which is at most a second or two ago."""
    from nvr.clock import format_rfc3339, from_us

    live = beat is not None and _is_live(beat, monotonic_us)
    return {
        "camera": name,
        "state": _state(beat, monotonic_us),
        "fps": round(beat.fps, 1) if beat and live else 0.0,
        "bitrate": beat.bitrate if beat and live else 0,
        "frame_age": max(0.0, round((beat.beat_us - beat.frame_at_us) / 1e6, 3))
        if beat and live and beat.frame_at_us
        else None,
        "dropped": beat.dropped if beat else 0,
        "skipped": beat.skipped if beat else 0,
        "segments": stored,
        "restarts": beat.restarts if beat else 0,
        "buffered": beat.buffered if beat and live else 0,
        "clock_offset": round(beat.clock_offset_us / 1e6, 3) if beat and live and beat.clock_offset_us else None,
        "last_error": (beat.last_error or None) if beat else None,
        "retry_at": format_rfc3339(from_us(beat.retry_at_us)) if beat and live and beat.retry_at_us else None,
    }


def _looks(beat: Pulse | None, monotonic_us: int) -> float | None:
    """How often a second the camera is looked at; None where it is not."""
    return round(beat.fps, 1) if beat and _is_live(beat, monotonic_us) else None


def _alerts(beat: Pulse | None, monotonic_us: int) -> dict[str, Any] | None:
    """The camera's own events: whether they are heard, and how much was; None where nobody listens."""
    from nvr.clock import format_rfc3339, from_us

    if beat is None:
        return None
    return {
        "state": _state(beat, monotonic_us),
        "read": beat.alerts,
        "bad": beat.bad_alerts,
        "heard_at": format_rfc3339(from_us(beat.heard_at_us)) if beat.heard_at_us else None,
        "clock_offset": None if beat.clock_offset_us is None else round(beat.clock_offset_us / 1e6, 3),
        "last_error": beat.last_error or None,
    }


def _until(retry_at: str | None) -> str:
    from datetime import datetime

    from nvr.clock import format_local

    return "" if retry_at is None else f"; next try at {format_local(datetime.fromisoformat(retry_at))[11:19]}"


def _state(beat: Pulse | None, monotonic_us: int) -> str:
    if beat is None:
        return "stopped"
    return beat.state if _is_live(beat, monotonic_us) else "silent"


def _is_live(beat: Pulse, monotonic_us: int) -> bool:
    return monotonic_us - beat.beat_monotonic_us < STALE_US


def _stored_segments(config: Config) -> tuple[dict[str, int], str | None]:
    from nvr.clock import SystemClock, from_us
    from nvr.errors import CatalogueError

    try:
        with open_catalogue(config) as catalogue:
            now = from_us(SystemClock().now_us())
            return {summary.camera: summary.segments for summary in catalogue.summary(now)}, None
    except CatalogueError as error:
        return {}, str(error)


def _disk(storage: Path) -> dict[str, Any]:
    import shutil

    try:
        usage = shutil.disk_usage(storage)
    except OSError as error:
        return {"path": str(storage), "error": error.strerror}
    return {"path": str(storage), "total": usage.total, "free": usage.free}


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

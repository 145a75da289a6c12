"""What runs, how fast, and what is wrong: read from pulses and the catalogue, with ``nvr start`` up or down.

Used by commands and front ends, in their own processes; asks nobody and writes nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nvr import layout, pulse
from nvr.catalogue.store import Catalogue
from nvr.clock import SystemClock, format_rfc3339, from_us
from nvr.errors import CatalogueError, StorageError
from nvr.pulse import Pulse

if TYPE_CHECKING:
    from nvr.config import Config

STALE_US = 10_000_000


def gather(config: Config) -> dict[str, Any]:
    """The report with its stable keys; ages and times in seconds and RFC 3339 UTC."""
    clock = SystemClock()
    try:
        folder: Path | None = layout.run_folder(layout.volume_id(config.storage))
    except StorageError:
        folder = None
    stored, problem = _stored_segments(config)
    names = [f"recorder.{name}" for name in config.cameras] + ["analyzer", "listener", "janitor", "web"]
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
    return None if folder is None else pulse.read(layout.pulse_path(folder, process))


def _camera(name: str, beat: Pulse | None, stored: int, monotonic_us: int) -> dict[str, Any]:
    """``frame_age`` is the newest picture's age at the last beat, which is at most a second or two ago."""
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


def _state(beat: Pulse | None, monotonic_us: int) -> str:
    if beat is None:
        return "stopped"
    return beat.state if _is_live(beat, monotonic_us) else "silent"


def _is_live(beat: Pulse, monotonic_us: int) -> bool:
    return monotonic_us - beat.beat_monotonic_us < STALE_US


def _stored_segments(config: Config) -> tuple[dict[str, int], str | None]:
    try:
        with Catalogue.open(layout.database_of(config.storage, config.database), readonly=True) as catalogue:
            now = from_us(SystemClock().now_us())
            return {summary.camera: summary.segments for summary in catalogue.summary(now)}, None
    except CatalogueError as error:
        return {}, str(error)


def _disk(storage: Path) -> dict[str, Any]:
    try:
        usage = shutil.disk_usage(storage)
    except OSError as error:
        return {"path": str(storage), "error": error.strerror}
    return {"path": str(storage), "total": usage.total, "free": usage.free}

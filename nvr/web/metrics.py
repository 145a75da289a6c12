"""What runs and how fast, in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from nvr.condition import gather
from nvr.web.access import Guest
from nvr.web.state import Here

router = APIRouter(tags=["machines"])
_OF_CAMERA = (
    ("fps", "nvr_camera_fps", "gauge", "pictures received a second"),
    ("bitrate", "nvr_camera_bits_per_second", "gauge", "bits received a second"),
    ("frame_age", "nvr_camera_frame_age_seconds", "gauge", "age of the newest decoded picture"),
    ("dropped", "nvr_camera_dropped_total", "counter", "packets that were lost before they were on the disk"),
    ("skipped", "nvr_camera_skipped_total", "counter", "pictures that were not decoded, to keep up"),
    ("segments", "nvr_camera_segments", "gauge", "video files in the catalogue"),
    ("restarts", "nvr_camera_restarts_total", "counter", "restarts of the recorder"),
    ("buffered", "nvr_camera_buffered_bytes", "gauge", "video in memory that waits for the disk"),
    ("looks", "nvr_camera_looks_per_second", "gauge", "pictures looked at a second"),
)
_OF_PROCESS = (
    ("restarts", "nvr_process_restarts_total", "counter", "restarts"),
    ("load", "nvr_process_load_ratio", "gauge", "share of its time at work"),
)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "metrics"}},
)
def metrics(visitor: Guest, state: Here, request: Request) -> Response:
    """For Prometheus, with a token. An account that may see some cameras alone gets those."""
    report = gather(state.config)
    cameras = [row for row in report["cameras"] if visitor.sees(row["camera"])]
    lines = list(
        _series(
            "nvr_camera_up",
            "gauge",
            "1 while it is being recorded",
            [({"camera": row["camera"]}, 1 if row["state"] == "recording" else 0) for row in cameras],
        )
    )
    for key, name, kind, what in _OF_CAMERA:
        values = [({"camera": row["camera"]}, row[key]) for row in cameras if row[key] is not None]
        lines += _series(name, kind, what, values)
    processes = [
        row for row in report["processes"] if row["name"].partition(".")[2] in {"", *(r["camera"] for r in cameras)}
    ]
    for key, name, kind, what in _OF_PROCESS:
        lines += _series(name, kind, what, [({"process": row["name"]}, row[key]) for row in processes])
    for key, what in (("free", "space left on the disk"), ("total", "size of the disk")):
        if key in report["disk"]:
            lines += _series(f"nvr_disk_{key}_bytes", "gauge", what, [({}, report["disk"][key])])
    lines += _series(
        "nvr_web_viewers", "gauge", "live streams being watched", [({}, request.app.state.channels.watchers)]
    )
    lost = request.app.state.audit.lost
    lines += _series("nvr_web_accesses_lost_total", "counter", "accesses that could not be noted", [({}, lost)])
    return Response("\n".join([*lines, ""]), media_type="text/plain; version=0.0.4")


def _series(name: str, kind: str, what: str, values: list[tuple[dict[str, str], Any]]) -> list[str]:
    """Names of cameras and processes hold nothing that would have to be escaped."""
    rows = []
    for labels, value in values:
        told = ",".join(f'{key}="{text}"' for key, text in labels.items())
        rows.append(f"{name}{{{told}}} {value}" if told else f"{name} {value}")
    return [f"# HELP {name} {what}", f"# TYPE {name} {kind}", *rows] if rows else []

"""Example values, placed in minutes after one instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from nvr.model import Box, Event, Gap, Run, Segment
from nvr.reason import Reason

START = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def run(id: str = "r1", camera: str = "hik1", start: float = 0, end: float | None = None) -> Run:
    return Run(
        id=id,
        camera=camera,
        stream="main",
        start=at(start),
        end=None if end is None else at(end),
        end_reason=None if end is None else "stopped",
        codec="hevc",
        width=2560,
        height=1440,
    )


def segment(start: float = 0, end: float = 1, camera: str = "hik1", run: str = "r1", path: str = "") -> Segment:
    return Segment(
        camera=camera,
        run=run,
        path=Path(path or f"segments/{camera}/{start}.mp4"),
        start=at(start),
        end=at(end),
        bytes=15_000_000,
        packets=1500,
        codec="hevc",
        width=2560,
        height=1440,
    )


def event(start: float = 0, end: float | None = 1, camera: str = "hik1", label: str = "person") -> Event:
    return Event(
        camera=camera,
        kind="motion" if label == "motion" else "object",
        label=label,
        start=at(start),
        seen=at(start + 0.5),
        end=None if end is None else at(end),
        score=0.875,
        box=Box(0.125, 0.25, 0.5, 0.75),
        zones=("gate", "süd, „Tor“"),
        snapshot=Path(f"snapshots/{camera}/{start}.jpg"),
    )


def gap(
    id: str,
    start: float = 0,
    end: float | None = None,
    reason: Reason = Reason.UNREACHABLE,
    camera: str = "hik1",
    detail: str = "",
) -> Gap:
    return Gap(id, camera, at(start), reason, detail, None if end is None else at(end))

"""From the first frame with a person to the event's row in SQLite, through the real thing.

The camera plays ``walks``: an empty street on which somebody appears, whole, at a known frame, 3 s in every 10. A
frame's instant is when the camera sent it. The row's is when another connection sees it, by asking SQLite every 10 ms
whether the database changed (``PRAGMA data_version``). An appearance without a row within 5 s is missed, and counts as
5 s. What lies between camera and slot (RTSP, FFmpeg's parser that holds each frame back until the next comes, decoding)
is measured before, on footage whose pictures carry numbers that tell when each was sent.
"""

from __future__ import annotations

import sqlite3
import time
from datetime import timedelta

import numpy as np
import stage
from outcome import Outcome
from rich.console import Console
from rich.progress import Progress

from nvr import layout
from nvr.frameslot import SlotReader
from tests.fakes.footage import frame_number

DETECT = "{labels: [person], fps: 5}"
FIRST, PERIOD = 100, 250
"""Frame of the first appearance, and from one to the next."""
LIMIT = 5.0
POLL = 0.01
SETTLED = 5.0
"""Seconds before the first appearance that counts: the background must be known."""


def run(appearances: int) -> list[Outcome]:
    """Latency over so many appearances, in milliseconds."""
    with stage.camera() as camera, stage.station(camera.port, DETECT) as station:
        transport = _transport(camera, station)
    with stage.camera("walks") as camera, stage.station(camera.port, DETECT) as station:
        rows = _rows(camera, station, appearances)
        messages = station.session.messages()
    waits = [each for each in rows if each < LIMIT]
    if not waits:
        raise SystemExit(f"no event at all:\n{messages}")
    p50, p95 = (float(np.percentile(rows, share)) for share in (50, 95))
    before50, before95 = (float(np.percentile(transport, share)) for share in (50, 95))
    return [
        Outcome("latency", "appearances", len(rows)),
        Outcome("latency", "missed", len(rows) - len(waits)),
        Outcome("latency", "p50", round(p50 * 1000), None, "ms"),
        Outcome("latency", "p95", round(p95 * 1000), ("<=", 1000.0), "ms"),
        Outcome("latency", "longest", round(max(rows) * 1000), None, "ms"),
        Outcome("latency", "of it camera to slot, p50", round(before50 * 1000), None, "ms"),
        Outcome("latency", "of it camera to slot, p95", round(before95 * 1000), None, "ms"),
    ]


def _transport(camera: stage.Stage, station: stage.Station) -> list[float]:
    """Ages of pictures when they come into the slot, over 10 s."""
    slot = layout.slot_path(layout.run_folder(layout.volume_id(station.storage)), "cam1")
    reader, ages, until = SlotReader(slot), [], time.monotonic() + 2 * SETTLED
    while time.monotonic() < until:
        if reader.wait(timedelta(seconds=1)):
            now_ns = time.monotonic_ns()
            reader.drain()
            frame = reader.read()
            number = frame_number(frame.luma) if frame else None
            if number is not None:
                ages.append((now_ns - camera.sent_ns(number, now_ns)) / 1e9)
    reader.close()
    return ages


def _rows(camera: stage.Stage, station: stage.Station, appearances: int) -> list[float]:
    """Seconds from each appearance to its row."""
    database = sqlite3.connect(f"file:{layout.database_path(station.storage)}?mode=ro", uri=True, isolation_level=None)
    period_ns = PERIOD * 1_000_000_000 // stage.FPS
    due_ns = camera.sent_ns(FIRST, time.monotonic_ns())
    due_ns += -(-(time.monotonic_ns() + int(SETTLED * 1e9) - due_ns) // period_ns) * period_ns
    found = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for _ in progress.track(range(appearances), description="latency"):
            time.sleep(max(0.0, (due_ns - time.monotonic_ns()) / 1e9))
            found.append(_wait_for_row(database, due_ns))
            due_ns += period_ns
    database.close()
    return found


def _wait_for_row(database: sqlite3.Connection, due_ns: int) -> float:
    """Seconds from ``due_ns`` until there is one more object event; ``LIMIT`` where none comes."""
    (known,) = database.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()
    version = None
    while (passed := (time.monotonic_ns() - due_ns) / 1e9) < LIMIT:
        (now,) = database.execute("PRAGMA data_version").fetchone()
        if now != version:
            version = now
            (newest,) = database.execute("SELECT coalesce(max(id), 0) FROM events WHERE kind = 'object'").fetchone()
            if newest > known:
                return passed
        time.sleep(POLL)
    return LIMIT

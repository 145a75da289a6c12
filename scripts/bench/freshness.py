#!/usr/bin/env python3
"""How old is a frame when a slow analyzer picks it up?

    scripts/bench/freshness.py [--seconds 60] [--work 500]

One camera, 25 frames a second; three ways of handing frames to a consumer that takes 500 ms for each: nvr's slot, a
``Manager().list()`` used as a stack between two processes, and a thread that reads ``cv2.VideoCapture`` into a queue.
Every frame carries its number in the picture. A fourth process reads the same stream and notes when each frame arrived;
the age of a frame is the time from there to the pick-up. (All four read through FFmpeg, which gives a frame out when
the next one begins: 40 ms that all four have alike and that are not part of these ages.)
"""

from __future__ import annotations

import argparse
import bisect
import itertools
import json
import multiprocessing
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import measure

sys.path.insert(0, str(measure.ROOT))
WAYS = ("nvr slot", "Manager().list() stack", "thread and queue")


def number_of(luma: Any) -> int | None:
    from tests.fakes.footage import frame_number

    return frame_number(luma)


def note_arrivals(url: str, until: float, out: Path) -> None:
    """The reference: when each frame was there to be decoded (monotonic seconds)."""
    import av

    seen = []
    with av.open(url, options={"rtsp_transport": "tcp", "allowed_media_types": "video"}) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type = "NONE"
        stream.codec_context.flags |= av.codec.context.Flags.low_delay
        for packet in container.demux(stream):
            arrived = time.monotonic()
            for frame in packet.decode():
                number = number_of(frame.to_ndarray()[: frame.height])
                if number is not None:
                    seen.append((arrived, number))
            if arrived > until:
                break
    out.write_text(json.dumps(seen))


def consume_slot(slot: Path, until: float, work: float, out: Path) -> None:
    from nvr.frameslot import SlotReader

    picked = []
    reader = SlotReader(slot)
    while time.monotonic() < until:
        if not reader.wait(timedelta(seconds=1)):
            continue
        frame = reader.read()
        now = time.monotonic()
        if frame is not None:
            picked.append((now, number_of(frame.luma)))
        time.sleep(work)
    out.write_text(json.dumps(picked))


def fill_stack(url: str, stack: Any, until: float) -> None:
    import cv2

    capture = cv2.VideoCapture(url)
    while time.monotonic() < until:
        ok, frame = capture.read()
        if ok:
            stack.append(frame)
            if len(stack) > 100:  # as usually written: throw the old ones away now and then
                del stack[:]


def consume_stack(url: str, until: float, work: float, out: Path) -> None:
    picked = []
    with multiprocessing.Manager() as manager:
        stack = manager.list()
        writer = multiprocessing.Process(target=fill_stack, args=(url, stack, until))
        writer.start()
        while time.monotonic() < until:
            try:
                frame = stack.pop()
            except IndexError:
                time.sleep(0.005)
                continue
            now = time.monotonic()
            picked.append((now, number_of(frame[:, :, 1])))
            time.sleep(work)
        writer.join(10)
    out.write_text(json.dumps(picked))


def consume_queue(url: str, until: float, work: float, out: Path) -> None:
    import cv2

    frames: queue.Queue[Any] = queue.Queue()

    def fill() -> None:
        capture = cv2.VideoCapture(url)
        while time.monotonic() < until:
            ok, frame = capture.read()
            if ok:
                frames.put(frame)

    threading.Thread(target=fill, daemon=True).start()
    picked = []
    while time.monotonic() < until:
        try:
            frame = frames.get(timeout=1)
        except queue.Empty:
            continue
        now = time.monotonic()
        picked.append((now, number_of(frame[:, :, 1])))
        time.sleep(work)
    out.write_text(json.dumps(picked))


def ages(picked: list[tuple[float, int | None]], arrivals: list[tuple[float, int]]) -> list[float]:
    """Milliseconds from a frame's arrival to its pick-up; the number repeats, so its latest arrival before counts."""
    by_number: dict[int, list[float]] = {}
    for arrived, number in arrivals:
        by_number.setdefault(number, []).append(arrived)
    found = []
    for now, seen in picked:
        times = by_number.get(seen, []) if seen is not None else []
        place = bisect.bisect_right(times, now)
        if place:
            found.append((now - times[place - 1]) * 1000)
    return found


def slope(samples: list[float]) -> float:
    """MB a minute, from one sample a second, without ten seconds of start-up and five of the end.

    The median of the slopes between all pairs (Theil, 1950): a sample that missed a process does not bend it.
    """
    settled = list(enumerate(samples))[10:-5]
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in itertools.combinations(settled, 2)]
    return statistics.median(slopes) * 60 if slopes else 0.0


def call(function: str, *arguments: object) -> list[str]:
    return [sys.executable, __file__, "--call", json.dumps([function, *map(str, arguments)])]


def dispatch(text: str) -> None:
    name, *rest = json.loads(text)
    if name == "note_arrivals":
        note_arrivals(rest[0], float(rest[1]), Path(rest[2]))
    elif name == "consume_slot":
        consume_slot(Path(rest[0]), float(rest[1]), float(rest[2]), Path(rest[3]))
    elif name == "consume_stack":
        consume_stack(rest[0], float(rest[1]), float(rest[2]), Path(rest[3]))
    else:
        consume_queue(rest[0], float(rest[1]), float(rest[2]), Path(rest[3]))


def run(name: str, camera: measure.Camera, folder: Path, seconds: int, work: float) -> tuple[str, ...]:
    """One way, with the reference beside it; a row of the table."""
    until = time.monotonic() + seconds
    arrivals, picked = folder / f"{name}-arrivals.json", folder / f"{name}.json"
    url = camera.url(sub=True)
    reference = measure.Session([call("note_arrivals", url, until + 1, arrivals)])
    if name == "nvr slot":
        config = measure.write_config(folder, camera.port, 1, "  audio: off\n  detect: {mode: motion, fps: 25}")
        station = measure.Session([measure.nvr("start", "--config", str(config))])
        slot = wait_for_slot(folder / "storage")
        consumer = measure.Session([call("consume_slot", slot, until, work, picked)])
        measured = [station, consumer]
    else:
        function = "consume_stack" if name.startswith("Manager") else "consume_queue"
        measured = [measure.Session([call(function, url, until, work, picked)])]
    measure.wait(until - time.monotonic() + 3, name)
    costs = [session.stop() for session in measured]
    reference.stop()
    found = ages(json.loads(picked.read_text())[3:], json.loads(arrivals.read_text()))
    cuts = statistics.quantiles(found, n=100)
    memory = [sum(samples) for samples in zip(*(cost.pss for cost in costs), strict=False)]
    return (
        name,
        str(len(found)),
        f"{statistics.median(found):.0f}",
        f"{cuts[98]:.0f}",
        f"{max(found):.0f}",
        f"{slope(memory[:seconds]):+.1f}",
        f"{max(memory):.0f}",
    )


def wait_for_slot(storage: Path) -> Path:
    from nvr import layout

    for _ in range(100):
        marker = storage / layout.MARKER
        if marker.exists():
            slot = layout.slot_path(layout.run_folder(layout.volume_id(storage)), "cam1")
            if slot.exists():
                return slot
        time.sleep(0.1)
    raise SystemExit("nvr start made no slot")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--work", type=int, default=500, help="milliseconds the consumer takes for a frame")
    parser.add_argument("--call", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.call:
        dispatch(arguments.call)
        return
    subprocess.run([measure.ROOT / "scripts/footage", "h264"], check=True, stdout=sys.stderr)
    with tempfile.TemporaryDirectory() as name, measure.camera(shared=True) as camera:
        rows = [run(way, camera, Path(name), arguments.seconds, arguments.work / 1000) for way in WAYS]
    measure.table(
        f"age of a frame at pick-up, consumer takes {arguments.work} ms, 25 fps, {arguments.seconds} s",
        ("", "frames", "p50 ms", "p99 ms", "max ms", "memory MB/min", "peak MB"),
        rows,
    )


if __name__ == "__main__":
    main()

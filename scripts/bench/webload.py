"""What many viewers, long days and large downloads cost the page: parts of ``web.py``."""

from __future__ import annotations

import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import httpx
import stage
from outcome import Outcome
from scenery import say
from website import NOBODY, TOKEN, Site, camera_keys, day, site, wait
from websockets.sync.client import connect

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.media.index import read_index
from nvr.model import Event, Segment

SECOND = timedelta(seconds=1)


def ledger(asks: int = 15) -> list[Outcome]:
    names = [f"cam{number:02d}" for number in range(16)]
    cameras = "".join(f"  {name}: {{url: 'rtsp://127.0.0.1:9/x', detect: off, record: off}}\n" for name in names)
    chance = random.Random(3)
    with tempfile.TemporaryDirectory() as folder:
        storage = Path(folder) / "storage"
        layout.prepare(storage)
        upgrade(layout.database_path(storage))
        begin = datetime.now(UTC) - timedelta(days=1)
        say("filling a catalogue")
        with Catalogue.open(layout.database_path(storage)) as catalogue:
            for name in names:
                for minute in range(24 * 60):
                    at = begin + minute * 60 * SECOND
                    hole = 5 * SECOND if minute % 97 == 0 else timedelta()
                    path = layout.segment_path(name, at)
                    (storage / path).parent.mkdir(parents=True, exist_ok=True)
                    (storage / path).touch()
                    catalogue.add_segment(
                        Segment(name, f"run-{name}", path, at, at + 60 * SECOND - hole, 1, 1500, "h264", 1920, 1080)
                    )
            for number in range(10_000):
                at = begin + number * timedelta(days=1) / 10_000
                label = chance.choice(["person", "car", "dog", "motion"])
                end = at + chance.uniform(1, 60) * SECOND
                catalogue.open_event(Event(names[number % 16], "object", label, at, end, end, score=0.7))
        with site(Path(folder), cameras) as running:
            wait(lambda: running.state("janitor") == "sleeping", running.session)
            query = f"ledger?from={begin.isoformat()[:19]}Z"
            times, size = [], 0
            with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
                for _ in range(asks + 2):
                    began = time.perf_counter()
                    with client.stream("GET", f"{running.url}/api/v1/{query}") as answer:
                        size = sum(len(part) for part in answer.iter_raw())
                    times.append(time.perf_counter() - began)
            body = running.ask(query).json()
            events = sum(len(row["events"]) for row in body["cameras"])
            if events < 9_900 or len(body["cameras"]) != 16:
                raise SystemExit(f"the ledger has {events} events of {len(body['cameras'])} cameras")
    return [
        Outcome("ledger", "a day, 16 cameras, 10 000 events, median", median(times[2:]) * 1000, ("<=", 100), "ms"),
        Outcome("ledger", "the same, slowest", max(times[2:]) * 1000, None, "ms"),
        Outcome("ledger", "compressed", size / 1000, ("<=", 200), "KB"),
    ]


_VIEWERS = """
import asyncio, signal, sys, websockets
async def main(url, token, count):
    got = [0] * count
    async def watch(number):
        headers = {"Authorization": f"Bearer {token}"}
        async with websockets.connect(url, additional_headers=headers, compression=None, max_size=None) as viewer:
            print("in", flush=True)
            async for message in viewer:
                got[number] += len(message)
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    watching = [asyncio.ensure_future(watch(number)) for number in range(count)]
    await done.wait()
    print(min(got), flush=True)
    for task in watching:
        task.cancel()
asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""
"""Says "in" for each viewer that is connected, and at the end how many bytes the one got that got least."""


def viewers(count: int = 30, seconds: int = 20) -> list[Outcome]:
    with tempfile.TemporaryDirectory() as name, stage.camera() as camera, ExitStack() as stack:
        running = stack.enter_context(site(Path(name), camera_keys("gate", camera.port, "detect: off")))
        wait(lambda: running.ask("cameras").json()[0]["streams"], running.session)
        web, recorder = running.pid("web"), running.pid("recorder.gate")
        idle = _cost(web, 5)
        alone = _cost(recorder, 5)
        url = f"ws{running.url[4:]}/api/v1/cameras/gate/live?stream=main"
        command = [sys.executable, "-c", _VIEWERS, url, TOKEN, str(count)]
        watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert watching.stdout is not None
        for _ in range(count):
            watching.stdout.readline()
        began = time.monotonic()
        time.sleep(3)
        recorder_before = stage.cpu(recorder)
        busy = _cost(web, seconds)
        recorded = (stage.cpu(recorder) - recorder_before) / seconds * 100
        with_all = _rss(web)
        deaf = connect(url, additional_headers={"Authorization": f"Bearer {TOKEN}"}, max_queue=1)
        time.sleep(15)
        with_deaf = _rss(web)
        deaf.socket.close()
        watching.terminate()
        rate = int(watching.stdout.readline()) * 8 / (time.monotonic() - began) / 1e6
        watching.wait(10)
        lost = _lost(running)
    return [
        Outcome("viewers", f"web process with {count} viewers, of a core", busy, ("<=", 10), "%"),
        Outcome("viewers", "what the one got that got least", rate, (">=", 3.6), "Mb/s"),
        Outcome("viewers", "the same without any", idle, None, "%"),
        Outcome("viewers", "the recorder while nobody watches", alone, None, "%"),
        Outcome("viewers", f"the recorder while {count} watch", recorded, None, "%"),
        Outcome("viewers", "packets lost in recording", lost, ("<=", 0), ""),
        Outcome("viewers", "memory of the web process", with_all, None, "MB"),
        Outcome("viewers", "the same, with one that never reads", with_deaf, ("<=", with_all + 16), "MB"),
    ]


def _cost(pid: int, seconds: int) -> float:
    """CPU of a process over some time, percent of a core."""
    before = stage.cpu(pid)
    time.sleep(seconds)
    return (stage.cpu(pid) - before) / seconds * 100


def _rss(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", text)
    assert found is not None
    return int(found[1]) / 1024


def _lost(running: Site) -> int:
    """Frames that the recording lacks, by the time from its first to its last picture."""
    running.session.stop()
    [*files] = sorted((running.storage / "segments/gate").rglob("*.mp4"))
    told = [read_index(running.storage, file) for file in files]
    span = (told[-1].end - told[0].start) / SECOND
    return round(span * stage.FPS) - sum(one.packets for one in told)


def download(files: list[Path], rounds: int = 5) -> list[Outcome]:
    nginx = shutil.which("nginx")
    if nginx is None:
        raise SystemExit("nginx is not installed: scripts/install --apt scripts/apt-packages.txt")
    with tempfile.TemporaryDirectory(dir=files[0].parent) as name:
        begin = day(Path(name) / "storage", files, 2)
        since, until = (at.isoformat()[:19] + "Z" for at in (begin + 5 * SECOND, begin + timedelta(hours=1, seconds=5)))
        with site(Path(name), NOBODY) as running:
            url = f"{running.url}/api/v1/cameras/gate/video.mp4?from={since}&to={until}"
            same = Path(name) / "same.mp4"
            _curl(url, same)
            with _nginx(nginx, Path(name)) as peer:
                took: dict[str, list[float]] = {"nvr": [], "nginx": []}
                for _ in range(rounds):
                    took["nvr"].append(_curl(url))
                    took["nginx"].append(_curl(f"{peer}/same.mp4"))
            size = same.stat().st_size
    speed = {who: size / median(each) / 1e6 for who, each in took.items()}
    return [
        Outcome("download", "an hour as one MP4, of nginx's speed", speed["nvr"] / speed["nginx"], (">=", 0.8), ""),
        Outcome("download", f"nvr, {size / 1e9:.2f} GB", speed["nvr"], None, "MB/s"),
        Outcome("download", "nginx", speed["nginx"], None, "MB/s"),
    ]


def _curl(url: str, target: Path | None = None) -> float:
    """Seconds that a download takes."""
    out = "/dev/null" if target is None else str(target)
    command = ["curl", "-sS", "-f", "-H", f"Authorization: Bearer {TOKEN}", "-o", out, "-w", "%{time_total}", url]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout)


@contextmanager
def _nginx(binary: str, folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.chmod(0o755)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 1; user root;\n"
        "events { worker_connections 64; }\n"
        f"http {{ access_log off; sendfile on; tcp_nopush on; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
    )
    server = subprocess.Popen([binary, "-c", str(config), "-p", str(folder)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{port}/", timeout=1)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)

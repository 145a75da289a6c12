#!/usr/bin/env python3
"""The page and the API: how soon there is a picture, and what watching costs.

    python scripts/bench/web.py [live | seek | ledger | viewers | weight | download]... [--json]

Needs Debian's packages of scripts/apt-packages.txt (chromium, nginx) and a page that was built (scripts/install).

live      A real browser opens the page with one camera of 1920x1080, 25 fps, 4 Mb/s: from the address to the first
          picture that moves; and for 20 s, how old the frame on the screen is, by the number burned into it and the
          clock by which the camera sent it.
seek      A day of one camera in files of a minute at 4 Mb/s (a thousand names for the same two dozen files); the
          browser clicks at random places of the time line: from the click to the first picture of there. The files are
          dropped from the page cache before each click.
ledger    A day of 16 cameras with 23 040 files and 10 000 events: GET /api/v1/ledger, and its size compressed.
viewers   30 viewers of a stream of 4 Mb/s for 20 s: the CPU of the web process, its memory with one viewer that never
          reads and without, and every frame of the recording counted.
weight    What the browser loads for the first page, compressed.
download  One hour at 4 Mb/s as one MP4, by curl, in turn with nginx sending the same bytes from a file (sendfile).
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

import measure
import numpy as np
import stage
from outcome import Outcome, as_json, show
from playwright.sync_api import Page
from scenery import say
from webload import download, ledger, viewers
from website import NOBODY, camera_keys, day, log_in, minute_files, site, wait

from tests.fakes.browser import chromium, page, shown_number
from tests.fakes.footage import frame_number

_CLOCK = """
async video => {
  const shown = []
  const canvas = document.createElement('canvas')
  canvas.width = 320; canvas.height = 180
  const context = canvas.getContext('2d', { willReadFrequently: true })
  const end = performance.now() + %d
  return await new Promise(resolve => {
    const look = (now, frame) => {
      context.drawImage(video, 0, 0, 320, 180)
      const pixels = context.getImageData(0, 0, 320, 16).data
      const luma = []
      for (let at = 0; at < pixels.length; at += 4) luma.push(pixels[at + 1])
      shown.push([performance.timeOrigin + frame.expectedDisplayTime, luma])
      if (performance.now() < end) video.requestVideoFrameCallback(look)
      else resolve(shown)
    }
    video.requestVideoFrameCallback(look)
  })
}
"""
_FIRST = """
() => new Promise(resolve => {
  const look = () => {
    const video = document.querySelector('video')
    if (!video) return void setTimeout(look, 5)
    let first = null
    video.requestVideoFrameCallback(function next(_, frame) {
      if (first !== null && frame.mediaTime > first) resolve(performance.now())
      else { first = frame.mediaTime; video.requestVideoFrameCallback(next) }
    })
  }
  look()
})
"""


def live(rounds: int = 7) -> list[Outcome]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        camera = stack.enter_context(stage.camera())
        running = stack.enter_context(site(folder, camera_keys("gate", camera.port, "detect: off")))
        window = stack.enter_context(page(stack.enter_context(chromium()), running.url))
        wait(lambda: running.ask("cameras").json()[0]["streams"], running.session)
        log_in(window)
        times = []
        for _ in range(rounds):
            window.goto("about:blank")
            window.goto(f"{running.url}/#/live", wait_until="commit")
            times.append(window.evaluate(_FIRST) / 1000)
        time.sleep(2)
        seen = window.locator("video").evaluate(_CLOCK % 20_000)
    offset_ns = time.time_ns() - time.monotonic_ns()
    ages = []
    for shown_ms, luma in seen:
        number = frame_number(np.array(luma, np.uint8).reshape(16, 320))
        if number is not None:
            at_ns = round(shown_ms * 1e6) - offset_ns
            ages.append((at_ns - camera.sent_ns(number, at_ns)) / 1e9)
    say(f"live: {len(ages)} frames shown in 20 s, read of {len(seen)}")
    return [
        Outcome("live", "page open to a moving picture, median", median(times), ("<=", 1.0), "s"),
        Outcome("live", "the same, slowest", max(times), None, "s"),
        Outcome("live", "glass to glass, median", median(ages), ("<=", 0.6), "s"),
        Outcome("live", "glass to glass, p95", quantiles(ages, n=20)[18], None, "s"),
        Outcome("live", "frames shown a second", len(seen) / 20, None, ""),
    ]


def seek(files: list[Path], clicks: int = 60) -> list[Outcome]:
    chance, times = random.Random(5), []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=files[0].parent)))
        begin = day(folder / "storage", files, 24)
        running = stack.enter_context(site(folder, NOBODY))
        window = stack.enter_context(page(stack.enter_context(chromium()), running.url))
        log_in(window)
        at = (begin + timedelta(hours=3)).isoformat()[:19] + "Z"
        window.evaluate("at => { location.hash = `#/timeline?at=${at}&camera=gate` }", at)
        video = window.locator("video[data-camera=gate]")
        while shown_number(video) is None:
            time.sleep(0.05)
        window.get_by_role("button", name="Day", exact=True).click()
        time.sleep(1)
        if window.get_by_test_id("play").get_attribute("aria-label") == "Pause":
            window.get_by_test_id("play").click()
        box = window.get_by_test_id("timeline").bounding_box()
        assert box is not None
        span = [
            datetime.fromisoformat(window.get_by_test_id("timeline").get_attribute(f"data-{edge}") or "")
            for edge in ("from", "to")
        ]
        low = max(0.0, (begin + timedelta(minutes=5) - span[0]) / (span[1] - span[0]))
        high = min(1.0, (datetime.now(UTC) - timedelta(minutes=5) - span[0]) / (span[1] - span[0]))
        for _ in range(clicks):
            for file in files:
                _forget(file)
            share = chance.uniform(low, high)
            target = span[0] + (span[1] - span[0]) * share
            place = box["x"] + box["width"] * share, box["y"] + box["height"] - 12
            times.append(_click(window, place, target))
    firsts, lasts = [first for first, _ in times], [last for _, last in times]
    return [
        Outcome("seek", f"click to a picture of there, p95 of {clicks}", quantiles(firsts, n=20)[18], ("<=", 0.3), "s"),
        Outcome("seek", "the same, median", median(firsts), None, "s"),
        Outcome("seek", "click to the very frame, p95", quantiles(lasts, n=20)[18], ("<=", 0.3), "s"),
        Outcome("seek", "the same, median", median(lasts), None, "s"),
    ]


def _forget(file: Path) -> None:
    """Let the kernel drop a file from its cache."""
    descriptor = os.open(file, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def _click(window: Page, place: tuple[float, float], target: datetime) -> tuple[float, float]:
    """Seconds from a click on the time line to the first frame that is shown after it, and to the one that stays."""
    script = """
    ([x, y]) => new Promise((resolve, reject) => {
      const video = document.querySelector('video[data-camera=gate]')
      const canvas = document.querySelector('[data-testid=timeline]')
      const began = performance.now(), shown = []
      video.requestVideoFrameCallback(function next(now, frame) {
        shown.push([performance.now() - began, frame.mediaTime])
        video.requestVideoFrameCallback(next)
      })
      setTimeout(() => {
        if (!shown.length) return reject(new Error('no picture within 2 s'))
        const stays = shown.at(-1)[1]
        resolve([shown[0][0], shown.find(one => one[1] === stays)[0]])
      }, 2000)
      for (const type of ['pointerdown', 'pointerup', 'click'])
        canvas.dispatchEvent(new PointerEvent(type, { bubbles: true, clientX: x, clientY: y, pointerId: 1,
          isPrimary: true, pointerType: 'mouse', button: 0, buttons: type === 'pointerdown' ? 1 : 0 }))
    })"""
    first, last = window.evaluate(script, list(place))
    shown = window.get_by_test_id("player-time").get_attribute("data-at") or ""
    if abs(datetime.fromisoformat(shown) - target) > timedelta(minutes=3):
        raise SystemExit(f"a click at {target} shows {shown}")
    return first / 1000, last / 1000


def weight() -> list[Outcome]:
    folder = measure.ROOT / "nvr/web/dist"
    index = (folder / "index.html").read_text()
    parts = [folder / "index.html", *(folder / part for part in re.findall(r'(?:src|href)="[./]*([^"]+)"', index))]
    size = sum(len(gzip.compress(part.read_bytes(), 5)) for part in parts)
    return [Outcome("weight", f"{len(parts)} files of the first page, compressed", size / 1000, ("<=", 250), "KB")]


PARTS = ("live", "seek", "ledger", "viewers", "weight", "download")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    wanted = chosen.parts or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    found: list[Outcome] = []
    files = minute_files(measure.ROOT / ".cache/minutes") if {"seek", "download"} & set(wanted) else []
    for part in wanted:
        outcomes = {"live": live, "ledger": ledger, "viewers": viewers, "weight": weight}.get(part)
        got = outcomes() if outcomes is not None else {"seek": seek, "download": download}[part](files)
        found += got
        if not chosen.json:
            show(part, here=got)
    if chosen.json:
        print(json.dumps(as_json(found), indent=1))


if __name__ == "__main__":
    main()

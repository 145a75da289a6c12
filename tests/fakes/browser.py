"""Debian's Chromium, driven by Playwright, and the number that the picture in one of its elements shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.fakes.footage import frame_number

CHROMIUM = shutil.which("chromium")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
WAIT_MS = 60_000
expect.set_options(timeout=WAIT_MS)
_DRAW = """
element => {
  const width = element.videoWidth || element.naturalWidth, height = element.videoHeight || element.naturalHeight
  if (!width || !height) return null
  const canvas = document.createElement('canvas')
  canvas.width = 320
  canvas.height = 180
  const context = canvas.getContext('2d', { willReadFrequently: true })
  context.drawImage(element, 0, 0, 320, 180)
  const pixels = context.getImageData(0, 0, 320, 16).data
  const luma = []
  for (let at = 0; at < pixels.length; at += 4)
    luma.push(Math.round(0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2]))
  return luma
}
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with an empty profile. Raises RuntimeError where there is none."""
    if CHROMIUM is None:
        raise RuntimeError("there is no chromium: scripts/install --apt scripts/apt-packages.txt installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True, slots=True)
class Size:
    """What kind of screen."""

    width: int
    height: int
    touch: bool = False
    dark: bool = False


DESK = Size(1400, 900)
PHONE = Size(390, 844, touch=True)


@contextmanager
def page(browser: Browser, url: str, size: Size = DESK, language: str = "en-US") -> Iterator[Page]:
    """A window. What its scripts fail at is raised when it is closed."""
    context = browser.new_context(
        viewport={"width": size.width, "height": size.height},
        has_touch=size.touch,
        is_mobile=size.touch,
        color_scheme="dark" if size.dark else "light",
        locale=language,
        accept_downloads=True,
        ignore_https_errors=True,
    )
    failures: list[str] = []
    opened = context.new_page()
    opened.set_default_timeout(WAIT_MS)
    opened.on("pageerror", lambda error: failures.append(str(error)))
    opened.on(
        "console",
        lambda told: failures.append(told.text) if "Content Security Policy" in told.text else None,
    )
    try:
        opened.goto(url)
        yield opened
    finally:
        context.close()
    assert not failures, failures


def shown_number(element: Locator) -> int | None:
    """The number that a picture (a video, or an image) shows; None while there is none to be read."""
    luma = element.evaluate(_DRAW)
    if luma is None:
        return None
    return frame_number(np.array(luma, np.uint8).reshape(16, 320))

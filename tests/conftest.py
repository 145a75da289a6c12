"""What several test files need: footage, cameras, and a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.camera import Camera
from tests.fakes.clip import Clip, record

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NVR_CONFIG", raising=False)


def _footage(what: str) -> Path:
    """Fetch and prepare, once; the script is quick where everything is there."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/footage"), what], capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode:
        reason = f"the test footage cannot be prepared: {done.stderr.strip().splitlines()[-1:]}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return Path(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def people_video() -> Path:
    """PETS09-S2L1, a street with people."""
    return _footage("video") / "vtest.avi"


@pytest.fixture(scope="session")
def footage() -> Path:
    """The folder with what the stand-in camera serves in H.264."""
    return _footage("h264")


@pytest.fixture(scope="session")
def camera(footage: Path) -> Iterator[Camera]:
    """A Hikvision-like camera on GStreamer: H.264 with G.711, digest login."""
    with Camera(footage) as running:
        yield running


@pytest.fixture(scope="session")
def clip() -> Clip:
    """Two seconds of H.264 without B-frames, a key frame each second."""
    return record(frames=50, gop=25)


@pytest.fixture(scope="session")
def clip_with_b_frames() -> Clip:
    return record(frames=50, gop=25, b_frames=2)

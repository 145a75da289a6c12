"""Recorded video for the tests of this folder, once for each way in which pictures can be coded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.fakes.archive import Archive
from tests.fakes.clip import write

TAPES: dict[str, dict[str, Literal["libx264", "libx265"] | int]] = {
    "h264": {},
    "h265": {"codec": "libx265"},
    "b-frames": {"b_frames": 2},
}


@pytest.fixture(scope="module", params=TAPES)
def tape(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 s, a key frame every second."""
    path = tmp_path_factory.mktemp("tape") / f"{request.param}.mp4"
    return write(path, frames=200, **TAPES[request.param])  # type: ignore[arg-type]  # options of write


@pytest.fixture
def archive(tmp_path: Path, tape: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "storage", tape)
    yield made
    made.close()

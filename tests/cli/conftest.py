"""What tests of the command line share: a recorded past, and configurations to start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.model import Event, Segment
from tests.fakes.clip import write
from tests.retention.archive import Archive

Configure = Callable[..., Path]


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=250_000)


@pytest.fixture
def config(tmp_path: Path, now: datetime) -> Path:
    """A configuration with a catalogue of two events and a segment."""
    path = tmp_path / "nvr.yaml"
    path.write_text("storage: storage\ncameras:\n  hik1: {url: 'rtsp://127.0.0.1:9/x'}\n  hik2: {host: 127.0.0.1}\n")
    layout.prepare(tmp_path / "storage")
    upgrade(tmp_path / "storage/nvr.db")
    with Catalogue.open(tmp_path / "storage/nvr.db") as catalogue:
        start = now - timedelta(minutes=5)
        segment = Segment("hik1", "run", Path("segments/hik1/a.mp4"), start, now, 1_000_000, 7500, "h264", 1920, 1080)
        catalogue.add_segment(segment)
        seen = now - timedelta(minutes=1)
        picture = Path("snapshots/hik1/b.jpg")
        catalogue.open_event(Event("hik1", "object", "person", seen, seen, now, score=0.81, snapshot=picture))
        catalogue.open_event(Event("hik1", "motion", "motion", now - timedelta(minutes=3), seen))
    return path


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Write a configuration of one camera: ``configure("{url: …}")``."""

    def written(camera: str, storage: str = "storage") -> Path:
        path = tmp_path / "nvr.yaml"
        path.write_text(f"storage: {storage}\nrecording: {{segment: 5s}}\ncameras:\n  hik1: {camera}\n")
        return path

    return written


@pytest.fixture
def looped(tmp_path: Path, configure: Configure) -> Path:
    """A configuration that plays a file for ever, without analysis."""
    video = write(tmp_path / "clip.mp4", frames=100, gop=25)
    return configure(f"{{url: {video}, loop: true, detect: off}}")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "storage")
    yield made
    made.close()

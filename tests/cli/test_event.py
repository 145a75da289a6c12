"""``nvr events show``."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nvr.catalogue.store import Catalogue
from nvr.clock import format_rfc3339
from nvr.model import Box, Event, Waypoint
from tests.cli.test_events import KEYS
from tests.fakes.station import nvr


@pytest.fixture
def rich(config: Path, now: datetime) -> Path:
    """Event 3 says all that nvr's own may say, event 4 is what the camera told of it."""
    start = now - timedelta(minutes=2)
    with Catalogue.open(config.parent / "storage/nvr.db") as catalogue:
        picture = Path("snapshots/hik1/c.jpg")
        box = Box(0.1, 0.2, 0.3, 0.8)
        id = catalogue.open_event(
            Event(
                "hik1",
                "object",
                "person",
                start,
                now,
                now,
                score=0.91,
                box=box,
                zones=("gate", "yard"),
                snapshot=picture,
                thumbnail=picture.with_suffix(".thumb.jpg"),
                began="entered gate",
                ended="left the picture",
            )
        )
        catalogue.put_path(id, [Waypoint(start, box), Waypoint(now, Box(0.7, 0.2, 0.9, 0.8))])
        told = Event(
            "hik1", "camera", "person", start, now, now, received=start + timedelta(seconds=1.5), detail="line 1"
        )
        catalogue.open_event(told)
    return config


def test_an_event_is_shown_with_its_video(config: Path) -> None:
    done = nvr("events", "show", "1", "--config", str(config))
    assert "person at hik1" in done.stdout
    assert "a.mp4 at 240.0 s" in done.stdout
    shown = json.loads(nvr("events", "show", "1", "--json", "--config", str(config)).stdout)
    assert list(shown) == [*KEYS, "video", "box", "path"]
    assert shown["video"].endswith("a.mp4")
    assert (shown["box"], shown["path"]) == (None, [])


def test_all_there_is_of_an_event_is_shown(rich: Path) -> None:
    lines = nvr("events", "show", "3", "--config", str(rich)).stdout.splitlines()
    shown = {line.split()[0]: line.split(None, 1)[1] for line in lines[1:]}
    assert lines[0] == "event 3: person at hik1 (object)"
    assert shown["start"].endswith(" (entered gate)")
    assert shown["end"].endswith(" (2m 0s, left the picture)")
    assert shown["zones"] == "gate, yard"
    assert shown["also"] == "told by the camera: event 4"
    assert shown["thumbnail"].endswith("snapshots/hik1/c.thumb.jpg")
    assert shown["path"].startswith("2 points, from 20% 50% at ")
    assert " to 80% 50% at " in shown["path"]


def test_what_a_camera_told_is_shown_with_when_and_of_what(rich: Path) -> None:
    lines = nvr("events", "show", "4", "--config", str(rich)).stdout.splitlines()
    shown = {line.split()[0]: line.split(None, 1)[1] for line in lines[1:]}
    assert shown["received"].endswith(" (+1.5 s after the camera's start)")
    assert shown["detail"] == "line 1"
    assert shown["same"] == "as   event 3, which nvr saw itself"


def test_json_has_the_whole_path(rich: Path, now: datetime) -> None:
    shown = json.loads(nvr("events", "show", "3", "--json", "--config", str(rich)).stdout)
    assert shown["also"] == [4]
    assert shown["box"] == [0.1, 0.2, 0.3, 0.8]
    assert [point["box"] for point in shown["path"]] == [[0.1, 0.2, 0.3, 0.8], [0.7, 0.2, 0.9, 0.8]]
    assert [point["at"] for point in shown["path"]] == [format_rfc3339(at) for at in (now - timedelta(minutes=2), now)]


@pytest.mark.parametrize("id", ["99", "0", "99999999999999999999"])
def test_an_event_that_is_not_there_is_one_line(config: Path, id: str) -> None:
    missing = nvr("events", "show", id, "--config", str(config))
    assert (missing.returncode, missing.stderr) == (1, f"nvr: no event {id}; see nvr events list\n")

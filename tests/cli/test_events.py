"""``nvr events``."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nvr.catalogue.store import Catalogue
from nvr.model import Event
from tests.fakes.station import nvr

KEYS = [
    "id",
    "camera",
    "kind",
    "label",
    "start",
    "end",
    "score",
    "zones",
    "snapshot",
    "locked",
    "thumbnail",
    "began",
    "ended",
    "false",
    "received",
    "detail",
    "same_as",
    "also",
]
TABLE = ["id", "start", "duration", "camera", "kind", "label", "score", "zones", "also", "marks", "snapshot"]


@pytest.fixture
def busy(config: Path, now: datetime) -> Path:
    """More events: what the camera told of event 1 (3) and of something else (4), and one in a zone (5)."""
    with Catalogue.open(config.parent / "storage/nvr.db") as catalogue:
        told = Event(
            "hik1", "camera", "linedetection", now - timedelta(minutes=1), now, now, received=now, detail="line 1"
        )
        catalogue.open_event(told)
        catalogue.open_event(replace(told, label="videoloss"))
        began = now - timedelta(minutes=2)
        catalogue.open_event(Event("hik1", "object", "car", began, began, began, zones=("gate", "yard")))
    return config


def listed(config: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        nvr("events", "list", "--json", *arguments, "--config", str(config)).stdout
    )
    return found


def test_what_the_camera_told_too_is_listed_once(busy: Path) -> None:
    rows = listed(busy)
    assert [row["id"] for row in rows] == [4, 1, 5, 2]
    assert {row["id"]: row["also"] for row in rows} == {1: [3], 2: [], 4: [], 5: []}
    everything = listed(busy, "--all")
    assert [row["id"] for row in everything] == [4, 3, 1, 5, 2]
    assert {row["id"]: row["same_as"] for row in everything if row["same_as"]} == {3: 1}
    table = nvr("events", "list", "--all", "--config", str(busy)).stdout.splitlines()
    also = {line.split()[0]: line for line in table}
    assert " camera  " in also["1"].split("person")[1]
    assert " event 1 " in also["3"]


def test_events_are_narrowed_by_zone(busy: Path) -> None:
    assert [row["id"] for row in listed(busy, "--zone", "gate")] == [5]
    assert listed(busy, "--zone", "gat") == []


def test_what_was_marked_false_is_left_out_and_counted(busy: Path) -> None:
    with Catalogue.open(busy.parent / "storage/nvr.db") as catalogue:
        catalogue.mark_false(1, True)
    done = nvr("events", "list", "--config", str(busy))
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["id", "4", "5", "2"]
    assert done.stderr == "nvr: 1 marked false left out; --all lists them, too\n"
    assert [row["id"] for row in listed(busy, "--false")] == [1]
    everything = nvr("events", "list", "--all", "--config", str(busy))
    assert [line.split()[0] for line in everything.stdout.splitlines()] == ["id", "4", "3", "1", "5", "2"]
    assert everything.stderr == ""
    assert nvr("events", "list", "--zone", "gate", "--config", str(busy)).stderr == "", (
        "only what would be listed counts"
    )


def test_events_are_listed_newest_first_with_the_stable_keys(config: Path, now: datetime) -> None:
    done = nvr("events", "list", "--since", "1h", "--json", "--config", str(config))
    rows = json.loads(done.stdout)
    assert [list(row) for row in rows] == [KEYS, KEYS]
    assert [row["label"] for row in rows] == ["person", "motion"]
    assert rows[0]["snapshot"] == str(config.parent / "storage/snapshots/hik1/b.jpg")
    assert rows[0]["end"] == now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert rows[1]["end"] is None
    assert rows[1]["snapshot"] is None


@pytest.mark.parametrize(
    ("filters", "labels"),
    [
        (["--label", "person"], ["person"]),
        (["--label", "zebra"], []),
        (["--kind", "motion"], ["motion"]),
        (["--limit", "1"], ["person"]),
        (["--since", "30s"], ["person", "motion"]),
        (["--until", "2m"], ["motion"]),
        (["--camera", "hik1"], ["person", "motion"]),
        (["--camera", "hik2"], []),
    ],
)
def test_events_are_narrowed(config: Path, filters: list[str], labels: list[str]) -> None:
    done = nvr("events", "list", *filters, "--json", "--config", str(config))
    assert done.returncode == 0
    assert [row["label"] for row in json.loads(done.stdout)] == labels


def test_a_listing_into_a_pipe_is_not_decorated(config: Path) -> None:
    done = nvr("events", "list", "--config", str(config))
    lines = done.stdout.splitlines()
    assert lines[0].split() == TABLE
    assert len(lines) == 3
    assert lines[1].split()[0] == "1"
    assert "\x1b" not in done.stdout


def test_no_event_is_no_line_of_output(config: Path) -> None:
    """A script counts lines: the word that there are none goes to the other stream."""
    done = nvr("events", "list", "--camera", "hik2", "--config", str(config))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("no events since ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--since", "soon"], '--since: got "soon", want a time such as'),
        (["--until", "7 days"], '--until: got "7 days"'),
        (["--kind", "person"], '--kind: got "person", want object, motion, camera or health'),
        (["--camera", "nobody"], "no camera named nobody in the configuration; there are: hik1, hik2"),
        (["--since", "1h", "--until", "2h"], "is not after --since"),
    ],
)
def test_what_cannot_be_listed_is_bad_usage(config: Path, arguments: list[str], message: str) -> None:
    done = nvr("events", "list", *arguments, "--config", str(config))
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1

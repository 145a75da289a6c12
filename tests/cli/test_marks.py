"""``nvr events lock``, ``unlock`` and ``false``."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.model import Event
from tests.fakes.station import nvr


@pytest.fixture
def pictured(config: Path, now: datetime) -> Path:
    """Event 3 has its snapshot."""
    storage = config.parent / "storage"
    picture = layout.snapshot_path("hik1", now, "person", 3)
    layout.write_durably(storage / picture, b"a picture")
    with Catalogue.open(storage / "nvr.db") as catalogue:
        catalogue.open_event(Event("hik1", "object", "person", now, now, now, snapshot=picture))
    return config


def marks(config: Path) -> dict[int, tuple[bool, bool]]:
    with Catalogue.open(config.parent / "storage/nvr.db", readonly=True) as catalogue:
        found = [catalogue.event(id) for id in (1, 2, 3)]
        return {event.id or 0: (event.locked, event.false) for event in found if event is not None}


def samples(config: Path) -> list[Path]:
    return sorted((config.parent / "storage/samples").rglob("*.*"))


@pytest.mark.parametrize("command", ["lock", "unlock", "false"])
def test_an_event_that_is_not_there_is_one_line_and_the_others_are_changed(config: Path, command: str) -> None:
    missing = nvr("events", command, "99", "1", "0", "--config", str(config))
    assert (missing.returncode, missing.stderr) == (1, "nvr: no event 99, 0; see nvr events list\n")
    assert missing.stdout.startswith("event 1 ")


def test_events_are_locked_and_unlocked(config: Path) -> None:
    done = nvr("events", "lock", "1", "2", "1", "--config", str(config))
    words = "is locked: what there is of its video and picture is kept until nvr events unlock"
    assert done.stdout == f"event 1 {words} 1\nevent 2 {words} 2\n"
    assert marks(config) == {1: (True, False), 2: (True, False)}
    assert nvr("events", "unlock", "1", "--config", str(config)).stdout == "event 1 is not locked any more\n"
    assert marks(config) == {1: (False, False), 2: (True, False)}


def test_a_false_event_is_marked_and_kept_as_a_sample(pictured: Path) -> None:
    done = nvr("events", "false", "3", "--config", str(pictured))
    picture, told = sorted(samples(pictured), key=lambda path: path.suffix != ".jpg")
    assert done.stdout == f"event 3 is marked false; sample {picture} (its snapshot, the video being gone)\n"
    assert picture.read_bytes() == b"a picture"
    assert json.loads(told.read_text())["model"] == "built-in"
    assert marks(pictured)[3] == (False, True)
    back = nvr("events", "false", "3", "--undo", "--config", str(pictured))
    assert back.stdout == "event 3 is not marked false any more; its sample is removed\n"
    assert samples(pictured) == []
    assert marks(pictured)[3] == (False, False)


def test_a_false_event_without_any_picture_is_marked_all_the_same(pictured: Path) -> None:
    done = nvr("events", "false", "1", "2", "--config", str(pictured))
    assert "neither video nor snapshot of it is left" in done.stdout.splitlines()[0]
    assert marks(pictured) == {1: (False, True), 2: (False, True), 3: (False, False)}
    assert samples(pictured) == []


def test_where_the_sample_cannot_be_written_nothing_is_marked(pictured: Path) -> None:
    (pictured.parent / "storage/samples").write_text("in the way")
    done = nvr("events", "false", "3", "--config", str(pictured))
    assert done.returncode == 1
    assert "cannot keep a sample of event 3" in done.stderr
    assert marks(pictured)[3] == (False, False)


def test_no_number_is_bad_usage(config: Path) -> None:
    for arguments in (["lock"], ["false", "one"]):
        done = nvr("events", *arguments, "--config", str(config))
        assert (done.returncode, done.stdout) == (2, "")

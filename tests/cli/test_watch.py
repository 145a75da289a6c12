"""``nvr events watch``."""

from __future__ import annotations

import json
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.model import Event
from tests.fakes.station import ROOT, WAIT_S, nvr, wait_for

PATIENCE_S = WAIT_S


@contextmanager
def watching(config: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "nvr", "events", "watch", *arguments, "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # what is read ahead, select would not see
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE_S)


def line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
    assert ready, "nothing was told"
    return process.stdout.readline().decode().rstrip("\n")


def told(process: subprocess.Popen[bytes]) -> tuple[str, int]:
    found: dict[str, Any] = json.loads(line(process))
    return found["change"], found["id"]


@pytest.fixture
def catalogue(config: Path) -> Iterator[Catalogue]:
    with Catalogue.open(config.parent / "storage/nvr.db") as opened:
        yield opened


@pytest.fixture
def seen(now: datetime) -> Event:
    return Event("hik1", "object", "person", now, now, began="entered gate", zones=("gate",))


def test_events_are_told_as_they_happen(config: Path, catalogue: Catalogue, seen: Event) -> None:
    with watching(config) as process:
        assert line(process).endswith("begin   hik1  motion  event 2"), "it goes on since before"
        seen = replace(seen, id=catalogue.open_event(seen))
        assert line(process).endswith("begin   hik1  person  event 3  entered gate; in gate")
        seen = replace(seen, label="car", zones=("gate", "yard"), snapshot=Path("snapshots/hik1/b.jpg"))
        catalogue.update_event(seen)
        assert line(process).endswith("update  hik1  car  event 3  was person; in yard; a picture")
        catalogue.update_event(replace(seen, seen=seen.start + timedelta(seconds=9)))
        catalogue.update_event(replace(seen, end=seen.start + timedelta(seconds=12), ended="left the picture"))
        assert line(process).endswith("end     hik1  car  event 3  after 12.0s; left the picture")
        catalogue.open_event(replace(seen, id=None, kind="camera", label="vehicle", zones=(), snapshot=None))
        assert line(process).endswith("update  hik1  car  event 3  told by the camera, too")
        catalogue.mark_false(3, True)
        assert line(process).endswith("update  hik1  car  event 3  marked false")


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly_when_told_to(config: Path, ends: signal.Signals) -> None:
    with watching(config, "--json", "--since", "1h") as process:
        assert [told(process) for _ in range(3)] == [("begin", 2), ("begin", 1), ("end", 1)]
        process.send_signal(ends)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, errors) == (0, b"")


def test_it_ends_by_itself_when_nobody_reads_any_more(config: Path) -> None:
    with watching(config) as process:
        line(process)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 1
        assert process.stderr.read() == b""
        process.stdout = None


def test_only_what_was_asked_for_is_told(config: Path, catalogue: Catalogue, seen: Event) -> None:
    with watching(
        config, "--json", "--label", "person", "--kind", "object", "--camera", "hik1", "--since", "1h"
    ) as process:
        assert [told(process) for _ in range(2)] == [("begin", 1), ("end", 1)]
        catalogue.open_event(replace(seen, camera="hik2"))
        catalogue.open_event(replace(seen, label="car"))
        later = seen.start + timedelta(hours=1)
        catalogue.open_event(replace(seen, kind="camera", start=later, seen=later, end=later))
        last = catalogue.open_event(replace(seen, start=seen.start + timedelta(hours=2)))
        assert told(process) == ("begin", last)


def test_a_catalogue_that_was_replaced_is_followed(config: Path, seen: Event) -> None:
    """As ``nvr start`` does it with a damaged one."""
    path = config.parent / "storage/nvr.db"
    with watching(config, "--json") as process:
        assert told(process) == ("begin", 2)
        shutil.move(path, path.with_name("nvr.db.damaged"))
        upgrade(path)
        with Catalogue.open(path) as catalogue:
            catalogue.open_event(seen)
        assert told(process) == ("begin", 1)


@contextmanager
def waiting_for_a_new_one(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One that follows a catalogue which has been moved away, while the new one is not made yet: a file without tables.

    What it has open tells how far it is; other signs there are none.
    """
    path = config.parent / "storage/nvr.db"
    kept = path.with_name("nvr.db.damaged")
    with watching(config, "--json") as process:
        assert told(process) == ("begin", 2)
        shutil.move(path, kept)
        assert has_open(process, kept)
        path.touch()
        wait_for(lambda: not has_open(process, kept), "it has let go of the old one")
        yield process


def has_open(process: subprocess.Popen[bytes], path: Path) -> bool:
    for file in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed just now
            if file.readlink() == path.resolve():
                return True
    return False


def test_a_catalogue_that_is_not_made_yet_is_waited_for(config: Path, seen: Event) -> None:
    path = config.parent / "storage/nvr.db"
    with waiting_for_a_new_one(config) as process:
        upgrade(path)
        with Catalogue.open(path) as catalogue:
            catalogue.open_event(seen)
        assert told(process) == ("begin", 1)


def test_it_ends_when_told_to_while_there_is_no_catalogue(config: Path) -> None:
    with waiting_for_a_new_one(config) as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0


def test_a_catalogue_that_cannot_be_used_for_long_is_told_of_once(config: Path, seen: Event) -> None:
    path = config.parent / "storage/nvr.db"
    with waiting_for_a_new_one(config) as process:
        assert process.stderr is not None
        assert b"waiting for it" in process.stderr.readline()
        upgrade(path)
        with Catalogue.open(path) as catalogue:
            catalogue.open_event(seen)
        assert told(process) == ("begin", 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kind", "person"], "--kind: got"),
        (["--camera", "nobody"], "no camera named nobody"),
        (["--since", "soon"], "--since: got"),
    ],
)
def test_bad_usage_is_told(config: Path, arguments: list[str], said: str) -> None:
    done = nvr("events", "watch", *arguments, "--config", str(config))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_without_a_catalogue_it_says_so(config: Path) -> None:
    (config.parent / "storage/nvr.db").unlink()
    done = nvr("events", "watch", "--config", str(config))
    assert done.returncode == 1
    assert "no catalogue at" in done.stderr

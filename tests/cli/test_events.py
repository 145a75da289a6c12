"""``nvr events``."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.fakes.station import nvr

KEYS = ["id", "camera", "kind", "label", "start", "end", "score", "zones", "snapshot", "locked"]


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
    assert lines[0].split() == ["id", "start", "duration", "camera", "kind", "label", "score", "locked", "snapshot"]
    assert len(lines) == 3
    assert lines[1].split()[0] == "1"
    assert "\x1b" not in done.stdout


def test_no_event_is_no_line_of_output(config: Path) -> None:
    """A script counts lines: the word that there are none goes to the other stream."""
    done = nvr("events", "list", "--camera", "hik2", "--config", str(config))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("no events since ")


def test_one_event_is_shown_with_its_video(config: Path) -> None:
    done = nvr("events", "show", "1", "--config", str(config))
    assert "person at hik1" in done.stdout
    assert "a.mp4 at 240.0 s" in done.stdout
    shown = json.loads(nvr("events", "show", "1", "--json", "--config", str(config)).stdout)
    assert list(shown) == [*KEYS, "video"]
    assert shown["video"].endswith("a.mp4")


@pytest.mark.parametrize("command", ["show", "lock", "unlock"])
def test_an_event_that_is_not_there_is_one_line(config: Path, command: str) -> None:
    missing = nvr("events", command, "99", "--config", str(config))
    assert (missing.returncode, missing.stderr) == (1, "nvr: no event 99; see nvr events list\n")


def test_an_event_is_locked_and_unlocked(config: Path) -> None:
    def shown() -> tuple[bool, str]:
        found = nvr("events", "show", "1", "--config", str(config)).stdout
        rows = json.loads(nvr("events", "list", "--json", "--config", str(config)).stdout)
        return rows[0]["locked"], next(line.split()[1] for line in found.splitlines() if "locked" in line)

    assert shown() == (False, "no")
    done = nvr("events", "lock", "1", "--config", str(config))
    assert (
        done.stdout == "event 1 is locked: what there is of its video and picture is kept until nvr events unlock 1\n"
    )
    assert shown() == (True, "yes:")
    assert nvr("events", "unlock", "1", "--config", str(config)).returncode == 0
    assert shown() == (False, "no")


def test_an_event_with_a_number_beyond_every_id_is_one_line(config: Path) -> None:
    done = nvr("events", "show", "99999999999999999999", "--config", str(config))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


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

"""``nvr gaps`` and ``nvr why``."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import format_rfc3339, to_us
from nvr.model import Gap, Segment
from nvr.reason import Reason
from tests.fakes.station import nvr


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def past(tmp_path: Path, now: datetime) -> Path:
    """A configuration whose first camera was unreachable from 50 to 30 minutes ago, deleted from 90 to 60, and is off
    since 10; the second one has never been recorded."""
    path = tmp_path / "nvr.yaml"
    path.write_text("storage: storage\ncameras:\n  hik1: {url: 'rtsp://127.0.0.1:9/x'}\n  hik2: {host: 127.0.0.1}\n")
    storage = tmp_path / "storage"
    layout.write_durably(storage / layout.MARKER, b"9c1b1f52-7a53-4a3c-9f0e-000000000002\n")
    upgrade(storage / "nvr.db")

    def ago(minutes: float) -> datetime:
        return now - timedelta(minutes=minutes)

    def segment(start: float, end: float) -> Segment:
        path = layout.segment_path("hik1", ago(start))
        return Segment("hik1", "run", path, ago(start), ago(end), 1_000_000, 7500, "h264", 1920, 1080)

    with Catalogue.open(storage / "nvr.db") as catalogue:
        catalogue.add_camera("hik1", ago(100))
        for start, end in ((100, 90), (60, 50), (30, 10)):
            catalogue.add_segment(segment(start, end))
        doomed = [segment(90, 75), segment(75, 60)]
        for one in doomed:
            catalogue.add_segment(one)
        catalogue.mark_deleting(doomed, "continuous 1h", now)
        catalogue.drop_segments(one.path for one in doomed)
        catalogue.put_gap(Gap("a", "hik1", ago(50), Reason.UNREACHABLE, "no route to host", ago(30)))
        catalogue.put_gap(Gap("b", "hik1", ago(10), Reason.OFF))
        catalogue.add_camera("gone", ago(90))
    return path


def listed(config: Path, *options: str) -> list[dict[str, Any]]:
    done = nvr("gaps", "--json", "--config", str(config), *options)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def why(config: Path, at: str, camera: str = "hik1") -> dict[str, Any]:
    done = nvr("why", "--camera", camera, "--at", at, "--json", "--config", str(config))
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_gaps_are_listed_with_the_stable_keys(past: Path, now: datetime) -> None:
    deleted, unreachable = listed(past)
    assert list(unreachable) == ["camera", "kind", "start", "end", "duration", "reason", "meaning", "detail"]
    assert (unreachable["camera"], unreachable["kind"], unreachable["reason"]) == ("hik1", "gap", "unreachable")
    assert unreachable["start"] == format_rfc3339(now - timedelta(minutes=50))
    assert unreachable["end"] == format_rfc3339(now - timedelta(minutes=30))
    assert unreachable["duration"] == 1200.0
    assert unreachable["meaning"] == Reason.UNREACHABLE.meaning
    assert unreachable["detail"] == "no route to host"
    assert (deleted["reason"], deleted["duration"]) == ("deleted", 1800.0)
    assert deleted["detail"].startswith("continuous 1h, ")


def test_all_shows_what_was_not_scheduled_too(past: Path) -> None:
    rows = [row for row in listed(past, "--all") if row["camera"] == "hik1"]
    assert [(row["kind"], row["reason"]) for row in rows] == [
        ("not scheduled", None),
        ("gap", "deleted"),
        ("gap", "unreachable"),
        ("not scheduled", "off"),
    ]
    assert rows[-1]["end"] is None
    assert [row["camera"] for row in listed(past, "--all", "--camera", "hik2")] == ["hik2"]


@pytest.mark.parametrize(
    ("options", "reasons"),
    [
        (["--since", "45m"], ["unreachable"]),
        (["--until", "55m"], ["deleted"]),
        (["--limit", "1"], ["deleted"]),
        (["--since", "9m"], []),
    ],
)
def test_gaps_are_chosen_by_span_and_limit(past: Path, options: list[str], reasons: list[str]) -> None:
    assert [row["reason"] for row in listed(past, *options)] == reasons


def test_a_listing_into_a_pipe_gives_the_reason_in_words(past: Path) -> None:
    done = nvr("gaps", "--config", str(past))
    header, _, line = done.stdout.splitlines()
    assert header.split() == ["camera", "start", "duration", "reason"]
    assert line.endswith("20m 0s    the camera could not be reached (no route to host)")
    assert "hik2: never recorded" in done.stderr


def test_no_gap_is_said(past: Path) -> None:
    done = nvr("gaps", "--since", "9m", "--camera", "hik1", "--config", str(past))
    assert (done.returncode, done.stdout) == (0, "")
    assert "no gaps since" in done.stderr


def test_a_span_to_come_is_said_to_be(past: Path, now: datetime) -> None:
    since = format_rfc3339(now + timedelta(hours=5))
    done = nvr("gaps", "--since", since, "--config", str(past))
    assert (done.returncode, done.stdout) == (0, "")
    assert "is still to come" in done.stderr


def test_an_unknown_camera_is_bad_usage_but_not_one_of_former_days(past: Path) -> None:
    for command in (["gaps"], ["why", "--at", "1h"]):
        done = nvr(*command, "--camera", "nobody", "--config", str(past))
        assert (done.returncode, done.stdout) == (2, "")
        assert "no camera named nobody in the configuration; there are: hik1, hik2" in done.stderr
    assert {row["reason"] for row in listed(past, "--camera", "gone")} == {"unknown"}


def test_a_recorded_moment_names_its_file_and_second(past: Path, now: datetime) -> None:
    answer = why(past, format_rfc3339(now - timedelta(minutes=20)))
    assert (answer["kind"], answer["reason"]) == ("recorded", None)
    file = layout.segment_path("hik1", now - timedelta(minutes=30))
    assert (answer["file"], answer["offset"]) == (str(past.parent / "storage" / file), 600.0)
    assert answer["start"] == format_rfc3339(now - timedelta(minutes=30))
    assert answer["before"]["reason"] == "unreachable"
    assert answer["after"]["reason"] == "off"


def test_a_missing_moment_has_its_reason_span_and_neighbours(past: Path, now: datetime) -> None:
    answer = why(past, "40m")
    assert (answer["kind"], answer["reason"], answer["detail"]) == ("gap", "unreachable", "no route to host")
    assert answer["meaning"] == "the camera could not be reached"
    assert (answer["file"], answer["duration"]) == (None, 1200.0)
    assert (answer["before"]["kind"], answer["after"]["kind"]) == ("recorded", "recorded")
    done = nvr("why", "--camera", "hik1", "--at", "40m", "--config", str(past))
    first, *others = done.stdout.splitlines()
    assert first.startswith("hik1 at ")
    assert first.endswith(": no video, because the camera could not be reached (no route to host)")
    assert [line.split()[0] for line in others] == ["from", "until", "before", "after"]
    assert others[1].endswith("(20m 0s)")


def test_a_deleted_moment_names_the_rule_and_when(past: Path, now: datetime) -> None:
    answer = why(past, "70m")
    assert answer["reason"] == "deleted"
    assert answer["detail"] == f"continuous 1h, {now:%Y-%m-%dT%H:%M:%SZ}"


def test_a_moment_in_a_gap_that_lasts_has_no_end(past: Path) -> None:
    answer = why(past, "5m")
    assert (answer["kind"], answer["reason"], answer["end"]) == ("not scheduled", "off", None)
    done = nvr("why", "--camera", "hik1", "--at", "5m", "--config", str(past))
    assert "not scheduled: the configuration says not to record this camera" in done.stdout
    assert "until     now (" in done.stdout


def test_a_moment_in_the_file_being_written_is_found(past: Path, now: datetime) -> None:
    start = now - timedelta(minutes=2)
    path = layout.segment_path("hik1", start)
    part = past.parent / "storage" / path.with_name(f"{path.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(b"x")
    os.utime(part, ns=(to_us(now) * 1000,) * 2)
    answer = why(past, format_rfc3339(now - timedelta(minutes=1)))
    assert (answer["kind"], answer["file"]) == ("recorded", str(part))
    assert answer["offset"] == pytest.approx(60, abs=0.001)
    done = nvr("why", "--camera", "hik1", "--at", "1m", "--config", str(past))
    assert "(still being written)" in done.stdout


def test_a_moment_to_come_is_said_to_be(past: Path, now: datetime) -> None:
    at = format_rfc3339(now + timedelta(hours=2))
    assert why(past, at)["kind"] == "to come"
    done = nvr("why", "--camera", "hik1", "--at", at, "--config", str(past))
    assert done.returncode == 0
    assert "still to come; it is" in done.stdout
    assert '--at "yesterday 14:03"' in done.stdout


def test_a_moment_before_the_camera_was_known_is_said_to_be(past: Path) -> None:
    done = nvr("why", "--camera", "hik1", "--at", "3h", "--config", str(past))
    assert "not scheduled: nvr did not know this camera yet" in done.stdout
    assert why(past, "0001-01-01T00:00:00Z")["kind"] == "not scheduled"


def test_a_camera_without_any_row_was_never_recorded(past: Path) -> None:
    done = nvr("why", "--camera", "hik2", "--at", "1h", "--config", str(past))
    assert done.stdout.splitlines()[0].endswith(": never recorded")
    assert why(past, "1h", "hik2")["kind"] == "not scheduled"


def test_a_time_that_is_none_is_bad_usage(past: Path) -> None:
    done = nvr("why", "--camera", "hik1", "--at", "soon", "--config", str(past))
    assert done.returncode == 2
    assert '--at: got "soon", want a time such as' in done.stderr


def test_without_a_catalogue_one_is_told_how_to_get_it(past: Path) -> None:
    (past.parent / "storage/nvr.db").unlink()
    done = nvr("gaps", "--config", str(past))
    assert done.returncode == 1
    assert "no catalogue at" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2025-10-26T02:30:00", "give 2025-10-26T02:30:00+02:00 or 2025-10-26T02:30:00+01:00"),
        ("2026-03-29T02:30:00", "which never was"),
    ],
)
def test_a_time_that_came_twice_or_never_is_refused_with_what_to_give(past: Path, text: str, message: str) -> None:
    done = nvr("why", "--camera", "hik1", "--at", text, "--config", str(past), env={"TZ": "Europe/Berlin"})
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr

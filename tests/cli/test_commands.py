"""The commands as a user types them: output, exit codes, and what bad input gets."""

from __future__ import annotations

import json
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.model import Event, Segment
from tests.fakes.clip import Clip, speak
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.fakes.station import nvr


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=250_000)


@pytest.fixture
def config(tmp_path: Path, now: datetime) -> Path:
    """A configuration with a catalogue of two events and a segment."""
    path = tmp_path / "nvr.yaml"
    path.write_text("storage: storage\ncameras:\n  hik1: {url: 'rtsp://127.0.0.1:9/x'}\n")
    (tmp_path / "storage").mkdir()
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


def test_events_are_listed_newest_first_with_the_stable_keys(config: Path, now: datetime) -> None:
    done = nvr("events", "list", "--since", "1h", "--json", "--config", str(config))
    rows = json.loads(done.stdout)
    assert list(rows[0]) == ["id", "camera", "kind", "label", "start", "end", "score", "zones", "snapshot"]
    assert [row["label"] for row in rows] == ["person", "motion"]
    assert rows[0]["snapshot"] == str(config.parent / "storage/snapshots/hik1/b.jpg")
    assert rows[0]["end"] == now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert rows[1]["end"] is None


@pytest.mark.parametrize(
    ("filters", "labels"),
    [
        (["--label", "person"], ["person"]),
        (["--kind", "motion"], ["motion"]),
        (["--limit", "1"], ["person"]),
        (["--since", "30s"], ["person", "motion"]),
        (["--until", "2m"], ["motion"]),
        (["--camera", "hik1"], ["person", "motion"]),
    ],
)
def test_events_are_narrowed(config: Path, filters: list[str], labels: list[str]) -> None:
    done = nvr("events", "list", *filters, "--json", "--config", str(config))
    assert [row["label"] for row in json.loads(done.stdout)] == labels


def test_a_listing_into_a_pipe_is_not_decorated(config: Path) -> None:
    done = nvr("events", "list", "--config", str(config))
    lines = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["id", "start", "duration"]
    assert len(lines) == 3
    assert done.stdout.isascii() or "…" in done.stdout
    assert "\x1b" not in done.stdout


def test_one_event_is_shown_with_its_video(config: Path) -> None:
    done = nvr("events", "show", "1", "--config", str(config))
    assert "person at hik1" in done.stdout
    assert "a.mp4 at 240.0 s" in done.stdout
    shown = json.loads(nvr("events", "show", "1", "--json", "--config", str(config)).stdout)
    assert shown["video"].endswith("a.mp4")
    missing = nvr("events", "show", "99", "--config", str(config))
    assert (missing.returncode, missing.stderr.strip()) == (1, "nvr: no event 99; see nvr events list")


def test_segments_are_listed_with_the_stable_keys(config: Path) -> None:
    (row,) = json.loads(nvr("segments", "list", "--json", "--config", str(config)).stdout)
    wanted = ["camera", "path", "start", "end", "duration", "bytes", "codec", "width", "height", "state"]
    assert list(row) == wanted
    assert row["duration"] == 300.0
    assert "1920x1080" in nvr("segments", "list", "--config", str(config)).stdout


def test_status_works_while_nothing_runs(config: Path) -> None:
    report = json.loads(nvr("status", "--json", "--config", str(config)).stdout)
    (row,) = report["cameras"]
    assert {"camera", "state", "fps", "bitrate", "frame_age", "dropped", "segments", "restarts", "last_error"} <= set(
        row
    )
    assert (row["state"], row["segments"]) == ("stopped", 1)
    assert {"disk", "processes"} <= set(report)
    assert "not running" in nvr("status", "--config", str(config)).stdout


def test_cameras_are_listed_without_their_password(tmp_path: Path) -> None:
    path = tmp_path / "nvr.yaml"
    path.write_text("cameras:\n  hik1: {host: 127.0.0.1, username: viewer, password: hunter2}\n")
    done = nvr("cameras", "list", "--json", "--config", str(path))
    (row,) = json.loads(done.stdout)
    assert row["main"] == "rtsp://127.0.0.1:554/Streaming/Channels/101"
    assert "hunter2" not in done.stdout


def test_a_camera_is_tested_with_one_login(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=8, speed=4), username="viewer", password="hunter2") as camera:
        path = tmp_path / "nvr.yaml"
        path.write_text(f"cameras:\n  hik1: {{url: '{camera.url}', username: viewer, password: hunter2}}\n")
        done = nvr("cameras", "test", "hik1", "--seconds", "1", "--json", "--config", str(path))
        main = json.loads(done.stdout)["streams"]["main"]
        assert (main["codec"], main["width"], main["login"]) == ("h264", 320, "Digest")
        path.write_text(f"cameras:\n  hik1: {{url: '{camera.url}', username: viewer, password: wrong}}\n")
        done = nvr("cameras", "test", "hik1", "--config", str(path))
        assert done.returncode == 1
        assert "refused the login" in done.stderr
        assert sum(request.is_refused_login for request in camera.requests) == 1


@pytest.mark.parametrize(
    ("script", "message"),
    [(Script(describe_status=404), "no such channel"), (Script(audio=speak("pcm_mulaw", 1)), "without video")],
)
def test_what_is_wrong_with_a_camera_is_one_line(tmp_path: Path, script: Script, message: str) -> None:
    with ScriptedCamera(script) as camera:
        path = tmp_path / "nvr.yaml"
        path.write_text(f"cameras:\n  hik1: {{url: '{camera.url}'}}\n")
        done = nvr("cameras", "test", "hik1", "--config", str(path))
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_unreachable_camera_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    path = tmp_path / "nvr.yaml"
    path.write_text(f"cameras:\n  hik1: {{host: 127.0.0.1, port: {port}}}\n")
    done = nvr("cameras", "test", "hik1", "--config", str(path))
    assert done.returncode == 1
    assert "cannot reach 127.0.0.1" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cameras:\n  hik1: {host: a, pasword: hunter2}\n", "nvr.yaml:2: cameras.hik1.pasword"),
        ("retention: {continuous: 7 days}\ncameras:\n  hik1: {host: a}\n", 'got "7 days", want a duration'),
        ("cameras:\n  hik1: {host: a, username: u, password: {env: NO_SUCH_SECRET}}\n", "NO_SUCH_SECRET"),
        ("cameras:\n  hik1: {host: a}\n  hik1: {host: b}\n", "hik1"),
        ("cameras:\n  hik1: {url: missing.mp4}\n", "missing.mp4"),
    ],
)
def test_the_configuration_is_checked_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "nvr.yaml"
    path.write_text(text)
    done = nvr("config", "check", "--config", str(path))
    assert done.returncode == 2
    assert message in done.stderr
    assert "nvr.yaml:" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_the_schema_is_json(tmp_path: Path) -> None:
    assert "cameras" in json.loads(nvr("config", "schema").stdout)["properties"]


def test_a_database_from_a_newer_version_is_refused(config: Path) -> None:
    database = sqlite3.connect(config.parent / "storage/nvr.db")
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.commit()
    database.close()
    for command in (["events", "list"], ["db", "upgrade"]):
        done = nvr(*command, "--config", str(config))
        assert done.returncode == 1
        assert "9999" in done.stderr
        assert "newer version" in done.stderr


def test_a_catalogue_is_made_and_told(tmp_path: Path) -> None:
    path = tmp_path / "nvr.yaml"
    path.write_text("cameras:\n  hik1: {host: 127.0.0.1}\n")
    (tmp_path / "storage").mkdir()
    assert "no catalogue yet" in nvr("db", "current", "--config", str(path)).stdout
    missing = nvr("events", "list", "--config", str(path))
    assert (missing.returncode, "nvr db upgrade" in missing.stderr) == (1, True)
    assert "new → 0001" in nvr("db", "upgrade", "--config", str(path)).stdout
    assert nvr("events", "list", "--config", str(path)).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["events", "list", "--since", "soon"], "--since"),
        (["events", "list", "--kind", "person"], "--kind"),
        (["events", "list", "--camera", "nobody"], "no camera named nobody"),
        (["events", "list", "--since", "1h", "--until", "2h"], "not after"),
        (["frobnicate"], "No such command"),
    ],
)
def test_bad_usage_is_exit_code_2(config: Path, arguments: list[str], message: str) -> None:
    options = ["--config", str(config)] if arguments[0] == "events" else []
    done = nvr(*arguments, *options)
    assert done.returncode == 2
    assert message in done.stderr


def test_help_and_version() -> None:
    assert "events" in nvr("--help").stdout
    assert nvr("--version").stdout.startswith("nvr 0.")

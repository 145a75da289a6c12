"""``nvr export``."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import format_rfc3339
from nvr.model import Event, Gap
from nvr.reason import Reason
from tests.cli.conftest import Configure
from tests.fakes.archive import FRAME, Archive, shown
from tests.fakes.station import Station, nvr, wait_for


@pytest.fixture
def begin(now: datetime) -> datetime:
    """When the recorded past of ``recorded`` begins."""
    return now - timedelta(minutes=10)


@pytest.fixture
def recorded(tmp_path: Path, configure: Configure, clip_h264: Path, begin: datetime) -> Path:
    """A configuration whose camera was recorded for 2 s, was unreachable for 3 s, and was recorded again for 2 s."""
    config = configure("{url: 'rtsp://127.0.0.1:9/x', detect: off}")
    storage = tmp_path / "storage"
    layout.prepare(storage)
    upgrade(storage / "nvr.db")
    archive = Archive(storage, clip_h264)
    with Catalogue.open(storage / "nvr.db") as catalogue:
        catalogue.add_segment(archive.add(0, 50, at=begin))
        catalogue.add_segment(archive.add(50, 100, at=begin + 125 * FRAME, run="run-2"))
        end = begin + 125 * FRAME
        catalogue.put_gap(Gap("g", "hik1", begin + 50 * FRAME, Reason.UNREACHABLE, "no answer", end))
    return config


def export(config: Path, since: datetime | str, until: datetime | str, *arguments: str) -> Any:
    texts = [at if isinstance(at, str) else format_rfc3339(at) for at in (since, until)]
    span = ["--camera", "hik1", "--from", texts[0], "--to", texts[1]]
    return nvr("export", *span, "-o", str(config.parent / "out.mp4"), *arguments, "--config", str(config))


def test_a_clip_is_told_with_its_gaps(recorded: Path, begin: datetime) -> None:
    done = export(recorded, begin, begin + 175 * FRAME, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert list(told) == ["camera", "from", "to", "start", "end", "bytes", "files", "gaps", "notes"]
    assert (told["start"], told["end"]) == (format_rfc3339(begin), format_rfc3339(begin + 175 * FRAME))
    (gap,) = told["gaps"]
    assert (gap["duration"], gap["reason"], gap["detail"]) == (3.0, "unreachable", "no answer")
    assert gap["start"] == format_rfc3339(begin + 50 * FRAME)
    (file,) = told["files"]
    assert (file["packets"], file["bytes"]) == (100, told["bytes"])
    assert [picture.number for picture in shown(Path(file["path"]))] == list(range(100))


def test_a_clip_is_told_in_words(recorded: Path, begin: datetime) -> None:
    done = export(recorded, begin, begin + 175 * FRAME)
    first, second = done.stdout.splitlines()
    assert "out.mp4: " in first
    assert "(7.0s, 0.0 MB)" in first
    assert second.endswith("for 3.0s: the camera could not be reached (no answer)")
    assert done.stderr == ""


def test_nothing_recorded_says_why(recorded: Path, begin: datetime) -> None:
    done = export(recorded, begin + 60 * FRAME, begin + 100 * FRAME)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing of hik1 was recorded from" in done.stderr
    assert "for 1.6s: the camera could not be reached (no answer)" in done.stderr
    assert not list(recorded.parent.glob("out*"))


def test_a_file_that_is_there_is_replaced_only_by_force(recorded: Path, begin: datetime) -> None:
    clip = recorded.parent / "out.mp4"
    clip.write_bytes(b"mine")
    done = export(recorded, begin, begin + 50 * FRAME)
    assert (done.returncode, clip.read_bytes()) == (1, b"mine")
    assert "is there already" in done.stderr
    assert export(recorded, begin, begin + 50 * FRAME, "--force").returncode == 0
    assert clip.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--camera", "nobody", "--from", "10m", "--to", "5m"], "no camera named nobody"),
        (["--camera", "hik1", "--from", "5m", "--to", "10m"], "is not after --from"),
        (["--camera", "hik1", "--from", "5m", "--to", "5m"], "is not after --from"),
        (["--camera", "hik1", "--from", "5m", "--to", "2199-01-01T00:00:00Z"], "is still to come"),
        (["--camera", "hik1", "--from", "noon", "--to", "5m"], '--from: got "noon"'),
    ],
)
def test_bad_usage_is_told(recorded: Path, arguments: list[str], said: str) -> None:
    done = nvr("export", *arguments, "-o", str(recorded.parent / "clip.mp4"), "--config", str(recorded))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "output", [".", "", "storage/segments/hik1/clip.mp4", "storage/snapshots/clip.mp4", "storage/samples/clip.mp4"]
)
def test_no_clip_goes_to_a_folder_or_among_the_recordings(recorded: Path, begin: datetime, output: str) -> None:
    ages = ["--from", format_rfc3339(begin), "--to", format_rfc3339(begin + 50 * FRAME)]
    words = ["--camera", "hik1", *ages, "-o", output, "--force", "--config", str(recorded)]
    done = nvr("export", *words, cwd=recorded.parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("nvr: --output: ")


def happen(config: Path, start: datetime, end: datetime | None, camera: str = "hik1") -> int:
    """An event of the past, with rolls of a second."""
    with config.open("a") as file:
        file.write("retention: {pre_roll: 1s, post_roll: 1s, min_free: 1B}\n")
    with Catalogue.open(config.parent / "storage/nvr.db") as catalogue:
        return catalogue.open_event(Event(camera, "object", "Traffic Light", start, start, end))


def export_event(config: Path, *arguments: str) -> Any:
    return nvr("events", "export", *arguments, "--config", str(config), cwd=config.parent)


def test_the_clip_of_an_event_has_what_is_before_and_after_it(recorded: Path, begin: datetime) -> None:
    id = happen(recorded, begin + 26 * FRAME, begin + 30 * FRAME)
    done = export_event(recorded, str(id), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["from"], told["to"]) == (format_rfc3339(begin + FRAME), format_rfc3339(begin + 55 * FRAME))
    (file,) = told["files"]
    day, time = layout.stamp(begin + 26 * FRAME)
    assert Path(file["path"]).name == f"hik1_{day}_{time}_traffic-light_{id}.mp4"
    numbers = [picture.number for picture in shown(recorded.parent / file["path"])]
    assert numbers == list(range(50)), "from the key frame before the roll up to where the camera was lost"
    (gap,) = told["gaps"]
    assert gap["reason"] == "unreachable"


def test_an_event_alone_is_exported_without_roll(recorded: Path, begin: datetime) -> None:
    id = happen(recorded, begin + 26 * FRAME, begin + 56 * FRAME)
    done = export_event(recorded, str(id), "--no-roll", "-o", "alone")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("alone.mp4: ")
    assert second.endswith("for 0.2s: the camera could not be reached (no answer)")
    assert [picture.number for picture in shown(recorded.parent / "alone.mp4")] == list(range(25, 50))


def test_a_clip_of_an_event_replaces_nothing(recorded: Path, begin: datetime) -> None:
    id = happen(recorded, begin + 26 * FRAME, begin + 30 * FRAME)
    (recorded.parent / "mine.mp4").write_bytes(b"mine")
    done = export_event(recorded, str(id), "-o", "mine.mp4")
    assert (done.returncode, (recorded.parent / "mine.mp4").read_bytes()) == (1, b"mine")
    assert "is there already" in done.stderr
    assert export_event(recorded, str(id), "-o", "mine.mp4", "--force").returncode == 0


def test_an_event_that_lasts_is_exported_up_to_now(recorded: Path, begin: datetime) -> None:
    id = happen(recorded, begin + 26 * FRAME, None)
    told = json.loads(export_event(recorded, str(id), "--json").stdout)
    assert told["from"] == format_rfc3339(begin + FRAME)
    assert told["to"] > format_rfc3339(begin + timedelta(minutes=9))
    (file,) = told["files"]
    assert file["packets"] == 100


def test_an_event_without_video_says_why_and_one_that_is_not_there_too(recorded: Path, begin: datetime) -> None:
    id = happen(recorded, begin + 80 * FRAME, begin + 90 * FRAME)
    done = export_event(recorded, str(id))
    assert (done.returncode, done.stdout) == (1, "")
    assert "the camera could not be reached (no answer)" in done.stderr
    missing = export_event(recorded, "99")
    assert (missing.returncode, missing.stderr) == (1, "nvr: no event 99; see nvr events list\n")
    assert not list(recorded.parent.glob("*.mp4"))


def test_a_clip_of_what_is_being_recorded(looped: Path) -> None:
    """While ``nvr start`` runs: over closed segments into the one being written."""
    with Station(looped) as station:
        wait_for(lambda: len(station.files("*.mp4")) >= 1, "a second segment")
        wait_for(lambda: any(part.stat().st_size > 15_000 for part in station.files("*.part")), "seconds of it")
        done = export(looped, "60s", "0s", "--json")
        assert station.stop() == 0
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    (file,) = told["files"]
    numbers = [picture.number for picture in shown(Path(file["path"]))]
    assert numbers == [number % 100 for number in range(len(numbers))], "the looped film, no picture left out"
    assert told["files"][0]["duration"] == pytest.approx(len(numbers) / 25, abs=0.1)
    assert len(numbers) > 150

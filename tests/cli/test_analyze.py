"""``nvr analyze``, as a user runs it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import format_rfc3339
from nvr.model import Gap, Segment
from nvr.reanalysis import FOUND_LATER
from nvr.reason import Reason
from tests.fakes.archive import FRAME, Archive
from tests.fakes.clip import write
from tests.fakes.station import COMMAND, ROOT, WAIT_S, Station, nvr, wait_for

DETECT = "{mode: motion}"
END = 500
"""Pictures of the recorded past, 20 s; 5 s in the middle are missing."""


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 s of a square that moves to and fro."""
    return write(tmp_path_factory.mktemp("tape") / "tape.mp4", frames=END)


@pytest.fixture
def begin(now: datetime) -> datetime:
    """When the recorded past begins."""
    return now - timedelta(minutes=10)


def configured(folder: Path, detect: str, name: str = "nvr.yaml", camera: str = "hik1") -> Path:
    path = folder / name
    path.write_text(f"storage: storage\ncameras:\n  {camera}:\n    url: rtsp://127.0.0.1:9/x\n    detect: {detect}\n")
    return path


def record(folder: Path, tape: Path, begin: datetime, parts: list[tuple[int, int]]) -> list[Segment]:
    """A storage folder with segments of a tape, and their rows."""
    storage = folder / "storage"
    layout.prepare(storage)
    upgrade(storage / "nvr.db")
    archive = Archive(storage, tape)
    segments = [archive.add(first, end, at=begin + first * FRAME, run=f"run-{first}") for first, end in parts]
    with Catalogue.open(storage / "nvr.db") as catalogue:
        for segment in segments:
            catalogue.add_segment(segment)
    return segments


@pytest.fixture
def segments(tmp_path: Path, tape: Path, begin: datetime) -> list[Segment]:
    segments = record(tmp_path, tape, begin, [(0, 125), (125, 250), (375, END)])
    gap = Gap("g", "hik1", begin + 250 * FRAME, Reason.UNREACHABLE, "no answer", begin + 375 * FRAME)
    with Catalogue.open(tmp_path / "storage/nvr.db") as catalogue:
        catalogue.put_gap(gap)
    return segments


@pytest.fixture
def recorded(tmp_path: Path, segments: list[Segment]) -> Path:
    """The configuration of a camera with a recorded past and no events."""
    return configured(tmp_path, DETECT)


Analyze = Callable[..., Any]


@pytest.fixture
def analyze(tmp_path: Path, begin: datetime) -> Analyze:
    """The finished command: ``analyze("--json")``."""

    def run(*arguments: str, first: int = 0, end: int = END) -> Any:
        span = ["--from", format_rfc3339(begin + first * FRAME), "--to", format_rfc3339(begin + end * FRAME)]
        return nvr("analyze", "--camera", "hik1", *span, *arguments, cwd=tmp_path)

    return run


def told(done: Any) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_what_would_be_new_is_told_with_its_picture_and_the_gap(recorded: Path, analyze: Analyze) -> None:
    done = analyze("--save", "new")
    assert done.returncode == 0, done.stderr
    header, first, second, counts = done.stdout.splitlines()
    assert header.split() == ["event", "start", "duration", "label", "score", "zones", "differs", "snapshot"]
    pictures = sorted((recorded.parent / "new").iterdir())
    assert len(pictures) == 2
    for line, picture in zip((first, second), pictures, strict=True):
        assert line.startswith("only now  -")
        assert line.endswith(f"new/{picture.name}")
        assert picture.read_bytes().startswith(b"\xff\xd8")
        assert picture.name.startswith("hik1_")
    assert counts.startswith("0 same, 0 different, 2 only now, 0 only then; 15.0s of footage in ")
    assert counts.endswith(" × real time")
    assert "for 5.0s: the camera could not be reached (no answer)" in done.stderr


def test_it_is_told_to_machines(recorded: Path, analyze: Analyze, begin: datetime) -> None:
    report = told(analyze("--json"))
    assert list(report) == [
        *("camera", "from", "to", "reached", "footage", "seconds", "looks", "detections", "counts", "events"),
        *("gaps", "notes"),
    ]
    assert (report["reached"], report["footage"], report["looks"]) == (report["to"], 15.0, 75)
    assert report["counts"] == {"same": 0, "different": 0, "only now": 2, "only then": 0}
    event = report["events"][0]
    assert (event["what"], event["differs"], event["then"]) == ("only now", [], None)
    assert (event["now"]["label"], event["now"]["id"], event["now"]["snapshot"]) == ("motion", None, None)
    (gap,) = report["gaps"]
    assert (gap["start"], gap["duration"]) == (format_rfc3339(begin + 250 * FRAME), 5.0)
    assert nvr("events", "list", "--since", "1h", "--json", cwd=recorded.parent).stdout == "[]\n", "nothing is stored"


def test_what_was_stored_is_the_same_again(recorded: Path, analyze: Analyze) -> None:
    first = told(analyze("--store", "--json"))
    assert [event["now"]["id"] for event in first["events"]] == [1, 2]
    again = told(analyze("--store", "--json"))
    assert again["counts"] == {"same": 2, "different": 0, "only now": 0, "only then": 0}
    rows = json.loads(nvr("events", "list", "--since", "1h", "--json", cwd=recorded.parent).stdout)
    assert [row["detail"] for row in rows] == [FOUND_LATER] * 2
    assert all(Path(row["snapshot"]).is_file() for row in rows)


def test_other_rules_are_tried(recorded: Path, analyze: Analyze) -> None:
    told(analyze("--store", "--json"))
    configured(recorded.parent, "{mode: motion, masks: [[[0, 0], [1, 0], [1, 1], [0, 1]]]}", "trial.yaml")
    gone = told(analyze("--rules", "trial.yaml", "--json"))
    assert gone["counts"] == {"same": 0, "different": 0, "only now": 0, "only then": 2}
    done = analyze("--rules", "trial.yaml")
    line = done.stdout.splitlines()[1]
    assert line.startswith("only then  1 ")
    assert "/snapshots/hik1/" in line


def test_a_damaged_file_in_the_middle_is_told_and_left_out(
    recorded: Path, segments: list[Segment], analyze: Analyze
) -> None:
    (recorded.parent / "storage" / segments[1].path).write_bytes(b"no video at all")
    done = analyze()
    assert done.returncode == 0, done.stderr
    assert f"nvr: {segments[1].path} is damaged (" in done.stderr
    assert "2 only now" in done.stdout


def test_where_every_file_is_damaged_nothing_is_compared(
    recorded: Path, segments: list[Segment], analyze: Analyze
) -> None:
    for segment in segments:
        (recorded.parent / "storage" / segment.path).unlink()
    done = analyze()
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing could be looked at: " in done.stderr


def test_without_footage_the_ledger_says_why(recorded: Path, analyze: Analyze) -> None:
    done = analyze(first=260, end=300)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing of hik1 was recorded from" in done.stderr
    assert "the camera could not be reached (no answer)" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--camera", "nobody", "--from", "9m", "--to", "5m"], 2, "no camera named nobody"),
        (["--camera", "hik1", "--from", "5m", "--to", "9m"], 2, "is not after --from"),
        (["--camera", "hik1", "--from", "noon", "--to", "9m"], 2, '--from: got "noon"'),
        (["--layout", "yolov8"], 2, "--layout goes with --model"),
        (["--model", "x.onnx"], 2, "hik1 has detect: motion, which needs no model"),
        (["--rules", "objects.yaml", "--model", "x.onnx"], 1, "x.onnx"),
        (["--rules", "objects.yaml", "--model", "x.onnx", "--layout", "tea"], 2, '--layout: got "tea", want one of'),
        (["--rules", "objects.yaml", "--labels", "unicorn"], 1, 'does not know the label "unicorn"'),
        (["--rules", "objects.yaml", "--labels", " ,"], 2, '--labels: got " ,"'),
        (["--rules", "off.yaml"], 2, "nothing is looked for at hik1 (detect: off)"),
        (["--rules", "other.yaml"], 2, "--rules other.yaml: no camera named hik1 in it; there are: door"),
        (["--rules", "wrong.yaml"], 2, "wrong.yaml:5: cameras.hik1.detect.zones.yard.points[1]: "),
        (["--rules", "gone.yaml"], 2, "gone.yaml"),
        (["--fps", "31"], 2, "--fps"),
        (["--min-score", "2"], 2, "--min-score"),
        (["--save", "storage/segments/x"], 2, "--save: storage/segments/x is among the recordings"),
        (["--save", "nvr.yaml"], 2, "--save: nvr.yaml cannot be made"),
    ],
)
def test_bad_usage_is_told(recorded: Path, begin: datetime, arguments: list[str], code: int, said: str) -> None:
    folder = recorded.parent
    configured(folder, "objects", "objects.yaml")
    configured(folder, "off", "off.yaml")
    configured(folder, "objects", "other.yaml", "door")
    configured(folder, "{zones: {yard: {points: [[0, 0], [2, 0], [1, 1]]}}}", "wrong.yaml")
    if "--camera" not in arguments:
        span = ["--from", format_rfc3339(begin), "--to", format_rfc3339(begin + END * FRAME)]
        arguments = ["--camera", "hik1", *span, *arguments]
    done = nvr("analyze", *arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_tells_what_was_found_so_far(tmp_path: Path, begin: datetime) -> None:
    """Four minutes in many files, which take some seconds."""
    tape = write(tmp_path / "tape.mp4", frames=6000)
    segments = record(tmp_path, tape, begin, [(first, first + 250) for first in range(0, 6000, 250)])
    later = {(tmp_path / "storage" / segment.path).resolve() for segment in segments[1:]}
    configured(tmp_path, DETECT)
    span = ["--from", format_rfc3339(begin), "--to", format_rfc3339(begin + 6000 * FRAME)]
    words = [*COMMAND, "analyze", "--camera", "hik1", *span, "--fps", "30", "--store", "--json"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}
    ) as process:
        wait_for(lambda: later & _open(process.pid) or process.poll() is not None, "a second file is read")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130, err
    report = json.loads(out)
    assert report["from"] <= report["reached"] < report["to"]
    assert [event["now"]["id"] for event in report["events"] if event["now"]] == [None] * len(report["events"])
    assert "Traceback" not in err


def _open(pid: int) -> set[Path]:
    """The files that a process has open."""
    found = set()
    with suppress(FileNotFoundError):  # it has ended
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed just now
                found.add(file.readlink())
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_people_are_found_again_and_other_rules_make_a_difference(
    tmp_path: Path, footage: Path, begin: datetime, analyze: Analyze
) -> None:
    segments = record(tmp_path, footage / "sub-h264.mkv", begin, [(0, 150), (150, 300), (300, 450)])
    configured(tmp_path, "{labels: [person]}")
    more = {"end": 450}
    stored = told(analyze("--store", "--json", **more))["counts"]["only now"]
    assert stored >= 4
    again = told(analyze("--json", **more))
    assert again["counts"] == {"same": stored, "different": 0, "only now": 0, "only then": 0}

    nowhere = "{labels: [person], zones: {sky: {points: [[0, 0], [0.05, 0], [0, 0.05]]}}, required: [sky]}"
    configured(tmp_path, nowhere, "nowhere.yaml")
    gone = told(analyze("--rules", "nowhere.yaml", "--json", **more))
    assert gone["counts"] == {"same": 0, "different": 0, "only now": 0, "only then": stored}

    yard = "{labels: [person], zones: {yard: {points: [[0, 0], [1, 0], [1, 1], [0, 1]]}}}"
    configured(tmp_path, yard, "yard.yaml")
    zoned = told(analyze("--rules", "yard.yaml", "--json", **more))
    assert zoned["counts"] == {"same": 0, "different": stored, "only now": 0, "only then": 0}
    assert {tuple(event["differs"]) for event in zoned["events"]} == {("zones",)}

    sure = told(analyze("--min-score", "0.85", "--json", **more))
    assert sure["counts"]["same"] < stored
    assert sure["counts"]["only then"] > 0

    (tmp_path / "storage" / segments[1].path).write_bytes(b"no video at all")
    holed = told(analyze("--json", **more))
    assert [str(segments[1].path) in note for note in holed["notes"]] == [True]
    assert holed["counts"]["only then"] < stored


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_was_seen_live_is_seen_again(tmp_path: Path, footage: Path) -> None:
    """One stream, recorded and looked at. A busy machine looks live less often, so not every event is the same."""
    config = tmp_path / "nvr.yaml"
    config.write_text(
        "storage: storage\nrecording: {segment: 5s}\nretention: {min_free: 1B}\ncameras:\n"
        f"  hik1: {{url: {footage / 'sub-h264.mkv'}, detect: {{labels: [person]}}}}\n"
    )
    with Station(config) as station:
        wait_for(lambda: len(station.files("*.mp4")) >= 4, "20 s of footage")
        while_it_runs = nvr("analyze", "--camera", "hik1", "--from", "10m", "--to", "0s", "--json", cwd=tmp_path)
        assert station.stop() == 0
    report = told(while_it_runs)
    assert report["footage"] > 19
    counts = report["counts"]
    then = counts["same"] + counts["different"] + counts["only then"]
    assert then >= 3
    assert counts["same"] + counts["different"] >= 0.7 * then
    assert counts["same"] > 0

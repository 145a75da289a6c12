"""How a re-analysis is told."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from nvr.analysis.comparison import Difference, Match
from nvr.analysis.sight import Sight
from nvr.analysis.story import Story
from nvr.cli.comparison import HEADER, print_found
from nvr.cli.trial import Found
from nvr.clock import EPOCH
from nvr.ledger import Entry
from nvr.model import Event
from nvr.reanalysis import Order, Outcome
from nvr.reason import Reason

STORAGE = Path("/recordings")


def story(start: int, label: str = "person", id: int | None = None, zones: tuple[str, ...] = ()) -> Story:
    begun = EPOCH + timedelta(seconds=start)
    end = begun + timedelta(seconds=10)
    snapshot = None if id is None else Path(f"snapshots/{id}.jpg")
    return Story(Event("hik1", "object", label, begun, end, end, 0.875, zones=zones, id=id, snapshot=snapshot))


def found(*matches: Match, stopped: bool = False, **more: object) -> Found:
    order = Order("hik1", EPOCH, EPOCH + timedelta(seconds=100), Sight(), timedelta(seconds=0.2))
    outcome = Outcome(order.until, looks=500, detections=7, notes=("a.mp4 is gone",), stopped=stopped)
    gap = Entry("gap", EPOCH + timedelta(seconds=50), EPOCH + timedelta(seconds=60), Reason.UNREACHABLE)
    span = timedelta(seconds=90), timedelta(seconds=9)
    return Found(order, outcome, list(matches), [gap], *span, **more)  # type: ignore[arg-type]


def shift(seconds: float) -> Difference:
    return Difference("start", EPOCH, EPOCH + timedelta(seconds=seconds))


MATCHES = (
    Match(story(1, id=3), story(1)),
    Match(story(2, id=4), story(12, "dog"), (Difference("label", "person", "dog"), shift(10), shift(-2.5))),
    Match(story(3, id=5), story(3), (Difference("zones", "", "yard,gate"),)),
    Match(None, story(4)),
    Match(story(5, id=6, zones=("yard",)), None),
)


def test_each_match_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_found(found(*MATCHES, pictures={3: Path("new/x.jpg")}), STORAGE, json=False)
    out, err = capsys.readouterr()
    header, *rows, counts = out.splitlines()
    assert header.split() == [each for each in HEADER if each]
    cells = [[cell.strip() for cell in row.split("  ") if cell.strip()] for row in rows]
    assert [(row[0], row[1], row[-2], row[-1]) for row in cells] == [
        ("same", "3", "-", "/recordings/snapshots/3.jpg"),
        ("different", "4", "label person → dog; start 10.0s later; start 2.5s earlier", "/recordings/snapshots/4.jpg"),
        ("different", "5", "zones none → yard,gate", "/recordings/snapshots/5.jpg"),
        ("only now", "-", "-", "new/x.jpg"),
        ("only then", "6", "-", "/recordings/snapshots/6.jpg"),
    ]
    assert cells[4][3:7] == ["10.0s", "person", "0.88", "yard"]
    assert counts == ("1 same, 2 different, 1 only now, 1 only then; 1m 30s of footage in 9.0s, 10.0 × real time")
    gap, note = err.splitlines()
    assert gap.startswith("nvr: no video from ")
    assert note == "nvr: a.mp4 is gone"


def test_nothing_is_said_to_be_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_found(found(), STORAGE, json=False)
    out, err = capsys.readouterr()
    assert out.startswith("0 same, 0 different, 0 only now, 0 only then; ")
    assert "no events, neither then nor now" in err


def test_what_was_stopped_and_stored_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    print_found(found(Match(None, story(4)), stored={0: 17}, stopped=True), STORAGE, json=False)
    out, err = capsys.readouterr()
    assert out.splitlines()[1].split()[:3] == ["only", "now", "17"]
    assert "1 only now, 0 only then, 1 stored; " in out
    assert "nvr: stopped: looked at up to 1970" in err


def test_machines_get_both_events(capsys: pytest.CaptureFixture[str]) -> None:
    print_found(found(*MATCHES, pictures={3: Path("new/x.jpg")}, stored={3: 17}), STORAGE, json=True)
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert err == ""
    assert [event["what"] for event in report["events"]] == [match.what for match in MATCHES]
    same, different, _, new, gone = report["events"]
    assert (same["then"]["id"], same["now"]["id"], same["differs"]) == (3, None, [])
    assert different["differs"] == ["label", "start", "start"]
    assert (new["then"], new["now"]["id"], new["now"]["snapshot"]) == (None, 17, "new/x.jpg")
    assert (gone["now"], gone["then"]["snapshot"]) == (None, "/recordings/snapshots/6.jpg")
    assert report["gaps"][0]["reason"] == "unreachable"
    assert (report["footage"], report["seconds"], report["notes"]) == (90.0, 9.0, ["a.mp4 is gone"])

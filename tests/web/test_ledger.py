"""The ledger over HTTP: recorded, gaps, what was not to be recorded, events, in one answer."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from nvr.model import Event, Gap, Segment
from nvr.reason import Reason
from tests.fakes.site import HOLE, Past, Site

SECOND = timedelta(seconds=1)


def at(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def test_a_span_is_recorded_missing_with_a_reason_or_not_to_be(site: Site, admin: httpx.Client, past: Past) -> None:
    hole = past.start + 10 * SECOND
    with site.writing() as catalogue:
        catalogue.put_gap(Gap("g", "hik1", hole, Reason.UNREACHABLE, "no answer", hole + HOLE))
    begin = past.start - 5 * SECOND
    answer = admin.get("ledger", params={"from": at(begin), "to": at(past.end), "camera": "hik1"}).json()
    [row] = answer["cameras"]
    assert (answer["from"], answer["to"]) == (
        begin.isoformat()[:19] + ".000000Z",
        past.end.isoformat()[:19] + ".000000Z",
    )
    assert row["camera"] == "hik1"
    assert row["recorded"] == [[5.0, 15.0], [22.0, 32.0]]
    assert row["gaps"] == [[15.0, 22.0, "unreachable", Reason.UNREACHABLE.meaning, "no answer"]]
    assert [(start, end) for start, end, _ in row["off"]] == [(0.0, 5.0)]
    assert row["events"] == [[past.event, 11.0, 13.0, 0, False]]
    assert answer["labels"] == ["person"]


def test_every_moment_is_told_of_once(admin: httpx.Client, past: Past) -> None:
    begin, end = past.start - 60 * SECOND, past.end + 60 * SECOND
    [row] = admin.get("ledger", params={"from": at(begin), "to": at(end), "camera": "hik1"}).json()["cameras"]
    spans = sorted((span[0], span[1]) for kind in ("recorded", "gaps", "off") for span in row[kind])
    assert spans[0][0] == 0
    assert spans[-1][1] == (end - begin) / SECOND
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]


def test_an_event_that_lasts_has_no_end_and_one_marked_false_is_left_out(
    site: Site, admin: httpx.Client, past: Past
) -> None:
    with site.writing() as catalogue:
        catalogue.mark_false(past.event, True)
        began = past.start + SECOND
        lasting = catalogue.open_event(Event("hik1", "motion", "motion", began, began))
    [row] = admin.get("ledger", params={"from": at(past.start), "camera": "hik1"}).json()["cameras"]
    assert row["events"] == [[lasting, 1.0, None, 0, False]]


def test_cameras_come_as_they_are_asked_for(site: Site, admin: httpx.Client) -> None:
    both = admin.get("ledger?from=1h&camera=hik2&camera=hik1").json()
    assert [row["camera"] for row in both["cameras"]] == ["hik2", "hik1"]
    assert [row["camera"] for row in admin.get("ledger?from=1h").json()["cameras"]] == ["hik1", "hik2"]


def test_a_long_answer_is_compressed(site: Site, admin: httpx.Client, past: Past) -> None:
    with site.writing() as catalogue:
        for number in range(200):
            began = past.start + number * SECOND / 100
            catalogue.open_event(Event("hik1", "object", "person", began, began, began + SECOND))
    answer = admin.get("ledger", params={"from": at(past.start), "to": at(past.end)})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.json()["cameras"][0]["events"]) == 201


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("from=yesterday", 422, "malformed"),
        ("from=", 422, "malformed"),
        ("", 422, "malformed"),
        ("from=2026-13-45T00:00:00Z", 422, "malformed"),
        ("from=0001-01-01T00:00:00Z", 422, "malformed"),
        ("from=9999-12-31T23:59:59Z", 422, "malformed"),
        ("from=1e400s", 422, "malformed"),
        ("from=" + "9" * 40 + "d", 422, "malformed"),
        ("from=1h&to=2h", 422, "malformed"),
        ("from=40d", 422, "too_long"),
        ("from=1h&camera=never", 404, "unknown_camera"),
        ("from=1h&camera=../../etc/passwd", 404, "unknown_camera"),
        ("from=" + "x" * 1000, 422, "malformed"),
        ("from=%00", 422, "malformed"),
    ],
)
@pytest.mark.parametrize("path", ["ledger", "gaps"])
def test_what_is_malformed_is_said(admin: httpx.Client, path: str, query: str, status: int, code: str) -> None:
    answer = admin.get(f"{path}?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "Traceback" not in answer.text


def test_gaps_are_listed_with_their_reason(admin: httpx.Client, past: Past) -> None:
    [gap] = admin.get("gaps", params={"from": at(past.start), "to": at(past.end), "camera": "hik1"}).json()["gaps"]
    assert (gap["camera"], gap["duration"], gap["reason"]) == ("hik1", 7.0, "unknown")
    assert gap["end"] is not None


def test_one_moment_is_explained(admin: httpx.Client, past: Past) -> None:
    recorded = admin.get("why", params={"camera": "hik1", "at": at(past.start + SECOND)}).json()
    assert (recorded["kind"], recorded["path"].startswith("segments/hik1/")) == ("recorded", True)
    missing = admin.get("why", params={"camera": "hik1", "at": at(past.start + 12 * SECOND)}).json()
    assert (missing["kind"], missing["reason"], missing["path"]) == ("gap", "unknown", None)
    ahead = admin.get("why", params={"camera": "hik1", "at": "2999-01-01T00:00:00Z"}).json()
    assert ahead["kind"] == "to come"


def test_segments_come_a_page_at_a_time(admin: httpx.Client, past: Past) -> None:
    query = {"from": at(past.start), "to": at(past.end)}
    first = admin.get("segments", params=query | {"limit": 3}).json()
    assert len(first["segments"]) == 3
    rest = admin.get("segments", params=query | {"after": first["next"]}).json()
    assert rest["next"] is None
    assert len({one["path"] for one in first["segments"] + rest["segments"]}) == 4
    assert first["segments"][0]["codec"] == "h264"
    assert admin.get("segments", params=query | {"after": "nowhere"}).status_code == 422


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_pages_of_segments_of_several_cameras_tell_each_once(site: Site, admin: httpx.Client, limit: int) -> None:
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    with site.writing() as catalogue:
        for number, camera in itertools.product(range(6), ("hik1", "hik2")):  # the cameras' files begin together
            start = begin + number * timedelta(seconds=60)
            path = Path(f"segments/{camera}/{number}.mp4")
            catalogue.add_segment(
                Segment(camera, "run", path, start, start + timedelta(seconds=61), 1, 1, "h264", 2, 2, "closed")
            )
    query: dict[str, str | int] = {"from": at(begin + timedelta(seconds=30)), "to": at(begin + timedelta(hours=1))}
    found, pages = [], 0
    while True:
        page = admin.get("segments", params=query | {"limit": limit}).json()
        found += [one["path"] for one in page["segments"]]
        pages += 1
        if page["next"] is None:
            break
        assert len(page["segments"]) == limit
        query["after"] = page["next"]
    assert found == [f"segments/{camera}/{number}.mp4" for number in range(6) for camera in ("hik1", "hik2")]
    assert pages == -(-12 // limit)

"""Events over HTTP: listed, filtered, marked, shown, told as they happen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from nvr.model import Box, Event, Waypoint
from nvr.web.sending import StoredFile
from tests.fakes.site import Past, Site

SECOND = timedelta(seconds=1)
NOW = datetime.now(UTC)


def happened(site: Site, *events: Event) -> list[int]:
    with site.writing() as catalogue:
        return [catalogue.open_event(event) for event in events]


def event(ago: float, camera: str = "hik1", label: str = "person", **more: object) -> Event:
    start = NOW - ago * SECOND
    return replace(Event(camera, "object", label, start, start, start + SECOND, score=0.5), **more)  # type: ignore[arg-type]


def ids(client: httpx.Client, query: str = "") -> list[int]:
    answer = client.get(f"events?from=1d&{query}")
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["events"]]


def test_events_are_listed_newest_first_and_as_the_command_line_tells_them(site: Site, admin: httpx.Client) -> None:
    box, picture = Box(0.1, 0.2, 0.3, 0.4), Path("snapshots/hik1/x.jpg")
    old, new = happened(site, event(100), event(50, box=box, zones=("yard",), snapshot=picture, began="entered yard"))
    listed = admin.get("events?from=1d").json()
    assert [one["id"] for one in listed["events"]] == [new, old]
    assert listed["next"] is None
    first = listed["events"][0]
    assert first["box"] == [0.1, 0.2, 0.3, 0.4]
    assert first["snapshot"].startswith(f"events/{new}/snapshot.jpg?of=")
    assert first["thumbnail"] is None
    assert (first["zones"], first["began"], first["locked"], first["false"]) == (["yard"], "entered yard", False, False)


def test_filters_choose(site: Site, admin: httpx.Client) -> None:
    person, car, other, zoned = happened(
        site, event(10), event(20, label="car"), event(30, camera="hik2"), event(40, zones=("yard",))
    )
    with site.writing() as catalogue:
        catalogue.lock_event(car, True)
        catalogue.mark_false(other, True)
    assert ids(admin) == [person, car, zoned]
    assert ids(admin, "label=car") == [car]
    assert ids(admin, "zone=yard") == [zoned]
    assert ids(admin, "locked=true") == [car]
    assert ids(admin, "false=true") == [other]
    assert ids(admin, "false=all&camera=hik2") == [other]
    assert ids(admin, "kind=motion") == []
    assert ids(admin, "label=nothing-like-it") == []


def test_pages_follow_each_other_without_a_hole_or_a_double(site: Site, admin: httpx.Client) -> None:
    made = happened(site, *(event(100 - number // 3) for number in range(20)))
    found, before = [], None
    for _ in range(20):
        page = admin.get(f"events?from=1d&limit=7{f'&before={before}' if before else ''}").json()
        found += [one["id"] for one in page["events"]]
        before = page["next"]
        if before is None:
            break
    assert found == sorted(made, reverse=True)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "kind=odd",
        "locked=perhaps",
        "false=maybe",
        "before=x",
        f"before={1 << 63}",
        "from=never",
    ],
)
def test_what_is_malformed_is_said(admin: httpx.Client, query: str) -> None:
    answer = admin.get(f"events?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "malformed")


@pytest.mark.parametrize("id", ["0", "99", "-1", "x", str(1 << 63), "1.5"])
def test_an_event_that_is_not_there_is_not_found(admin: httpx.Client, id: str) -> None:
    for answer in (
        admin.get(f"events/{id}"),
        admin.patch(f"events/{id}", json={}),
        admin.get(f"events/{id}/snapshot.jpg"),
    ):
        assert answer.status_code in (404, 422)


def test_one_event_is_told_with_its_path_and_its_video(site: Site, admin: httpx.Client) -> None:
    [id] = happened(site, event(60))
    with site.writing() as catalogue:
        start = NOW - 60 * SECOND
        catalogue.put_path(id, [Waypoint(start + n * SECOND, Box(0.1 * n, 0.2, 0.3, 0.4)) for n in range(2)])
    told = admin.get(f"events/{id}").json()
    assert [point[1:] for point in told["path"]] == [[0.0, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]]
    begin, end = (datetime.fromisoformat(told["video"][key]) for key in ("from", "to"))
    assert (begin, end) == (NOW - 61 * SECOND, NOW - 58 * SECOND)


def test_marks_are_set_and_taken_back(admin: httpx.Client, past: Past) -> None:
    path = f"events/{past.event}"
    assert admin.patch(path, json={"locked": True}).json()["locked"] is True
    denied = admin.patch(path, json={"false": True}).json()
    assert (denied["locked"], denied["false"]) == (True, True)
    assert past.event not in ids(admin)
    affirmed = admin.patch(path, json={"false": False, "locked": False}).json()
    assert (affirmed["locked"], affirmed["false"]) == (False, False)
    assert admin.patch(path, json={"colour": "red"}).status_code == 422


def test_marking_false_keeps_a_sample_as_the_command_line_does(site: Site, admin: httpx.Client, past: Past) -> None:
    admin.patch(f"events/{past.event}", json={"false": True})
    assert list((site.storage / "samples/hik1").glob("*.jpg"))
    admin.patch(f"events/{past.event}", json={"false": False})
    assert not list((site.storage / "samples/hik1").glob("*.jpg"))


def test_its_picture_is_the_file_and_a_missing_one_is_said(site: Site, admin: httpx.Client) -> None:
    there, gone = Path("snapshots/hik1/there.jpg"), Path("snapshots/hik1/gone.jpg")
    (site.storage / there).parent.mkdir(parents=True)
    (site.storage / there).write_bytes(b"\xff\xd8 a picture")
    one, other, none = happened(site, event(1, snapshot=there), event(2, snapshot=gone), event(3))
    answer = admin.get(f"events/{one}/snapshot.jpg")
    assert (answer.content, answer.headers["content-type"]) == (b"\xff\xd8 a picture", "image/jpeg")
    for id in (other, none):
        missing = admin.get(f"events/{id}/snapshot.jpg")
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "no_picture")


def test_a_better_picture_has_another_address(site: Site, admin: httpx.Client) -> None:
    first, better = Path("snapshots/hik1/first.jpg"), Path("snapshots/hik1/better.jpg")
    for path in (first, better):
        (site.storage / path).parent.mkdir(parents=True, exist_ok=True)
        (site.storage / path).write_bytes(path.name.encode())
    [id] = happened(site, event(1, snapshot=first))
    before = admin.get(f"events/{id}").json()["snapshot"]
    with site.writing() as catalogue:
        found = catalogue.event(id)
        assert found is not None
        catalogue.update_event(replace(found, snapshot=better))
    after = admin.get(f"events/{id}").json()["snapshot"]
    assert before != after
    assert admin.get(after).content == b"better.jpg"


def test_what_the_camera_told_of_the_same_is_told_after_a_mark_too(site: Site, admin: httpx.Client) -> None:
    seen, told = happened(site, event(10), event(10, kind="camera"))
    assert admin.get(f"events/{seen}").json()["also"] == [told]
    assert admin.patch(f"events/{seen}", json={"locked": True}).json()["also"] == [told]


def test_what_can_be_asked_for_is_told(site: Site, admin: httpx.Client) -> None:
    happened(site, event(1), event(2, label="car"), event(3, label="car"))
    assert admin.get("events/labels").json() == {"labels": ["car", "person"], "zones": []}


def heard(lines: Iterator[str]) -> tuple[str, dict[str, object]]:
    """The next thing that is told."""
    for line in lines:
        if line.startswith("event: "):
            return line[7:], json.loads(next(lines).removeprefix("data: "))
    raise AssertionError("the stream ended")


def test_events_are_told_as_they_happen(site: Site, admin: httpx.Client, viewer: httpx.Client) -> None:
    with admin.stream("GET", "events/live") as all_of_them, viewer.stream("GET", "events/live") as mine:
        told, to_viewer = all_of_them.iter_lines(), mine.iter_lines()
        assert next(told) == "retry: 2000"
        assert next(to_viewer) == "retry: 2000"
        now = datetime.now(UTC)
        lasting = Event("hik1", "object", "person", now, now)
        [id] = happened(site, lasting)
        what, body = heard(told)
        assert (what, body["id"], body["end"]) == ("begin", id, None)
        with site.writing() as catalogue:
            catalogue.update_event(replace(lasting, id=id, end=now + SECOND))
        assert heard(told)[0] == "end"
        [other] = happened(site, replace(lasting, camera="hik2"))
        assert heard(to_viewer)[1]["id"] == other, "of the camera that it may see, and of no other"


def test_a_picture_that_goes_between_the_look_and_the_sending_is_missing_and_no_bug(
    site: Site, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path("snapshots/hik1/going.jpg")
    (site.storage / path).parent.mkdir(parents=True)
    (site.storage / path).write_bytes(b"\xff\xd8 a picture")
    [id] = happened(site, event(1, snapshot=path))
    made = StoredFile.__init__

    def and_gone(self: StoredFile, file: Path, *arguments: Any, **more: Any) -> None:
        made(self, file, *arguments, **more)
        file.unlink()

    monkeypatch.setattr(StoredFile, "__init__", and_gone)
    assert admin.get(f"events/{id}/snapshot.jpg").status_code == 404

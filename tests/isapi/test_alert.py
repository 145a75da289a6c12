"""One document → what it tells."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nvr.isapi.alert import REGIONS, Alert, read, read_time
from nvr.isapi.multipart import Part
from nvr.model import Box
from tests.fakes.isapi import HEARTBEAT, alert


def told(document: str) -> Alert:
    found = read(Part("xml", document.encode()))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-22T14:05:00+01:00", datetime(2026, 11, 22, 13, 5, tzinfo=UTC)),
        ("2026-11-22T14:05:00+8:00", datetime(2026, 11, 22, 6, 5, tzinfo=UTC)),
        ("2026-11-22T14:05:00-330", datetime(2026, 11, 22, 17, 35, tzinfo=UTC)),
        ("2026-11-22T14:05:00.250Z", datetime(2026, 11, 22, 14, 5, 0, 250_000, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-11-22T14:05:00", None),
        ("2026-11-22", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_time_is_an_instant_only_with_its_offset(text: str, instant: datetime | None) -> None:
    assert read_time(text) == instant


def test_what_an_event_needs_is_read() -> None:
    found = told(alert("fielddetection", "inactive", at="2026-11-22T14:05:00+01:00"))
    assert found == Alert(
        type="fielddetection",
        channel=1,
        active=False,
        at=datetime(2026, 11, 22, 13, 5, tzinfo=UTC),
        said="2026-11-22T14:05:00+01:00",
        description="fielddetection alarm",
    )


def test_regions_are_read_with_target_and_place() -> None:
    rectangle = "<TargetRect><X>0.1</X><Y>0.2</Y><width>0.3</width><height>0.4</height></TargetRect>"
    thousandths = "<TargetRect><x>100</x><y>200</y><width>300</width><height>400</height></TargetRect>"
    entries = (
        f"<DetectionRegionEntry><regionID>1</regionID><detectionTarget>Human</detectionTarget>{rectangle}"
        f"</DetectionRegionEntry><DetectionRegionEntry><regionID>2</regionID>{thousandths}</DetectionRegionEntry>"
        "<DetectionRegionEntry/>"
    )
    found = told(alert(more=f"<DetectionRegionList>{entries}</DetectionRegionList>")).regions
    assert [(region.id, region.target) for region in found] == [("1", "human"), ("2", ""), ("", "")]
    for region in found[:2]:
        assert region.box is not None
        edges = (region.box.left, region.box.top, region.box.right, region.box.bottom)
        assert edges == pytest.approx((0.1, 0.2, 0.4, 0.6))
    assert found[2].box is None


@pytest.mark.parametrize(
    "edges", ["nan,0,1,1", "inf,0,1,1", "-1,0,1,1", "0.5,0.5,0,0.1", "900,0,200,1", "x,0,1,1", ",,,"]
)
def test_a_place_that_makes_no_sense_is_none(edges: str) -> None:
    x, y, width, height = edges.split(",")
    rectangle = f"<TargetRect><X>{x}</X><Y>{y}</Y><width>{width}</width><height>{height}</height></TargetRect>"
    (region,) = told(alert(more=f"<DetectionRegionEntry>{rectangle}</DetectionRegionEntry>")).regions
    assert region.box is None


def test_a_whole_picture_is_a_place() -> None:
    rectangle = "<TargetRect><X>0</X><Y>0</Y><width>1</width><height>1</height></TargetRect>"
    (region,) = told(alert(more=f"<DetectionRegionEntry>{rectangle}</DetectionRegionEntry>")).regions
    assert region.box == Box(0, 0, 1, 1)


def test_no_more_regions_are_read_than_make_sense() -> None:
    assert len(told(alert(more="<DetectionRegionEntry/>" * 100)).regions) == REGIONS


@pytest.mark.parametrize(("kind", "state", "is_one"), [("VMD", "active", False), ("videoloss", "active", False)])
def test_what_says_nothing_is_a_heartbeat(kind: str, state: str, is_one: bool) -> None:
    assert told(alert(kind, state)).heartbeat is is_one
    assert told(HEARTBEAT).heartbeat
    assert told(alert("other").replace("other alarm", "Heartbeat")).heartbeat
    assert told(alert("heartBeat")).heartbeat


def test_what_was_kept_back_is_known_for_that() -> None:
    assert told(alert(more="<isDataRetransmission>true</isDataRetransmission>")).late
    assert not told(alert(more="<isDataRetransmission>false</isDataRetransmission>")).late


def test_texts_are_one_short_line() -> None:
    found = told(alert("VMD").replace("VMD alarm", "a\r\n\tb" + "c" * 10_000))
    assert found.description.startswith("a bccc")
    assert len(found.description) == 200


def test_what_a_terminal_would_obey_is_left_out() -> None:
    found = read(Part("json", b'{"eventType": "VMD", "eventDescription": "a\\u001b[2J\\u009b2J\\u202eb"}'))
    assert found is not None
    assert found.description == "a[2J2Jb"


def test_json_is_read_alike_in_its_wrapper_or_without() -> None:
    plain = b'\xef\xbb\xbf{"eventType": "VMD", "eventState": "inactive", "dynChannelID": 3, "dateTime": null}'
    wrapped = b'{"EventNotificationAlert": ' + plain[3:] + b"}"
    for body in (plain, wrapped):
        assert read(Part("json", body)) == Alert("VMD", 3, False, None)

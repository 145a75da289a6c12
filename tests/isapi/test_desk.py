"""Which camera an alert is of."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from nvr.isapi.alert import Alert
from nvr.isapi.desk import Desk
from nvr.isapi.report import Reporter

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def desk_of(*channels: int) -> Desk:
    numbers = count()
    reporters = {each: Reporter(f"hik{each}", timedelta(seconds=5), (), numbers) for each in channels}
    return Desk("http://device", reporters)


def cameras(desk: Desk, alert: Alert) -> list[str]:
    return [report.event.camera for report in desk.hear(alert, NOON, 0)]


@pytest.mark.parametrize(
    ("channels", "channel", "camera"),
    [
        ((1,), 1, "hik1"),
        ((1, 2), 2, "hik2"),
        ((1, 2), 34, "hik2"),
        ((1, 34), 34, "hik34"),
        ((3,), None, "hik3"),
        ((3,), 0, "hik3"),
        ((1, 3), None, "hik1"),
        ((2, 3), None, None),
        ((1, 2), 3, None),
        ((1, 2), 99, None),
    ],
)
def test_an_alert_goes_to_its_camera(channels: tuple[int, ...], channel: int | None, camera: str | None) -> None:
    desk = desk_of(*channels)
    assert cameras(desk, Alert("VMD", channel, True, None)) == ([] if camera is None else [camera])
    assert desk.astray == (1 if camera is None else 0)


def test_what_is_astray_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    desk = desk_of(1, 2)
    with caplog.at_level(logging.WARNING):
        for channel in (7, 8, 7):
            assert cameras(desk, Alert("VMD", channel, True, None)) == []
    assert desk.astray == 3
    assert len(caplog.messages) == 1
    assert "tells of channel 7" in caplog.text


def test_heartbeats_of_other_channels_are_not_astray() -> None:
    desk = desk_of(1)
    cameras(desk, Alert("videoloss", 9, False, None))
    assert desk.astray == 0


def test_what_was_kept_back_is_no_event_and_says_nothing_of_the_clock() -> None:
    desk = desk_of(1)
    late = Alert("VMD", 1, True, NOON - timedelta(hours=2), late=True)
    assert cameras(desk, late) == []
    assert desk.placement.offset is None


def test_a_camera_whose_clock_is_off_has_its_events_where_its_video_is() -> None:
    desk = desk_of(1)
    heartbeat = Alert("videoloss", 1, False, NOON - timedelta(hours=2))
    assert list(desk.hear(heartbeat, NOON, 0)) == []
    told = Alert("VMD", 1, True, NOON - timedelta(hours=2) + timedelta(seconds=10))
    (report,) = desk.hear(told, NOON + timedelta(seconds=12), 12_000_000)
    assert report.event.start == NOON + timedelta(seconds=10)
    assert report.event.received == NOON + timedelta(seconds=12)

"""``nvr storage``: what the recordings take, and what retention would delete and then deletes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.fakes.station import nvr
from tests.retention.archive import DAY, Archive, configured, report

MINUTE = timedelta(minutes=1)


def test_usage_tells_what_each_camera_takes_and_how_long_there_is_room(tmp_path: Path, archive: Archive) -> None:
    old = archive.record(2 * DAY, size=700)
    for number in range(10):
        archive.record(number * MINUTE, size=6000)
    archive.record(MINUTE, "gone", size=500)
    path = configured(tmp_path, "host: a, retention: {max_size: 360700B}", "min_free: 1GB")
    found = report("usage", "--config", path)
    [gone, hik1] = found["cameras"]
    assert list(hik1) == ["camera", "segments", "bytes", "oldest", "newest", "bitrate", "max_size", "days_left"]
    assert (hik1["camera"], hik1["segments"], hik1["bytes"]) == ("hik1", 11, 60_700)
    assert hik1["oldest"] == old.start.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert hik1["bitrate"] == 800
    assert (hik1["max_size"], hik1["days_left"]) == (360_700, 5.0)
    assert (gone["camera"], gone["days_left"]) == ("gone", None)
    assert (found["bytes"], found["max_size"], found["days_left"]) == (61_200, None, None)
    assert found["disk"]["min_free"] == 10**9
    assert 0 < found["disk"]["free"] <= found["disk"]["total"]


def test_usage_for_people_into_a_pipe_is_not_decorated(tmp_path: Path, archive: Archive) -> None:
    archive.record(MINUTE, size=12_345_678)
    done = nvr("storage", "usage", "--config", configured(tmp_path))
    header, row, disk = done.stdout.splitlines()
    assert header.split()[:3] == ["camera", "files", "GB"]
    assert row.split()[:3] == ["hik1", "1", "0.01"]
    assert disk.startswith("disk  ")
    assert "\x1b" not in done.stdout

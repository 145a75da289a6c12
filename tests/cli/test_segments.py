"""``nvr segments``."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.fakes.station import nvr


def test_segments_are_listed_with_the_stable_keys(config: Path, now: datetime) -> None:
    (row,) = json.loads(nvr("segments", "list", "--json", "--config", str(config)).stdout)
    wanted = ["camera", "path", "start", "end", "duration", "bytes", "codec", "width", "height", "state"]
    assert list(row) == wanted
    assert row["duration"] == 300.0
    assert row["path"] == str(config.parent / "storage/segments/hik1/a.mp4")
    assert row["end"] == now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_listing_into_a_pipe_is_not_decorated(config: Path) -> None:
    done = nvr("segments", "list", "--config", str(config))
    header, line = done.stdout.splitlines()
    assert header.split() == ["camera", "start", "duration", "MB", "codec", "size", "state", "path"]
    assert "hik1" in line
    assert "1920x1080" in line
    assert "5m 0s" in line
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(("filters", "count"), [([], 1), (["--since", "1m"], 1), (["--until", "6m"], 0)])
def test_a_segment_is_listed_where_it_overlaps_the_span(config: Path, filters: list[str], count: int) -> None:
    done = nvr("segments", "list", *filters, "--json", "--config", str(config))
    assert len(json.loads(done.stdout)) == count


def test_no_segment_is_explained(config: Path) -> None:
    done = nvr("segments", "list", "--camera", "hik2", "--config", str(config))
    assert (done.returncode, done.stdout) == (0, "")
    assert "one is listed when it is closed" in done.stderr


def test_an_unknown_camera_is_bad_usage(config: Path) -> None:
    done = nvr("segments", "list", "--camera", "nobody", "--config", str(config))
    assert (done.returncode, done.stdout) == (2, "")
    assert "no camera named nobody in the configuration; there are: hik1, hik2" in done.stderr


def test_a_limit_beyond_everything_is_no_traceback(config: Path) -> None:
    done = nvr("segments", "list", "--limit", "99999999999999999999", "--config", str(config))
    assert "Traceback" not in done.stderr

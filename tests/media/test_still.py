"""One picture of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from nvr.clock import SystemClock, from_us
from nvr.errors import LoginError, SourceError
from nvr.media.still import still
from nvr.model import Address
from tests.fakes.clip import Clip, pictures
from tests.fakes.rtsp import Script, ScriptedCamera

CLOCK = SystemClock()


def test_it_is_the_first_picture_of_a_file(clip_h264: Path) -> None:
    found = still(Address(str(clip_h264)), CLOCK)
    assert (found.width, found.height, found.i420.shape) == (320, 180, (270, 320))
    first = np.asarray(next(iter(pictures(1))).to_ndarray(), np.int16)
    assert np.abs(found.i420.astype(np.int16) - first).mean() < 4


def test_an_odd_last_row_and_column_are_left_out(tmp_path: Path) -> None:
    with av.open(tmp_path / "odd.mkv", "w") as container:
        video = container.add_stream("mjpeg", rate=5)
        video.width, video.height, video.pix_fmt = 161, 91, "yuvj444p"
        for number in range(3):
            picture = av.VideoFrame.from_ndarray(np.full((3, 91, 161), 90, np.uint8), format="yuvj444p")
            picture.pts = number
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    found = still(Address(str(tmp_path / "odd.mkv")), CLOCK)
    assert (found.width, found.height, found.i420.shape) == (160, 90, (135, 160))
    assert abs(int(found.luma[-1, -1]) - 90) < 4


def test_it_is_of_now(clip_h264: Path) -> None:
    before = from_us(CLOCK.now_us())
    assert timedelta(0) <= still(Address(str(clip_h264)), CLOCK).at - before < timedelta(seconds=30)


def test_a_camera_is_asked_once_and_the_login_is_held_meanwhile(h264: Clip) -> None:
    held: list[str] = []

    @contextmanager
    def login() -> Iterator[None]:
        held.append("held")
        yield
        held.append("released")

    with ScriptedCamera(Script(h264, loops=4), username="viewer", password="right") as camera:
        found = still(Address(camera.url, "viewer", "right"), CLOCK, login=login())
        assert not any(request.is_refused_login for request in camera.requests)
    assert (found.width, found.height) == (320, 180)
    assert held == ["held", "released"]
    assert found.at.tzinfo is UTC
    assert found.at > datetime(2020, 1, 1, tzinfo=UTC)


def test_a_refused_login_is_told(h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera, pytest.raises(LoginError):
        still(Address(camera.url, "viewer", "wrong"), CLOCK)


def test_a_video_that_cannot_be_decoded_is_one_error(people_video: Path) -> None:
    """The old MPEG-4 of this file needs its size beforehand, which the decoder is not given."""
    with pytest.raises(SourceError, match="vtest"):
        still(Address(str(people_video)), CLOCK)

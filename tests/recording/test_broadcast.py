"""What is received reaches whoever watches live; nothing that fails there reaches the recording."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from nvr import packetring
from nvr.media.source import StreamInfo
from nvr.model import Placed
from nvr.packetring import FIRST, Catch, Form, Parcel, RingReader, RingWriter
from nvr.recording.broadcast import Broadcast

INFO = StreamInfo("h264", 320, 180, 25.0, b"sets", None)
FORM = Form("h264", 320, 180, b"sets")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    ring = tmp_path / "hik1.main.ring"
    packetring.create(ring)
    return ring


@pytest.fixture
def reader(path: Path) -> Iterator[RingReader]:
    with RingReader(path) as ring:
        yield ring


@pytest.fixture
def broadcast(path: Path) -> Iterator[Broadcast]:
    made = Broadcast("hik1", path)
    yield made
    made.close()


def show(broadcast: Broadcast, number: int, size: int = 100, *, dropped: bool = False) -> Parcel:
    """Packet ``number`` of a stream that begins with a key frame, shown two frames after it is decoded."""
    parcel = Parcel(bytes([number]) * size, number * 40_000, (number + 2) * 40_000, 7_000_000 + number, number == 0)
    placed = Placed(parcel.pts_us, parcel.dts_us, 40_000, dropped=dropped)
    broadcast.show(parcel.data, placed, parcel.at_us, key=parcel.key)
    return parcel


def full(*_: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_packets_reach_the_ring_with_their_times(broadcast: Broadcast, reader: RingReader) -> None:
    broadcast.begin(INFO)
    shown = [show(broadcast, number) for number in range(5)]
    assert reader.take() == Catch(shown, FORM, False)


def test_a_run_without_parameter_sets_is_shown_too(broadcast: Broadcast, reader: RingReader) -> None:
    broadcast.begin(StreamInfo("hevc", 640, 360, 0, None, None))
    shown = [show(broadcast, 0)]
    assert reader.take() == Catch(shown, Form("hevc", 640, 360, b""), False)


def test_a_new_run_begins_anew(broadcast: Broadcast, reader: RingReader) -> None:
    broadcast.begin(INFO)
    show(broadcast, 0)
    reader.take()
    broadcast.begin(StreamInfo("h264", 640, 360, 25.0, b"other", "aac"))
    assert reader.take().parcels == []
    shown = [show(broadcast, 0)]
    assert reader.take() == Catch(shown, Form("h264", 640, 360, b"other"), False)


def test_a_packet_without_a_place_is_left_out(broadcast: Broadcast, reader: RingReader) -> None:
    broadcast.begin(INFO)
    first, _, third = show(broadcast, 0), show(broadcast, 1, dropped=True), show(broadcast, 2)
    assert reader.take().parcels == [first, third]


def test_without_a_ring_nothing_happens(tmp_path: Path) -> None:
    nothing = Broadcast("hik1", None)
    nothing.begin(INFO)
    show(nothing, 0)
    nothing.close()
    assert list(tmp_path.iterdir()) == []


def test_before_a_run_and_after_the_end_nothing_is_shown(broadcast: Broadcast, reader: RingReader) -> None:
    show(broadcast, 0)
    broadcast.begin(INFO)
    first = show(broadcast, 0)
    broadcast.close()
    show(broadcast, 1)
    assert reader.take() == Catch([first], FORM, False)


def test_full_memory_costs_live_video_until_the_next_run_and_is_said_once(
    broadcast: Broadcast, reader: RingReader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broadcast.begin(INFO)
    first = show(broadcast, 0)
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(os, "posix_fallocate", full)
        show(broadcast, 1, FIRST)
        for number in range(2, 5):
            show(broadcast, number, FIRST)
    [record] = caplog.records
    assert record.getMessage().startswith("hik1: no live video: ")
    assert "No space left" in record.getMessage()
    assert reader.take().parcels == [first]
    broadcast.begin(INFO)
    shown = [show(broadcast, number, FIRST) for number in (0, 1)]
    assert reader.take() == Catch(shown, FORM, False)


def test_memory_that_is_full_from_the_start_is_tried_again_with_the_next_run(
    broadcast: Broadcast, reader: RingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        broadcast.begin(INFO)
        show(broadcast, 0)
    show(broadcast, 0)
    assert reader.take() == Catch([], None, False)
    broadcast.begin(INFO)
    shown = [show(broadcast, 0)]
    assert reader.take() == Catch(shown, FORM, False)


@pytest.mark.parametrize("fault", ["missing", "other writer", "no ring"])
def test_a_ring_that_cannot_be_opened_is_tried_again_with_the_next_run(
    path: Path, broadcast: Broadcast, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    other = RingWriter(path)
    if fault != "other writer":
        other.close()
        path.unlink()
    if fault == "no ring":
        path.write_bytes(b"")
    broadcast.begin(INFO)
    show(broadcast, 0)
    assert ["no live video" in record.getMessage() for record in caplog.records] == [True]
    if fault == "other writer":
        other.close()
    else:
        packetring.create(path)
    broadcast.begin(INFO)
    shown = [show(broadcast, 0)]
    with RingReader(path) as reader:
        assert reader.take() == Catch(shown, FORM, False)


def test_a_description_that_is_too_long_costs_live_video_alone(broadcast: Broadcast, reader: RingReader) -> None:
    broadcast.begin(StreamInfo("h264", 320, 180, 25.0, bytes(5000), None))
    show(broadcast, 0)
    assert reader.take().parcels == []
    broadcast.begin(INFO)
    shown = [show(broadcast, 0)]
    assert reader.take() == Catch(shown, FORM, False)

"""From the camera's packets to files: nothing lost, nothing twice, whatever the camera's clock does."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import av
import pytest

from nvr import layout
from nvr.clock import SystemClock, from_us
from nvr.errors import SourceError
from nvr.media.segment import SegmentWriter, seal
from nvr.media.source import open_source
from nvr.model import Address, Run, Segment
from nvr.recording.keeper import Keeper
from nvr.recording.outbox import Message, Outbox
from nvr.recording.session import Session
from nvr.recording.task import Target
from tests.fakes.clip import Clip, slices_digest
from tests.fakes.rtsp import Script, ScriptedCamera

CLOCK = SystemClock()


class NoOutbox(Outbox):
    """Keeps what is posted."""

    def __init__(self) -> None:
        self.posted: list[Message] = []

    def post(self, message: Message) -> None:
        self.posted.append(message)


class NowKeeper(Keeper):
    """Seals at once, in the caller's thread."""

    def __init__(self, outbox: NoOutbox) -> None:
        self.outbox = outbox

    def watch(self, writer: SegmentWriter | None) -> None:
        pass

    def seal(self, writer: SegmentWriter, end_us: int) -> None:
        self.outbox.post(writer.segment(end_us, seal(writer.part, writer.descriptor)))


def record(url: str, storage: Path, segment_us: int = 1_000_000) -> tuple[list[Segment], list[Message], Session]:
    layout.prepare(storage, 0)
    outbox = NoOutbox()
    source = open_source(Address(url), CLOCK, audio=False)
    run = Run("run", "cam", "main", from_us(CLOCK.now_us()))
    session = Session(run, source, Target(storage, segment_us), NowKeeper(outbox), outbox, CLOCK)
    try:
        for info, packet in source.packets():
            session.take(info, packet)
    except SourceError as error:
        session.end(str(error))
    finally:
        source.close()
    return [message for message in outbox.posted if isinstance(message, Segment)], outbox.posted, session


def digests(storage: Path, segments: list[Segment]) -> list[str]:
    found = []
    for segment in segments:
        with av.open(str(storage / segment.path)) as container:
            packets = [bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size]
            found += [slices_digest(packet, in_mp4=True) for packet in packets]
    return found


def decoded(storage: Path, segments: list[Segment]) -> int:
    count = 0
    for segment in segments:
        with av.open(str(storage / segment.path)) as container:
            count += sum(1 for _ in container.decode(video=0))
    return count


@pytest.mark.parametrize("with_b_frames", [False, True])
def test_the_files_hold_every_picture_once_and_in_order(
    tmp_path: Path, h264: Clip, h264_b_frames: Clip, with_b_frames: bool
) -> None:
    script = Script(h264_b_frames if with_b_frames else h264, loops=3, speed=20, metadata=True)
    with ScriptedCamera(script) as camera:
        segments, _, _ = record(camera.url, tmp_path)
        sent = [picture.digest for picture in camera.sent]
    assert len(segments) >= 5
    assert digests(tmp_path, segments) == sent
    assert decoded(tmp_path, segments) == len(sent) == 150
    assert sum(segment.packets for segment in segments) == 150


def test_a_segment_begins_where_the_last_one_ends(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=2, speed=20)) as camera:
        segments, _, _ = record(camera.url, tmp_path)
    assert all(before.end == after.start for before, after in itertools.pairwise(segments))
    assert all(abs(segment.duration.total_seconds() - 1) < 0.01 for segment in segments)


@pytest.mark.parametrize("jump", [3600, -3600, 1_790_000_000])
def test_a_jump_of_the_camera_clock_costs_no_picture(tmp_path: Path, h264: Clip, jump: int) -> None:
    script = Script(h264, loops=3, speed=20, jumps={60: jump * 90_000})
    with ScriptedCamera(script) as camera:
        segments, _, session = record(camera.url, tmp_path, 10_000_000)
        sent = [picture.digest for picture in camera.sent]
    assert digests(tmp_path, segments) == sent
    assert decoded(tmp_path, segments) == 150
    assert session.timeline.jumps == 1
    assert len(segments) == 2  # cut at the key frame after the jump
    assert sum(segment.duration.total_seconds() for segment in segments) < 20


def test_a_wrap_of_the_rtp_clock_is_not_seen(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=2, speed=20, start=2**32 - 90_000)) as camera:
        segments, _, session = record(camera.url, tmp_path, 10_000_000)
    assert (len(segments), session.timeline.jumps, segments[0].packets) == (1, 0, 100)


def test_repeated_timestamps_are_moved_and_kept(tmp_path: Path, h264: Clip) -> None:
    steps = {30: -3_600, 31: 3_600, 40: -7_200}
    with ScriptedCamera(Script(h264, loops=2, speed=20, jumps=steps)) as camera:
        segments, _, session = record(camera.url, tmp_path, 10_000_000)
        sent = [picture.digest for picture in camera.sent]
    assert digests(tmp_path, segments) == sent
    assert session.timeline.repairs > 0


def test_the_run_ends_with_its_reason(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, drop_after=40)) as camera:
        segments, posted, _ = record(camera.url, tmp_path)
    last = posted[-1]
    assert isinstance(last, Run)
    assert "closed the connection" in (last.end_reason or "")
    assert last.end == segments[-1].end


def test_a_name_that_is_taken_is_not_overwritten(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264)) as camera:
        first, _, session = record(camera.url, tmp_path)
    path = session._free_path(round(first[0].start.timestamp() * 1_000_000))
    assert path != first[0].path
    assert path.parent == first[0].path.parent


def test_a_disk_that_refuses_costs_packets_and_not_the_connection(
    tmp_path: Path, h264: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.open, 0

    def full_once(path: object, flags: int, *rest: int) -> int:
        nonlocal calls
        calls += str(path).endswith(".part")
        if str(path).endswith(".part") and calls == 1:
            raise OSError(28, "No space left on device")
        return real(path, flags, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("nvr.media.segment.os.open", full_once)
    with ScriptedCamera(Script(h264, loops=3, speed=20)) as camera:
        segments, _, session = record(camera.url, tmp_path)
    assert session.dropped == 25
    assert sum(segment.packets for segment in segments) == 125


def test_nothing_is_written_where_the_disk_was_unmounted(
    tmp_path: Path, h264: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "prepare", lambda storage, needed_bytes: "")
    with ScriptedCamera(Script(h264)) as camera:
        segments, _, session = record(camera.url, tmp_path)
    assert segments == []
    assert "still mounted" in session.error
    assert list(tmp_path.iterdir()) == []

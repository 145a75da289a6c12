"""From the camera's packets to files: nothing lost, nothing twice, whatever the camera's clock does."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from nvr import layout
from nvr.clock import Clock, SystemClock, from_us
from nvr.errors import SourceError, StorageError
from nvr.media.salvage import describe
from nvr.media.segment import SegmentWriter
from nvr.media.source import open_source
from nvr.model import Address, Run, Segment
from nvr.recording.keeper import Keeper, settle
from nvr.recording.outbox import Message, Outbox
from nvr.recording.session import Session
from nvr.recording.task import Target
from tests.fakes.clip import Clip, slices_digest, speak
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.fakes.segments import decoded, digests

SPEED = 20
"""How much quicker than a camera these go; the recorder's clock goes as quickly, so that it sees a live camera."""
ONE_GOP_BYTES = 13_000
"""The file of one GOP, and a part of the next."""


class QuickClock(SystemClock):
    """The machine's clocks, ``SPEED`` times as quick."""

    def __init__(self) -> None:
        self._begin_us = super().now_us()
        self._begin_monotonic_us = super().monotonic_us()
        self.step_us = 0

    def now_us(self) -> int:
        return self._begin_us + self.step_us + (super().monotonic_us() - self._begin_monotonic_us) * SPEED

    def monotonic_us(self) -> int:
        return super().monotonic_us() * SPEED


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
        with contextlib.suppress(StorageError):  # a file that holds nothing has no row
            self.outbox.post(settle(writer, end_us))


class Recording:
    """A session over a camera, driven packet by packet."""

    def __init__(
        self, url: str, storage: Path, segment_us: int = 1_000_000, *, clock: Clock | None = None, audio: bool = False
    ) -> None:
        clock = clock or QuickClock()
        self.storage = storage
        self.outbox = NoOutbox()
        self.source = open_source(Address(url), clock, audio=audio)
        run = Run("run", "cam", "main", from_us(clock.now_us()))
        target = Target(storage, segment_us)
        self.session = Session(run, self.source, target, NowKeeper(self.outbox), self.outbox, clock)

    def play(self) -> Iterator[int]:
        """Take everything until the camera hangs up, then end; the number of packets before each."""
        try:
            for number, (info, packet) in enumerate(self.source.packets()):
                yield number
                self.session.take(info, packet)
        except SourceError as error:
            self.session.end(str(error))
        finally:
            self.source.close()

    @property
    def segments(self) -> list[Segment]:
        return [message for message in self.outbox.posted if isinstance(message, Segment)]


def record(url: str, storage: Path, segment_us: int = 1_000_000) -> tuple[list[Segment], list[Message], Session]:
    layout.prepare(storage, 0)
    recording = Recording(url, storage, segment_us)
    for _ in recording.play():
        pass
    return recording.segments, recording.outbox.posted, recording.session


@pytest.mark.parametrize("with_b_frames", [False, True])
def test_the_files_hold_every_picture_once_and_in_order(
    tmp_path: Path, h264: Clip, h264_b_frames: Clip, with_b_frames: bool
) -> None:
    script = Script(h264_b_frames if with_b_frames else h264, loops=3, speed=SPEED, metadata=True)
    with ScriptedCamera(script) as camera:
        segments, _, _ = record(camera.url, tmp_path)
        sent = [picture.digest for picture in camera.sent]
    assert len(segments) >= 5
    assert digests(tmp_path, segments) == sent
    assert len(sent) == 150


def test_a_segment_begins_where_the_last_one_ends(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=2, speed=SPEED)) as camera:
        segments, _, _ = record(camera.url, tmp_path)
    assert all(before.end == after.start for before, after in itertools.pairwise(segments))
    assert all(abs(segment.duration.total_seconds() - 1) < 0.01 for segment in segments[:-1])


@pytest.mark.parametrize("jump", [3600, -3600, 1_790_000_000])
def test_a_jump_of_the_camera_clock_costs_no_picture(tmp_path: Path, h264: Clip, jump: int) -> None:
    script = Script(h264, loops=3, speed=SPEED, jumps={60: jump * 90_000})
    with ScriptedCamera(script) as camera:
        segments, _, session = record(camera.url, tmp_path, 10_000_000)
        sent = [picture.digest for picture in camera.sent]
    assert digests(tmp_path, segments) == sent
    assert session.timeline.jumps == 1
    assert len(segments) == 2  # cut at the key frame after the jump
    assert sum(segment.duration.total_seconds() for segment in segments) < 20


def test_a_wrap_of_the_rtp_clock_is_not_seen(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=2, speed=SPEED, start=2**32 - 90_000)) as camera:
        segments, _, session = record(camera.url, tmp_path, 10_000_000)
    assert (len(segments), session.timeline.jumps, segments[0].packets) == (1, 0, 100)


def test_repeated_timestamps_are_moved_and_kept(tmp_path: Path, h264: Clip) -> None:
    steps = {30: -3_600, 31: 3_600, 40: -7_200}
    with ScriptedCamera(Script(h264, loops=2, speed=SPEED, jumps=steps)) as camera:
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
    with ScriptedCamera(Script(h264, loops=3, speed=SPEED)) as camera:
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


@pytest.mark.parametrize("jump", [3600, -3600])
def test_a_jump_between_b_frames_costs_no_picture(tmp_path: Path, h264_b_frames: Clip, jump: int) -> None:
    with ScriptedCamera(Script(h264_b_frames, loops=2, speed=SPEED, jumps={44: jump * 90_000})) as camera:
        segments, _, _ = record(camera.url, tmp_path, 10_000_000)
        sent = [picture.digest for picture in camera.sent]
    assert [digest for segment in segments for digest in read_back(tmp_path / segment.path)] == sent
    for segment in segments:
        with av.open(str(tmp_path / segment.path)) as container:
            shown = [frame.time for frame in container.decode(video=0) if frame.time is not None]
        assert len(shown) == segment.packets
        assert max(shown) - min(shown) < 5


def test_many_jumps_are_as_many_files(tmp_path: Path, h264: Clip) -> None:
    jumps = {30: 90_000 * 3600, 55: -90_000 * 7200, 80: 90_000 * 60}
    with ScriptedCamera(Script(h264, loops=3, speed=SPEED, jumps=jumps)) as camera:
        segments, _, session = record(camera.url, tmp_path, 60_000_000)
        sent = [picture.digest for picture in camera.sent]
    assert digests(tmp_path, segments) == sent
    assert (session.timeline.jumps, len(segments)) == (3, 4)
    total = sum(segment.duration.total_seconds() for segment in segments)
    assert total == pytest.approx(150 / 25, abs=1.5)


@pytest.mark.parametrize("codec", ["aac", "pcm_mulaw"])
def test_sound_goes_along_and_costs_no_picture(tmp_path: Path, h264: Clip, codec: str) -> None:
    layout.prepare(tmp_path, 0)
    sound = speak("aac" if codec == "aac" else "pcm_mulaw", 2)
    with ScriptedCamera(Script(h264, audio=sound, loops=2, speed=SPEED)) as camera:
        recording = Recording(camera.url, tmp_path, audio=True)
        for _ in recording.play():
            pass
        sent = [picture.digest for picture in camera.sent]
    assert digests(tmp_path, recording.segments) == sent
    for segment in recording.segments[:-1]:
        with av.open(str(tmp_path / segment.path)) as container:
            rate = container.streams.audio[0].rate
            heard = sum(frame.samples for frame in container.decode(audio=0)) / rate
        assert heard == pytest.approx(1, abs=0.25)


def test_announced_sound_that_never_comes_holds_nothing_up(tmp_path: Path, h264: Clip) -> None:
    layout.prepare(tmp_path, 0)
    script = Script(h264, audio=speak("pcm_mulaw", 2), silent_audio=True, loops=4, speed=SPEED)
    with ScriptedCamera(script) as camera:
        recording = Recording(camera.url, tmp_path, audio=True)
        for _ in recording.play():
            pass
        sent = [picture.digest for picture in camera.sent]
    assert digests(tmp_path, recording.segments) == sent


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond ``ONE_GOP_BYTES``, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ONE_GOP_BYTES, hard))  # Python ignores the signal
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
def test_a_file_that_may_not_grow_breaks_off_and_the_next_key_frame_begins_anew(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=4, speed=SPEED)) as camera:
        segments, posted, session = record(camera.url, tmp_path, 60_000_000)
        keys = {picture.digest for picture in camera.sent if picture.key}
        assert len(camera.sessions) == 1
    assert "File too large" in session.error
    assert session.dropped > 0
    assert len(segments) >= 3
    for segment in segments:
        shown = read_back(tmp_path / segment.path)
        assert len(shown) >= 25
        assert shown[0] in keys
    assert isinstance(posted[-1], Run)


def read_back(path: Path) -> list[str]:
    """The coded pictures of a file that may have a torn end."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    return [slices_digest(packet, in_mp4=True) for packet in packets]


@pytest.mark.usefixtures("small_files")
def test_the_row_of_a_file_that_broke_off_is_what_the_file_holds(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=2, speed=SPEED)) as camera:
        segments, _, _ = record(camera.url, tmp_path, 60_000_000)
    for segment in segments:
        held = describe(tmp_path, tmp_path / segment.path, "closed")
        assert held is not None
        assert (segment.packets, segment.end) == (held.packets, held.end)


@pytest.mark.usefixtures("small_files")
def test_a_file_that_broke_off_plays_to_its_end(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=2, speed=SPEED)) as camera:
        segments, _, _ = record(camera.url, tmp_path, 60_000_000)
    assert decoded(tmp_path / segments[0].path) >= 25


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, timeout=10, check=False).returncode:
        pytest.skip("a disk can be mounted by root alone")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], timeout=10, check=True)


def test_a_disk_that_has_room_again_is_recorded_to_again(small_disk: Path, h264: Clip) -> None:
    layout.prepare(small_disk, 0)
    ballast = small_disk / "ballast"
    with ScriptedCamera(Script(h264, loops=6, speed=SPEED)) as camera:
        recording = Recording(camera.url, small_disk, clock=QuickClock())
        errors: list[str] = []
        for number in recording.play():
            if number == 80:
                ballast.write_bytes(b"x" * (layout.free_bytes(small_disk) - 8192))
            if number == 200:
                errors.append(recording.session.error)
                ballast.unlink()
        sent = [picture.digest for picture in camera.sent]
        assert len(camera.sessions) == 1
    assert os.strerror(errno.ENOSPC) in errors[0]
    assert recording.session.error == ""
    whole = [segment for segment in recording.segments if segment.packets == 25]
    assert digests(small_disk, whole[:2]) == sent[:50]
    assert digests(small_disk, whole[-3:]) == sent[-75:]


def test_a_full_disk_does_not_use_up_descriptors(small_disk: Path, h264: Clip) -> None:
    layout.prepare(small_disk, 0)
    with ScriptedCamera(Script(h264, loops=3, speed=SPEED)) as camera:
        for number in Recording(camera.url, small_disk).play():
            if number == 30:
                (small_disk / "ballast").write_bytes(b"x" * layout.free_bytes(small_disk))
    held = [link for link in Path("/proc/self/fd").iterdir() if str(small_disk) in str(os.path.realpath(link))]
    assert held == []
    assert list(small_disk.rglob(f"*{layout.PART_SUFFIX}")) == []


def test_a_run_may_end_with_the_first_picture_of_a_segment(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, speed=SPEED, drop_after=26)) as camera:
        segments, _, _ = record(camera.url, tmp_path)
        sent = [picture.digest for picture in camera.sent]
    assert [segment.packets for segment in segments] == [25, 1]
    assert digests(tmp_path, segments) == sent


def test_a_clock_that_is_set_does_not_change_the_length_of_what_was_recorded(tmp_path: Path, h264: Clip) -> None:
    layout.prepare(tmp_path, 0)
    clock = QuickClock()
    with ScriptedCamera(Script(h264, loops=2, speed=SPEED)) as camera:
        recording = Recording(camera.url, tmp_path, 2_000_000, clock=clock)
        for number in recording.play():
            if number == 80:
                clock.step_us = -3_600_000_000
    assert [round(segment.duration.total_seconds()) for segment in recording.segments] == [2, 2]


def test_what_is_held_is_written_when_the_recording_thread_is_stuck(tmp_path: Path, h264: Clip) -> None:
    layout.prepare(tmp_path, 0)
    with ScriptedCamera(Script(h264, speed=SPEED * 10)) as camera:
        recording = Recording(camera.url, tmp_path)
        taken = 0
        for taken, (info, packet) in enumerate(recording.source.packets(), 1):
            recording.session.take(info, packet)
            if taken == 20:
                break
        recording.session.abandon()
        recording.source.close()
    assert [segment.packets for segment in recording.segments] == [taken]

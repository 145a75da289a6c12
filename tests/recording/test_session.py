"""From the camera's packets to files: nothing lost, nothing twice, whatever the camera's clock does."""

from __future__ import annotations

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
from nvr.errors import SourceError
from nvr.media.index import read_index
from nvr.media.source import open_source
from nvr.model import Address, Gap, Run, Segment
from nvr.reason import Reason
from nvr.recording.gaps import Gaps
from nvr.recording.outbox import Message, Outbox, Room
from nvr.recording.session import Session
from nvr.recording.spool import LIMIT_BYTES, Spool
from nvr.recording.task import Target
from nvr.schedule import Schedule
from tests.fakes import clip
from tests.fakes.clip import Clip, slices_digest, speak
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.fakes.segments import decoded, digests
from tests.fakes.station import wait_for

SPEED, SLOWER = 20.0, 5.0
"""How much quicker than a camera these go; the recorder's clock goes as quickly, so that it sees a live camera."""
ONE_GOP_BYTES = 19_000
"""The file of one GOP, and a part of the next."""


class QuickClock(SystemClock):
    """The machine's clocks, ``speed`` times as quick: as much larger is what a slow machine makes late."""

    def __init__(self, speed: float = SPEED) -> None:
        self._speed = speed
        self._begin_us = super().now_us()
        self._begin_monotonic_us = super().monotonic_us()
        self.step_us = 0

    def now_us(self) -> int:
        return self._begin_us + self.step_us + round((super().monotonic_us() - self._begin_monotonic_us) * self._speed)

    def monotonic_us(self) -> int:
        return round(super().monotonic_us() * self._speed)


class NoOutbox(Outbox):
    """Keeps what is posted."""

    def __init__(self) -> None:
        self.posted: list[Message] = []

    def post(self, message: Message) -> None:
        self.posted.append(message)


class Recording:
    """A session over a camera, driven packet by packet."""

    def __init__(
        self,
        url: str,
        storage: Path,
        segment_us: int = 1_000_000,
        *,
        clock: Clock | None = None,
        audio: bool = False,
        schedule: Schedule | None = None,
        gap: Gap | None = None,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        clock = clock or QuickClock()
        self.storage = storage
        self.outbox = NoOutbox()
        self.source = open_source(Address(url), clock, audio=audio)
        run = Run("run", "cam", "main", from_us(clock.now_us()))
        target = Target(storage, segment_us, schedule)
        self.spool = Spool(storage, self.outbox, clock, limit_bytes)
        self.spool.start(iter(()))
        gaps = Gaps("cam", self.outbox, schedule, gap)
        self.session = Session(run, self.source, target, self.spool, gaps, self.outbox, clock)

    def play(self) -> Iterator[int]:
        """Take everything until the camera hangs up, then end; the number of packets before each."""
        try:
            for number, (info, packet) in enumerate(self.source.packets()):
                yield number
                self.session.take(info, packet)
        except SourceError as error:
            self.session.end(error.reason, str(error))
        finally:
            self.source.close()
            self.spool.finish(10)

    @property
    def segments(self) -> list[Segment]:
        return [message for message in self.outbox.posted if isinstance(message, Segment)]

    @property
    def gaps(self) -> list[Gap]:
        """Each gap as it was told last, in the order in which they began."""
        told = {message.id: message for message in self.outbox.posted if isinstance(message, Gap)}
        return list(told.values())


def record(
    url: str, storage: Path, segment_us: int = 1_000_000, speed: float = SPEED
) -> tuple[list[Segment], list[Message], Session]:
    layout.prepare(storage)
    recording = Recording(url, storage, segment_us, clock=QuickClock(speed))
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
    with ScriptedCamera(Script(h264, loops=2, speed=SLOWER)) as camera:
        segments, _, _ = record(camera.url, tmp_path, speed=SLOWER)
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
    (last,) = [message for message in posted if isinstance(message, Run)]
    assert "closed the connection" in (last.end_reason or "")
    assert last.end == segments[-1].end


def test_a_run_that_breaks_off_begins_a_gap_where_its_video_ends(tmp_path: Path, h264: Clip) -> None:
    layout.prepare(tmp_path)
    with ScriptedCamera(Script(h264, drop_after=40)) as camera:
        recording = Recording(camera.url, tmp_path)
        for _ in recording.play():
            pass
    (gap,) = recording.gaps
    assert (gap.reason, gap.start, gap.end) == (Reason.CLOSED, recording.segments[-1].end, None)


def test_the_first_picture_ends_the_gap_that_was_open(tmp_path: Path, h264: Clip) -> None:
    layout.prepare(tmp_path)
    open_before = Gap("g", "cam", from_us(0), Reason.KILLED)
    with ScriptedCamera(Script(h264)) as camera:
        recording = Recording(camera.url, tmp_path, gap=open_before)
        for _ in recording.play():
            pass
    ended, closed = recording.gaps
    assert (ended.id, ended.end) == ("g", recording.segments[0].start)
    assert closed.reason is Reason.CLOSED


def test_a_disk_that_refuses_for_a_while_costs_nothing(
    tmp_path: Path, h264: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.open, 0

    def full_twice(path: object, flags: int, *rest: int) -> int:
        nonlocal calls
        calls += str(path).endswith(".part")
        if str(path).endswith(".part") and calls <= 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, flags, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("nvr.recording.spool.os.open", full_twice)
    with ScriptedCamera(Script(h264, loops=3, speed=SPEED)) as camera:
        segments, posted, session = record(camera.url, tmp_path)
    assert session.dropped == 0
    assert sum(segment.packets for segment in segments) == 150
    assert Room() in posted  # the janitor was told
    assert calls > 2


def test_nothing_is_written_where_the_disk_was_unmounted(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=20, speed=SPEED)) as camera:
        recording = Recording(camera.url, tmp_path, limit_bytes=10_000)  # no marker was made
        errors = [str(recording.spool.error) for _ in recording.play()]
    assert recording.segments == []
    assert "still mounted" in errors[-1]
    assert recording.session.dropped > 0
    assert Reason.VOLUME_MISSING in {gap.reason for gap in recording.gaps}
    assert list(tmp_path.iterdir()) == []


def test_a_change_of_the_picture_begins_a_file_of_its_own_and_costs_nothing(tmp_path: Path, h264: Clip) -> None:
    """As when somebody sets another resolution: new parameter sets in the stream, the session goes on."""
    larger = clip.record(frames=50, gop=25, scale=2)
    layout.prepare(tmp_path)
    with ScriptedCamera(Script(h264, loops=2, speed=SPEED, changes={50: larger})) as camera:
        recording = Recording(camera.url, tmp_path, 60_000_000)
        for _ in recording.play():
            pass
        sent = [picture.digest for picture in camera.sent]
    first, second = recording.segments
    assert [(first.width, first.height), (second.width, second.height)] == [(320, 180), (640, 360)]
    assert first.end == second.start
    assert digests(tmp_path, recording.segments) == sent
    with av.open(str(tmp_path / second.path)) as container:
        assert container.streams.video[0].codec_context.width == 640


def test_only_what_is_scheduled_is_recorded(tmp_path: Path, h264: Clip) -> None:
    layout.prepare(tmp_path)

    class TwoSeconds(Schedule):
        """On duty from the third to the fifth second of the run."""

        def covers(self, at_us: int) -> bool:
            return begin_us + 2_000_000 <= at_us < begin_us + 4_000_000

        def change_us(self, at_us: int) -> int:
            return at_us + 1

    clock = QuickClock(2)
    begin_us = clock.now_us()
    with ScriptedCamera(Script(h264, loops=4, speed=2)) as camera:
        recording = Recording(camera.url, tmp_path, clock=clock, schedule=TwoSeconds(()))
        for number in recording.play():
            if number == 0:
                begin_us = clock.now_us()
    assert 0 < sum(segment.packets for segment in recording.segments) <= 75  # what came late counts when it came
    assert recording.session.dropped == 0
    assert all(segment.end <= from_us(begin_us + 4_500_000) for segment in recording.segments)
    assert recording.gaps[-1].reason is Reason.SCHEDULE


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
    layout.prepare(tmp_path)
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
    layout.prepare(tmp_path)
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
    assert session.dropped > 0
    (gap, *_) = [message for message in posted if isinstance(message, Gap)]
    assert "File too large" in gap.detail
    assert len(segments) >= 3
    for segment in segments:
        shown = read_back(tmp_path / segment.path)
        assert len(shown) >= 25
        assert shown[0] in keys
    assert any(isinstance(message, Run) for message in posted)


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
        held = read_index(tmp_path, tmp_path / segment.path)
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


def test_a_full_disk_holds_video_back_and_loses_what_memory_does_not_hold(small_disk: Path, h264: Clip) -> None:
    layout.prepare(small_disk)
    ballast = small_disk / "ballast"
    with ScriptedCamera(Script(h264, loops=20, speed=SPEED)) as camera:
        recording = Recording(camera.url, small_disk, limit_bytes=40_000)
        errors: list[str] = []
        for number in recording.play():
            if number == 80:
                ballast.write_bytes(b"x" * (layout.free_bytes(small_disk) - 8192))
            if number >= 300 and not errors and recording.spool.error is not None:
                errors.append(str(recording.spool.error))
                ballast.unlink()
                wait_for(lambda: recording.spool.error is None, "the disk to take it")
        sent = [picture.digest for picture in camera.sent]
        assert len(camera.sessions) == 1
    assert os.strerror(errno.ENOSPC) in errors[0]
    recorded = digests(small_disk, recording.segments)
    assert 75 <= len(recorded) < len(sent)
    assert recorded[:75] == sent[:75]
    assert recorded[-100:] == sent[-100:]
    assert recording.session.dropped == len(sent) - len(recorded)
    (gap,) = [gap for gap in recording.gaps if gap.reason is Reason.DISK_FULL]
    assert gap.end is not None


def test_a_full_disk_does_not_use_up_descriptors(small_disk: Path, h264: Clip) -> None:
    layout.prepare(small_disk)
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


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_clock_that_is_set_begins_a_file_at_the_next_key_frame(tmp_path: Path, h264: Clip, step: int) -> None:
    layout.prepare(tmp_path)
    clock = QuickClock(SLOWER)
    with ScriptedCamera(Script(h264, loops=20, speed=SLOWER)) as camera:
        recording = Recording(camera.url, tmp_path, 60_000_000, clock=clock)
        for number in recording.play():
            if number == 650:
                clock.step_us = step * 1_000_000
            if number == 655:  # noticed a little later
                recording.session.clock_stepped()
    before, after = recording.segments
    assert before.packets + after.packets == 1000
    assert (before.duration + after.duration).total_seconds() == pytest.approx(40, abs=0.5)
    assert (after.start - before.end).total_seconds() == pytest.approx(step, abs=5)
    steps = [gap for gap in recording.gaps if gap.reason is Reason.CLOCK_STEPPED]
    assert [(gap.start, gap.end) for gap in steps] == ([(before.end, after.start)] if step > 0 else [])


def test_what_is_held_is_written_when_the_recording_thread_is_stuck(tmp_path: Path, h264: Clip) -> None:
    layout.prepare(tmp_path)
    with ScriptedCamera(Script(h264, speed=SPEED * 10)) as camera:
        recording = Recording(camera.url, tmp_path)
        taken = 0
        for taken, (info, packet) in enumerate(recording.source.packets(), 1):
            recording.session.take(info, packet)
            if taken == 20:
                break
        recording.session.abandon()
        recording.spool.finish(10)
        recording.source.close()
    assert [segment.packets for segment in recording.segments] == [taken]

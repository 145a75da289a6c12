"""The recorder process, from the camera's socket to the supervisor's."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nvr import frameslot
from nvr.frameslot import SlotReader
from nvr.media.index import read_index
from nvr.model import Address, Run
from nvr.pulse import Pulse
from nvr.reason import Reason
from nvr.recording.recorder import LOGIN_PAUSE_US, WRONG_PATH_PAUSE_US
from nvr.recording.task import Watch
from tests.fakes.camera import Camera
from tests.fakes.clip import Clip, record, write
from tests.fakes.recorder import RecorderProcess, task
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.fakes.segments import PATH, decoded, digests, fill
from tests.fakes.station import ROOT, wait_for

SECRET = "s3cr:t/@%"
StartCamera = Callable[..., ScriptedCamera]


def wait_until_held(recorder: RecorderProcess, clip: Clip, pictures: int) -> None:
    """Until so many pictures are in the files that are being written: what was sent need not have been read."""
    units = itertools.islice(itertools.cycle(clip.units), pictures)
    size = sum(len(nal) for unit in units for nal in unit.nals)
    wait_for(lambda: sum(part.stat().st_size for part in recorder.parts()) > size, f"{pictures} pictures in a file")


def test_every_picture_of_every_run_is_in_the_files_once(scripted: StartCamera, tmp_path: Path, h264: Clip) -> None:
    camera = scripted(Script(h264, loops=2, speed=10), Script(h264, speed=1, loops=100))
    with RecorderProcess(task(tmp_path, Address(camera.url))) as recorder:
        wait_for(lambda: len({segment.run for segment in recorder.segments()}) == 2, "a segment of the second run")
        assert recorder.stop() == 0
    begun, ended = recorder.runs(ended=False), recorder.runs(ended=True)
    assert [run.id for run in begun] == [run.id for run in ended]
    assert [run.end_reason for run in ended] == [f"closed: {camera.url}: the camera closed the connection", "stopped"]
    first, second = ([segment for segment in recorder.segments() if segment.run == run.id] for run in begun)
    storage = recorder.task.target.storage
    assert digests(storage, first) == [sent.digest for sent in camera.sessions[0]]
    recorded = digests(storage, second)
    assert recorded == [sent.digest for sent in camera.sessions[1]][: len(recorded)]
    assert len(recorded) >= 25
    assert recorder.parts() == []


def test_what_is_told_is_in_order(scripted: StartCamera, tmp_path: Path, h264: Clip) -> None:
    """A run before its segments, these in their order and each where the last ended, the run's end where the last."""
    camera = scripted(Script(h264, loops=4, speed=1.2), Script(describe_status=404))
    with RecorderProcess(task(tmp_path, Address(camera.url))) as recorder:
        recorder.wait_for_state("failed")
        segments = recorder.wait_for_segments(8)
        assert recorder.stop() == 0
    slow = {Reason.CLOSED, Reason.UNREACHABLE, Reason.UNUSABLE}  # told where a retry or an answer is slow
    reasons = [gap.reason for gap in recorder.gaps() if gap.reason not in slow]
    assert reasons == [Reason.STARTING, Reason.NOT_FOUND, Reason.STOPPED]
    assert recorder.gaps()[1].start == segments[-1].end
    first = next(message for message in recorder.messages if isinstance(message, Run))
    assert (first.camera, first.codec, first.width, first.height, first.end) == ("cam", "h264", 320, 180, None)
    assert all(before.end == after.start for before, after in itertools.pairwise(segments))
    assert {segment.run for segment in segments} == {first.id}
    (ended,) = recorder.runs(ended=True)
    assert ended == replace(first, end=segments[-1].end, end_reason=ended.end_reason)


def test_it_ends_soon_while_the_camera_says_nothing(scripted: StartCamera, tmp_path: Path, h264: Clip) -> None:
    """The first thread is inside FFmpeg and does not see the stop: the keeper closes the file."""
    camera = scripted(Script(h264, speed=1, loops=100, stall_after=60))
    with RecorderProcess(task(tmp_path, Address(camera.url), 60_000_000)) as recorder:
        wait_for(lambda: len(camera.sent) == 60, "60 pictures")
        wait_until_held(recorder, h264, 50)
        assert recorder.stop() == 0
    (segment,) = recorder.segments()
    recorded = digests(recorder.task.target.storage, [segment])
    assert recorded == [sent.digest for sent in camera.sent][: len(recorded)]
    assert len(recorded) >= 50
    assert [run.end_reason for run in recorder.runs(ended=True)] == ["stopped"]
    assert recorder.parts() == []


def test_it_ends_soon_while_it_waits_for_a_camera(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = Address(f"rtsp://127.0.0.1:{deaf.getsockname()[1]}/x")
        with RecorderProcess(task(tmp_path, address)) as recorder:
            recorder.wait_for_state("connecting")
            assert recorder.stop() == 0
    assert [gap.reason for gap in recorder.gaps()] == [Reason.STARTING, Reason.STOPPED]


def test_killed_it_loses_about_a_second_and_its_successor_salvages(
    scripted: StartCamera, tmp_path: Path, h264: Clip
) -> None:
    camera = scripted(Script(h264, speed=1, loops=100))
    work = task(tmp_path, Address(camera.url), 60_000_000)
    with RecorderProcess(work) as recorder:
        wait_until_held(recorder, h264, 25)
        known = len(camera.sent)
        wait_for(lambda: len(camera.sent) >= known + 80, "80 pictures more")
        recorder.kill()
        sent = [picture.digest for picture in camera.sent]
    (run,) = recorder.runs(ended=False)
    (part,) = recorder.parts()
    with RecorderProcess(replace(work, restarts=1)) as successor:
        (segment, *_) = successor.wait_for_segments(1)
        successor.wait_for_state("recording")
        assert successor.stop() == 0
        beat = successor.pulse
    assert (segment.state, segment.run, segment.path.name) == ("salvaged", run.id, part.name.removesuffix(".part"))
    recorded = digests(work.target.storage, [segment])
    assert recorded == sent[: len(recorded)]
    assert len(sent) - len(recorded) <= 60
    assert beat is not None
    assert (beat.state, beat.restarts) == ("stopped", 1)


@pytest.mark.slow
def test_a_file_that_its_predecessor_still_held_is_salvaged_a_little_later(
    scripted: StartCamera, tmp_path: Path, h264: Clip
) -> None:
    """The supervisor was killed and started again, while a recorder of the first still hung."""
    camera = scripted(Script(h264, speed=1, loops=100))
    work = task(tmp_path, Address(camera.url), 60_000_000)
    left = fill(
        work.target.storage, write(tmp_path / "clip.mp4"), path=Path("segments/cam") / PATH.parent.name / PATH.name
    )
    with RecorderProcess(work) as recorder:
        recorder.wait_for_state("recording")
        assert left.part.exists()
        os.close(left.descriptor)  # it is killed at last
        (segment,) = recorder.wait_for_segments(1)
        assert recorder.stop() == 0
    assert segment.state == "salvaged"
    assert not left.part.exists()


def test_without_its_supervisor_it_closes_its_file_and_ends(scripted: StartCamera, tmp_path: Path, h264: Clip) -> None:
    camera = scripted(Script(h264, speed=1, loops=100))
    with RecorderProcess(task(tmp_path, Address(camera.url), 60_000_000)) as recorder:
        wait_until_held(recorder, h264, 25)
        assert recorder.leave() == 0
    assert recorder.parts() == []
    (file,) = recorder.task.target.storage.rglob("*.mp4")
    assert decoded(file) >= 25


def test_a_refused_login_is_tried_once_and_then_not_for_half_an_hour(
    scripted: StartCamera, tmp_path: Path, h264: Clip
) -> None:
    camera = scripted(Script(h264), username="viewer", password="right")
    with RecorderProcess(task(tmp_path, Address(camera.url, "viewer", SECRET))) as recorder:
        beat = recorder.wait_for_state("failed")
        wait_for(lambda: (later := recorder.pulse) and later.beat_us > beat.beat_us, "another beat")
        assert recorder.stop() == 0
    assert sum(request.is_refused_login for request in camera.requests) == 1
    assert beat.retry_at_us - beat.beat_us == pytest.approx(LOGIN_PAUSE_US, rel=0.01)
    assert "refused the login of viewer (401)" in (beat.last_error or "")
    assert [gap.reason for gap in recorder.gaps()] == [Reason.REFUSED, Reason.STOPPED]
    assert "s3cr" not in recorder.log + str(beat)


def test_a_camera_that_is_gone_is_knocked_at_and_not_logged_in_to(
    scripted: StartCamera, tmp_path: Path, h264: Clip
) -> None:
    """However long it is away: one failure is told, and the first answer is followed by a run."""
    camera = scripted(Script(h264, speed=1, loops=100))
    with RecorderProcess(task(tmp_path, Address(camera.url))) as recorder:
        recorder.wait_for_state("recording")
        camera.vanish()
        recorder.wait_for_state("waiting")
        wait_for(
            lambda: "nothing answers there" in ((recorder.pulse or Pulse("", 0, "", 0, 0)).last_error or ""), "why"
        )
        beat = recorder.wait_for_state("waiting")
        wait_for(lambda: (now := recorder.pulse) and now.beat_us - beat.beat_us > 4_000_000, "four seconds")
        camera.come_back()
        wait_for(lambda: len(camera.sessions) == 2, "a second run")
        assert recorder.stop() == 0
    assert recorder.log.count("next try in") == 1
    away = next(gap for gap in recorder.gaps() if gap.reason is Reason.UNREACHABLE)
    first = recorder.segments()[0]
    assert away.start <= max(segment.end for segment in recorder.segments() if segment.run == first.run)
    assert away.end is not None


@pytest.mark.slow
def test_a_stream_without_a_key_frame_is_a_gap_of_its_own(scripted: StartCamera, tmp_path: Path) -> None:
    camera = scripted(Script(record(frames=1000, gop=1000), skip=1, speed=1, loops=2))
    with RecorderProcess(task(tmp_path, Address(camera.url))) as recorder:
        wait_for(lambda: Reason.NO_KEY_FRAME in [gap.reason for gap in recorder.gaps()], "the reason")
        assert recorder.stop() == 0
    assert recorder.segments() == []


def test_a_wrong_channel_is_asked_for_every_five_minutes(scripted: StartCamera, tmp_path: Path) -> None:
    camera = scripted(Script(describe_status=404))
    with RecorderProcess(task(tmp_path, Address(camera.url))) as recorder:
        beat = recorder.wait_for_state("failed")
        assert recorder.stop() == 0
    assert beat.retry_at_us - beat.beat_us == pytest.approx(WRONG_PATH_PAUSE_US, rel=0.01)
    assert "no such channel" in (beat.last_error or "")


def test_a_full_disk_costs_a_part_of_each_segment_and_not_the_connection(
    scripted: StartCamera, tmp_path: Path, h264: Clip
) -> None:
    """No file may grow beyond ``limit``, which holds one GOP and not two: each breaks off, a key frame begins anew."""
    limit = 19_000
    camera = scripted(Script(h264, speed=2, loops=100))
    with RecorderProcess(task(tmp_path, Address(camera.url), 60_000_000), file_limit=limit) as recorder:
        segments = recorder.wait_for_segments(2)
        wait_for(lambda: (beat := recorder.pulse) and beat.dropped, "the drops in the pulse")
        assert recorder.pulse is not None
        assert recorder.pulse.state == "recording"
        assert any("File too large" in gap.detail for gap in recorder.gaps())
        assert recorder.stop() == 0
    assert len(camera.sessions) == 1
    for segment in segments:
        held = read_index(recorder.task.target.storage, recorder.task.target.storage / segment.path)
        assert held.bytes <= limit
        assert held.packets >= 25


def test_a_file_is_recorded_to_its_end_and_not_again(tmp_path: Path) -> None:
    video = write(tmp_path / "clip.mp4", frames=25)
    with RecorderProcess(task(tmp_path, Address(str(video)))) as recorder:
        beat = recorder.wait_for_state("finished")
        (segment,) = recorder.wait_for_segments(1)
        assert recorder.stop() == 0
    assert (segment.packets, beat.retry_at_us) == (25, 0)
    assert [run.end_reason for run in recorder.runs(ended=True)] == ["ended"]


def test_what_is_recorded_is_shown_as_well(scripted: StartCamera, tmp_path: Path, h264: Clip) -> None:
    slot = tmp_path / "cam.slot"
    frameslot.create(slot)
    camera = scripted(Script(h264, speed=1, loops=100))
    work = replace(task(tmp_path, Address(camera.url)), watch=Watch("main", "all", slot))
    with RecorderProcess(work) as recorder, SlotReader(slot) as reader:
        wait_for(lambda: (frame := reader.read()) and frame.sequence > 20, "pictures")
        (segment,) = recorder.wait_for_segments(1)[:1]
        assert recorder.stop() == 0
    assert digests(work.target.storage, [segment]) == [sent.digest for sent in camera.sent[:25]]
    assert len(camera.sessions) == 1


def test_without_recording_the_sub_stream_alone_is_watched(scripted: StartCamera, tmp_path: Path, h264: Clip) -> None:
    slot = tmp_path / "cam.slot"
    frameslot.create(slot)
    main, sub = scripted(Script(h264)), scripted(Script(h264, speed=1, loops=100))
    work = replace(
        task(tmp_path, Address(main.url)), sub=Address(sub.url), record=False, watch=Watch("sub", "all", slot)
    )
    with RecorderProcess(work) as recorder, SlotReader(slot) as reader:
        wait_for(lambda: reader.read() is not None, "a picture")
        assert recorder.wait_for_state("watching").run is None
        assert recorder.stop() == 0
    assert ([gap.reason for gap in recorder.gaps()], main.requests) == ([Reason.OFF], [])
    assert list((work.target.storage).rglob("*.mp4*")) == []


def test_a_camera_that_is_really_there(camera: Camera, tmp_path: Path) -> None:
    record_real(camera, tmp_path, "h264")


def test_a_camera_with_h265_that_is_really_there(camera_h265: Camera, tmp_path: Path) -> None:
    record_real(camera_h265, tmp_path, "hevc")


def record_real(camera: Camera, tmp_path: Path, codec: str) -> None:
    """A segment with sound, and no password in the log."""
    address = Address(camera.url(), camera.username, camera.password)
    with RecorderProcess(replace(task(tmp_path, address), audio=True)) as recorder:
        segments = recorder.wait_for_segments(1)
        assert recorder.stop() == 0
    for segment in segments:
        assert segment.codec == codec
        assert decoded(recorder.task.target.storage / segment.path) == segment.packets
    assert camera.password not in recorder.log


def test_it_carries_only_what_recording_needs() -> None:
    """Each recorder is a process: what it imports is paid once a camera."""
    program = "import sys, nvr.recording.recorder; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    modules = {name.partition(".")[0] for name in done.stdout.split()}
    assert "av" in modules
    assert modules.isdisjoint({"cv2", "onnxruntime", "sqlalchemy", "alembic", "pydantic", "typer", "rich", "numpy"})

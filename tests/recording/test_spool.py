"""Between camera and disk: writes are carried out in order, whatever the disk does, and nobody else waits for it."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nvr import layout
from nvr.clock import from_us
from nvr.errors import StorageError
from nvr.media.segment import SegmentWriter
from nvr.model import Gap, Segment
from nvr.reason import Reason
from nvr.recording import patience
from nvr.recording import spool as module
from nvr.recording.outbox import Message, Outbox, Room
from nvr.recording.spool import SYNC_US, Spool, SpoolFile
from nvr.recording.timeline import Timeline
from tests.fakes.clock import FakeClock
from tests.fakes.segments import ORIGIN, PATH, decoded, read_file
from tests.fakes.station import wait_for


class NoOutbox(Outbox):
    """Keeps what is posted."""

    def __init__(self) -> None:
        self.posted: list[Message] = []

    def post(self, message: Message) -> None:
        self.posted.append(message)


class Scene:
    """A spool over a storage folder, and what it reported."""

    def __init__(self, storage: Path, limit_bytes: int = 1 << 20) -> None:
        layout.prepare(storage)
        self.storage = storage
        self.clock = FakeClock()
        self.outbox = NoOutbox()
        self.spool = Spool(storage, self.outbox, self.clock, limit_bytes)

    def record(self, video: Path, path: Path = PATH) -> SegmentWriter:
        """Write a whole clip as a segment, and hand it over to be sealed."""
        source = read_file(video)
        file = self.spool.create(path)
        writer = SegmentWriter(file, source, ORIGIN, 0)
        timeline, packets = Timeline(), list(source.packets())
        places = [place for info, _ in packets for place in timeline.push(info)] + timeline.flush()
        for (_, packet), placed in zip(packets, places, strict=True):
            writer.write_video(packet, placed)
        writer.finish()
        end_us = ORIGIN.start_us + writer.end_media_us
        self.spool.seal(file, lambda path, size: writer.segment(path, size, end_us), writer.packets)
        return writer

    @property
    def segments(self) -> list[Segment]:
        return [message for message in self.outbox.posted if isinstance(message, Segment)]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_S", 0.01)
    monkeypatch.setattr(patience, "RETRY_S", 0.01)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "storage")
    yield made
    if made.spool._thread.is_alive():
        made.spool.finish(5)


def path_of(number: int) -> Path:
    return PATH.with_name(f"14-0{number}-00.000+0000.mp4")


def refuse(monkeypatch: pytest.MonkeyPatch, call: str, number: int, times: Callable[[], bool]) -> list[int]:
    """Let ``os.<call>`` on the spool fail while ``times`` says so; the calls that failed."""
    real, failed = getattr(os, call), list[int]()

    def refusing(*arguments: object, **options: object) -> object:
        if times():
            failed.append(1)
            raise OSError(number, os.strerror(number))
        return real(*arguments, **options)

    monkeypatch.setattr(f"nvr.recording.spool.os.{call}", refusing)
    return failed


def test_segments_are_sealed_and_told_in_their_order(scene: Scene, clip_h264: Path) -> None:
    scene.spool.start(iter(()))
    for number in range(5):
        scene.record(clip_h264, path_of(number))
    assert scene.spool.finish(10)
    assert [segment.path for segment in scene.segments] == [path_of(number) for number in range(5)]
    for segment in scene.segments:
        file = scene.storage / segment.path
        assert file.stat().st_size == segment.bytes
        assert decoded(file) == segment.packets == 100
    assert not list(scene.storage.rglob("*.part"))


def test_nothing_waits_for_a_disk_that_hangs(scene: Scene, clip_h264: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole segment is written and closed while the disk stands still; then it is there."""
    hangs, real = threading.Event(), os.pwrite

    def hanging(*arguments: object) -> int:
        assert hangs.wait(20)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("nvr.recording.spool.os.pwrite", hanging)
    scene.spool.start(iter(()))
    scene.record(clip_h264)
    assert scene.spool.waiting_bytes > 30_000
    assert scene.segments == []
    hangs.set()
    assert scene.spool.finish(10)
    assert scene.spool.waiting_bytes == 0
    assert decoded(scene.storage / PATH) == 100


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("call", ["open", "pwrite", "fdatasync"])
def test_a_disk_that_refuses_is_asked_again_until_it_takes_all(
    scene: Scene,
    clip_h264: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    call: str,
    number: int,
) -> None:
    left = iter(range(5))
    failed = refuse(monkeypatch, call, number, lambda: next(left, None) is not None)
    scene.clock.advance(SYNC_US / 1e6 + 1)  # so that the first write is followed by a sync
    scene.spool.start(iter(()))
    scene.record(clip_h264)
    assert scene.spool.finish(10)
    assert len(failed) == 5
    assert decoded(scene.storage / PATH) == 100
    assert (scene.spool.error, scene.spool.lost) == (None, 0)
    assert (Room() in scene.outbox.posted) == (number in (errno.ENOSPC, errno.EDQUOT))
    assert sum("video waits in memory" in message for message in caplog.messages) == 1
    assert sum("can be written again" in message for message in caplog.messages) == 1


def test_memory_is_bounded_and_has_room_again_when_half_is_written(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = threading.Event()
    full.set()
    refuse(monkeypatch, "pwrite", errno.ENOSPC, full.is_set)
    spool = Spool(scene.storage, scene.outbox, scene.clock, limit_bytes=10_000)
    spool.start(iter(()))
    file = spool.create(PATH)
    for _ in range(10):
        assert spool.has_room()
        file.write(bytes(1001))
    assert not spool.has_room()
    wait_for(lambda: spool.error, "the error")
    assert spool.trouble.reason is Reason.DISK_FULL
    full.clear()
    wait_for(lambda: not spool.waiting_bytes, "the disk")
    assert spool.has_room()
    assert spool.finish(5)


def test_a_spool_that_is_full_has_no_room_before_half_is_written(scene: Scene) -> None:
    spool = Spool(scene.storage, scene.outbox, scene.clock, limit_bytes=10_000)  # its thread does not run
    file = SpoolFile(spool, PATH)
    file.write(bytes(10_001))
    assert not spool.has_room()
    spool._waiting_bytes = 5_001
    assert not spool.has_room()
    spool._waiting_bytes = 5_000
    assert spool.has_room()
    assert spool.trouble.reason is Reason.DISK_SLOW


def test_a_file_that_can_never_grow_is_cut_to_what_plays(
    scene: Scene, clip_h264: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite

    def limited(descriptor: int, data: bytes, place: int) -> int:
        if place > 15_000:
            raise OSError(errno.EFBIG, "File too large")
        return real(descriptor, data, place)

    monkeypatch.setattr("nvr.recording.spool.os.pwrite", limited)
    scene.spool.start(iter(()))
    scene.record(clip_h264)
    scene.spool.finish(10)
    (segment,) = scene.segments
    assert segment.state == "salvaged"
    assert 25 <= segment.packets == decoded(scene.storage / PATH) < 100
    assert scene.spool.lost == 100 - segment.packets
    (gap,) = [message for message in scene.outbox.posted if isinstance(message, Gap)]
    assert (gap.camera, gap.start, gap.reason) == ("hik1", segment.end, Reason.DISK_ERROR)
    assert gap.end == from_us(ORIGIN.start_us + 4_000_000)
    assert "File too large" in gap.detail


def test_a_file_that_somebody_removes_is_given_up_and_holds_nothing_up(scene: Scene, clip_h264: Path) -> None:
    scene.spool.start(iter(()))
    gone = scene.spool.create(path_of(1))
    gone.write(b"x" * 10)
    wait_for(lambda: not scene.spool.waiting_bytes, "the write")
    (scene.storage / f"{path_of(1)}.part").unlink()
    begin, end = from_us(ORIGIN.start_us), from_us(ORIGIN.start_us + 280_000)
    lost = Segment("hik1", "run", path_of(1), begin, end, 10, 7, "h264", 1, 1)
    scene.spool.seal(gone, lambda path, size: lost, 7)
    scene.record(clip_h264, path_of(2))
    scene.spool.finish(10)
    assert [segment.path for segment in scene.segments] == [path_of(2)]
    assert scene.spool.lost == 7
    (gap,) = [message for message in scene.outbox.posted if isinstance(message, Gap)]
    assert (gap.start, gap.end) == (begin, end)


def test_a_name_that_is_taken_is_not_overwritten(scene: Scene, clip_h264: Path) -> None:
    taken = scene.storage / PATH
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"somebody's")
    scene.spool.start(iter(()))
    scene.record(clip_h264)
    assert scene.spool.finish(10)
    (segment,) = scene.segments
    assert taken.read_bytes() == b"somebody's"
    assert segment.path.parent == PATH.parent
    assert segment.path.name == "14-05-00.124+0000.mp4"


def test_the_names_of_a_new_file_and_its_folders_are_on_disk_before_its_content(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut takes the file with all that was synced into it."""
    synced: list[str] = []
    folder = (scene.storage / PATH).parent
    real = layout.sync_folder

    def note(path: Path) -> None:
        synced.append(path.relative_to(scene.storage).as_posix())
        real(path)

    monkeypatch.setattr(layout, "sync_folder", note)
    monkeypatch.setattr("nvr.recording.spool.os.fdatasync", lambda _: synced.append("content"))
    scene.spool.start(iter(()))
    file = scene.spool.create(PATH)
    file.write(b"x")
    scene.clock.advance(SYNC_US / 1e6 + 1)
    wait_for(lambda: "content" in synced, "the first sync")
    assert folder.is_dir()
    assert synced[: synced.index("content")] == [".", "segments", "segments/hik1", "segments/hik1/2026-11-18"]


def test_a_file_that_is_being_written_is_locked(scene: Scene) -> None:
    scene.spool.start(iter(()))
    scene.spool.create(PATH).write(b"x")
    wait_for(lambda: not scene.spool.waiting_bytes, "the write")
    stranger = os.open(scene.storage / f"{PATH}.part", os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(stranger, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(stranger)


def test_nothing_is_written_where_the_marker_is_gone_until_it_is_back(scene: Scene, clip_h264: Path) -> None:
    marker = scene.storage / layout.MARKER
    kept = marker.read_bytes()
    marker.unlink()
    scene.spool.start(iter(()))
    scene.record(clip_h264)
    wait_for(lambda: scene.spool.error, "the error")
    assert scene.spool.trouble.reason is Reason.VOLUME_MISSING
    assert list(scene.storage.iterdir()) == []
    marker.write_bytes(kept)
    assert scene.spool.finish(10)
    assert decoded(scene.storage / PATH) == 100


def test_the_open_file_is_synced_every_few_seconds(
    scene: Scene, clip_h264: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("nvr.recording.spool.os.fdatasync", synced.append)
    scene.spool.start(iter(()))
    file = scene.spool.create(PATH)
    for number in range(3):
        file.write(b"x")
        scene.clock.advance(SYNC_US / 1e6 + 0.001)
        wait_for(lambda: len(synced) > number, "a sync")  # noqa: B023  # called in this turn alone
    scene.clock.advance(60)
    assert not wait_briefly(lambda: len(synced) > 3), "nothing was written since"
    assert set(synced) == {file.descriptor}


def wait_briefly(found: Callable[[], bool]) -> bool:
    pause = threading.Event()
    return any(found() or pause.wait(0.01) for _ in range(10))


def test_an_end_with_a_disk_that_refuses_is_bounded_and_keeps_the_part(
    scene: Scene, clip_h264: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = iter(range(4))
    monkeypatch.setattr("nvr.recording.spool.LAST_S", 20.0)
    refuse(monkeypatch, "pwrite", errno.EIO, lambda: next(allowed, None) is None)
    scene.spool.start(iter(()))
    scene.record(clip_h264)
    assert not scene.spool.finish(0.2) or scene.spool.lost
    (segment,) = scene.segments
    assert segment.state == "salvaged"
    assert scene.spool.lost == 100 - segment.packets > 0


def test_a_file_begun_in_vain_leaves_nothing(scene: Scene) -> None:
    scene.spool.start(iter(()))
    scene.spool.discard(scene.spool.create(PATH))
    assert scene.spool.finish(5)
    assert not list(scene.storage.rglob("*.mp4*"))
    assert scene.segments == []


def test_what_is_salvaged_is_told_first(scene: Scene, clip_h264: Path) -> None:
    scene.record(clip_h264, path_of(1))
    begin = from_us(ORIGIN.start_us)
    salvaged = Segment("hik1", "old", path_of(0), begin, begin, 1, 1, "h264", 1, 1, "salvaged")
    scene.spool.start(iter([salvaged]))
    assert scene.spool.finish(5)
    assert [segment.path for segment in scene.segments] == [path_of(0), path_of(1)]


def test_storage_errors_name_the_file(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "open", errno.ENOSPC, lambda: True)
    scene.spool.start(iter(()))
    scene.spool.create(PATH)
    wait_for(lambda: scene.spool.error, "the error")
    assert isinstance(scene.spool.error, StorageError)
    assert str(PATH) in str(scene.spool.error)

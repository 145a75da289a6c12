"""The slot: what a reader gets, who is woken, what survives a kill, and a million reads without a torn one."""

from __future__ import annotations

import errno
import mmap
import multiprocessing
import os
import select
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import av
import numpy as np
import pytest

from nvr import frameslot
from nvr.clock import from_us
from nvr.errors import StorageError
from nvr.frameslot import Plane, SlotReader, SlotWriter
from nvr.layout import SHARED_MEMORY, slot_path
from nvr.model import Frame

NOW_US = 1_795_439_100_000_000
SPAWN = multiprocessing.get_context("spawn")
MOMENT = timedelta(milliseconds=20)
LONG = timedelta(seconds=30)


def planes(width: int, height: int, value: int) -> list[Plane]:
    """A picture of one value in all its bytes, without padding."""
    whole = memoryview(bytes([value]) * (width * height))
    return [(whole, width), (whole, width // 2), (whole, width // 2)]


def write(writer: SlotWriter, value: int, width: int = 64, height: int = 48) -> int:
    return writer.write(planes(width, height, value), width, height, NOW_US + value, value)


def newest(reader: SlotReader) -> Frame:
    frame = reader.read()
    assert frame is not None
    return frame


@pytest.fixture
def path() -> Iterator[Path]:
    place = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="nvr-test-", dir=place) as folder:
        slot = slot_path(Path(folder) / "run", "hik1")
        frameslot.create(slot)
        yield slot


@pytest.fixture
def writer(path: Path) -> Iterator[SlotWriter]:
    with SlotWriter(path) as slot:
        yield slot


@pytest.fixture
def reader(path: Path) -> Iterator[SlotReader]:
    with SlotReader(path) as slot:
        yield slot


# What a reader gets


def test_a_slot_without_a_frame_reads_as_none(reader: SlotReader) -> None:
    assert reader.read() is None
    assert reader.luma(4) is None
    assert reader.peek() is None


def test_a_frame_comes_back_with_its_pixels_instant_and_media_time(writer: SlotWriter, reader: SlotReader) -> None:
    picture = np.arange(8 * 6 * 3 // 2, dtype=np.uint8)
    y, u, v = (memoryview(part.tobytes()) for part in np.split(picture, [48, 60]))
    assert writer.write([(y, 8), (u, 4), (v, 4)], 8, 6, NOW_US, -40_000) == 1
    frame = newest(reader)
    assert np.array_equal(frame.i420, picture.reshape(9, 8))
    assert np.array_equal(frame.luma, picture[:48].reshape(6, 8))
    assert (frame.width, frame.height, frame.at, frame.pts_us) == (8, 6, from_us(NOW_US), -40_000)
    assert (frame.sequence, frame.generation) == (1, 1)
    assert reader.peek() == (1, NOW_US, 1)


def test_only_the_newest_frame_is_kept(writer: SlotWriter, reader: SlotReader) -> None:
    for value in range(10):
        write(writer, value)
    frame = newest(reader)
    assert (frame.sequence, int(frame.i420[0, 0])) == (10, 9)
    assert newest(reader).sequence == 10


def test_a_frame_is_a_private_copy(writer: SlotWriter, reader: SlotReader) -> None:
    write(writer, 1)
    frame = newest(reader)
    for value in range(2, 6):
        write(writer, value)
    assert (frame.i420 == 1).all()
    frame.i420[:] = 99
    assert (newest(reader).i420 == 5).all()


def test_the_memory_of_an_old_frame_is_used_again_when_it_fits(writer: SlotWriter, reader: SlotReader) -> None:
    write(writer, 1)
    first = newest(reader)
    write(writer, 2)
    second = reader.read(into=first.i420)
    assert second is not None
    assert second.i420 is first.i420
    assert (second.i420 == 2).all()
    write(writer, 3, 32, 16)
    third = reader.read(into=second.i420)
    assert third is not None
    assert third.i420.shape == (24, 32)


def test_padding_after_each_row_is_left_out(writer: SlotWriter, reader: SlotReader) -> None:
    padded = np.full((6, 16), 255, np.uint8)
    padded[:, :8] = np.arange(48).reshape(6, 8)
    chroma = np.full((3, 8), 255, np.uint8)
    chroma[:, :4] = 7
    writer.write([(padded.data, 16), (chroma.data, 8), (chroma.data, 8)], 8, 6, NOW_US, 0)
    frame = newest(reader)
    assert np.array_equal(frame.luma, np.arange(48).reshape(6, 8))
    assert (frame.i420[6:] == 7).all()


@pytest.mark.parametrize(("width", "height"), [(64, 48), (322, 242), (323, 243), (1920, 1080), (2, 2)])
def test_planes_of_a_decoded_picture_arrive_unchanged(
    writer: SlotWriter, reader: SlotReader, width: int, height: int
) -> None:
    picture = av.VideoFrame(width, height, "yuv420p")
    for number, plane in enumerate(picture.planes):
        lines = np.frombuffer(memoryview(plane), np.uint8)
        plane.update((np.arange(lines.size) * (number + 3) % 251).astype(np.uint8).tobytes())
    source: list[Plane] = [(memoryview(plane), plane.line_size) for plane in picture.planes]
    writer.write(source, width, height, NOW_US, 0)
    frame = newest(reader)
    even_width, even_height = width - width % 2, height - height % 2
    assert (frame.width, frame.height) == (even_width, even_height)
    sizes = ((even_width, even_height), *[(even_width // 2, even_height // 2)] * 2)
    wanted = [
        np.frombuffer(buffer, np.uint8).reshape(-1, line)[:h, :w].ravel()
        for (buffer, line), (w, h) in zip(source, sizes, strict=True)
    ]
    assert np.array_equal(frame.i420.ravel(), np.concatenate(wanted))


@pytest.mark.parametrize(("step", "shape"), [(1, (50, 70)), (4, (12, 17)), (7, (7, 10))])
def test_thinned_luma_is_every_nth_pixel(
    writer: SlotWriter, reader: SlotReader, step: int, shape: tuple[int, int]
) -> None:
    luma = (np.arange(50 * 70) % 253).astype(np.uint8).reshape(50, 70)
    chroma = memoryview(bytes(25 * 35))
    writer.write([(luma.data, 70), (chroma, 35), (chroma, 35)], 70, 50, NOW_US, 0)
    thin = reader.luma(step)
    assert thin is not None
    assert thin.pixels.shape == shape
    assert np.array_equal(thin.pixels, luma[: shape[0] * step : step, : shape[1] * step : step])
    assert (thin.at, thin.sequence, thin.generation) == (from_us(NOW_US), 1, 1)


def test_a_picture_with_too_few_bytes_is_refused_and_the_old_one_stays(writer: SlotWriter, reader: SlotReader) -> None:
    write(writer, 1)
    short = memoryview(bytes(10))
    with pytest.raises((ValueError, TypeError)):
        writer.write([(short, 64), (short, 32), (short, 32)], 64, 48, NOW_US, 0)
    assert newest(reader).sequence == 1


# Torn frames


class Overtaken(SlotReader):
    """A reader whose writer publishes ``laps`` frames each time just before the reader's copy is checked."""

    def __init__(self, path: Path, writer: SlotWriter, laps: int, times: int) -> None:
        super().__init__(path)
        self.writer, self.laps, self.times, self.fences = writer, laps, times, 0

    def fence(self) -> None:
        super().fence()
        self.fences += 1
        if self.fences % 2 == 0 and self.fences <= 2 * self.times:
            for _ in range(self.laps):
                write(self.writer, self.writer.sequence + 1)


def test_a_frame_that_is_overwritten_while_it_is_copied_is_copied_again(path: Path, writer: SlotWriter) -> None:
    write(writer, 1)
    with Overtaken(path, writer, laps=3, times=1) as reader:
        frame = newest(reader)
    assert (frame.sequence, reader.fences) == (4, 4)
    assert (frame.i420 == 4).all()


def test_two_frames_may_come_while_one_is_copied(path: Path, writer: SlotWriter) -> None:
    write(writer, 1)
    with Overtaken(path, writer, laps=2, times=1) as reader:
        frame = newest(reader)
    assert (frame.sequence, reader.fences) == (1, 2)


def test_a_reader_that_is_always_overtaken_gives_up(path: Path, writer: SlotWriter) -> None:
    write(writer, 1)
    with Overtaken(path, writer, laps=3, times=1000) as reader:
        assert reader.read() is None
    assert reader.fences < 100


def test_a_move_of_the_ring_while_a_frame_is_copied_is_noticed(path: Path, writer: SlotWriter) -> None:
    class Resized(SlotReader):
        fences = 0

        def fence(self) -> None:
            super().fence()
            self.fences += 1
            if self.fences == 2:
                write(writer, 9, 640, 480)

    write(writer, 1)
    write(writer, 2)  # in the second place of the ring, which the larger frame in the first place covers
    with Resized(path) as reader:
        frame = newest(reader)
    assert (frame.sequence, frame.width) == (3, 640)
    assert (frame.i420 == 9).all()


class Killed(SlotWriter):
    """A writer that dies at the given one of the three barriers of ``write``."""

    fences_left = 1000

    def fence(self) -> None:
        super().fence()
        self.fences_left -= 1
        if self.fences_left == 0:
            raise InterruptedError


class Words:
    """The header of a reader who, once, is held up between the index of the newest entry and the entry."""

    def __init__(self, words: memoryview, meanwhile: Callable[[], None]) -> None:
        self.words, self.meanwhile = words, [meanwhile]

    def __getitem__(self, key: int | slice) -> object:
        value = self.words[key]
        if key == 6 and self.meanwhile:
            self.meanwhile.pop()()
        return value

    def release(self) -> None:
        self.words.release()


def test_a_frame_that_is_whole_but_not_yet_published_is_not_read_so_time_never_goes_back(
    path: Path, reader: SlotReader
) -> None:
    with Killed(path) as killed:

        def meanwhile() -> None:
            write(killed, 2)
            write(killed, 3)
            killed.fences_left = 3
            with pytest.raises(InterruptedError):
                write(killed, 4)

        write(killed, 1)
        assert newest(reader).sequence == 1
        reader.words = Words(reader.words, meanwhile)  # type: ignore[assignment]  # looks the same from inside
        assert newest(reader).sequence == 3
        assert newest(reader).sequence == 3


@pytest.mark.parametrize("point", [1, 2, 3])
def test_a_writer_killed_in_mid_write_leaves_the_frame_before_and_its_successor_goes_on(
    path: Path, reader: SlotReader, point: int
) -> None:
    before = 0
    for life in range(4):  # so that each place of the ring is once the one left half written
        with Killed(path) as killed:
            last, before = before, write(killed, 2 * life)
            assert before > last
            killed.fences_left = point
            with pytest.raises(InterruptedError):
                write(killed, 2 * life + 1)
        frame = newest(reader)
        assert frame.sequence == before
        assert (frame.i420 == 2 * life).all()


# Resolution and memory


def test_a_change_of_resolution_begins_a_generation_that_an_open_reader_follows(
    writer: SlotWriter, reader: SlotReader
) -> None:
    seen = []
    for value, (width, height) in enumerate([(64, 48), (640, 480), (640, 480), (32, 16), (1280, 720)]):
        write(writer, value, width, height)
        frame = newest(reader)
        assert (frame.i420 == value).all()
        seen.append((frame.sequence, frame.generation, frame.width, frame.height))
    assert seen == [(1, 1, 64, 48), (2, 2, 640, 480), (3, 2, 640, 480), (4, 3, 32, 16), (5, 4, 1280, 720)]


def test_memory_is_allocated_for_real_and_does_not_grow_with_the_frames(path: Path, writer: SlotWriter) -> None:
    write(writer, 1, 640, 480)
    full = path.stat()
    for value in range(100):
        write(writer, value, 640, 480)
    write(writer, 1, 64, 48)
    assert path.stat().st_size == full.st_size
    assert full.st_size >= 3 * 640 * 480 * 3 // 2
    assert full.st_blocks * 512 >= full.st_size


def test_full_shared_memory_is_an_error_that_says_what_is_needed_and_the_old_frame_stays(
    path: Path, writer: SlotWriter, reader: SlotReader, tmp_path: Path
) -> None:
    space = os.statvfs(path)
    total = space.f_blocks * space.f_frsize
    if not path.is_relative_to(SHARED_MEMORY) or not 0 < total < 1 << 40:
        pytest.skip("needs a /dev/shm of limited size")
    write(writer, 1)
    size = path.stat().st_size
    width = 1 << 17
    height = total // width // 2 * 2
    with (tmp_path / "picture").open("wb+") as sparse:
        sparse.truncate(width * height)
        whole = memoryview(mmap.mmap(sparse.fileno(), width * height, prot=mmap.PROT_READ))
        with pytest.raises(StorageError, match=rf"hik1.slot needs \d+\.\d MB .* {width}x{height}.*full.*--shm-size"):
            writer.write([(whole, width), (whole, width // 2), (whole, width // 2)], width, height, NOW_US, 0)
    assert newest(reader).sequence == 1
    assert path.stat().st_size == size
    assert write(writer, 2) == 2
    assert newest(reader).generation == 1


# Waking


def test_wait_sleeps_until_its_time_is_up(writer: SlotWriter, reader: SlotReader) -> None:
    assert not reader.wait(MOMENT)
    write(writer, 1)
    newest(reader)
    assert not reader.wait(MOMENT)
    assert select.select([reader], [], [], 0)[0] == [], "an old wake does not keep it awake"


def test_wait_returns_at_once_when_a_frame_came_before_it(writer: SlotWriter, reader: SlotReader) -> None:
    write(writer, 1)
    assert reader.wait(LONG)
    newest(reader)
    write(writer, 2)
    assert reader.wait(LONG)
    assert newest(reader).sequence == 2


def test_a_sleeping_reader_is_woken(path: Path, writer: SlotWriter) -> None:
    frames: list[Frame] = []

    def consume() -> None:
        with SlotReader(path) as reader:
            while len(frames) < 50 and reader.wait(LONG):
                frames.append(newest(reader))
                taken.release()

    taken = threading.Semaphore(0)
    thread = threading.Thread(target=consume)
    thread.start()
    for value in range(50):
        write(writer, value)
        assert taken.acquire(timeout=30)
    thread.join(30)
    assert [frame.sequence for frame in frames] == list(range(1, 51))


def test_one_poll_serves_many_slots_and_loses_no_wake(path: Path) -> None:
    with ExitStack() as stack:
        writers, readers, poll = [], {}, select.poll()
        for name in ("a", "b", "c"):
            slot = path.with_name(f"{name}.slot")
            frameslot.create(slot)
            writers.append(stack.enter_context(SlotWriter(slot)))
            reader = stack.enter_context(SlotReader(slot))
            readers[reader.fileno()] = reader
            poll.register(reader, select.POLLIN)
        assert len(poll.poll(0)) == 3, "a new reader looks once, for the frame that was there before it"
        for reader in readers.values():
            reader.drain()
        assert poll.poll(0) == []
        write(writers[1], 1)
        [(number, _)] = poll.poll(0)
        readers[number].drain()
        write(writers[1], 2)
        assert newest(readers[number]).sequence == 2
        assert [ready for ready, _ in poll.poll(0)] == [number], "the frame after drain is not lost"


def test_a_reader_that_never_looks_costs_the_writer_nothing(path: Path, writer: SlotWriter, reader: SlotReader) -> None:
    reader.fileno()
    with SlotReader(path) as attentive:
        for value in range(10_000):
            write(writer, value % 256, 2, 2)
        assert attentive.wait(LONG)
        assert newest(attentive).sequence == 10_000
        write(writer, 1)
        assert attentive.wait(LONG)
    reader.drain()
    assert select.select([reader], [], [], 0)[0] == [], "what a full pipe holds is forgotten at once"


def test_the_bell_of_a_killed_reader_is_removed_and_that_of_a_closed_one_is_gone(
    path: Path, writer: SlotWriter, reader: SlotReader
) -> None:
    bells = path.with_name(path.name + ".wake")
    reader.fileno()
    [kept] = bells.iterdir()
    with SlotReader(path) as closed:
        closed.fileno()
        assert len(list(bells.iterdir())) == 2
    assert list(bells.iterdir()) == [kept]
    process = _start(_sleep_at_the_slot, path)
    while len(list(bells.iterdir())) < 2:
        assert process.is_alive()
        process.join(0.01)
    _kill(process)
    write(writer, 1)
    assert list(bells.iterdir()) == [kept]


def _sleep_at_the_slot(path: Path) -> None:
    with SlotReader(path) as reader:
        reader.wait(timedelta(seconds=60))


def test_the_writer_may_ring_at_a_reader_of_another_account(path: Path, reader: SlotReader) -> None:
    reader.fileno()
    [bell] = path.with_name(path.name + ".wake").iterdir()
    assert bell.is_fifo()
    assert bell.stat().st_mode & 0o777 == 0o666


def test_a_reader_in_a_folder_with_a_long_path_is_woken(path: Path) -> None:
    slot = path.parent / ("deep-" * 20) / ("deeper-" * 20) / "hik1.slot"
    frameslot.create(slot)
    with SlotWriter(slot) as writer, SlotReader(slot) as reader:
        reader.fileno()
        reader.drain()
        write(writer, 1)
        assert select.select([reader], [], [], 0)[0] == [reader]


# Life of the file


def test_slot_and_folders_are_for_their_owner_alone(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.with_name(path.name + ".wake").stat().st_mode & 0o777 == 0o700


def test_the_reader_of_a_slot_that_a_killed_supervisor_left_is_told_to_open_the_new_one(
    path: Path, reader: SlotReader
) -> None:
    with SlotWriter(path) as writer:
        write(writer, 1)
    newest(reader)
    frameslot.create(path)
    with pytest.raises(StorageError, match="open the slot again"):
        reader.read()
    with SlotReader(path) as again:
        assert again.read() is None


def test_create_replaces_what_is_not_a_slot(path: Path) -> None:
    path.write_bytes(b"something else")
    frameslot.create(path)
    with SlotWriter(path) as writer, SlotReader(path) as reader:
        write(writer, 1)
        assert newest(reader).sequence == 1


def test_remove_wakes_the_readers_and_tells_them(path: Path, reader: SlotReader) -> None:
    reader.fileno()
    reader.drain()
    frameslot.remove(path)
    assert list(path.parent.iterdir()) == []
    assert select.select([reader], [], [], 0)[0] == [reader]
    for use in (reader.read, reader.luma, reader.peek, lambda: reader.wait(LONG)):
        with pytest.raises(StorageError, match=r"hik1\.slot is gone.*open the slot again"):
            use()


def test_a_run_folder_deleted_as_a_whole_is_noticed_too(path: Path, writer: SlotWriter, reader: SlotReader) -> None:
    assert not reader.wait(MOMENT)
    shutil.rmtree(path.parent)
    write(writer, 1)
    with pytest.raises(StorageError, match="is gone"):
        reader.wait(MOMENT)


def test_remove_of_what_is_not_there_is_no_error(path: Path) -> None:
    frameslot.remove(path)
    frameslot.remove(path)


def test_a_second_writer_is_refused_until_the_first_has_gone(path: Path) -> None:
    with SlotWriter(path), pytest.raises(StorageError, match="has a writer already"):
        SlotWriter(path)
    SlotWriter(path).close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file.*is `nvr start` running"),
        (b"", "is not a slot of nvr"),
        (bytes(8192), "is not a slot of nvr"),
        (b"NVRSLOT\0" + (7).to_bytes(8, "little") + bytes(4080), "has format 7, this nvr reads format 1"),
    ],
)
@pytest.mark.parametrize("side", [SlotReader, SlotWriter])
def test_what_is_no_slot_of_this_version_is_refused_with_its_path(
    tmp_path: Path, side: type[SlotReader] | type[SlotWriter], content: bytes | None, message: str
) -> None:
    path = tmp_path / "hik1.slot"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StorageError, match=f"{path}.*{message}"):
        side(path)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=f"cannot create the slot.*{os.strerror(errno.ENOTDIR)}"):
        frameslot.create(tmp_path / "file" / "run" / "hik1.slot")


# Kill -9 and the million reads

Size = tuple[int, int]
Result = tuple[int, int, int, int]
"""Of one reader: frames, torn ones, different ones, ones older than the one before."""
SMALL = ((64, 48), (96, 64), (34, 18))
LARGE = ((1920, 1080), (1280, 720))
VALUES = range(0, 251, 25)
FRAMES_PER_SIZE = 2000


def _picture(sequence: int, sizes: tuple[Size, ...]) -> tuple[Size, int]:
    """Size and the value of every byte of a frame; eleven values, so that frames of one place in the ring differ."""
    return sizes[sequence // FRAMES_PER_SIZE % len(sizes)], VALUES[sequence % len(VALUES)]


def _write_for_ever(path: Path, sizes: tuple[Size, ...]) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pictures = {(size, value): planes(*size, value) for size in sizes for value in VALUES}
    with SlotWriter(path) as writer:
        while True:
            sequence = writer.sequence + 1
            size, value = _picture(sequence, sizes)
            writer.write(pictures[size, value], *size, NOW_US + sequence, sequence)


def _read_many(path: Path, sizes: tuple[Size, ...], wanted: int, sleeps: bool, report: Connection) -> None:
    if not sleeps:  # on another core than the writer, so that they do meet
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    pictures = {(size, value): bytes([value]) * (size[0] * size[1] * 3 // 2) for size in sizes for value in VALUES}
    torn = different = backwards = last = 0
    buffer = None
    with SlotReader(path) as reader:
        for count in range(1, wanted + 1):
            while (sleeps and not reader.wait(LONG)) or (frame := reader.read(into=buffer)) is None:
                reader.wait(LONG)
            buffer = frame.i420
            size, value = _picture(frame.sequence, sizes)
            torn += not (
                buffer.tobytes() == pictures[size, value]
                and (frame.width, frame.height) == size
                and frame.at == from_us(NOW_US + frame.sequence)
                and frame.pts_us == frame.sequence
            )
            different += frame.sequence != last
            backwards += frame.sequence < last
            last = frame.sequence
            if sleeps and count % (wanted // 8) == 0:
                report.send(None)
    report.send((wanted, torn, different, backwards))


def _start(target: Callable[..., None], *arguments: object) -> BaseProcess:
    process = SPAWN.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def _kill(process: BaseProcess) -> None:
    process.kill()
    process.join(30)
    process.close()


def _stress(path: Path, sizes: tuple[Size, ...], reads: tuple[int, int]) -> list[Result]:
    """Two readers at full speed and one that sleeps for each frame; eight times the writer is killed meanwhile."""
    writer = _start(_write_for_ever, path, sizes)
    pipes: list[Connection] = []
    readers: list[BaseProcess] = []
    results: list[Result] = []
    for sleeps in (False, False, True):
        pipe, child = SPAWN.Pipe(duplex=False)
        pipes.append(pipe)
        readers.append(_start(_read_many, path, sizes, reads[sleeps], sleeps, child))
        child.close()
    try:
        while pipes:
            ready = wait(pipes, timeout=300)
            assert ready, "the readers are stuck"
            for pipe in [pipe for pipe in pipes if pipe in ready]:
                if (result := pipe.recv()) is not None:
                    results.append(result)
                    pipes.remove(pipe)
                else:
                    _kill(writer)
                    writer = _start(_write_for_ever, path, sizes)
    finally:
        for process in (writer, *readers):
            _kill(process)
    return results


@pytest.mark.slow
@pytest.mark.timeout(600)  # 20 s on two idle cores
@pytest.mark.parametrize(
    ("sizes", "reads"), [(SMALL, (490_000, 20_000)), (LARGE, (10_000, 5_000))], ids=["million", "1080p"]
)
def test_no_torn_frame_in_a_million_reads_while_the_writer_is_killed_again_and_again(
    path: Path, sizes: tuple[Size, ...], reads: tuple[int, int]
) -> None:
    results = _stress(path, sizes, reads)
    assert sum(frames for frames, *_ in results) == 2 * reads[False] + reads[True]
    assert [torn for _, torn, *_ in results] == [0, 0, 0]
    assert [backwards for *_, backwards in results] == [0, 0, 0]
    assert all(different > frames // 1000 for frames, _, different, _ in results), "the writer hardly ran"
    assert any(different == frames for frames, _, different, _ in results), "who sleeps sees no frame twice"

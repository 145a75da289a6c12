"""The ring: what a reader gets, how it grows, and what a killed writer leaves."""

from __future__ import annotations

import errno
import inspect
import os
import select
import signal
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvr import packetring
from nvr.errors import StorageError
from nvr.layout import SHARED_MEMORY
from nvr.packetring import FIRST, MOST, Form, Parcel, RingReader, RingWriter
from tests.fakes.station import ROOT

FORM = Form("h264", 320, 180, b"\0\0\1sets")
OTHER = Form("hevc", 3840, 2160, b"\1" * 90)


def content(number: int, size: int) -> bytes:
    return (number.to_bytes(8, "big") * (size // 8 + 1))[:size]


def parcel(number: int, size: int = 1000, *, key: bool = False) -> Parcel:
    """A packet that is told from every other one by its times and every eight bytes of it."""
    return Parcel(content(number, size), number, -number, number * 1_000_000, key)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nvr-test-", dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None) as made:
        yield Path(made)


@pytest.fixture
def path(folder: Path) -> Path:
    ring = folder / "hik1.main.ring"
    packetring.create(ring)
    return ring


@pytest.fixture
def writer(path: Path) -> Iterator[RingWriter]:
    with RingWriter(path) as ring:
        ring.begin(FORM)
        yield ring


@pytest.fixture
def reader(path: Path) -> Iterator[RingReader]:
    with RingReader(path) as ring:
        yield ring


def write(writer: RingWriter, first: int, end: int, size: int = 1000, gop: int = 10) -> list[Parcel]:
    written = [parcel(number, size, key=number % gop == 0) for number in range(first, end)]
    for each in written:
        writer.write(each)
    return written


# What a reader gets


def test_a_ring_into_which_nobody_has_written_is_empty(path: Path, reader: RingReader) -> None:
    assert reader.form() is None
    assert reader.take() == packetring.Catch([], None, False)
    with RingWriter(path) as writer:
        writer.begin(FORM)
        assert reader.form() == FORM
        assert reader.take().parcels == []
        writer.write(parcel(1))
        assert reader.take().parcels == [], "not before a key frame"
        writer.write(parcel(2, key=True))
        assert reader.take() == packetring.Catch([parcel(2, key=True)], FORM, False)


def test_a_reader_begins_with_the_newest_key_frame_and_then_gets_what_is_new(
    writer: RingWriter, reader: RingReader
) -> None:
    written = write(writer, 0, 25)
    assert reader.take() == packetring.Catch(written[20:], FORM, False)
    assert reader.take() == packetring.Catch([], None, False)
    later = write(writer, 25, 45)
    assert reader.take() == packetring.Catch(later, None, False)


def test_a_reader_that_was_overtaken_goes_on_at_a_key_frame(writer: RingWriter, reader: RingReader) -> None:
    write(writer, 0, 10, size=40_000)
    assert len(reader.take().parcels) == 10
    written = write(writer, 10, 65, size=40_000)
    assert reader.take() == packetring.Catch(written[50:], None, True)
    assert reader.take() == packetring.Catch([], None, False)


def test_a_new_form_begins_anew(writer: RingWriter, reader: RingReader) -> None:
    write(writer, 0, 5)
    reader.take()
    before = reader.generation
    writer.begin(OTHER)
    assert reader.generation == before + 1
    assert reader.take().parcels == []
    written = write(writer, 10, 13)
    assert reader.take() == packetring.Catch(written, OTHER, False)


def test_every_packet_wakes_the_reader(writer: RingWriter, reader: RingReader) -> None:
    for number in range(3):
        assert select.select([reader.fileno()], [], [], 0)[0]
        reader.drain()
        assert not select.select([reader.fileno()], [], [], 0)[0]
        writer.write(parcel(number, key=True))


SIZES = st.one_of(st.integers(0, 40), st.integers(0, 400_000), st.sampled_from([8, 7, 9, FIRST // 4, FIRST // 2]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(SIZES, st.integers(0, 3), st.booleans()), min_size=1, max_size=60))
def test_whatever_the_sizes_every_packet_comes_in_order_byte_for_byte(
    folder: Path, packets: list[tuple[int, int, bool]]
) -> None:
    ring = folder / "any.ring"
    packetring.create(ring)
    written: list[Parcel] = []
    with RingWriter(ring) as writer, RingReader(ring) as reader:
        writer.begin(FORM)
        following = None
        for size, kind, look in packets:
            written.append(parcel(len(written), size, key=kind == 0))
            writer.write(written[-1])
            if not look:
                continue
            newest = max((each.dts_us for each in written if each.key), default=len(written))
            catch = reader.take()
            begin = newest if following is None or catch.form or catch.skipped else following
            assert catch.parcels == written[begin:]
            following = len(written) if catch.parcels else following
        with RingReader(ring) as late:
            assert (
                late.take().parcels
                == written[max((each.dts_us for each in written if each.key), default=len(written)) :]
            )


@settings(max_examples=15, deadline=None)
@given(st.integers(20_000, 90_000))
def test_a_reader_that_keeps_up_gets_what_goes_round_the_end(folder: Path, size: int) -> None:
    ring = folder / "round.ring"
    packetring.create(ring)
    with RingWriter(ring) as writer, RingReader(ring) as reader:
        writer.begin(FORM)
        for number in range(4 * FIRST // size):
            [written] = write(writer, number, number + 1, size, gop=4)
            assert reader.take() == packetring.Catch([written], None if number else FORM, False)
    assert ring.stat().st_size == FIRST + 4096


def test_a_packet_whose_bytes_are_not_those_that_were_written_is_not_given(
    path: Path, writer: RingWriter, reader: RingReader
) -> None:
    written = write(writer, 0, 6, gop=6)
    with path.open("r+b") as file:
        file.seek(path.read_bytes().index(written[3].data) + 500)
        file.write(b"x")
    assert reader.take().parcels == written[:3]
    written = write(writer, 6, 9)
    writer.write(parcel(12, key=True))
    assert reader.take().parcels == [parcel(12, key=True)]


# How it grows


def test_it_grows_to_hold_two_key_frames_and_keeps_what_is_since_the_newest(
    path: Path, writer: RingWriter, reader: RingReader
) -> None:
    written = write(writer, 0, 12, size=80_000, gop=6)
    assert reader.take().parcels == written[6:]
    before, small = reader.generation, path.stat().st_size
    more = write(writer, 12, 18, size=80_000, gop=100)
    assert path.stat().st_size > small
    assert reader.generation == before + 1
    assert reader.take() == packetring.Catch(written[6:] + more, FORM, False), "from the key frame on once more"
    with RingReader(path) as late:
        assert late.take().parcels == written[6:] + more


def test_a_ring_grows_while_a_reader_looks_at_it(
    writer: RingWriter, reader: RingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader has mapped the small ring, and finds its place in the large one."""
    write(writer, 0, 5)
    reader.take()
    write(writer, 5, 20, size=60_000, gop=7)
    fstat, waiting = os.fstat, [True]

    def grow_meanwhile(file: int) -> os.stat_result:
        if file == reader.file and waiting:
            waiting.clear()
            write(writer, 21, 40, size=200_000, gop=100)
        return fstat(file)

    monkeypatch.setattr(os, "fstat", grow_meanwhile)
    reader.take()
    assert reader.take().parcels[-1] == parcel(39, 200_000)


def test_it_is_never_larger_than_the_most(path: Path, writer: RingWriter, reader: RingReader) -> None:
    written = write(writer, 0, 30, size=1_000_000, gop=100)
    assert path.stat().st_size <= MOST + 4096
    assert writer.dropped == 0
    assert reader.take().parcels == [], "its only key frame was overwritten"
    written = [parcel(number, 1_000_000, key=number == 30) for number in range(30, 33)]
    for each in written:
        writer.write(each)
    assert reader.take().parcels == written


def test_what_is_lost_in_the_middle_of_a_look_is_told_with_what_comes_next(
    writer: RingWriter, reader: RingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(writer, 0, 10, size=40_000)
    checked, checksum = [0], zlib.crc32

    def overtake(data: bytes) -> int:
        checked[0] += 1
        if checked[0] == 4:
            write(writer, 10, 60, size=40_000)
        return checksum(data)

    monkeypatch.setattr(zlib, "crc32", overtake)
    first, second = reader.take(), reader.take()
    assert [one.dts_us for one in first.parcels] in ([], [0, 1, 2])
    assert second.parcels[0].key
    assert second.skipped or second.form is not None


def test_packets_of_another_form_are_not_given_as_those_of_the_one_before(
    writer: RingWriter, reader: RingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(writer, 0, 1)
    reader.take()
    fstat, waiting, other = os.fstat, [True], Form("hevc", 640, 360, b"other")

    def begin_meanwhile(file: int) -> os.stat_result:
        if file == reader.file and waiting:
            waiting.clear()
            writer.begin(other)
            write(writer, 10, 12)
        return fstat(file)

    monkeypatch.setattr(os, "fstat", begin_meanwhile)
    first, second = reader.take(), reader.take()
    assert first.parcels == []
    assert second.form == other
    assert second.parcels[0].dts_us == parcel(10).dts_us


def test_a_packet_larger_than_the_most_is_dropped_and_counted(writer: RingWriter, reader: RingReader) -> None:
    written = write(writer, 0, 2)
    writer.write(parcel(7, MOST))
    assert writer.dropped == 1
    written += write(writer, 3, 5)
    assert reader.take().parcels == written


def test_full_shared_memory_is_an_error_and_what_is_there_stays(
    writer: RingWriter, reader: RingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    written = write(writer, 0, 5)
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(StorageError, match=r"needs .* MB of shared memory: No space.*--shm-size"):
            writer.write(parcel(5, FIRST))
    assert reader.take().parcels == written


def test_a_description_that_does_not_fit_is_refused(writer: RingWriter) -> None:
    with pytest.raises(StorageError, match="description is too long"):
        writer.begin(Form("h264", 320, 180, bytes(4000)))


# Life of the file


def test_a_second_writer_is_refused_until_the_first_has_gone(path: Path) -> None:
    with RingWriter(path), pytest.raises(StorageError, match="has a writer already"):
        RingWriter(path)
    RingWriter(path).close()


@pytest.mark.parametrize("replaced", [False, True])
def test_the_reader_of_a_ring_that_is_gone_is_told(
    path: Path, writer: RingWriter, reader: RingReader, replaced: bool
) -> None:
    write(writer, 0, 3)
    reader.take()
    path.unlink()
    if replaced:
        packetring.create(path)
    for use in (reader.take, reader.form):
        with pytest.raises(StorageError, match=r"hik1\.main\.ring is gone"):
            use()
    writer.begin(OTHER)
    with pytest.raises(StorageError, match="is gone"):
        reader.take()


@pytest.mark.parametrize("side", [RingReader, RingWriter])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "cannot open the ring.*No such file"),
        (b"", "is not a ring of nvr"),
        (bytes(4096), "is not a ring of this nvr"),
        (int.from_bytes(b"NVRRING", "little").to_bytes(8, sys.byteorder) + b"\2" * 4088, "is not a ring of this nvr"),
    ],
)
def test_what_is_no_ring_is_refused(
    tmp_path: Path, side: type[RingReader | RingWriter], data: bytes | None, message: str
) -> None:
    ring = tmp_path / "x.ring"
    if data is not None:
        ring.write_bytes(data)
    with pytest.raises(StorageError, match=message):
        side(ring)


def test_a_ring_is_its_owners_alone_and_a_place_that_cannot_be_written_is_an_error(path: Path, tmp_path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StorageError, match=r"cannot create the ring .*nowhere"):
        packetring.create(tmp_path / "nowhere" / "x.ring")


def test_it_does_without_numpy_and_ffmpeg() -> None:
    command = "import sys, nvr.packetring; sys.exit(any(name in sys.modules for name in ('numpy', 'av', 'cv2')))"
    assert subprocess.run([sys.executable, "-c", command], cwd=ROOT, timeout=30, check=False).returncode == 0


# Kill -9

CHILD = f"""
import os, signal, sys
from pathlib import Path
from nvr.packetring import Form, Parcel, RingWriter
FORM = {FORM}
{inspect.getsource(content)}
{inspect.getsource(parcel)}
"""
DYING = f"""{CHILD}

class Dying(RingWriter):
    dies = ""
    def _store(self, place, data):
        if self.dies in ("0", "0.5", "1"):
            super()._store(place, data[:round(len(data) * float(self.dies))])
            os.kill(os.getpid(), signal.SIGKILL)
        super()._store(place, data)
    def map(self):
        if self.dies == "growing":
            os.kill(os.getpid(), signal.SIGKILL)
        super().map()

writer = Dying(Path(sys.argv[1]))
writer.begin(FORM)
for number in range(30):
    writer.write(parcel(number, 30_000, key=number % 10 == 0))
writer.dies = sys.argv[2]
writer.write(parcel(30, 1_000_000 if sys.argv[2] == "growing" else 30_000, key=sys.argv[3] == "key"))
"""
ENDLESS = f"""{CHILD}
with RingWriter(Path(sys.argv[1])) as writer:
    writer.begin(FORM)
    for number in range(1 << 40):
        writer.write(parcel(number, number * 7919 % 20_000, key=number % 25 == 0))
"""


@pytest.mark.parametrize("kind", ["key", "other"])
@pytest.mark.parametrize("moment", ["0", "0.5", "1", "growing"])
def test_a_writer_killed_in_the_middle_of_a_packet_leaves_what_was_whole(
    path: Path, reader: RingReader, moment: str, kind: str
) -> None:
    killed = subprocess.run([sys.executable, "-c", DYING, str(path), moment, kind], cwd=ROOT, timeout=30, check=False)
    assert killed.returncode == -signal.SIGKILL
    whole = [parcel(number, 30_000, key=number == 20) for number in range(20, 30)]
    assert reader.take().parcels == ([] if moment == "growing" else whole)
    with RingWriter(path) as writer:
        writer.begin(OTHER)
        written = write(writer, 100, 115, size=50_000)
        assert reader.take() == packetring.Catch(written[10:], OTHER, False)


def test_no_torn_packet_from_a_writer_at_full_speed_that_is_killed_again_and_again(
    path: Path, reader: RingReader
) -> None:
    """The reader looks all the time; every packet that it gets is whole, and follows the one before it."""
    last = -1
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)], cwd=ROOT) as endless:
            try:
                seen, begun = 0, False
                while seen < 4000:
                    catch = reader.take()
                    begun = begun or catch.form is not None  # what comes before is the killed writer's
                    for number, each in enumerate(catch.parcels):
                        assert each.data == content(each.dts_us, each.dts_us * 7919 % 20_000)
                        assert each == parcel(each.dts_us, len(each.data), key=each.dts_us % 25 == 0)
                        assert each.dts_us == last + 1 or (number == 0 and each.key)
                        last, seen = each.dts_us, seen + begun
            finally:
                endless.kill()

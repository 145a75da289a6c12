"""A file tells its own row, and damage to it is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nvr.errors import StorageError
from nvr.media.index import read_index, read_packets
from nvr.model import Segment
from tests.fakes.archive import Archive, instant
from tests.fakes.clip import write


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("tape") / "tape.mp4", frames=150, b_frames=2)


@pytest.fixture
def archive(tmp_path: Path, tape: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "storage", tape)
    yield made
    made.close()


def test_the_index_of_a_closed_file_is_its_row(archive: Archive) -> None:
    row = archive.add(50, 125)
    assert read_index(archive.storage, archive.storage / row.path) == row


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_every_packet_of_a_file_that_is_in_order_agrees(tmp_path: Path, codec: str) -> None:
    tape = write(tmp_path / "tape.mp4", codec="libx265" if codec == "libx265" else "libx264", frames=75, audio="aac")
    archive = Archive(tmp_path / "storage", tape)
    row = archive.add(0, 75, sound=True)
    reading = read_packets(archive.storage, archive.storage / row.path)
    assert (reading.segment, reading.problems) == (row, ())


def test_a_salvaged_file_is_read_whole(archive: Archive) -> None:
    row = archive.add(0, 100, state="salvaged")
    file = archive.storage / row.path
    read = read_index(archive.storage, file)
    assert (read.state, read.start) == ("salvaged", instant(0))
    assert 75 <= read.packets < 100
    assert read.duration == read.packets * (instant(1) - instant(0))
    assert read_packets(archive.storage, file).segment == read


def test_of_an_open_file_whole_fragments_count(archive: Archive) -> None:
    row = archive.add(0, 100, state="open")
    part = archive.storage / f"{row.path}.part"
    whole = read_index(archive.storage, part)
    assert (whole.state, whole.path) == ("open", row.path)
    torn = part.with_name("14-00-00.000+0000.mp4.part")
    torn.write_bytes(part.read_bytes()[:-50])
    fewer = read_index(archive.storage, torn)
    assert 0 < fewer.packets < whole.packets


def test_a_film_of_somebody_else_is_told(archive: Archive, tape: Path) -> None:
    with pytest.raises(StorageError, match="is no segment of nvr: its metadata names no camera, run and start"):
        read_index(archive.storage, tape)


@pytest.mark.parametrize("content", [b"", b"rubbish" * 1000])
def test_rubbish_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(content)
    for read in (read_index, read_packets):
        with pytest.raises(StorageError, match=r"a\.mp4 cannot be read"):
            read(tmp_path, file)


def found(storage: Path, row: Segment) -> bool:
    """Whether a look at every packet shows that a file is not what its row says."""
    try:
        reading = read_packets(storage, storage / row.path)
    except StorageError:
        return True
    return bool(reading.problems) or reading.segment != row


@pytest.mark.parametrize(
    ("box", "first", "step"),
    [(b"stts", 16, 8), (b"ctts", 16, 8), (b"stsz", 16, 4), (b"stco", 12, 4), (b"stss", 16, 4), (b"avcC", 5, 1)],
)
def test_a_flipped_bit_in_the_index_is_found(archive: Archive, box: bytes, first: int, step: int) -> None:
    """In every size, place, duration, key frame and byte of the format; not in how many there are of them, which is
    told twice and does not change what FFmpeg reads."""
    row = archive.add(0, 150)
    file = archive.storage / row.path
    good = file.read_bytes()
    place = good.rfind(box)
    end = place - 4 + int.from_bytes(good[place - 4 : place])
    for at in range(place + first, end, step):
        changed = bytearray(good)
        changed[at + min(step, 4) - 1] ^= 1
        file.write_bytes(changed)
        assert found(archive.storage, row), f"{box!r} + {at - place}"


def test_a_flipped_bit_in_the_hidden_index_is_found(archive: Archive) -> None:
    row = archive.add(0, 150)
    file = archive.storage / row.path
    changed = bytearray(file.read_bytes())
    changed[changed.find(b"trun") + 8 + 3] ^= 1
    file.write_bytes(changed)
    assert found(archive.storage, row)


@pytest.mark.parametrize(("at", "bit"), [(3, 0x10), (4, 0x80)])
def test_a_flipped_bit_in_a_pictures_first_unit_is_found(archive: Archive, at: int, bit: int) -> None:
    """In its length, and in the bit that H.264 forbids."""
    row = archive.add(0, 150)
    file = archive.storage / row.path
    changed = bytearray(file.read_bytes())
    place = changed.find(b"mdat", changed.find(b"moof")) + 4
    changed[place + at] ^= bit
    file.write_bytes(changed)
    reading = read_packets(archive.storage, file)
    assert any("NAL units" in problem for problem in reading.problems)


@pytest.mark.parametrize("kept", [0.99, 0.5, 0.1])
def test_a_truncated_file_is_found(archive: Archive, kept: float) -> None:
    row = archive.add(0, 150)
    file = archive.storage / row.path
    whole = file.read_bytes()
    file.write_bytes(whole[: round(len(whole) * kept)])
    assert found(archive.storage, row)
    with pytest.raises(StorageError):
        read_index(archive.storage, file)

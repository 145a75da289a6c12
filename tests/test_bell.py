"""Bells: a reader that sleeps is woken, and nobody who rings ever waits."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nvr import bell
from nvr.bell import Bell
from nvr.errors import StorageError
from tests.fakes.station import ROOT

SLEEPER = """
import signal, sys
from pathlib import Path
from nvr.bell import Bell
bell = Bell(Path(sys.argv[1]))
print("open", flush=True)
signal.pause()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    memory = tmp_path / "hik1.ring"
    bell.make_folder(memory)
    return memory


@pytest.fixture
def reader(path: Path) -> Iterator[Bell]:
    made = Bell(path)
    yield made
    made.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def ring(path: Path) -> None:
    bell.ring(str(bell.folder_of(path)))


def rings(reader: Bell) -> bool:
    return bool(select.select([reader.pipe], [], [], 0)[0])


def test_a_new_bell_rings_once_for_what_came_before_it(reader: Bell) -> None:
    assert rings(reader)
    reader.drain()
    assert not rings(reader)


def test_every_reader_is_woken_and_sleeps_again_once_it_has_looked(path: Path, reader: Bell) -> None:
    other = Bell(path)
    for each in (reader, other):
        each.drain()
    ring(path)
    assert rings(reader)
    assert rings(other)
    reader.drain()
    assert not rings(reader)
    assert rings(other)
    other.close()


def test_many_wakes_are_forgotten_at_once(path: Path, reader: Bell) -> None:
    for _ in range(100):
        ring(path)
    reader.drain()
    assert not rings(reader)
    reader.drain()  # and once more, with nothing to forget
    ring(path)
    assert rings(reader)


def test_a_reader_that_never_looks_holds_nobody_up(path: Path, reader: Bell) -> None:
    other = Bell(path)
    for _ in range(6000):  # more than a pipe holds
        ring(path)
    other.drain()
    ring(path)
    assert rings(reader)
    assert rings(other)
    other.close()


def test_the_bell_of_a_killed_reader_is_taken_away_and_the_others_stay(path: Path, reader: Bell) -> None:
    [kept] = bell.folder_of(path).iterdir()
    command = [sys.executable, "-c", SLEEPER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as sleeper:
        assert sleeper.stdout is not None
        assert sleeper.stdout.readline() == "open\n"
        assert len(list(bell.folder_of(path).iterdir())) == 2
        sleeper.send_signal(signal.SIGKILL)
    reader.drain()
    ring(path)
    assert list(bell.folder_of(path).iterdir()) == [kept]
    assert rings(reader)


def test_a_closed_bell_leaves_nothing(path: Path) -> None:
    before = descriptors()
    Bell(path).close()
    assert descriptors() == before
    assert [each.name for each in path.parent.iterdir()] == ["hik1.ring.wake"]
    assert list(bell.folder_of(path).iterdir()) == []


def test_ringing_opens_nothing_for_good(path: Path, reader: Bell) -> None:
    before = descriptors()
    for _ in range(10):
        ring(path)
    assert descriptors() == before


def test_where_there_are_no_bells_nothing_rings(path: Path, reader: Bell) -> None:
    bell.remove_folder(path)
    ring(path)
    bell.remove_folder(path)
    reader.drain()
    assert not rings(reader)


def test_without_its_folder_no_bell_can_be_hung(tmp_path: Path) -> None:
    with pytest.raises(
        StorageError, match=r"cannot wait at .*nowhere/hik1\.ring: No such file.*is `nvr start` running"
    ):
        Bell(tmp_path / "nowhere" / "hik1.ring")


def test_the_folder_is_its_owners_alone_and_may_be_there_already(path: Path, reader: Bell) -> None:
    bell.make_folder(path)
    assert bell.folder_of(path).stat().st_mode & 0o777 == 0o700
    assert [each.stat().st_mode & 0o777 for each in bell.folder_of(path).iterdir()] == [0o666]


def test_what_is_beside_it_has_bells_of_its_own(path: Path, reader: Bell) -> None:
    other = path.with_name("hik1.slot")
    bell.make_folder(other)
    reader.drain()
    ring(other)
    assert not rings(reader)

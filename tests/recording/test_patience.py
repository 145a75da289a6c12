"""A write that the disk refuses is tried again, or its file is given up; which of them depends on why."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nvr import layout
from nvr.errors import StorageError
from nvr.reason import Reason
from nvr.recording import patience as module
from nvr.recording.patience import ROOM_US, Patience
from tests.fakes.clock import FakeClock


class Part:
    """A file that is open, as far as patience goes."""

    def __init__(self, part: Path) -> None:
        self.part = part
        self.broken: StorageError | None = None
        part.parent.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(part, os.O_RDWR | os.O_CREAT)


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    layout.prepare(tmp_path / "storage")
    return tmp_path / "storage"


@pytest.fixture
def file(storage: Path) -> Iterator[Part]:
    made = Part(storage / "a.mp4.part")
    yield made
    os.close(made.descriptor)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.001)


def refusing(number: int, times: int, then: Callable[[], None] = lambda: None) -> Callable[[], None]:
    """A step that fails so often, and then does ``then``."""
    left = iter(range(times))

    def step() -> None:
        if next(left, None) is not None:
            raise OSError(number, os.strerror(number))
        then()

    return step


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES, errno.ENOENT, errno.EMFILE])
def test_what_may_pass_is_tried_until_it_has(storage: Path, file: Part, number: int) -> None:
    done: list[int] = []
    patience = Patience(storage, FakeClock(), lambda: None)
    if number == errno.ENOENT:  # with the marker away the disk is, too
        (storage / layout.MARKER).unlink()
    patience.insist(file, refusing(number, 4, lambda: done.append(1)))
    assert (done, file.broken, patience.error) == ([1], None, None)


@pytest.mark.parametrize("number", [errno.EFBIG, errno.EINVAL, errno.ENOENT])
def test_what_cannot_pass_breaks_the_file_and_no_other(storage: Path, file: Part, number: int) -> None:
    done: list[int] = []
    patience = Patience(storage, FakeClock(), lambda: None)
    patience.insist(file, refusing(number, 1, lambda: done.append(1)))
    patience.insist(file, lambda: done.append(2))
    assert done == []
    assert file.broken is not None
    assert str(file.part) in str(file.broken)
    other = Part(storage / "b.mp4.part")
    patience.insist(other, lambda: done.append(3))
    os.close(other.descriptor)
    assert (done, patience.error) == ([3], None)


def test_given_up_everything_is_tried_once(storage: Path, file: Part) -> None:
    patience = Patience(storage, FakeClock(), lambda: None)
    patience.give_up()
    patience.insist(file, refusing(errno.EIO, 1))
    assert file.broken is not None


def test_a_full_disk_is_told_about_once_a_second(storage: Path, file: Part) -> None:
    clock, told = FakeClock(), list[int]()
    patience = Patience(storage, clock, lambda: told.append(clock.monotonic_us()))
    left = iter(range(30))

    def step() -> None:
        clock.advance(0.1)
        if next(left, None) is not None:
            raise OSError(errno.ENOSPC, "full")

    clock.advance(ROOM_US / 1e6)
    patience.insist(file, step)
    assert 3 <= len(told) <= 4


def test_a_missing_marker_is_told_apart(storage: Path, file: Part, caplog: pytest.LogCaptureFixture) -> None:
    (storage / layout.MARKER).unlink()
    seen: list[Reason] = []
    patience = Patience(storage, FakeClock(), lambda: None)

    def step() -> None:
        if patience.error is not None:
            seen.append(patience.error.reason)
            (storage / layout.MARKER).write_text("again-there\n")
        layout.require_marker(storage)

    patience.insist(file, step)
    assert seen == [Reason.VOLUME_MISSING]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_after_an_io_error_the_file_is_opened_anew(storage: Path, file: Part) -> None:
    before = os.open(file.part, os.O_RDONLY)
    os.dup2(before, file.descriptor)  # stands for a descriptor of a mount that is gone: it cannot be written
    os.close(before)
    patience = Patience(storage, FakeClock(), lambda: None)

    def step() -> None:
        try:
            os.pwrite(file.descriptor, b"x", 0)
        except OSError as error:
            raise OSError(errno.EIO, "Input/output error") from error

    patience.insist(file, step)
    assert file.part.read_bytes() == b"x"

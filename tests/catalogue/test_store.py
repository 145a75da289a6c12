from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

import pytest

from nvr.catalogue.store import Catalogue
from nvr.errors import CatalogueError
from tests.catalogue.rows import START, event

REPOSITORY = Path(__file__).parents[2]
WRITER = """
import itertools, sys
from pathlib import Path
from nvr.catalogue.store import Catalogue
from tests.catalogue.rows import event, run, segment
path, name, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Catalogue.open(path) as catalogue:
    print("ready", flush=True)
    sys.stdin.readline()
    for count in range(number) if number else itertools.count():
        catalogue.start_run(run(f"{name}-{count}", camera=name, start=count))
        catalogue.add_segment(segment(count, count + 1, camera=name, run=f"{name}-{count}"))
        catalogue.end_run(f"{name}-{count}", event().start, "stopped")
        print(catalogue.open_event(event(count, camera=name)), flush=True)
"""


def start(path: Path, name: str, number: int) -> subprocess.Popen[str]:
    """A process that writes ``number`` events (0: without end), prints their ids, and waits for ``go`` before."""
    command = [sys.executable, "-c", WRITER, str(path), name, str(number)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert line(process) == "ready"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_processes_write_at_once_while_another_reads_without_one_error(path: Path) -> None:
    writers = [start(path, f"hik{number}", 40) for number in range(3)]
    with Catalogue.open(path, readonly=True) as reader:
        for writer in writers:
            go(writer)
        seen = 0
        while any(writer.poll() is None for writer in writers):
            number = len(list(reader.events(START)))
            assert number >= seen, "an event was there and then it was not"
            seen = number
            assert len(list(reader.segments(START))) >= seen
        outputs = [writer.communicate()[0].split() for writer in writers]
        assert [writer.returncode for writer in writers] == [0, 0, 0]
        assert sorted(str(found.id) for found in reader.events(START)) == sorted(chain(*outputs))
        assert [(one.camera, one.segments) for one in reader.summary(START + timedelta(days=1))] == [
            ("hik0", 40),
            ("hik1", 40),
            ("hik2", 40),
        ]


def test_threads_share_one_catalogue(catalogue: Catalogue) -> None:
    ids: list[int] = []
    threads = [
        threading.Thread(target=lambda: ids.extend(catalogue.open_event(event()) for _ in range(20))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(ids) == list(range(1, 81))


@pytest.mark.parametrize("reports", [1, 7, 30])
def test_kill_9_of_a_writer_loses_nothing_it_reported(path: Path, reports: int) -> None:
    with start(path, "hik1", 0) as writer:
        assert writer.stdout is not None
        go(writer)
        reported = [line(writer) for _ in range(reports)]
        writer.send_signal(signal.SIGKILL)
        reported += writer.stdout.read().split()  # communicate() would miss what was read ahead for a line
    with Catalogue.open(path) as catalogue:
        stored = {str(found.id) for found in catalogue.events(START)}
        assert set(reported) <= stored
        assert len(stored) <= len(reported) + 1
        catalogue.open_event(event())
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_missing_catalogue_is_refused_with_what_makes_one(tmp_path: Path) -> None:
    for readonly in (True, False):
        with pytest.raises(
            CatalogueError, match=r"no catalogue at .*; nvr rebuild makes it from the files, nvr start a new one"
        ):
            Catalogue.open(tmp_path / "nvr.db", readonly=readonly)
    (tmp_path / "nvr.db").touch()
    with pytest.raises(CatalogueError, match="no catalogue at"):
        Catalogue.open(tmp_path / "nvr.db")
    assert list(tmp_path.iterdir()) == [tmp_path / "nvr.db"]


def test_a_catalogue_that_stays_locked_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CatalogueError, match=r"another process kept it locked for 0\.01 s"):
            Catalogue.open(path, busy_timeout=timedelta(milliseconds=10))


def test_writing_in_a_folder_that_may_not_be_written_is_refused_at_opening(archive: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be written: give this user write permission"):
        Catalogue.open(archive)


def test_writing_a_file_that_may_not_be_written_is_refused_at_opening(foreign: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be written: give this user write permission"):
        Catalogue.open(foreign)


def test_reading_where_nothing_may_be_written_works(archive: Path) -> None:
    with Catalogue.open(archive, readonly=True) as catalogue:
        assert list(catalogue.events(START)) == []
    assert list(archive.parent.iterdir()) == [archive]


def test_reading_a_file_that_may_not_be_written_works(foreign: Path) -> None:
    with Catalogue.open(foreign, readonly=True) as catalogue:
        assert list(catalogue.events(START)) == []


def test_a_reader_leaves_nothing_beside_the_file(path: Path) -> None:
    with Catalogue.open(path, readonly=True) as catalogue:
        assert list(catalogue.events(START)) == []
    assert list(path.parent.iterdir()) == [path]


def test_a_reader_cannot_write(path: Path) -> None:
    with (
        Catalogue.open(path, readonly=True) as catalogue,
        pytest.raises(CatalogueError, match="cannot be written"),
    ):
        catalogue.open_event(event())


def test_a_naive_instant_is_a_bug_of_the_caller(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match="naive"):
        catalogue.events(datetime(2026, 11, 22))  # noqa: DTZ001


def test_importing_the_catalogue_imports_neither_alembic_nor_anything_heavy() -> None:
    heavy = ["alembic", "mako", "av", "numpy", "cv2", "pydantic", "typer", "rich"]
    script = f"import sys, nvr.catalogue.store, nvr.catalogue.upgrade; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert done.stdout.strip() == "[]"

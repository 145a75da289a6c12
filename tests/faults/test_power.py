"""What outlives a power cut, from logs as strace writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.power import Disk

FILE = "{s}/segments/a.mp4.part"
FOLDERS = """1 0.1 mkdir("{s}/segments", 0777) = 0
1 0.1 openat(AT_FDCWD</>, "{s}", O_RDONLY|O_DIRECTORY) = 3<{s}>
1 0.1 fsync(3<{s}>) = 0
"""
MADE = """1 0.2 openat(AT_FDCWD</>, "{s}/segments/a.mp4.part", O_RDWR|O_CREAT, 0666) = 4<{s}/segments/a.mp4.part>
1 0.3 pwrite64(4<{s}/segments/a.mp4.part>, ""..., 600, 0) = 600
"""
FOLDER = """1 0.4 openat(AT_FDCWD</>, "{s}/segments", O_RDONLY|O_DIRECTORY) = 5<{s}/segments>
1 0.4 fsync(5<{s}/segments>) = 0
"""
SYNC = "1 0.5 fdatasync(4<{s}/segments/a.mp4.part>) = 0\n"
MORE = '1 0.6 pwrite64(4<{s}/segments/a.mp4.part>, ""..., 400, 600) = 400\n'
OVERLAP = """2 0.5 fdatasync(4<{s}/segments/a.mp4.part> <unfinished ...>
1 0.6 pwrite64(4<{s}/segments/a.mp4.part>, ""..., 400, 600) = 400
2 0.7 <... fdatasync resumed>) = 0
"""
FAILED = "1 0.5 fdatasync(4<{s}/segments/a.mp4.part>) = -1 EIO (Input/output error)\n"
RENAME = '1 0.8 rename("{s}/segments/a.mp4.part", "{s}/segments/a.mp4") = 0\n'


@pytest.mark.parametrize(
    ("log", "left"),
    [
        (FOLDERS + MADE + FOLDER + SYNC + MORE, {"segments/a.mp4.part": 600}),
        (FOLDERS + MADE + FOLDER + OVERLAP, {"segments/a.mp4.part": 600}),
        (FOLDERS + MADE + FOLDER + FAILED, {"segments/a.mp4.part": 0}),
        (FOLDERS + MADE + FOLDER + MORE + SYNC, {"segments/a.mp4.part": 1000}),
        (FOLDERS + MADE + SYNC, {}),
        (MADE + FOLDER + SYNC, {}),
        (FOLDERS + MADE + FOLDER + MORE + SYNC + RENAME, {"segments/a.mp4.part": 1000}),
        (FOLDERS + MADE + FOLDER + MORE + SYNC + RENAME + FOLDER, {"segments/a.mp4": 1000}),
    ],
    ids=[
        "synced",
        "written while syncing",
        "sync failed",
        "synced later",
        "name not synced",
        "folder's name not synced",
        "rename not synced",
        "rename synced",
    ],
)
def test_only_what_was_synced_outlives_the_power(log: str, left: dict[str, int], tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    (storage / "segments").mkdir(parents=True)
    (storage / "segments" / ("a.mp4" if RENAME in log else "a.mp4.part")).write_bytes(bytes(1000))
    (tmp_path / "log").write_text(log.replace("{s}", str(storage)))
    disk = Disk()
    disk.read(tmp_path / "log")
    disk.copy(storage, tmp_path / "left")
    found = {path: path.stat().st_size for path in (tmp_path / "left").rglob("*") if path.is_file()}
    assert {str(path.relative_to(tmp_path / "left")): size for path, size in found.items()} == left


def test_the_log_of_sqlite_is_lost_and_the_database_is_not(tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    for name in ("nvr.db", "nvr.db-wal", "nvr.db-shm"):
        (storage / name).write_text(name)
    Disk().copy(storage, tmp_path / "left")
    assert [path.name for path in (tmp_path / "left").iterdir()] == ["nvr.db"]

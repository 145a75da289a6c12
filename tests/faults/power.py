"""A power cut: what was not synced is gone. Seen from nvr's system calls, played on a copy of the storage folder.

A name is durable once its folder was synced after it was made, a file's bytes once the file was synced after they were
written (POSIX promises no more). SQLite's write-ahead log is cut like any file; the database itself counts as synced,
which is what SQLite sees to. Bytes that were overwritten after a sync are taken as they were last written.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.rtsp import ScriptedCamera
from tests.faults import trace
from tests.faults.ledger import Ledger
from tests.faults.result import Limit, Result
from tests.faults.stage import Stage, steady, wait_until
from tests.faults.truth import compare, recorded

FIVE = Limit(5.0, None, "next start")
CALLS = "openat,write,lseek,close,unlink,unlinkat,rmdir," + trace.WRITES
QUICK, FULL = 2, 10
AFTER = {"power", "killed", "starting"}
_CALL = re.compile(r"(\d+) +[\d.]+ (\w+)\((.*)\) += (-?\d+)(?:<(.*?)>)?")
_BEGUN = re.compile(r"(\d+) +[\d.]+ (\w+)\((.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"(\d+) +[\d.]+ <\.\.\. (\w+) resumed>(.*)\) += (-?\d+)(?:<(.*?)>)?")
_DESCRIPTOR = re.compile(r"-?\d+<([^>]*)>")
_NAMES = re.compile(r'"([^"]*)"')


@dataclass
class Inode:
    """A file or folder: bytes written, and of these synced; where its names are does not matter to it."""

    folder: bool = False
    written: int = 0
    synced: int = 0
    place: int = 0


@dataclass
class Disk:
    """What names and bytes there are, and which of them would outlive the power."""

    live: dict[str, Inode] = field(default_factory=dict)
    durable: dict[str, Inode] = field(default_factory=dict)
    _begun: dict[str, tuple[str, str, int]] = field(default_factory=dict)

    def read(self, log: Path) -> None:
        """Follow strace's log to its end."""
        for line in log.read_text(errors="replace").splitlines():
            if begun := _BEGUN.match(line):
                self._begun[begun[1]] = (begun[2], begun[3], self._extent(begun[2], begun[3]))
            elif resumed := _RESUMED.match(line):
                call, arguments, extent = self._begun.pop(resumed[1], ("", "", 0))
                if call:
                    self._call(call, arguments + resumed[3], int(resumed[4]), resumed[5], extent)
            elif done := _CALL.match(line):
                self._call(done[2], done[3], int(done[4]), done[5], self._extent(done[2], done[3]))

    def _extent(self, call: str, arguments: str) -> int:
        """What a sync covers: the bytes written before it began."""
        inode = self._inode(arguments) if call in ("fsync", "fdatasync") else None
        return inode.written if inode else 0

    def _inode(self, arguments: str) -> Inode | None:
        found = _DESCRIPTOR.match(arguments)
        return self.live.get(found[1]) if found else None

    def _call(self, call: str, arguments: str, result: int, path: str | None, extent: int) -> None:
        if result < 0:
            return
        names = _NAMES.findall(arguments)
        inode = self._inode(arguments)
        if call == "openat" and path and "O_TMPFILE" not in arguments:
            opened = self.live.setdefault(path, Inode("O_DIRECTORY" in arguments))
            opened.place = 0
            if "O_TRUNC" in arguments:
                opened.written = opened.synced = 0
        elif call in ("mkdir", "mkdirat"):
            self.live[names[0]] = Inode(folder=True)
        elif call in ("rename", "renameat", "renameat2") and names[0] in self.live:
            self.live[names[1]] = self.live.pop(names[0])
        elif call in ("unlink", "unlinkat", "rmdir"):
            self.live.pop(names[0], None)
        elif inode is not None:
            self._change(inode, call, arguments, result, extent)

    def _change(self, inode: Inode, call: str, arguments: str, result: int, extent: int) -> None:
        if call == "lseek":
            inode.place = result
        elif call == "write":
            inode.place += result
            inode.written = max(inode.written, inode.place)
        elif call in ("pwrite64", "pwritev", "pwritev2"):
            offset = [word.strip() for word in arguments.split(",")][-2 if call == "pwritev2" else -1]
            inode.written = max(inode.written, int(offset) + result)
        elif call == "ftruncate":
            size = int(arguments.rsplit(",", 1)[1])
            inode.written, inode.synced = size, min(inode.synced, size)
        elif call in ("fsync", "fdatasync"):
            inode.synced = max(inode.synced, extent)
            if inode.folder or (call == "fsync" and not inode.written):
                self._keep_names(_DESCRIPTOR.match(arguments)[1])  # type: ignore[index]  # it led to the inode

    def _keep_names(self, folder: str) -> None:
        for path in [path for path in self.durable if str(Path(path).parent) == folder and path not in self.live]:
            del self.durable[path]
        self.durable |= {path: inode for path, inode in self.live.items() if str(Path(path).parent) == folder}

    def copy(self, storage: Path, target: Path) -> None:
        """The storage folder as it would be after the cut."""
        target.mkdir()
        where = {id(inode): path for path, inode in self.live.items()}
        for path, inode in sorted(self.durable.items()):
            inside = Path(path)
            if not inside.is_relative_to(storage) or inside.name in ("nvr.db", "nvr.db-shm"):
                continue
            new = target / inside.relative_to(storage)
            source = Path(where.get(id(inode), ""))
            if not new.parent.is_dir():
                continue  # the name of a folder above it was lost
            if source.is_dir() and str(source) != ".":
                new.mkdir(exist_ok=True)
            elif source.is_file():
                new.write_bytes(source.read_bytes()[: inode.synced])
        if (storage / "nvr.db").exists():
            shutil.copy(storage / "nvr.db", target / "nvr.db")


def run(quick: bool) -> Iterator[Result]:
    fault = "power cut: un-synced data dropped"
    if not trace.available():
        yield Result(fault, FIVE, skipped="needs strace")
        return
    times = QUICK if quick else FULL
    lost: list[int] = []
    problems: list[str] = []
    for _ in range(times):
        packets, found = _cut(random.uniform(6, 14))
        lost.append(packets)
        problems += found
    note = "lost in each: " + ", ".join(f"{packets / 25:.1f}" for packets in lost) + " s"
    yield Result(fault, FIVE, max(lost), None, tuple(dict.fromkeys(problems)), note, times=times)


def _cut(after: float) -> tuple[int, tuple[str, ...]]:
    """Record for a while, cut the power, start again on what is left; packets lost, and what is wrong then."""
    cameras = {f"cam{n}": ScriptedCamera(steady()) for n in (1, 2)}
    with Stage(cameras) as stage:
        log = stage.folder / "strace.log"
        stage.wrapper = [
            "strace",
            "-f",
            "--seccomp-bpf",
            "-ttt",
            "-y",
            "-s",
            "0",
            "-o",
            str(log),
            "-e",
            f"trace={CALLS}",
        ]
        stage.start()
        stage.wait_until_recording()
        time.sleep(after)
        cut = time.time()
        _end_all_but_strace(stage)
        disk = Disk()
        disk.read(log)
        left = stage.folder / "left"
        disk.copy(stage.storage, left)
        stage.storage, stage.wrapper = left, []
        stage.write_config()
        begun = stage.started
        stage.start()
        for name in cameras:
            stage.back_within(name, stage.started)
        time.sleep(2)
        stage.stop()
        lost = [
            len(compare(camera, recorded(left, name), wanted=lambda _, sent: begun <= sent.at <= cut).lost)
            for name, camera in cameras.items()
        ]
        return max(lost), Ledger(stage).problems(reasons=AFTER)


def _end_all_but_strace(stage: Stage) -> None:
    """strace writes the end of its log when the last process is gone."""
    assert stage.process is not None
    own = stage.process.pid
    for pid in stage.group():
        if pid != own:
            with contextlib.suppress(ProcessLookupError):  # it has followed the supervisor
                os.kill(pid, signal.SIGKILL)
    wait_until(lambda: stage.process is not None and stage.process.poll() is not None, "strace to end")

"""The disk is full, read-only, broken, hangs, is unmounted, has no inodes left."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.fakes.rtsp import ScriptedCamera, Sent
from tests.faults import trace
from tests.faults.ledger import Ledger
from tests.faults.result import FPS, Limit, Result
from tests.faults.stage import IN_FLIGHT_S, Stage, steady
from tests.faults.truth import Place, compare, recorded

BACK = Limit(0.0, 5.0, "what did not fit")
HANG = Limit(0.0, 5.0)
HANG_S = 20.0
SIZE, INODES = "300m", 400
AWAY = {"disk-full", "disk-error", "volume-missing", "disk-slow", "no-key-frame", "deleted"}
PADDING = 60_000
"""Bytes: 12 Mb/s, so that a minute is more than nvr holds in memory."""
QUICK_PADDING = 6_000
"""For a recorder that is traced for some seconds: strace stops it at every read, and a slow machine falls behind."""
EDGE_S = 1.0


@dataclass(frozen=True)
class Trouble:
    """A fault of the disk: how to bring it about, and how long it lasts."""

    fault: str
    cause: Callable[[Stage, Path], AbstractContextManager[None]]
    limit: Limit = BACK
    seconds: float = 6.0
    mounted: bool = True


@dataclass
class Seen:
    """When the fault began and ended, Unix seconds, and how many system calls it hurt (-1: it needs none)."""

    begun: float = 0.0
    ended: float = 0.0
    hits: int = -1


def run(quick: bool) -> Iterator[Result]:
    """All at the same time, each on a disk and with an nvr of its own."""
    troubles = [
        Trouble("disk full", _full),
        Trouble("disk full of inodes", _no_inodes),
        Trouble("disk unmounted and mounted again", _unmounted),
        Trouble("disk read-only (every write EROFS)", _failing("EROFS"), mounted=False),
        Trouble("disk I/O errors (every write EIO)", _failing("EIO"), mounted=False),
        Trouble("disk hangs 20 s", _hanging, HANG, HANG_S, mounted=False),
    ]
    with ThreadPoolExecutor() as pool:
        yield from pool.map(partial(_attempt, quick), troubles)


def _attempt(quick: bool, trouble: Trouble) -> Result:
    if trouble.mounted and os.geteuid() != 0:
        return Result(trouble.fault, trouble.limit, skipped="needs root, to mount a disk")
    if not trouble.mounted and not trace.available():
        return Result(trouble.fault, trouble.limit, skipped="needs strace")
    try:
        padding = QUICK_PADDING if quick and not trouble.mounted else PADDING
        return _measure(trouble, trouble.seconds if quick else max(60.0, trouble.seconds), padding)
    except (TimeoutError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        return Result(trouble.fault, trouble.limit, problems=(f"the run broke off: {error}",))


def _measure(trouble: Trouble, seconds: float, padding: int) -> Result:
    seen = Seen()
    seconds = HANG_S if trouble.limit is HANG else seconds
    with Stage({"cam1": ScriptedCamera(steady(padding=padding))}) as stage:
        if trouble.mounted:
            _mount(stage)
        stage.start()
        stage.wait_until_recording(150)
        log = stage.folder / "strace.log"
        with trouble.cause(stage, log):
            seen.begun = time.time()
            time.sleep(seconds)
        seen.ended = time.time()
        time.sleep(IN_FLIGHT_S + 7)
        stage.stop()
        seen.hits = trace.hits(log) if log.exists() else -1
        return _judge(trouble, stage, seen)


def _judge(trouble: Trouble, stage: Stage, seen: Seen) -> Result:
    """What nvr deleted by its own rule, to make room, is no loss; neither is what came while the disk was gone."""
    camera, ledger = stage.cameras["cam1"], Ledger(stage)
    pictures = list(recorded(stage.storage, "cam1"))
    back = _first_after(camera, {picture.place for picture in pictures}, seen.ended)
    deleted = ledger.spans("cam1", "deleted")

    def wanted(_: Place, sent: Sent) -> bool:
        gone = trouble.limit is not HANG and seen.begun <= sent.at <= seen.ended + back
        pruned = any(begin - EDGE_S <= sent.at <= end + EDGE_S for begin, end in deleted)
        return sent.at < stage.stopped and not gone and not pruned

    outcome = compare(camera, pictures, wanted=wanted)
    unfit = compare(camera, pictures, wanted=lambda _, sent: seen.begun <= sent.at <= seen.ended)
    note = f"{len(unfit.lost) / FPS:.1f} of {seen.ended - seen.begun:.0f} s not kept; {ledger.reasons('cam1')}"
    problems = (*outcome.problems, *ledger.problems(reasons=AWAY))
    if seen.hits == 0:
        problems = (*problems, "no write was hurt: the fault did not take place")
    return Result(trouble.fault, trouble.limit, len(outcome.lost), back, problems, note)


def _first_after(camera: ScriptedCamera, held: set[Place], moment: float) -> float:
    """Seconds from ``moment`` to the sending of the first picture after it that is in the files."""
    shown = [
        sent.at
        for session, pictures in enumerate(camera.sessions)
        for index, sent in enumerate(pictures)
        if sent.at >= moment and (session, index) in held
    ]
    return min(shown, default=float("inf")) - moment


def _mount(stage: Stage) -> None:
    """Make the storage folder a small disk, seen at another place as well, so that it outlives an unmount."""
    origin = stage.folder / "origin"
    for folder in (origin, stage.storage):
        folder.mkdir()
    _command("mount", "-t", "tmpfs", "-o", f"size={SIZE},nr_inodes={INODES}", "nvr-faults", str(origin))
    stage.at_end(lambda: _command("umount", "-l", str(origin)))
    _command("mount", "--bind", str(origin), str(stage.storage))
    stage.at_end(lambda: _command("umount", "-l", str(stage.storage)))


@contextlib.contextmanager
def _full(stage: Stage, _: Path) -> Iterator[None]:
    filler = stage.folder / "origin" / "filler"
    with filler.open("wb") as file:
        for _try in range(50):  # nvr writes meanwhile
            state = os.statvfs(filler)
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), state.f_bavail * state.f_frsize)
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def _no_inodes(stage: Stage, _: Path) -> Iterator[None]:
    folder = stage.folder / "origin" / "many"
    folder.mkdir()
    with contextlib.suppress(OSError):
        for number in range(INODES):
            (folder / str(number)).touch()
    try:
        yield
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


@contextlib.contextmanager
def _unmounted(stage: Stage, _: Path) -> Iterator[None]:
    _command("umount", "-l", str(stage.storage))
    try:
        yield
    finally:
        _command("mount", "--bind", str(stage.folder / "origin"), str(stage.storage))


def _failing(error: str) -> Callable[[Stage, Path], AbstractContextManager[None]]:
    def cause(stage: Stage, log: Path) -> AbstractContextManager[None]:
        return trace.injected(stage.worker("recorder.cam1"), f"error={error}", log)

    return cause


def _hanging(stage: Stage, log: Path) -> AbstractContextManager[None]:
    return trace.injected(stage.worker("recorder.cam1"), f"delay_enter={round(HANG_S * 1e6)}", log)


def _command(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)

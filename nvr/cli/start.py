"""``nvr start``: put the parts together and run them until stopped.

Lives in the supervisor's process, the catalogue's writer for everything recorded. Recorders and the analyzer are its
children; neither FFmpeg nor the detector is imported here.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nvr import layout, logs, pulse
from nvr.analysis.task import Look
from nvr.analysis.task import Task as AnalyzerTask
from nvr.catalogue.intake import Intake
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import Clock, SystemClock, duration_us, from_us
from nvr.errors import CatalogueError, ConfigError, StorageError
from nvr.nursery import Nursery
from nvr.recording.outbox import read_message
from nvr.recording.task import Target, Task, Watch
from nvr.supervisor import Supervisor, Worker

if TYPE_CHECKING:
    from nvr.config import Camera, Config

log = logging.getLogger(__name__)
NEEDED_BYTES = 200_000_000
"""Free space below which a start is refused: a few minutes of a few cameras."""
LOCKED = timedelta(seconds=1)
"""How long a row may wait for another writer before the supervisor looks after its workers again."""
ANALYZER = "analyzer"


def start(config: Config, names: tuple[str, ...], log_level: str, nursery: Nursery) -> None:
    """Record and analyse the named cameras (all where none is named) until SIGINT or SIGTERM.

    ``nursery`` was started before this module, and with it the database library, was imported.

    Raises ConfigError for a camera that is not configured, StorageError for a storage folder that cannot be used or
    is in use, CatalogueError for a database that cannot.
    """
    cameras = _choose(config, names)
    logs.configure(log_level)
    clock = SystemClock()
    volume = layout.prepare(config.storage, NEEDED_BYTES)
    database = config.database or layout.database_path(config.storage)
    with _only_one(config.storage), _run_folder(volume, cameras) as folder:
        if not database.exists():
            upgrade(database)
        with Catalogue.open(database, busy_timeout=LOCKED) as catalogue:
            catalogue.close_dangling(from_us(clock.now_us()))
            station = Station(config, cameras, folder, catalogue, clock, log_level, nursery)
            log.info("recording %s into %s", ", ".join(cameras), config.storage.resolve())
            station.run()


class Station:
    """The running whole: workers, and the rows they send."""

    def __init__(
        self,
        config: Config,
        cameras: dict[str, Camera],
        folder: Path,
        catalogue: Catalogue,
        clock: Clock,
        log_level: str,
        nursery: Nursery,
    ) -> None:
        self._config = config
        self._cameras = cameras
        self._folder = folder
        self._catalogue = catalogue
        self._clock = clock
        self._log_level = log_level
        self._rows = Intake(catalogue)
        looks = tuple(look for name in cameras if (look := self._look(name)) is not None)
        workers = [self._recorder(name) for name in cameras]
        if looks:
            workers.append(self._analyzer(looks))
        self._supervisor = Supervisor(workers, clock, nursery, self._receive, self._rows.store)

    def run(self) -> None:
        self._supervisor.run()
        self._rows.store()
        if self._rows or self._rows.lost:
            log.error("%d rows were not stored; the files are complete", len(self._rows) + self._rows.lost)
        log.info("stopped")

    def _receive(self, channel: socket.socket) -> bool:
        message = read_message(channel)
        if message is None:
            return False
        self._rows.put(message)
        return True

    def _recorder(self, name: str) -> Worker:
        camera = self._cameras[name]
        look = self._look(name)
        beat = layout.pulse_path(self._folder, f"recorder.{name}")

        def arguments(restarts: int) -> tuple[Task]:
            watch = None
            if look is not None:
                watch = Watch(camera.analysed, camera.detect.frames, look.slot)
            return (
                Task(
                    camera=name,
                    main=camera.main,
                    sub=camera.sub,
                    record=camera.record != "off",
                    audio=camera.audio != "off",
                    target=Target(self._config.storage, duration_us(self._config.recording.segment)),
                    pulse=beat,
                    watch=watch,
                    known_until=self._newest(name),
                    restarts=restarts,
                    log_level=self._log_level,
                ),
            )

        return Worker(f"recorder.{name}", "nvr.recording.recorder:run", arguments, beat, ready=self._may_log_in(name))

    def _may_log_in(self, name: str) -> Callable[[], bool]:
        """Cameras that share a host and a user wait for the first of them to be let in, so that a wrong password
        is tried once and not once a channel: the device would lock the account."""
        main = self._cameras[name].main
        leader = next(
            other
            for other, camera in self._cameras.items()
            if _device(camera.main.url) == _device(main.url) and camera.main.username == main.username
        )
        if leader == name or main.is_file or not main.username:
            return lambda: True
        beat = layout.pulse_path(self._folder, f"recorder.{leader}")

        def let_in() -> bool:
            seen = pulse.read(beat)
            if seen is None or seen.state in ("starting", "connecting"):
                return False
            return "(401)" not in (seen.last_error or "")

        return let_in

    def _look(self, name: str) -> Look | None:
        camera = self._cameras[name]
        detect = camera.detect
        if detect.mode == "off":
            return None
        return Look(
            camera=name,
            slot=layout.slot_path(self._folder, name),
            mode=detect.mode,
            labels=tuple(detect.labels),
            interval=timedelta(seconds=1 / detect.fps),
            min_score=detect.min_score,
            model=detect.model,
        )

    def _analyzer(self, looks: tuple[Look, ...]) -> Worker:
        beat = layout.pulse_path(self._folder, ANALYZER)
        database = self._config.database or layout.database_path(self._config.storage)

        def arguments(restarts: int) -> tuple[AnalyzerTask]:
            return (AnalyzerTask(looks, self._config.storage, database, beat, restarts, self._log_level),)

        return Worker(ANALYZER, "nvr.analysis.analyzer:run", arguments, beat)

    def _newest(self, name: str) -> Path | None:
        """The camera's newest segment that has a row; what lies after it on disk lost its row."""
        with contextlib.suppress(CatalogueError):
            for summary in self._catalogue.summary(from_us(self._clock.now_us())):
                if summary.camera == name and summary.last_end is not None:
                    segment = self._catalogue.segment_at(name, summary.last_end - timedelta(microseconds=1))
                    return segment.path if segment is not None else None
        return None


def _device(url: str) -> str:
    """Host and port of a stream's address."""
    return url.partition("://")[2].partition("/")[0]


def _choose(config: Config, names: tuple[str, ...]) -> dict[str, Camera]:
    unknown = [name for name in names if name not in config.cameras]
    if unknown:
        raise ConfigError(
            f"no camera named {', '.join(unknown)} in the configuration; there are: {', '.join(config.cameras)}"
        )
    return {name: camera for name, camera in config.cameras.items() if not names or name in names}


@contextlib.contextmanager
def _only_one(storage: Path) -> Iterator[None]:
    """Hold the storage folder; the kernel lets go of it however this process ends. Raises StorageError."""
    marker = os.open(storage / layout.MARKER, os.O_RDONLY)
    try:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(
                f"another nvr start is recording into {storage}: stop it first, or give this one another storage folder"
            ) from None
        yield
    finally:
        os.close(marker)


@contextlib.contextmanager
def _run_folder(volume: str, cameras: dict[str, Camera]) -> Iterator[Path]:
    """The folder in shared memory with slots and pulses; gone when the run is over."""
    folder = layout.run_folder(volume)
    shutil.rmtree(folder, ignore_errors=True)  # what a killed predecessor left
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise StorageError(
            f"cannot make {folder}: {error.strerror}; if it is there, another account's nvr start left it: remove it"
        ) from error
    try:
        watched = [name for name, camera in cameras.items() if camera.detect.mode != "off"]
        if watched:
            from nvr import frameslot  # numpy: only where something is analysed

            for name in watched:
                frameslot.create(layout.slot_path(folder, name))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

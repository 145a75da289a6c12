"""``nvr start``: put the parts together and run them until stopped.

Lives in the supervisor's process, the catalogue's writer for everything recorded. Recorders and the analyzer are its
children; neither FFmpeg nor the detector is imported here.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nvr import archive, layout, logs, packetring
from nvr.analysis.sight import sight_of
from nvr.analysis.task import Look
from nvr.analysis.task import Task as AnalyzerTask
from nvr.catalogue.intake import Intake
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import set_aside, upgrade
from nvr.cli.app import database_of
from nvr.cli.hearing import ear_of
from nvr.clock import Clock, SystemClock, duration_us, from_us
from nvr.config import load
from nvr.errors import CatalogueError, ConfigError, DamagedError, StorageError
from nvr.history import boot_id
from nvr.isapi.task import Ear
from nvr.isapi.task import Task as ListenerTask
from nvr.logbook import Logbook
from nvr.model import Gap, StreamName
from nvr.nursery import Nursery
from nvr.recording.outbox import Room, read_message
from nvr.recording.task import Target, Task, Watch
from nvr.retention.housekeeping import look_at_disk
from nvr.retention.policy import policy_of, spell_size
from nvr.retention.task import LOOK, ROOM
from nvr.retention.task import Task as JanitorTask
from nvr.supervisor import End, Supervisor, Worker
from nvr.systemd import Systemd
from nvr.web.task import Reload, View
from nvr.web.task import Task as WebTask

if TYPE_CHECKING:
    from nvr.config import Camera, Config

log = logging.getLogger(__name__)
FEW_BYTES = 200_000_000
"""Free space that is worth a warning: a few minutes of a few cameras."""
LOCKED = timedelta(seconds=1)
"""How long a row may wait for another writer before the supervisor looks after its workers again."""
ANALYZER, JANITOR, LISTENER, WEB = "analyzer", "janitor", "listener", "web"


def start(config: Config, file: Path, names: tuple[str, ...], log_level: str, nursery: Nursery) -> None:
    """Record and analyse the named cameras (all where none is named) until SIGINT or SIGTERM.

    ``file`` is where the configuration was read from.
    ``nursery`` was started before this module, and with it the database library, was imported.

    Raises ConfigError for a camera that is not configured, StorageError for a storage folder that cannot be used or
    is in use, CatalogueError for a database that cannot.
    """
    cameras = _choose(config, names)
    logs.configure(log_level)
    clock = SystemClock()
    volume = layout.prepare(config.storage)
    _look_at_room(config)
    database = database_of(config)
    with _alone(config.storage), _run_folder(volume, config, cameras) as folder, _opened(database, clock) as catalogue:
        station = Station(config, file, cameras, folder, catalogue, clock, log_level, nursery)
        log.info("recording %s into %s", ", ".join(cameras), config.storage.resolve())
        station.run()


class Station:
    """The running whole: workers, and the rows they send."""

    def __init__(
        self,
        config: Config,
        file: Path,
        cameras: dict[str, Camera],
        folder: Path,
        catalogue: Catalogue,
        clock: Clock,
        log_level: str,
        nursery: Nursery,
    ) -> None:
        self._config = config
        self._file = file
        self._cameras = cameras
        self._folder = folder
        self._clock = clock
        self._log_level = log_level
        self._rows = Intake(catalogue)
        self._logbook = Logbook(catalogue, self._rows, clock, boot_id())
        self._systemd = Systemd()
        looks = tuple(look for name in cameras if (look := self._look(name)) is not None)
        workers = [self._recorder(name) for name in cameras]
        if looks:
            workers.append(self._analyzer())
        ears = tuple(ear for name in cameras if (ear := self._ear(name)) is not None)
        if ears:
            workers.append(self._listener(ears))
        workers.append(self._janitor())
        if config.web.enabled:
            workers.append(self._web())
        self._supervisor = Supervisor(workers, clock, nursery, self._receive, self._tick, self._ended)

    def run(self) -> None:
        """Run until stopped. Raises CatalogueError where the database cannot be used at the start."""
        self._logbook.begin(self._cameras)
        self._systemd.ready()
        self._supervisor.run()
        self._rows.store()
        if self._rows or self._rows.lost:
            log.error("%d rows were not stored; the files are complete", len(self._rows) + self._rows.lost)
        self._logbook.close()
        log.info("stopped")

    def _receive(self, channel: socket.socket) -> bool:
        message = read_message(channel)
        if message is None:
            return False
        if isinstance(message, Room):
            self._supervisor.tell(JANITOR, ROOM)
        elif isinstance(message, Reload):
            self._look_anew()
        elif isinstance(message, Gap):
            self._logbook.hear(message)
        else:
            self._rows.put(message)
        return True

    def _tick(self) -> None:
        self._rows.store()
        if self._supervisor.stopping:
            self._systemd.stopping()
        else:
            self._logbook.tick()
            self._systemd.alive()

    def _look_anew(self) -> None:
        """Zones in the configuration file were changed by the page: the analyzer looks with them from now on. Whatever
        else was changed there waits for the next start."""
        try:
            cameras = load(self._file, resolve=False).cameras
        except ConfigError as error:
            log.error("zones stay as they were: %s", error)
            return
        for name, camera in self._cameras.items():
            if name in cameras:
                new = cameras[name].detect
                places = {key: getattr(new, key) for key in ("zones", "lines", "masks", "required")}
                detect = camera.detect.model_copy(update=places)
                self._cameras[name] = camera.model_copy(update={"detect": detect})
        self._supervisor.restart(ANALYZER)
        log.info("zones were changed: the analyzer starts again with them")

    def _ended(self, worker: str, end: End, how: str) -> None:
        kind, _, camera = worker.partition(".")
        if kind == "recorder":
            self._logbook.ended(camera, end, how)
            self._supervisor.tell(JANITOR, LOOK + camera.encode())

    def _recorder(self, name: str) -> Worker:
        camera = self._cameras[name]
        look = self._look(name)
        beat = layout.pulse_path(self._folder, f"recorder.{name}")

        def arguments(restarts: int) -> tuple[Task]:
            watch = None
            if look is not None:
                watch = Watch(camera.analysed, camera.detect.frames, look.slot)
            segment_us = duration_us(self._config.recording.segment)
            return (
                Task(
                    camera=name,
                    main=camera.main,
                    sub=camera.sub,
                    record=camera.record != "off",
                    audio=camera.audio != "off",
                    target=Target(self._config.storage, segment_us, camera.schedule),
                    pulse=beat,
                    watch=watch,
                    rings=self._rings(name),
                    gap=self._logbook.gap(name),
                    restarts=restarts,
                    log_level=self._log_level,
                ),
            )

        return Worker(f"recorder.{name}", "nvr.recording.recorder:run", arguments, beat)

    def _janitor(self) -> Worker:
        beat = layout.pulse_path(self._folder, JANITOR)
        started = from_us(self._clock.now_us())
        policy = policy_of(self._config)

        def arguments(restarts: int) -> tuple[JanitorTask]:
            storage, database = self._config.storage, database_of(self._config)
            return (JanitorTask(policy, storage, database, self._folder, started, restarts, self._log_level),)

        return Worker(JANITOR, "nvr.janitor:run", arguments, beat)

    def _look(self, name: str) -> Look | None:
        detect = self._cameras[name].detect
        sight = sight_of(detect)
        if sight is None:
            return None
        return Look(name, layout.slot_path(self._folder, name), sight, timedelta(seconds=1 / detect.fps))

    def _analyzer(self) -> Worker:
        beat = layout.pulse_path(self._folder, ANALYZER)

        def arguments(restarts: int) -> tuple[AnalyzerTask]:
            looks = tuple(look for name in self._cameras if (look := self._look(name)) is not None)
            storage, database = self._config.storage, database_of(self._config)
            return (AnalyzerTask(looks, storage, database, beat, restarts, self._log_level),)

        return Worker(ANALYZER, "nvr.analysis.analyzer:run", arguments, beat)

    def _ear(self, name: str) -> Ear | None:
        look = self._look(name)
        return ear_of(name, self._cameras[name], None if look is None else look.slot)

    def _listener(self, ears: tuple[Ear, ...]) -> Worker:
        beat = layout.pulse_path(self._folder, LISTENER)

        def arguments(restarts: int) -> tuple[ListenerTask]:
            storage, database = self._config.storage, database_of(self._config)
            return (ListenerTask(ears, storage, database, self._folder, restarts, self._log_level),)

        return Worker(LISTENER, "nvr.listener:run", arguments, beat)

    def _rings(self, name: str) -> dict[StreamName, Path]:
        """Where the camera's packets go for whoever watches live, by stream; none where there is no page."""
        if not self._config.web.enabled:
            return {}
        return {stream: layout.ring_path(self._folder, name, stream) for stream in streams_of(self._cameras[name])}

    def _web(self) -> Worker:
        beat = layout.pulse_path(self._folder, WEB)
        looks = {name: self._look(name) for name in self._cameras}
        views = {name: View(look.slot if look else None, self._rings(name)) for name, look in looks.items()}
        config = self._config.without_passwords()

        def arguments(restarts: int) -> tuple[WebTask]:
            database = database_of(self._config)
            return (WebTask(config, self._file, database, self._folder, views, restarts, self._log_level),)

        return Worker(WEB, "nvr.web.server:run", arguments, beat)


def streams_of(camera: Camera) -> tuple[StreamName, ...]:
    """The streams that nvr receives of a camera, and that can be watched therefore."""
    sub = camera.sub is not None and camera.analysed == "sub" and sight_of(camera.detect) is not None
    main = camera.record != "off" or (sight_of(camera.detect) is not None and not sub)
    return (*(("main",) if main else ()), *(("sub",) if sub else ()))


def _look_at_room(config: Config) -> None:
    free, min_free = layout.free_bytes(config.storage), config.retention.min_free
    if free < FEW_BYTES:
        log.warning("%s has %.0f MB free: the oldest video goes at once, if there is any", config.storage, free / 1e6)
    disk = look_at_disk(config.storage)
    if disk.floor(min_free) != min_free:
        log.critical(
            "retention.min_free is %s, but the disk has %s in all: %s is kept free instead; correct the configuration",
            *map(spell_size, (min_free, disk.bytes, disk.floor(min_free))),
        )


def _choose(config: Config, names: tuple[str, ...]) -> dict[str, Camera]:
    unknown = [name for name in names if name not in config.cameras]
    if unknown:
        raise ConfigError(
            f"no camera named {', '.join(unknown)} in the configuration; there are: {', '.join(config.cameras)}"
        )
    return {name: camera for name, camera in config.cameras.items() if not names or name in names}


def _opened(database: Path, clock: Clock) -> Catalogue:
    """The catalogue, made where there is none. One that is damaged is moved aside: recording goes first, and the
    janitor reads its rows back from the files. Raises CatalogueError."""
    if not database.exists():
        upgrade(database)
    try:
        return _ready(database, clock)
    except DamagedError as error:
        kept = set_aside(database, clock)
        log.critical("%s. It is kept as %s; a new one begins, and what the files tell is read back", error, kept)
        upgrade(database)
        return _ready(database, clock)


def _ready(database: Path, clock: Clock) -> Catalogue:
    catalogue = Catalogue.open(database, busy_timeout=LOCKED, durable=True)
    try:
        catalogue.close_dangling(from_us(clock.now_us()))
        catalogue.open_gaps()
        catalogue.usage()  # much of the file is read: damage is better found now than in the night
    except CatalogueError:
        catalogue.close()
        raise
    return catalogue


@contextlib.contextmanager
def _alone(storage: Path) -> Iterator[None]:
    """Hold the storage folder; the kernel lets go of it however this process ends. Raises StorageError."""
    with archive.held(storage) as alone:
        if not alone:
            raise StorageError(
                f"another nvr start is recording into {storage}: stop it first, or give this one another storage folder"
            )
        yield


@contextlib.contextmanager
def _run_folder(volume: str, config: Config, cameras: dict[str, Camera]) -> Iterator[Path]:
    """The folder in shared memory with slots, rings and pulses; empty when the run is over, but for refused logins."""
    folder = layout.run_folder(volume)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()  # before anything in it is touched: all accounts may write to its parent
        if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "it is another account's")
        _sweep(folder)
    except OSError as error:
        raise StorageError(
            f"cannot make {folder}: {error.strerror}; if it is there, another account's nvr start left it: remove it"
        ) from error
    try:
        watched = [name for name, camera in cameras.items() if camera.detect.mode not in ("off", "camera")]
        if watched:
            from nvr import frameslot  # numpy: only where something is analysed

            for name in watched:
                frameslot.create(layout.slot_path(folder, name))
        for name, camera in cameras.items() if config.web.enabled else ():
            for stream in streams_of(camera):
                packetring.create(layout.ring_path(folder, name, stream))
        yield folder
    finally:
        with contextlib.suppress(OSError):  # gone, or not empty
            _sweep(folder)
            folder.rmdir()


def _sweep(folder: Path) -> None:
    """Remove what is in it, but for what cameras have refused: a restart is no reason to try such a login again."""
    for entry in list(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.suffix != ".door":
            entry.unlink(missing_ok=True)

"""The analyzer process: looks at the newest picture of every camera, and logs what happens.

One process for all cameras; it sleeps until a picture comes that is due. It reads slots and writes events and
snapshots; nothing it does or fails to do reaches a recorder.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import cv2

from nvr import logs
from nvr.analysis.album import Album
from nvr.analysis.gauge import Gauge
from nvr.analysis.observer import Models
from nvr.analysis.task import Look, Task
from nvr.analysis.watcher import Watcher
from nvr.catalogue.store import Catalogue
from nvr.clock import Clock, SystemClock
from nvr.errors import ModelError
from nvr.pulse import Pulse, PulseWriter

log = logging.getLogger(__name__)
TICK_US = 1_000_000
LOCKED = timedelta(milliseconds=500)
"""How long a look may wait for another writer of the database: what is not stored now is a second later."""
LOADING_S = 300
"""How long all models may take to load, seconds; the supervisor then takes the process to hang."""
NICE = 10
"""Where the machine has too little time for all, recording goes first."""


class Analyzer:
    """The process's loop."""

    def __init__(self, task: Task, channel: socket.socket, catalogue: Catalogue, clock: Clock, models: Models) -> None:
        self._task = task
        self._channel = channel
        self._clock = clock
        self._pulse = PulseWriter(task.pulse)
        self._stopping = False
        self._error = ""
        self._beat_us = 0
        self._before = (0, 0)
        self._idle_us = 0
        """Time spent waiting for pictures since the last beat."""
        self.watchers: list[Watcher] = []
        """Of the cameras that can be looked at."""
        self._gauges: list[Gauge] = []
        self._beat("starting")
        with self._loading():
            for look in task.looks:
                watcher = self._watch(look, models, catalogue)
                if watcher is not None:
                    self.watchers.append(watcher)
                    self._gauges.append(Gauge(task.pulse.parent, watcher, clock))
        for watcher in self.watchers:
            watcher.alone = len(self.watchers) == 1

    def run(self, told: Sequence[int] = ()) -> None:
        """Look until told to stop or until the supervisor is gone; ``told`` holds the signals that came before."""
        signal.signal(signal.SIGTERM, self._stop)
        self._stopping = self._stopping or bool(told)
        read, write = socket.socketpair()
        with read, write:
            write.setblocking(False)
            signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
            while not self._stopping:
                self._wait(read)
                if self._clock.monotonic_us() - self._beat_us >= TICK_US:
                    self._tick()
            signal.set_wakeup_fd(-1)
        for watcher in self.watchers:
            watcher.close()
        self._beat("stopped")

    def _tick(self) -> None:
        for watcher in self.watchers:
            watcher.rest()
        for gauge in self._gauges:
            gauge.beat()
        self._beat(self._state())

    @contextmanager
    def _loading(self) -> Iterator[None]:
        """Beats while models load: a large one takes longer than a process may be silent, though not ``LOADING_S``."""
        done = threading.Event()

        def beat() -> None:
            for _ in range(LOADING_S):
                if done.wait(1):
                    return
                self._beat("starting")

        thread = threading.Thread(target=beat, name="loading", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(timeout=5)

    def _watch(self, look: Look, models: Models, catalogue: Catalogue) -> Watcher | None:
        """A camera's watcher; None, with the reason logged and shown, for a model that cannot be used."""
        try:
            return Watcher(look, models, Album(look.camera, self._task.storage, catalogue), self._clock)
        except ModelError as error:
            catalogue.close_events(look.camera, kinds=("object", "motion"), reason="not looked at any more")
            self._error = f"{look.camera} is not analysed: {error}"
            log.error("%s", self._error)
            return None

    def _wait(self, wakeup: socket.socket) -> None:
        """Sleep until a due camera has a new picture, a signal, or the next tick; then look at one."""
        now_us = self._clock.monotonic_us()
        due = {watcher.fileno(): watcher for watcher in self.watchers if watcher.due_us <= now_us}
        next_us = min((w.due_us for w in self.watchers if w.due_us > now_us), default=now_us + TICK_US)
        poll = select.poll()
        for descriptor in (*due, wakeup.fileno(), self._channel.fileno()):
            poll.register(descriptor, select.POLLIN)
        ready = [descriptor for descriptor, _ in poll.poll(max(1, min(next_us - now_us, TICK_US) / 1000))]
        self._idle_us += self._clock.monotonic_us() - now_us
        if self._channel.fileno() in ready:
            log.warning("the supervisor is gone: ending")
            self._stopping = True
        # One look, at who waited longest: the busiest camera cannot starve the others, and where time is short each of
        # them waits longer, for all alike. A round of all would keep a stop, and the heartbeat, waiting for its end.
        if waiting := [due[each] for each in ready if each in due]:
            min(waiting, key=lambda watcher: watcher.looked_us).look()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _state(self) -> str:
        """Analysing while the detector runs, or pictures are looked at for motion alone; else sleeping."""
        now = (sum(w.detections for w in self.watchers), sum(w.looks for w in self.watchers))
        before, self._before = self._before, now
        if not self.watchers:
            return "failed"
        busy = now[0] > before[0] or (
            now[1] > before[1] and all(look.sight.mode == "motion" for look in self._task.looks)
        )
        return "analysing" if busy else "sleeping"

    def _beat(self, state: str) -> None:
        passed_us, self._beat_us = self._clock.monotonic_us() - self._beat_us, self._clock.monotonic_us()
        idle_us, self._idle_us = self._idle_us, 0
        albums = [watcher.album for watcher in self.watchers]
        error = next((album.error for album in albums if album.error), "") or self._error
        self._pulse.beat(
            Pulse(
                process="analyzer",
                pid=os.getpid(),
                state=state,
                beat_monotonic_us=self._beat_us,
                beat_us=self._clock.now_us(),
                dropped=sum(album.dropped for album in albums),
                restarts=self._task.restarts,
                last_error=error or None,
                load=min(max(1 - idle_us / passed_us, 0.0), 1.0) if state in ("analysing", "sleeping") else 0.0,
            )
        )


def run(task: Task, channel: socket.socket) -> None:
    """The process's entry: analyse until SIGTERM or the supervisor's end."""
    logs.configure(task.log_level)
    cv2.setNumThreads(1)  # pictures are small: threads would cost more than they save
    os.nice(NICE)
    told: list[int] = []  # who is ended while models load ends the events, too, that a killed one left open
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches us, too; the supervisor decides
    signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    with Catalogue.open(task.database, busy_timeout=LOCKED) as catalogue:
        Analyzer(task, channel, catalogue, SystemClock(), Models()).run(told)

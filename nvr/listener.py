"""The listener process: hears what cameras tell of themselves, and logs it as events.

One process for all cameras, with one thread and one connection per device. The first thread alone knows events and the
database. Nothing that the process does or fails to do reaches a recorder.
"""

from __future__ import annotations

import itertools
import logging
import os
import queue
import select
import signal
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from nvr import layout, logs
from nvr.catalogue.store import Catalogue
from nvr.clock import Clock, SystemClock, to_us
from nvr.docket import Docket
from nvr.isapi.device import Patience
from nvr.isapi.line import Line, by_device
from nvr.isapi.report import Report
from nvr.isapi.subscription import Message
from nvr.isapi.task import Task
from nvr.photographer import Photographer
from nvr.pulse import Pulse, PulseWriter
from nvr.vestibule import enter

log = logging.getLogger(__name__)
BEAT_US = 1_000_000
TURN_MS = 250
"""How often it is looked whether an event was not repeated."""
WAITING = 1000
"""Messages of all devices that wait; a device's thread that finds no room waits itself."""
LOCKED = timedelta(milliseconds=500)
"""How long a row waits for another writer before the process looks after everything else again."""
JOIN_S = 0.2
"""For all threads to see that it is over; whatever one waits for, the process's end is its own."""
WITHOUT_PICTURE = {"videoloss", "diskfull", "diskerror", "nicbroken", "ipconflict", "illaccess"}


class _Told(NamedTuple):
    """A device has told something."""

    line: Line
    message: Message


class _Pictured(NamedTuple):
    """An event's picture is stored."""

    number: int
    path: Path


class Listener:
    """The process's loop. ``turn`` does what is due, ``run`` does so until told to end."""

    def __init__(
        self, task: Task, channel: socket.socket, catalogue: Catalogue, clock: Clock, patience: Patience | None = None
    ) -> None:
        """Raises CatalogueError where what a killed process left cannot be read."""
        self._task = task
        self._channel = channel
        self._clock = clock
        self._inbox: queue.Queue[_Told | _Pictured] = queue.Queue(WAITING)
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._stopping = False
        self._beat_us = 0
        self._pulse = PulseWriter(layout.pulse_path(task.folder, "listener"))
        self._pulses = {
            ear.camera: PulseWriter(layout.pulse_path(task.folder, f"alerts.{ear.camera}")) for ear in task.ears
        }
        self._ears = {ear.camera: ear for ear in task.ears}
        self._docket = Docket(catalogue)
        self._photographer = Photographer(task.storage, clock, lambda number, path: self._put(_Pictured(number, path)))
        numbers = itertools.count()
        self._lines = [
            Line(
                ears,
                partial(enter, task.folder, ears[0], clock),
                numbers,
                clock,
                lambda line, message: self._put(_Told(line, message)),
                patience or Patience(),
            )
            for ears in by_device(task.ears)
        ]
        for line in self._lines:
            left = {ear.camera: catalogue.open_events(ear.camera, ("camera", "health")) for ear in line.ears}
            self._note(line.resume(left))

    def run(self) -> None:
        """Listen until told to stop or until the supervisor is gone."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches us, too; the supervisor decides
        signal.signal(signal.SIGTERM, self._stop)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        self.start()
        while not self._stopping:
            self._wait()
            self.turn()
        signal.set_wakeup_fd(-1)
        self.close()

    def start(self) -> None:
        for line in self._lines:
            line.subscription.start()

    def turn(self) -> None:
        """Take what has come, store what there is to store, show life. Raises RuntimeError where a thread has died."""
        for _ in range(WAITING):
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                break
            self._take(message)
        for line in self._lines:
            self._note(line.look())
            if not line.subscription.alive:
                raise RuntimeError(f"nobody listens to {line.ears[0].place.url} any more")
        self._store()
        if self._clock.monotonic_us() - self._beat_us >= BEAT_US:
            self._beat("listening" if any(line.state == "listening" for line in self._lines) else "waiting")

    def close(self) -> None:
        """Hang up and end what is open."""
        self._stopping = True
        self._photographer.close()
        for line in self._lines:
            self._note(line.close())
        self._docket.store()
        for line in self._lines:
            line.subscription.join(JOIN_S / len(self._lines))
        self._beat("stopped")
        self._wake_read.close()
        self._wake_write.close()

    def _take(self, message: _Told | _Pictured) -> None:
        if isinstance(message, _Told):
            self._note(message.line.take(message.message))
        else:
            self._docket.attach(message.number, message.path)

    def _note(self, reports: Iterable[Report]) -> None:
        for report in reports:
            self._docket.note(report)

    def _store(self) -> None:
        """Store rows, and have a picture made for those that are new."""
        for report in self._docket.store():
            event = report.event
            if event.kind == "camera" and event.label not in WITHOUT_PICTURE:
                self._photographer.ask(report.number, self._ears[event.camera], event)

    def _wait(self) -> None:
        """Sleep until a message, a signal or the next turn."""
        poll = select.poll()
        for each in (self._wake_read, self._channel):
            poll.register(each, select.POLLIN)
        ready = [descriptor for descriptor, _ in poll.poll(TURN_MS)]
        with suppress(BlockingIOError):
            self._wake_read.recv(4096)
        if self._channel.fileno() in ready:
            log.warning("the supervisor is gone: ending")
            self._stopping = True

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _put(self, message: _Told | _Pictured) -> None:
        """Hand a message to the first thread, which may have to make room for it. In any thread."""
        while not self._stopping:
            with suppress(queue.Full):
                self._inbox.put(message, timeout=1)
                break
        with suppress(OSError):  # full, or closed at the end
            self._wake_write.send(b"\0")

    def _beat(self, state: str) -> None:
        self._beat_us = self._clock.monotonic_us()
        for line in self._lines:
            heard = line.subscription
            for ear in line.ears:
                pulse = self._values(f"alerts.{ear.camera}", line.state if state != "stopped" else state, line.error)
                self._pulses[ear.camera].beat(
                    replace(
                        pulse,
                        alerts=heard.parts,
                        bad_alerts=heard.bad,
                        heard_at_us=heard.heard_us,
                        deaf_since_us=0 if line.deaf_since is None else to_us(line.deaf_since),
                        clock_offset_us=line.offset_us,
                    )
                )
        self._pulse.beat(replace(self._values("listener", state, self._docket.error), dropped=self._docket.dropped))

    def _values(self, process: str, state: str, error: str) -> Pulse:
        return Pulse(
            process=process,
            pid=os.getpid(),
            state=state,
            beat_monotonic_us=self._beat_us,
            beat_us=self._clock.now_us(),
            restarts=self._task.restarts,
            last_error=error or None,
        )


def run(task: Task, channel: socket.socket) -> None:
    """The process's entry: listen until SIGTERM or the supervisor's end."""
    logs.configure(task.log_level)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it has a line per request
    with Catalogue.open(task.database, busy_timeout=LOCKED) as catalogue:
        Listener(task, channel, catalogue, SystemClock()).run()

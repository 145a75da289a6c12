"""The janitor process: keeps room on the disk, deletes what is too old, and holds files against rows after a start.

Every deletion is in the ledger before it happens. Nothing the process does or fails to do reaches a recorder: whatever
goes wrong is said once, shown in its pulse, and tried again.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

from nvr import layout, logs
from nvr.catalogue.store import Catalogue
from nvr.clock import Clock, SystemClock, from_us
from nvr.errors import NvrError
from nvr.pulse import Pulse, PulseWriter
from nvr.retention.housekeeping import Housekeeping
from nvr.retention.inventory import Inventory
from nvr.retention.task import LOOK, ROOM, Task

log = logging.getLogger(__name__)
TICK_US = 1_000_000
INVENTORY_US = 60_000_000
"""When files are held against rows again after that could not be done."""
SETTLE_US = 2_000_000
"""What a dead recorder told is stored by then."""
LOCKED = timedelta(seconds=1)
"""How long a statement waits for another writer before it is put off to the next turn."""


class Stopped(Exception):
    """Told to end in the middle of something."""


class Janitor:
    """The process's loop."""

    def __init__(self, task: Task, channel: socket.socket, clock: Clock) -> None:
        self._task = task
        self._channel = channel
        self._clock = clock
        self._pulse = PulseWriter(layout.pulse_path(task.folder, "janitor"))
        self._stopping = False
        self._room = False
        self._error = ""
        self._beat_us = self._turn_us = self._step_us = 0
        self._opened = ExitStack()
        self._catalogue: Catalogue | None = None
        self._keeping: Housekeeping | None = None
        self._steps: Iterator[bool] | None = None
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches us, too; the supervisor decides
        signal.signal(signal.SIGTERM, self._stop)
        self._beat("starting")

    def run(self) -> None:
        """Work until told to end or until the supervisor is gone."""
        read, write = socket.socketpair()
        write.setblocking(False)
        signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
        try:
            while not self._stopping:
                self._work()
                self._wait(read)
        except Stopped:
            log.debug("ended in the middle of something; the next start goes on with it")
        self._opened.close()
        self._beat("stopped")

    def _wait(self, wakeup: socket.socket) -> None:
        """Sleep until something is due, a message or a signal."""
        due_us = self._turn_us if self._steps is None else min(self._turn_us, self._step_us)
        poll = select.poll()
        for descriptor in (wakeup, self._channel):
            poll.register(descriptor, select.POLLIN)
        ready = poll.poll(max(0, due_us - self._clock.monotonic_us()) / 1000)
        if any(descriptor == self._channel.fileno() for descriptor, _ in ready):
            self._listen()

    def _listen(self) -> None:
        try:
            message = self._channel.recv(64)
        except OSError:
            message = b""
        if not message:
            log.warning("the supervisor is gone: ending")
            self._stopping = True
        elif message == ROOM:
            self._room, self._turn_us = True, 0
        elif message.startswith(LOOK) and self._steps is None and self._catalogue is not None:
            camera, now = message.removeprefix(LOOK).decode(), from_us(self._clock.now_us())
            self._steps = Inventory(self._task.storage, self._catalogue, now, camera).steps()
            self._step_us = self._clock.monotonic_us() + SETTLE_US

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _work(self) -> None:
        """A turn of housekeeping where one is due, else a step of the inventory."""
        now_us = self._clock.monotonic_us()
        try:
            if now_us >= self._turn_us:
                self._turn_us = now_us + TICK_US
                self._turn()
            elif self._steps is not None and now_us >= self._step_us:
                self._step(self._steps, now_us)
        except (NvrError, OSError) as error:
            if str(error) != self._error:
                log.error("%s", error)
            self._error = str(error)
            self._beat("waiting")

    def _turn(self) -> None:
        if self._catalogue is None:
            self._catalogue = self._opened.enter_context(Catalogue.open(self._task.database, busy_timeout=LOCKED))
        if self._keeping is None:
            self._keeping = Housekeeping(self._task, self._catalogue, self._clock, self._breathe)
            self._steps = self._inventory(self._catalogue)
        asked, self._room = self._room, False
        try:
            self._keeping.turn(asked)
        except NvrError:
            self._room = self._room or asked  # it is not forgotten
            raise
        if self._error:
            log.info("the janitor works again")
        self._error = ""
        self._beat("sleeping")

    def _step(self, steps: Iterator[bool], began_us: int) -> None:
        """Hold a few files against their rows, then rest for as long as that took: recording goes first."""
        try:
            pause = next(steps, None)
        except (NvrError, OSError):
            self._steps = None if self._catalogue is None else self._inventory(self._catalogue)
            self._step_us = began_us + INVENTORY_US
            raise
        if pause is None:
            self._steps = None
        now_us = self._clock.monotonic_us()
        self._step_us = now_us + (TICK_US if pause else now_us - began_us)

    def _inventory(self, catalogue: Catalogue) -> Iterator[bool]:
        return Inventory(self._task.storage, catalogue, self._task.started).steps()

    def _breathe(self) -> bool:
        """In the middle of long work: show life, and say whether a recorder met a full disk. Raises Stopped."""
        if self._clock.monotonic_us() - self._beat_us >= TICK_US:
            self._beat("deleting")
        if select.select([self._channel], [], [], 0)[0]:
            self._listen()
        if self._stopping:
            raise Stopped
        asked, self._room = self._room, False
        return asked

    def _beat(self, state: str) -> None:
        self._beat_us = self._clock.monotonic_us()
        error = self._error or (self._keeping.error if self._keeping is not None else "")
        self._pulse.beat(
            Pulse(
                process="janitor",
                pid=os.getpid(),
                state=state,
                beat_monotonic_us=self._beat_us,
                beat_us=self._clock.now_us(),
                restarts=self._task.restarts,
                last_error=error or None,
            )
        )


def run(task: Task, channel: socket.socket) -> None:
    """The process's entry: keep house until SIGTERM or the supervisor's end."""
    logs.configure(task.log_level)
    Janitor(task, channel, SystemClock()).run()

"""The recorder process of one camera: reads it, writes every packet to disk, keeps the slot fed.

It imports FFmpeg and what recording needs: no detector, no database, no web. Its first thread reads the camera; the
spool (``spool.py``) writes to disk; the keeper (``keeper.py``) hears signals; the feeder (``feeder.py``) decodes. What
it tells the supervisor are messages (``outbox.py``) and its pulse.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import socket
import uuid
from typing import TYPE_CHECKING

from nvr import logs
from nvr.backoff import Backoff
from nvr.clock import Clock, SystemClock, from_us
from nvr.errors import SourceError
from nvr.media.door import REFUSED_US
from nvr.media.entrance import enter
from nvr.media.probe import knock
from nvr.media.salvage import salvage
from nvr.media.source import Source
from nvr.model import Address, PacketInfo, Placed, Run, StreamName
from nvr.reason import Reason
from nvr.recording.broadcast import Broadcast
from nvr.recording.gaps import Gaps
from nvr.recording.keeper import Keeper
from nvr.recording.monitor import BEAT_US, Monitor
from nvr.recording.outbox import Outbox
from nvr.recording.session import Session
from nvr.recording.spool import Spool
from nvr.recording.task import Task

if TYPE_CHECKING:
    from nvr.media.source import RawPacket
    from nvr.recording.feeder import Feeder

log = logging.getLogger(__name__)
LOGIN_PAUSE_US = REFUSED_US
"""After a refused login: cameras lock an account after five to seven wrong ones."""
WRONG_PATH_PAUSE_US = 5 * 60 * 1_000_000
BUSY_PAUSE_US = 4_000_000
KNOCK_US = 500_000
"""How often an absent camera is asked whether it answers again, without a login."""
HEALTHY_US = 1_000_000
"""A run that lasted so long is no failure to be waited after: the next comes soon, however often it breaks off."""
SECOND_LOOK_US = 15_000_000
"""When what a predecessor left is looked for again: one that hung had still locked its file at the first look."""
FINISH_S = 6.0
M_MMAP_THRESHOLD, LARGE_BYTES = -3, 128 << 10


class Recorder:
    """The process's state over its runs."""

    def __init__(self, task: Task, outbox: Outbox, clock: Clock) -> None:
        self.task = task
        self._outbox = outbox
        self._clock = clock
        self._keeper = Keeper(outbox, clock, self._abandon)
        self._spool = Spool(task.target.storage, outbox, clock)
        self._gaps = Gaps(task.camera, outbox, task.target.schedule, task.gap)
        self._monitor = Monitor(task, self._spool, self._gaps, outbox, clock)
        self._backoff = Backoff(healthy_us=HEALTHY_US)
        self._feeder: Feeder | None = None
        self._broadcast = Broadcast(task.camera, task.rings.get("main") if task.record else None)
        self._session: Session | None = None
        self._recording_us: int | None = None
        """Since when the run goes on, or went on."""
        self._second_look_us: int | None = clock.monotonic_us() + SECOND_LOOK_US

    def run(self) -> None:
        """Record until told to stop."""
        self._keeper.start()
        self._monitor.beat()
        self._spool.start(salvage(self.task.target.storage, self.task.camera))
        self._start_feeder()
        if self.task.record:
            self._gaps.resume(self._clock.now_us())
            if not self._gaps.open:
                self._gaps.begin(self._clock.now_us(), Reason.STARTING)
            self._record_again_and_again()
            self._gaps.begin(self._clock.now_us(), Reason.STOPPED)
        else:
            self._gaps.begin(self._clock.now_us(), Reason.OFF)
            self._wait(None, "watching")
        if self._feeder is not None:
            self._feeder.join()
        if not self._spool.finish(FINISH_S):
            log.error("%s: not everything was written: %s", self.task.camera, self._spool.trouble)
        self._monitor.state = "stopped"
        self._monitor.beat()
        self._keeper.finish()

    def _start_feeder(self) -> None:
        task, watch = self.task, self.task.watch
        if watch is None:
            return
        from nvr.recording.feeder import Feeder  # numpy, 10 MB: only where something is analysed

        stop, folder, clock = self._keeper.stop, task.pulse.parent, self._clock

        def connect(address: Address) -> Source:
            return enter(folder, address, clock, audio=False, idle=lambda: not stop.is_set())

        stream: StreamName = "sub" if task.sub is not None and watch.stream == "sub" else "main"
        broadcast = Broadcast(task.camera, task.rings.get(stream) if stream == "sub" or not task.record else None)
        self._feeder = self._monitor.feeder = Feeder(task.camera, watch, clock, stop, connect, broadcast)
        if watch.stream == "main" and task.record:
            self._feeder.start_offered()
        elif not task.record:
            self._feeder.start_connected(task.sub if stream == "sub" and task.sub is not None else task.main)

    def _look_again(self) -> None:
        """At what a predecessor left; once."""
        if self._second_look_us is not None and self._clock.monotonic_us() > self._second_look_us:
            self._second_look_us = None
            self._spool.report(salvage(self.task.target.storage, self.task.camera))

    def _goes_on(self) -> bool:
        """While another channel of the device logs in: show life, and whether to wait on."""
        self._monitor.beat_if_due()
        return not self._keeper.stop.is_set()

    def _record_again_and_again(self) -> None:
        while not self._keeper.stop.is_set():
            self._recording_us = None
            self._monitor.state = "connecting"
            self._monitor.beat()
            try:
                self._run_once()
                error = SourceError(f"{self.task.main.url}: played to its end", Reason.ENDED)
            except SourceError as broken:
                error = broken
            if self._keeper.stop.is_set():
                return
            self._tell(error)
            if error.reason is Reason.ENDED and self.task.main.is_file:
                log.info("%s: %s", self.task.camera, error)
                self._wait(None, "finished")
                return
            now_us = self._clock.monotonic_us()
            self._pause(error, 0 if self._recording_us is None else now_us - self._recording_us)

    def _pause(self, error: SourceError, lasted_us: int) -> None:
        """Wait as long as the failure asks for, then until the camera answers at all."""
        pause_us = {Reason.REFUSED: LOGIN_PAUSE_US, Reason.NOT_FOUND: WRONG_PATH_PAUSE_US}.get(error.reason)
        if pause_us is not None:
            log.warning("%s: %s; next try in %.0f min", self.task.camera, error, pause_us / 6e7)
            self._wait(pause_us, "failed")
            return
        pause_us = self._backoff.failed(lasted_us)
        if error.reason is Reason.BUSY:  # a camera that starts says so, and then is there
            pause_us = min(pause_us, BUSY_PAUSE_US)
        log.warning("%s: %s; next try in %.1f s, once it answers", self.task.camera, error, pause_us / 1e6)
        self._wait(pause_us, "waiting")
        while not self._keeper.stop.is_set() and not knock(self.task.main):
            self._backoff.reset()
            if error.reason is not Reason.UNREACHABLE:
                error = SourceError(f"{self.task.main.url}: nothing answers there", Reason.UNREACHABLE)
                self._tell(error)
            self._wait(KNOCK_US, "waiting")

    def _tell(self, error: SourceError) -> None:
        """Why nothing is recorded, in ``nvr status`` and in the ledger."""
        self._monitor.error = str(error)
        self._gaps.begin(self._clock.now_us(), error.reason, str(error))

    def _run_once(self) -> None:
        """One run: from connecting to the end of the stream. Raises SourceError with its reason."""
        task = self.task
        source = enter(task.pulse.parent, task.main, self._clock, audio=task.audio, idle=self._goes_on)
        info = source.info
        run = Run(
            id=uuid.uuid4().hex,
            camera=task.camera,
            stream="main",
            start=from_us(self._clock.now_us()),
            codec=info.codec,
            width=info.width,
            height=info.height,
        )
        self._outbox.post(run)
        log.info("%s: recording %s %dx%d from %s", task.camera, info.codec, info.width, info.height, task.main.url)
        session = Session(run, source, task.target, self._spool, self._gaps, self._outbox, self._clock)
        self._session, self._recording_us = session, self._clock.monotonic_us()
        self._wire(session, source)
        self._monitor.begin(session, source)
        reason, detail = Reason.STOPPED, ""
        try:
            self._pump(source, session)
            if not self._keeper.stop.is_set():
                reason = Reason.ENDED
        except SourceError as error:
            reason, detail = error.reason, str(error)
            raise
        finally:
            session.end(reason, detail)
            self._monitor.end()
            self._session = None
            source.close()

    def _pump(self, source: Source, session: Session) -> None:
        """The recording thread's life: every packet of the camera passes here."""
        stop, monitor, rate = self._keeper.stop, self._monitor, self._monitor.rate
        for info, packet in source.packets():
            session.take(info, packet)
            rate.bytes += info.size
            rate.frames += info.stream == "video"
            if monitor.beat_if_due():
                self._look_again()
            if stop.is_set():
                return

    def _wire(self, session: Session, source: Source) -> None:
        """Let those have the run's packets who show them: whoever watches live, and the feeder."""
        feeder, watch, task, broadcast = self._feeder, self.task.watch, self.task, self._broadcast
        offered: Feeder | None = None
        if feeder is not None and watch is not None:
            if watch.stream == "sub" and task.sub is not None:
                feeder.start_connected(task.sub)  # only now: one login at a time, and this one was accepted
            else:
                offered = feeder
        broadcast.begin(source.info)
        described = False

        def show(info: PacketInfo, packet: RawPacket, placed: Placed) -> None:
            nonlocal described
            data, at_us = bytes(packet), session.timeline.instant_us(placed.pts_us)
            if info.renewed:
                broadcast.begin(source.info)
            broadcast.show(data, placed, at_us, key=info.key)
            if offered is not None:
                told = None if described else source.info
                described = offered.offer(data, placed.pts_us, at_us, key=info.key, info=told) or described

        if offered is not None or task.rings:
            session.on_placed = show

    def _abandon(self) -> None:
        session = self._session
        if session is not None:
            session.abandon()
        else:
            self._gaps.begin(self._clock.now_us(), Reason.STOPPED)
        self._spool.finish(FINISH_S / 2)

    def _wait(self, pause_us: int | None, state: str) -> None:
        """Pause, with the pulse beating; None waits until the stop."""
        self._monitor.state = state
        until_us = None if pause_us is None else self._clock.monotonic_us() + pause_us
        self._monitor.retry_at_us = 0 if pause_us is None else self._clock.now_us() + pause_us
        while not self._keeper.stop.is_set():
            self._monitor.beat()
            self._look_again()
            self._gaps.tick(self._clock.now_us())
            left_us = BEAT_US if until_us is None else until_us - self._clock.monotonic_us()
            if left_us <= 0:
                return
            self._keeper.stop.wait(min(left_us, BEAT_US) / 1e6)


def run(task: Task, channel: socket.socket) -> None:
    """The process's entry: record ``task`` until SIGTERM or the supervisor's end."""
    logs.configure(task.log_level)
    _give_memory_back()
    Recorder(task, Outbox(channel), SystemClock()).run()


def _give_memory_back() -> None:
    """Let large buffers (a fragment has some of a quarter megabyte) be mappings of their own, which go once freed.

    By itself glibc learns from the first of them to take such from the heap, which then keeps 2 MB more (mallopt(3)).
    """
    with contextlib.suppress(AttributeError, OSError):  # another libc
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)

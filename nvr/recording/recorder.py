"""The recorder process of one camera: reads it, writes every packet to disk, keeps the slot fed.

It imports FFmpeg and what recording needs: no detector, no database, no web. Its first thread reads the camera; the
spool (``spool.py``) writes to disk; the keeper (``keeper.py``) hears signals; the feeder (``feeder.py``) decodes. What
it tells the supervisor are messages (``outbox.py``) and its pulse.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import socket
import uuid
from typing import TYPE_CHECKING

from nvr import logs
from nvr.backoff import Backoff
from nvr.clock import Clock, SystemClock, from_us
from nvr.errors import LoginError, SourceError
from nvr.media.door import REFUSED_US, Door
from nvr.media.probe import explain_refusal, knock
from nvr.media.salvage import salvage
from nvr.media.source import Source, open_source
from nvr.model import Address, PacketInfo, Placed, Run
from nvr.pulse import Pulse, PulseWriter
from nvr.reason import Reason
from nvr.recording.clockwatch import ClockWatch
from nvr.recording.gaps import Gaps
from nvr.recording.keeper import Keeper
from nvr.recording.outbox import Outbox
from nvr.recording.rate import Rate
from nvr.recording.session import Session
from nvr.recording.spool import Spool
from nvr.recording.task import Task

if TYPE_CHECKING:
    from nvr.media.source import RawPacket
    from nvr.recording.feeder import Feeder

log = logging.getLogger(__name__)
BEAT_US = 1_000_000
LOGIN_PAUSE_US = REFUSED_US
"""After a refused login: cameras lock an account after five to seven wrong ones."""
WRONG_PATH_PAUSE_US = 5 * 60 * 1_000_000
BUSY_PAUSE_US = 4_000_000
KNOCK_US = 500_000
"""How often an absent camera is asked whether it answers again, without a login."""
HEALTHY_US = 10_000_000
KEY_FRAME_US = 10_000_000
"""A run without a key frame for so long is a gap with a reason of its own."""
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
        self._pulse = PulseWriter(task.pulse)
        self._backoff = Backoff(healthy_us=HEALTHY_US)
        self._feeder: Feeder | None = None
        self._session: Session | None = None
        self._source: Source | None = None
        self._segments = self._dropped = 0
        self._error = ""
        self._state = "starting"
        self._retry_at_us = 0
        self._beat_us = 0
        self._second_look_us: int | None = clock.monotonic_us() + SECOND_LOOK_US
        self._clocks = ClockWatch()
        self._rate = Rate()

    def run(self) -> None:
        """Record until told to stop."""
        self._keeper.start()
        self._beat()
        self._spool.start(salvage(self.task.target.storage, self.task.camera))
        self._start_feeder()
        if self.task.record:
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
        self._state = "stopped"
        self._beat()
        self._keeper.finish()

    def _start_feeder(self) -> None:
        task, watch = self.task, self.task.watch
        if watch is None:
            return
        from nvr.recording.feeder import Feeder  # numpy, 10 MB: only where something is analysed

        self._feeder = Feeder(task.camera, watch, self._clock, self._keeper.stop, self._connect)
        if watch.stream == "main" and task.record:
            self._feeder.start_offered()
        elif not task.record:
            self._feeder.start_connected(task.main if watch.stream == "main" or task.sub is None else task.sub)

    def _connect(self, address: Address, audio: bool) -> Source:
        """Open a stream: one login at this device at a time, and none after a refusal. Raises SourceError."""
        door = Door(self.task.pulse.parent, address, self._clock)
        with door.try_login(lambda: not self._keeper.stop.is_set()):
            try:
                return open_source(address, self._clock, audio=audio)
            except LoginError as refused:
                advice = explain_refusal(address)
                if advice is None:
                    raise
                raise SourceError(f"{refused}; {advice}", Reason.REFUSED) from refused  # no password was sent

    def _record_again_and_again(self) -> None:
        while not self._keeper.stop.is_set():
            begun_us = self._clock.monotonic_us()
            self._state = "connecting"
            self._beat()
            try:
                self._run_once()
                error = SourceError(f"{self.task.main.url}: played to its end", Reason.ENDED)
            except SourceError as broken:
                error = broken
            if self._keeper.stop.is_set():
                return
            self._error = str(error)
            self._gaps.begin(self._clock.now_us(), error.reason, str(error))
            if error.reason is Reason.ENDED and self.task.main.is_file:
                log.info("%s: %s", self.task.camera, error)
                self._wait(None, "finished")
                return
            self._pause(error, self._clock.monotonic_us() - begun_us)

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
                self._error = str(error)
                self._gaps.begin(self._clock.now_us(), error.reason, str(error))
            self._wait(KNOCK_US, "waiting")

    def _run_once(self) -> None:
        """One run: from connecting to the end of the stream. Raises SourceError with its reason."""
        task = self.task
        source = self._connect(task.main, task.audio)
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
        self._session, self._source = session, source
        self._wire_feeder(session, source)
        self._state, self._error, self._retry_at_us = "recording", "", 0
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
            self._segments += session.segments
            self._dropped += session.dropped
            self._session = self._source = None
            source.close()

    def _pump(self, source: Source, session: Session) -> None:
        """The recording thread's life: every packet of the camera passes here."""
        stop, now_us, rate = self._keeper.stop, self._clock.monotonic_us, self._rate
        for info, packet in source.packets():
            session.take(info, packet)
            rate.bytes += info.size
            rate.frames += info.stream == "video"
            if now_us() - self._beat_us >= BEAT_US:
                self._beat()
            if stop.is_set():
                return

    def _wire_feeder(self, session: Session, source: Source) -> None:
        feeder, watch, task = self._feeder, self.task.watch, self.task
        if feeder is None or watch is None:
            return
        if watch.stream == "sub" and task.sub is not None:
            feeder.start_connected(task.sub)  # only now: one login at a time, and this one was accepted
            return
        described = False

        def offer(info: PacketInfo, packet: RawPacket, placed: Placed) -> None:
            nonlocal described
            at_us = session.timeline.instant_us(placed.pts_us)
            told = None if described else source.info
            described = feeder.offer(bytes(packet), placed.pts_us, at_us, key=info.key, info=told) or described

        session.on_placed = offer

    def _abandon(self) -> None:
        session = self._session
        if session is not None:
            session.abandon()
        else:
            self._gaps.begin(self._clock.now_us(), Reason.STOPPED)
        self._spool.finish(FINISH_S / 2)

    def _wait(self, pause_us: int | None, state: str) -> None:
        """Pause, with the pulse beating; None waits until the stop."""
        self._state = state
        until_us = None if pause_us is None else self._clock.monotonic_us() + pause_us
        self._retry_at_us = 0 if pause_us is None else self._clock.now_us() + pause_us
        while not self._keeper.stop.is_set():
            self._beat()
            self._gaps.tick(self._clock.now_us())
            left_us = BEAT_US if until_us is None else until_us - self._clock.monotonic_us()
            if left_us <= 0:
                return
            self._keeper.stop.wait(min(left_us, BEAT_US) / 1e6)

    def _beat(self) -> None:
        now_us = self._clock.monotonic_us()
        self._beat_us = now_us
        self._look_at_clocks(now_us)
        if self._second_look_us is not None and now_us > self._second_look_us:
            self._second_look_us = None
            self._spool.report(salvage(self.task.target.storage, self.task.camera))
        self._rate.mark(now_us)
        feeder, session, source = self._feeder, self._session, self._source
        disk = self._spool.error
        self._pulse.beat(
            Pulse(
                process=f"recorder.{self.task.camera}",
                pid=os.getpid(),
                state=self._state,
                beat_monotonic_us=now_us,
                beat_us=self._clock.now_us(),
                fps=self._rate.fps,
                bitrate=self._rate.bitrate,
                frame_at_us=feeder.frame_at_us if feeder else 0,
                dropped=self._dropped + (session.dropped if session else 0) + self._spool.lost + self._outbox.dropped,
                skipped=feeder.skipped + feeder.dropped if feeder else 0,
                segments=self._segments + (session.segments if session else 0),
                run=session.run.id if session else None,
                restarts=self.task.restarts,
                last_error=(str(disk) if disk else "") or self._error or (feeder.error if feeder else "") or None,
                retry_at_us=self._retry_at_us,
                buffered=self._spool.waiting_bytes,
                clock_offset_us=source.clock_offset_us if source else None,
            )
        )

    def _look_at_clocks(self, now_us: int) -> None:
        """About once a second: was our clock set, is the camera's far off, does a key frame fail to come?"""
        wall_us = self._clock.now_us()
        stepped = self._clocks.stepped(now_us, wall_us)
        session, source = self._session, self._source
        if session is None or source is None:
            return
        if stepped:
            session.clock_stepped()
        if not session.writing and now_us - session.begun_us > KEY_FRAME_US and not session.dropped:
            self._gaps.begin(wall_us, Reason.NO_KEY_FRAME)
        if self._clocks.is_news(source.clock_offset_us):
            log.warning(
                "%s: the camera's clock is %+.1f s off; set its time server. Video is placed by this machine's clock",
                self.task.camera,
                (source.clock_offset_us or 0) / 1e6,
            )


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

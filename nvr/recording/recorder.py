"""The recorder process of one camera: reads it, writes every packet to disk, keeps the slot fed.

It imports FFmpeg and what recording needs: no detector, no database, no web. Its first thread reads and writes; the
keeper (``keeper.py``) waits for the disk and for signals; the feeder (``feeder.py``) decodes. What it tells the
supervisor are messages (``outbox.py``) and its pulse.
"""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections import deque
from typing import TYPE_CHECKING

from nvr import logs
from nvr.backoff import Backoff
from nvr.clock import Clock, SystemClock, from_us
from nvr.errors import LoginError, NvrError, SourceError
from nvr.media.salvage import salvage
from nvr.media.source import Source, open_source
from nvr.model import PacketInfo, Placed, Run
from nvr.pulse import Pulse, PulseWriter
from nvr.recording.keeper import Keeper
from nvr.recording.outbox import Outbox
from nvr.recording.session import Session
from nvr.recording.task import Task

if TYPE_CHECKING:
    from nvr.media.source import RawPacket
    from nvr.recording.feeder import Feeder

log = logging.getLogger(__name__)
BEAT_US = 1_000_000
LOGIN_PAUSE_US = 30 * 60 * 1_000_000
"""After a refused login: cameras lock an account after five to seven wrong ones."""
WRONG_PATH_PAUSE_US = 5 * 60 * 1_000_000
RATE_WINDOW_BEATS = 5


class Recorder:
    """The process's state over its runs."""

    def __init__(self, task: Task, outbox: Outbox, clock: Clock) -> None:
        self.task = task
        self._outbox = outbox
        self._clock = clock
        self._keeper = Keeper(outbox, clock, self._abandon)
        self._pulse = PulseWriter(task.pulse)
        self._feeder: Feeder | None = None
        self._session: Session | None = None
        self._segments = self._dropped = 0
        self._error = ""
        self._state = "starting"
        self._retry_at_us = 0
        self._beat_us = 0
        self._rates: deque[tuple[int, int, int]] = deque(maxlen=RATE_WINDOW_BEATS)
        self._frames = self._bytes = 0

    def run(self) -> None:
        """Record until told to stop."""
        self._keeper.start()
        self._beat()
        for segment in salvage(self.task.target.storage, self.task.camera, self.task.known_until):
            self._outbox.post(segment)
            self._beat()
        self._start_feeder()
        if self.task.record:
            self._record_again_and_again()
        else:
            while not self._keeper.stop.is_set():
                self._wait(BEAT_US, "watching")
        if self._feeder is not None:
            self._feeder.join()
        self._state = "stopped"
        self._beat()
        self._keeper.finish()

    def _start_feeder(self) -> None:
        task, watch = self.task, self.task.watch
        if watch is None:
            return
        from nvr.recording.feeder import Feeder  # numpy, 10 MB: only where something is analysed

        self._feeder = Feeder(task.camera, watch, self._clock, self._keeper.stop)
        if watch.stream == "main" and task.record:
            self._feeder.start_offered()
        elif not task.record:
            self._feeder.start_connected(task.main if watch.stream == "main" or task.sub is None else task.sub)

    def _record_again_and_again(self) -> None:
        backoff = Backoff()
        while not self._keeper.stop.is_set():
            begun_us = self._clock.monotonic_us()
            self._state = "connecting"
            self._beat()
            try:
                self._run_once()
                if self._keeper.stop.is_set():
                    return
                error: NvrError = SourceError(f"{self.task.main.url}: played to its end")
                pause_us = None if self.task.main.is_file else 0
            except LoginError as refused:
                error, pause_us = refused, LOGIN_PAUSE_US
            except NvrError as broken:
                error, pause_us = broken, WRONG_PATH_PAUSE_US if "(404)" in str(broken) else 0
            self._error = str(error)
            if pause_us is None:
                log.info("%s: %s", self.task.camera, error)
                self._wait(None, "finished")
                return
            pause_us = max(pause_us, backoff.failed(self._clock.monotonic_us() - begun_us))
            log.warning("%s: %s; next try in %.0f s", self.task.camera, error, pause_us / 1e6)
            self._wait(pause_us, "failed" if pause_us >= WRONG_PATH_PAUSE_US else "waiting")

    def _run_once(self) -> None:
        """One run: from connecting to the end of the stream. Raises SourceError with its reason."""
        task = self.task
        source = open_source(task.main, self._clock, audio=task.audio)
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
        session = Session(run, source, task.target, self._keeper, self._outbox, self._clock)
        self._session = session
        self._wire_feeder(session, source)
        self._state, self._error, self._retry_at_us = "recording", "", 0
        reason = "stopped"
        try:
            self._pump(source, session)
            if not self._keeper.stop.is_set():
                reason = "end of file"
        except SourceError as error:
            reason = str(error)
            raise
        finally:
            session.end(reason)
            self._segments += session.segments
            self._dropped += session.dropped
            self._session = None
            source.close()

    def _pump(self, source: Source, session: Session) -> None:
        """The recording thread's life: every packet of the camera passes here."""
        stop, now_us = self._keeper.stop, self._clock.monotonic_us
        for info, packet in source.packets():
            session.take(info, packet)
            self._bytes += info.size
            self._frames += info.stream == "video"
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

    def _wait(self, pause_us: int | None, state: str) -> None:
        """Pause, with the pulse beating; None waits until the stop."""
        self._state = state
        until_us = None if pause_us is None else self._clock.monotonic_us() + pause_us
        self._retry_at_us = 0 if pause_us is None else self._clock.now_us() + pause_us
        while not self._keeper.stop.is_set():
            self._beat()
            left_us = BEAT_US if until_us is None else until_us - self._clock.monotonic_us()
            if left_us <= 0:
                return
            self._keeper.stop.wait(min(left_us, BEAT_US) / 1e6)

    def _beat(self) -> None:
        now_us = self._clock.monotonic_us()
        self._beat_us = now_us
        self._rates.append((now_us, self._frames, self._bytes))
        (from_us_, frames, size), span_us = self._rates[0], max(now_us - self._rates[0][0], 1)
        feeder, session = self._feeder, self._session
        moving = now_us > from_us_
        self._pulse.beat(
            Pulse(
                process=f"recorder.{self.task.camera}",
                pid=os.getpid(),
                state=self._state,
                beat_monotonic_us=now_us,
                beat_us=self._clock.now_us(),
                fps=(self._frames - frames) * 1e6 / span_us if moving else 0.0,
                bitrate=round((self._bytes - size) * 8e6 / span_us) if moving else 0,
                frame_at_us=feeder.frame_at_us if feeder else 0,
                dropped=self._dropped + (session.dropped if session else 0) + self._keeper.lost + self._outbox.dropped,
                skipped=feeder.skipped + feeder.dropped if feeder else 0,
                segments=self._segments + (session.segments if session else 0),
                run=session.run.id if session else None,
                restarts=self.task.restarts,
                last_error=(session.error if session else "")
                or self._error
                or (feeder.error if feeder else "")
                or None,
                retry_at_us=self._retry_at_us,
            )
        )


def run(task: Task, channel: socket.socket) -> None:
    """The process's entry: record ``task`` until SIGTERM or the supervisor's end."""
    logs.configure(task.log_level)
    Recorder(task, Outbox(channel), SystemClock()).run()

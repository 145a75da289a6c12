"""One run being recorded: its timeline, its cuts and its open segment.

Lives in the recorder process. The recording thread calls ``take`` for every packet and ``end`` once; the keeper may
call ``abandon`` from its own thread when the recording thread does not come back from FFmpeg, hence the lock.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from nvr import layout
from nvr.clock import Clock, from_us
from nvr.errors import SourceError, StorageError
from nvr.media.segment import Origin, SegmentWriter
from nvr.model import PacketInfo, Placed, Run
from nvr.reason import Reason
from nvr.recording.gaps import Gaps
from nvr.recording.outbox import Outbox
from nvr.recording.rotation import Decision, Rotation
from nvr.recording.spool import Spool, SpoolFile
from nvr.recording.task import Target
from nvr.recording.timeline import STEP_US, Timeline

if TYPE_CHECKING:
    from nvr.media.source import RawPacket, Source

log = logging.getLogger(__name__)
LOCK_S = 2.0


class Session:
    """Takes a run's packets and turns them into segments. A disk error costs packets, not the connection."""

    def __init__(
        self, run: Run, source: Source, target: Target, spool: Spool, gaps: Gaps, outbox: Outbox, clock: Clock
    ) -> None:
        self.run = run
        self.segments = 0
        self.dropped = 0
        """Video packets that could not be written."""
        self.timeline = Timeline()
        self.begun_us = clock.monotonic_us()
        """Since when a key frame is waited for at the longest."""
        self._source = source
        self._target = target
        self._spool = spool
        self._gaps = gaps
        self._outbox = outbox
        self._clock = clock
        self._rotation = Rotation(target.segment_us)
        self._held: deque[tuple[PacketInfo, RawPacket]] = deque()
        self._writer: SegmentWriter | None = None
        self._file: SpoolFile | None = None
        self._on_duty, self._change_us = True, 0
        self._stepped = self._losing = False
        self._lock = threading.Lock()
        self._ended = self._abandoned = False
        self.on_placed: Callable[[PacketInfo, RawPacket, Placed], None] | None = None
        """Called for every video packet before it is written; for the feeder."""

    @property
    def writing(self) -> bool:
        """Whether packets go into a file now."""
        return self._writer is not None

    def take(self, info: PacketInfo, packet: RawPacket) -> None:
        """Write a packet where it belongs, now or once the run's start is understood."""
        if self._abandoned:
            return
        self._held.append((info, packet))
        for placed in self.timeline.push(info):
            self._write(*self._held.popleft(), placed)

    def clock_stepped(self) -> None:
        """This machine's clock was set: the next key frame begins a file that is placed by the new time."""
        self.timeline.forget()
        self._stepped = True
        self._change_us = 0

    def end(self, reason: Reason, detail: str) -> None:
        """Write what is held, close the open segment, and report the run's end."""
        for placed in self.timeline.flush():
            self._write(*self._held.popleft(), placed)
        with self._lock:
            self._finish(reason, detail)

    def abandon(self) -> None:
        """From the keeper: write what is held and close the segment, for a recording thread that is stuck in a read."""
        self._abandoned = True
        for placed in self.timeline.flush():
            self._write(*self._held.popleft(), placed)
        if not self._lock.acquire(timeout=LOCK_S):
            log.error("%s: FFmpeg does not return; the open segment stays a .part", self.run.camera)
            return
        try:
            self._finish(Reason.STOPPED, "")
        finally:
            self._lock.release()

    def _finish(self, reason: Reason, detail: str) -> None:
        if self._ended:
            return
        self._ended = True
        end_us = self._clock.now_us()
        if self._writer is not None:
            end_us = self._close(self.timeline.instant_us(self._writer.end_media_us))
        self._gaps.begin(end_us, reason, detail)
        text = f"{reason}: {detail}" if detail else str(reason)
        self._outbox.post(replace(self.run, end=max(from_us(end_us), self.run.start), end_reason=text))

    def _write(self, info: PacketInfo, packet: RawPacket, placed: Placed) -> None:
        video = info.stream == "video"
        decision = self._decide(info, placed)
        with self._lock:
            if self._ended:
                return
            if decision is Decision.CUT and not self._done(lambda: self._cut(placed)):
                decision = Decision.DISCARD
            if video and self.on_placed is not None:  # after the cut, which may move the instants of what follows
                self.on_placed(info, packet, placed)
            if decision is not Decision.DISCARD:
                self._done(lambda: self._mux(packet, placed, video=video))

    def _done(self, step: Callable[[], None]) -> bool:
        """Do a step that the disk may refuse, and say whether it did not."""
        try:
            step()
        except StorageError as error:
            self._lose(error)
            return False
        return True

    def _decide(self, info: PacketInfo, placed: Placed) -> Decision:
        if placed.dropped:
            return Decision.DISCARD
        if info.arrival_us >= self._change_us:
            self._look_at_schedule(info.arrival_us)
        if not self._on_duty:
            return Decision.DISCARD
        video = info.stream == "video"
        decision = self._rotation.decide(
            video=video,
            key=info.key,
            dts_us=placed.dts_us,
            changed=placed.jumped or info.renewed or self._stepped,
        )
        self.dropped += decision is Decision.DISCARD and video and self._losing
        return decision

    def _look_at_schedule(self, at_us: int) -> None:
        schedule = self._target.schedule
        if schedule is None:
            self._change_us = 1 << 62
            return
        on_duty, self._change_us = schedule.covers(at_us), schedule.change_us(at_us)
        if self._on_duty and not on_duty:
            with self._lock:
                if self._writer is not None and not self._ended:
                    at_us = self._close(self.timeline.instant_us(self._writer.end_media_us))
            self._rotation.restart()
            self._gaps.begin(at_us, Reason.STARTING)
        if on_duty and not self._on_duty:
            self.begun_us = self._clock.monotonic_us()
        self._on_duty = on_duty

    def _mux(self, packet: RawPacket, placed: Placed, *, video: bool) -> None:
        if self._writer is None or self._file is None:
            return
        if self._file.broken is not None:
            raise self._file.broken
        if not self._spool.has_room():
            raise self._spool.trouble
        if video:
            self._writer.write_video(packet, placed)
        else:
            self._writer.write_audio(packet, placed)

    def _cut(self, placed: Placed) -> None:
        """Close the open segment and open the next, which starts where it ends."""
        before_us = self.timeline.instant_us(placed.dts_us)
        change_us = self.timeline.slew(placed.dts_us)
        start_us = before_us + change_us
        self._stepped = False
        if self._writer is not None:
            stepped = abs(change_us) > STEP_US
            self._close(before_us if stepped else start_us)
            if stepped:
                detail = f"by {change_us / 1e6:+.1f} s"
                log.warning("%s: the clock of this machine was set %s", self.run.camera, detail)
                if change_us > 0:
                    self._gaps.closed(before_us, start_us, Reason.CLOCK_STEPPED, detail)
        if not self._spool.has_room():
            raise self._spool.trouble
        file = self._spool.create(layout.segment_path(self.run.camera, from_us(start_us)))
        origin = Origin(self.run.camera, self.run.id, start_us)
        try:
            self._writer = SegmentWriter(file, self._source, origin, placed.dts_us)
        except SourceError:
            self._spool.discard(file)
            raise
        self._file, self._losing = file, False
        self._gaps.end(start_us)

    def _close(self, end_us: int) -> int:
        """Close the open segment, whose last picture ends at ``end_us``; returns that."""
        writer, file = self._writer, self._file
        assert writer is not None
        assert file is not None
        self._writer = self._file = None
        writer.finish()
        self._spool.seal(file, lambda path, size: writer.segment(path, size, end_us), writer.packets)
        self.dropped += writer.refused
        self.segments += 1
        return end_us

    def _lose(self, error: StorageError) -> None:
        """The disk takes no more: keep what the file has, and begin a new one at the next key frame."""
        self.dropped += 1
        self._losing = True
        self._rotation.restart()
        at_us = self._clock.now_us()
        if self._writer is not None:
            at_us = self._close(self.timeline.instant_us(self._writer.end_media_us))
        self._gaps.begin(at_us, error.reason, str(error))

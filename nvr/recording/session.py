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
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nvr import layout
from nvr.clock import Clock, from_us
from nvr.errors import StorageError
from nvr.media.segment import Origin, SegmentWriter
from nvr.model import PacketInfo, Placed, Run
from nvr.recording.keeper import Keeper
from nvr.recording.outbox import Outbox
from nvr.recording.rotation import Decision, Rotation
from nvr.recording.task import Target
from nvr.recording.timeline import STEP_US, Timeline

if TYPE_CHECKING:
    from nvr.media.source import RawPacket, Source

log = logging.getLogger(__name__)
LOCK_S = 2.0
MILLISECOND = timedelta(milliseconds=1)


class Session:
    """Takes a run's packets and turns them into segments. A disk error costs packets, not the connection."""

    def __init__(self, run: Run, source: Source, target: Target, keeper: Keeper, outbox: Outbox, clock: Clock) -> None:
        self.run = run
        self.segments = 0
        self.dropped = 0
        """Video packets that could not be written."""
        self.error = ""
        self.timeline = Timeline()
        self._source = source
        self._target = target
        self._keeper = keeper
        self._outbox = outbox
        self._clock = clock
        self._rotation = Rotation(target.segment_us)
        self._held: deque[tuple[PacketInfo, RawPacket]] = deque()
        self._writer: SegmentWriter | None = None
        self._lock = threading.Lock()
        self._ended = self._abandoned = False
        self.on_placed: Callable[[PacketInfo, RawPacket, Placed], None] | None = None
        """Called for every video packet before it is written; for the feeder."""

    def take(self, info: PacketInfo, packet: RawPacket) -> None:
        """Write a packet where it belongs, now or once the run's start is understood."""
        if self._abandoned:
            return
        self._held.append((info, packet))
        for placed in self.timeline.push(info):
            self._write(*self._held.popleft(), placed)

    def end(self, reason: str) -> None:
        """Write what is held, close the open segment, and report the run's end."""
        for placed in self.timeline.flush():
            self._write(*self._held.popleft(), placed)
        with self._lock:
            self._finish(reason)

    def abandon(self) -> None:
        """From the keeper: write what is held and close the segment, for a recording thread that is stuck in a read."""
        self._abandoned = True
        for placed in self.timeline.flush():
            self._write(*self._held.popleft(), placed)
        if not self._lock.acquire(timeout=LOCK_S):
            log.error("%s: a write to disk does not return; the open segment stays a .part", self.run.camera)
            return
        try:
            self._finish("stopped")
        finally:
            self._lock.release()

    def _finish(self, reason: str) -> None:
        if self._ended:
            return
        self._ended = True
        writer, self._writer = self._writer, None
        end_us = self._clock.now_us()
        if writer is not None:
            end_us = self.timeline.instant_us(writer.end_media_us)
            self._close(writer, end_us)
        self._outbox.post(replace(self.run, end=max(from_us(end_us), self.run.start), end_reason=reason))

    def _write(self, info: PacketInfo, packet: RawPacket, placed: Placed) -> None:
        video = info.stream == "video"
        if video and self.on_placed is not None:
            self.on_placed(info, packet, placed)
        if placed.dropped:
            return
        decision = self._rotation.decide(video=video, key=info.key, dts_us=placed.dts_us, jumped=placed.jumped)
        if decision is Decision.DISCARD:
            self.dropped += video
            return
        with self._lock:
            if self._ended:
                return
            try:
                if decision is Decision.CUT:
                    self._cut(placed)
                self._mux(packet, placed, video=video)
            except StorageError as error:
                self._lose(error)

    def _mux(self, packet: RawPacket, placed: Placed, *, video: bool) -> None:
        if self._writer is None:
            return
        if video:
            self._writer.write_video(packet, placed)
        else:
            self._writer.write_audio(packet, placed)

    def _cut(self, placed: Placed) -> None:
        """Close the open segment and open the next, which starts where it ends."""
        before_us = self.timeline.instant_us(placed.dts_us)
        change_us = self.timeline.slew(placed.dts_us)
        start_us = before_us + change_us
        if abs(change_us) > STEP_US:
            log.warning("%s: clock stepped by %.1f s between segments", self.run.camera, change_us / 1e6)
        old, self._writer = self._writer, None
        if old is not None:
            self._close(old, before_us if abs(change_us) > STEP_US else start_us)
        layout.require_marker(self._target.storage)
        origin = Origin(self.run.camera, self.run.id, start_us)
        self._writer = SegmentWriter(
            self._target.storage, self._free_path(start_us), self._source, origin, placed.dts_us
        )
        self._keeper.watch(self._writer)
        self.error = ""

    def _free_path(self, start_us: int) -> Path:
        """The segment's path; a name that is taken (the clock was set back) is moved by milliseconds."""
        start, storage = from_us(start_us), self._target.storage
        while True:
            path = layout.segment_path(self.run.camera, start)
            part = path.with_name(path.name + layout.PART_SUFFIX)
            if not (storage / path).exists() and not (storage / part).exists():
                return path
            start += MILLISECOND

    def _close(self, writer: SegmentWriter, end_us: int) -> None:
        self._keeper.watch(None)
        try:
            writer.finish()
        except StorageError as error:  # readable up to its last fragment all the same
            writer.broken = True
            self._report(error)
        self._keeper.seal(writer, end_us)
        self.segments += 1

    def _lose(self, error: StorageError) -> None:
        """The disk refused: keep what the file has, and begin a new one at the next key frame."""
        self._report(error)
        self.dropped += 1
        self._rotation.restart()
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.broken = True
            self._close(writer, self.timeline.instant_us(writer.end_media_us))

    def _report(self, error: StorageError) -> None:
        if str(error) != self.error:
            log.error("%s: %s", self.run.camera, error)
        self.error = str(error)

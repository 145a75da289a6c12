"""The recorder's second thread: everything that waits for the disk or for a signal, so that recording does not.

- every 5 s ``fdatasync`` on the open segment, so that a power cut loses no more
- seals closed segments in their order: fsync, rename, fsync folder, message (invariant 6)
- sees SIGTERM and the supervisor's death even while the first thread is inside FFmpeg, and when that does not return
  in time, closes the open segment itself and ends the process
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import select
import signal
import socket
import threading
from collections.abc import Callable

from nvr.clock import Clock
from nvr.errors import StorageError
from nvr.media.salvage import cut_back, describe
from nvr.media.segment import SegmentWriter, seal
from nvr.model import Segment
from nvr.recording.outbox import Outbox

log = logging.getLogger(__name__)
SYNC_US = 5_000_000
TICK_S = 1.0
GRACE_US = 2_500_000
"""How long after a stop the first thread may take to come back from FFmpeg before its file is closed for it."""
WAITING_SEGMENTS = 8


class Keeper:
    """Start it once; ``watch`` and ``seal`` may be called from the recording thread at any time.

    Descriptors of segments are closed by this thread alone, so a sync never meets a closed one.
    """

    def __init__(self, outbox: Outbox, clock: Clock, abandon: Callable[[], None]) -> None:
        """``abandon`` closes and hands over the open segment in the recording thread's place."""
        self.stop = threading.Event()
        self.lost = 0
        """Video packets that were written to files that the disk then broke off."""
        self._outbox = outbox
        self._clock = clock
        self._abandon = abandon
        self._closed: queue.Queue[tuple[SegmentWriter, int]] = queue.Queue(WAITING_SEGMENTS)
        self._open: SegmentWriter | None = None
        self._synced_us = clock.monotonic_us()
        self._stopped_us: int | None = None
        self._done = threading.Event()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_write.setblocking(False)
        self._wake_read.setblocking(False)
        self._sources = [self._wake_read, outbox.channel]
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin, and let signals wake this thread while the first one is inside FFmpeg. From the main thread."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches us, too; the supervisor decides
        signal.signal(signal.SIGTERM, lambda *_: self.stop.set())
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        self._thread.start()

    def watch(self, writer: SegmentWriter | None) -> None:
        """The segment that is being written, for the regular sync."""
        self._open = writer

    def seal(self, writer: SegmentWriter, end_us: int) -> None:
        """Hand over a finished segment. Waits only when the disk is eight segments behind."""
        self._closed.put((writer, end_us))
        self._wake()

    def finish(self) -> None:
        """Seal what was handed over and end the thread; for the recorder's end. Takes as long as the disk does."""
        self._done.set()
        self._wake()
        self._thread.join(timeout=8)

    def _run(self) -> None:
        while not (self._done.is_set() and self._closed.empty()):
            readable, _, _ = select.select(self._sources, [], [], TICK_S)
            if self._wake_read in readable and any(self._wake_read.recv(4096)):
                self.stop.set()  # a signal's number; our own wake-up is a zero
            if self._outbox.channel in readable and not self._supervisor_lives():
                log.warning("the supervisor is gone: ending")
                self._sources.remove(self._outbox.channel)
                self.stop.set()
            self._seal_closed()
            self._sync_open()
            self._outbox.flush()
            if self.stop.is_set() and not self._done.is_set():
                self._end_if_overdue()

    def _end_if_overdue(self) -> None:
        now_us = self._clock.monotonic_us()
        self._stopped_us = self._stopped_us or now_us
        if now_us - self._stopped_us > GRACE_US:
            self._abandon()
            self._seal_closed()
            self._outbox.flush()
            os._exit(0)

    def _supervisor_lives(self) -> bool:
        try:
            return bool(self._outbox.channel.recv(1))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _seal_closed(self) -> None:
        while True:
            try:
                writer, end_us = self._closed.get_nowait()
            except queue.Empty:
                return
            try:
                row = settle(writer, end_us)
            except (StorageError, OSError) as error:
                log.error("%s: %s", writer.origin.camera, error)
                self.lost += writer.packets if writer.broken else 0
                continue
            self.lost += writer.packets - row.packets
            self._outbox.post(row)

    def _sync_open(self) -> None:
        now_us, writer = self._clock.monotonic_us(), self._open
        if writer is None or now_us - self._synced_us < SYNC_US:
            return
        self._synced_us = now_us
        try:
            os.fdatasync(writer.descriptor)
        except OSError as error:
            log.error("%s: %s cannot be synced: %s", writer.origin.camera, writer.part, error.strerror)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_write.send(b"\0")


def settle(writer: SegmentWriter, end_us: int) -> Segment:
    """Make a finished file durable and give its row, which ends at ``end_us``. Waits for the disk.

    A file that the disk broke off is cut to what plays, and its row says what that is. Raises StorageError, OSError.
    """
    if not writer.broken:
        return writer.segment(end_us, seal(writer.part, writer.descriptor))
    try:
        cut_back(writer.part)
    except OSError:
        os.close(writer.descriptor)
        raise
    row = describe(writer.storage, writer.part, "salvaged")
    if row is None:
        os.close(writer.descriptor)
        writer.part.unlink()
        raise StorageError(f"{writer.part} holds no picture: removed")
    seal(writer.part, writer.descriptor)
    return row

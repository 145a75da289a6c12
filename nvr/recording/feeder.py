"""Keep the slot fed with the camera's newest picture.

A thread of the recorder process. It decodes the sub stream over a connection of its own, or, where there is none, a
copy of the main stream's packets that the recording thread offers. The recording thread never waits here: an offer to a
feeder that is behind is dropped, and decoding goes on at the next key frame.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from nvr.backoff import Backoff
from nvr.clock import Clock
from nvr.errors import LoginError, NvrError
from nvr.frameslot import SlotWriter
from nvr.media.decoder import Decoder
from nvr.media.door import REFUSED_US
from nvr.media.source import Source, StreamInfo
from nvr.model import Address
from nvr.recording.broadcast import Broadcast
from nvr.recording.task import Watch
from nvr.recording.timeline import Timeline

log = logging.getLogger(__name__)
QUEUED_PACKETS = 64
"""Two to three seconds of a camera: enough for a hiccup, little enough to be given up."""
LAG_US = 1_000_000
"""A picture older than this when its packet is read: decoding does not keep up."""
SLEW_US = 60_000_000
HEALTHY_US, LONGEST_US = 1_000_000, 5_000_000
"""A connection that lasted so long is made again soon; and none is waited for longer, for somebody may be there."""


@dataclass(frozen=True, slots=True)
class _Offer:
    data: bytes
    pts_us: int
    at_us: int
    key: bool
    info: StreamInfo | None
    """The stream's description with the first packet of a run, else None."""
    gap: bool
    """Packets before this one were dropped."""


class Feeder:
    """Decodes into one slot. Its counters are read by the recording thread."""

    def __init__(
        self,
        camera: str,
        watch: Watch,
        clock: Clock,
        stop: threading.Event,
        connect: Callable[[Address], Source],
        broadcast: Broadcast,
    ) -> None:
        """``connect`` opens a stream without its audio; it raises SourceError. What is read over a connection of its
        own goes to ``broadcast``, too."""
        self.dropped = 0
        """Packets not taken because the thread was behind."""
        self.frame_at_us = 0
        """Instant of the newest picture in the slot; 0 before the first."""
        self.frames = 0
        self.error = ""
        self._camera = camera
        self._watch = watch
        self._clock = clock
        self._stop = stop
        self._connect = connect
        self._broadcast = broadcast
        self._decoder: Decoder | None = None
        self._skipped_before = 0
        self._offers: queue.Queue[_Offer] = queue.Queue(QUEUED_PACKETS)
        self._gap = False
        self._instants: dict[int, int] = {}
        """Of packets in the decoder: media time → UTC instant."""
        self._thread: threading.Thread | None = None

    @property
    def skipped(self) -> int:
        """Packets that were left undecoded to catch up, since the start."""
        return self._skipped_before + (self._decoder.skipped if self._decoder else 0)

    def start_offered(self) -> None:
        """Decode what is offered: the stream is recorded as well."""
        self._start(self._serve_offers)

    def start_connected(self, address: Address) -> None:
        """Decode a stream over a connection of its own, again and again."""
        self._start(lambda: self._serve_connections(address))

    def offer(self, data: bytes, pts_us: int, at_us: int, *, key: bool, info: StreamInfo | None) -> bool:
        """Take a packet if there is room, and say whether; never waits. ``info`` with the first that a run gets in."""
        try:
            self._offers.put_nowait(_Offer(data, pts_us, at_us, key, info, self._gap))
        except queue.Full:
            self.dropped += 1
            self._gap = True
            return False
        self._gap = False
        return True

    def join(self) -> None:
        """Wait for the thread, at most as long as it may sit inside FFmpeg when told to stop."""
        if self._thread is not None:
            self._thread.join(timeout=1)

    def _start(self, target: Callable[[], None]) -> None:
        if self._thread is not None and self._thread.is_alive():  # it outlives the main stream's runs
            return
        self._thread = threading.Thread(target=target, name="feeder", daemon=True)
        self._thread.start()

    def _serve_offers(self) -> None:
        with SlotWriter(self._watch.slot) as slot:
            while not self._stop.is_set():
                try:
                    offer = self._offers.get(timeout=0.5)
                except queue.Empty:
                    continue
                try:
                    if offer.info is not None:
                        self._begin(offer.info)
                    if offer.gap and self._decoder:
                        self._decoder.skip_to_key()
                    self._show(slot, offer.data, offer.pts_us, offer.at_us, key=offer.key)
                except NvrError as error:
                    self._fail(error)
                    if self._decoder:  # /dev/shm may have room again at the next key frame
                        self._decoder.skip_to_key()

    def _serve_connections(self, address: Address) -> None:
        backoff = Backoff(healthy_us=HEALTHY_US)
        while not self._stop.is_set():
            begun_us = self._clock.monotonic_us()
            try:
                with SlotWriter(self._watch.slot) as slot:
                    self._run_once(address, slot)
                return
            except LoginError as error:
                self._fail(error)
                self._stop.wait(REFUSED_US / 1e6)
            except NvrError as error:
                self._fail(error)
                delay_us = backoff.failed(self._clock.monotonic_us() - begun_us)
                self._stop.wait(min(delay_us, LONGEST_US) / 1e6)

    def _run_once(self, address: Address, slot: SlotWriter) -> None:
        source = self._connect(address)
        try:
            self._begin(source.info)
            self._broadcast.begin(source.info)
            timeline, held, slewed_us = Timeline(), [], 0
            for info, packet in source.packets():
                if self._stop.is_set():
                    return
                held.append((packet, info))
                for placed in timeline.push(info):
                    queued, known = held.pop(0)
                    data, at_us = bytes(queued), timeline.instant_us(placed.pts_us)
                    if known.renewed:
                        self._broadcast.begin(source.info)
                    self._broadcast.show(data, placed, at_us, key=known.key)
                    self._show(slot, data, placed.pts_us, at_us, key=known.key)
                    if placed.dts_us - slewed_us > SLEW_US:
                        timeline.slew(placed.dts_us)
                        slewed_us = placed.dts_us
        finally:
            source.close()

    def _begin(self, info: StreamInfo) -> None:
        self._skipped_before, self._decoder = self.skipped, None
        self._decoder = Decoder(info, key_frames_only=self._watch.frames == "key")

    def _show(self, slot: SlotWriter, data: bytes, pts_us: int, at_us: int, *, key: bool) -> None:
        decoder = self._decoder
        if decoder is None:
            return
        if self._clock.now_us() - at_us > LAG_US:
            decoder.skip_to_key()
        self._instants[pts_us] = at_us
        if len(self._instants) > QUEUED_PACKETS:
            del self._instants[next(iter(self._instants))]
        for frame in decoder.decode(data, pts_us, key=key):
            shown_us = frame.pts if frame.pts is not None else pts_us
            planes = tuple((memoryview(plane), plane.line_size) for plane in frame.planes[:3])
            # its own packet's instant: with B-frames a cut may have come between, which moves what follows it
            self.frame_at_us = self._instants.pop(shown_us, at_us + shown_us - pts_us)
            slot.write(planes, frame.width, frame.height, self.frame_at_us, shown_us)
            self.frames += 1
            self.error = ""

    def _fail(self, error: NvrError) -> None:
        text = str(error)
        if text != self.error:
            log.warning("%s: no picture for analysis: %s", self._camera, text)
        self.error = text

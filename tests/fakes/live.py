"""A camera's packets into a ring, as a recorder writes them: the pictures of a tape, again and again."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import av

from nvr.packetring import Form, Parcel, RingWriter

FRAME_US = 40_000


class Camera:
    """Sends the tape's pictures in their order, each 40 ms after the one before, from ``at_us`` on."""

    def __init__(self, ring: Path, tape: Path, at_us: int = 1_795_439_100_000_000) -> None:
        with av.open(str(tape)) as container:
            video = container.streams.video[0]
            context = video.codec_context
            self._form = Form(context.name, context.width, context.height, bytes(context.extradata or b""))
            self._packets = [(bytes(packet), packet.is_keyframe) for packet in container.demux(video) if packet.size]
        self._writer = RingWriter(ring)
        self._at_us = at_us
        self._number = self._first = 0
        self._begun = False

    def begin(self) -> None:
        """A new run: time starts anew, with a key frame."""
        self._number += -self._number % len(self._packets)
        self._first = self._number
        self._writer.begin(self._form)
        self._begun = True

    def send(self, count: int) -> None:
        """So many pictures, at once."""
        if not self._begun:
            self.begin()
        for _ in range(count):
            data, key = self._packets[self._number % len(self._packets)]
            time_us = (self._number - self._first) * FRAME_US
            self._writer.write(Parcel(data, time_us, time_us, self._at_us + self._number * FRAME_US, key))
            self._number += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

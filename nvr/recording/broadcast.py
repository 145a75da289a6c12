"""What is received of one stream, put into its ring for whoever watches live.

Lives in the recorder process. Nothing here reaches the recording: a ring that fails is left alone until the stream
begins anew, and nobody is waited for.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from nvr.errors import StorageError
from nvr.model import Placed
from nvr.packetring import Form, Parcel, RingWriter

if TYPE_CHECKING:
    from nvr.media.source import StreamInfo

log = logging.getLogger(__name__)


class Broadcast:
    """One stream's ring, written by one thread. Without a path it does nothing."""

    def __init__(self, camera: str, path: Path | None) -> None:
        self._camera = camera
        self._path = path
        self._ring: RingWriter | None = None

    def begin(self, info: StreamInfo) -> None:
        """A run begins, or its picture's format is another from the next packet on, which is a key frame."""
        if self._path is None:
            return
        try:
            if self._ring is None:
                self._ring = RingWriter(self._path)
            self._ring.begin(Form(info.codec, info.width, info.height, info.extradata or b""))
        except StorageError as error:
            self._fail(error)

    def show(self, data: bytes, placed: Placed, at_us: int, *, key: bool) -> None:
        """A packet in its place; ``at_us`` is the instant (microseconds since 1970) at which its picture is shown."""
        if self._ring is None or placed.dropped:
            return
        try:
            self._ring.write(Parcel(data, placed.dts_us, placed.pts_us, at_us, key))
        except StorageError as error:
            self._fail(error)

    def close(self) -> None:
        if self._ring is not None:
            self._ring.close()
            self._ring = None

    def _fail(self, error: StorageError) -> None:
        log.warning("%s: no live video: %s", self._camera, error)
        self.close()

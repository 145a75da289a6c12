"""RTP and RTCP packets as they travel interleaved in an RTSP connection (RFC 3550; RFC 2326, 10.12)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from tests.fakes.clip import VideoCodec

MAX_PAYLOAD = 1400
AAC = 97
"""The payload type under which AAC is announced."""
NTP_EPOCH = 2_208_988_800
"""1970 in seconds since 1900."""


@dataclass
class Track:
    """The RTP state of one announced track (RFC 3550)."""

    kind: Literal["video", "audio", "application"]
    payload_type: int
    rate: int
    channel: int | None = None
    sequence: int = 65_500
    packets: int = 0
    octets: int = 0

    def rtp(self, timestamp: int, payload: bytes, marker: bool) -> bytes:
        """An RTP packet, ready for the connection."""
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.packets, self.octets = self.packets + 1, self.octets + len(payload)
        kind = self.payload_type | (0x80 if marker else 0)
        header = struct.pack(">BBHII", 0x80, kind, self.sequence, timestamp & 0xFFFFFFFF, self.payload_type)
        return self._interleave(0, header + payload)

    def report(self, timestamp: int, wall: float) -> bytes:
        """A sender report, ready for the connection: at ``wall`` (Unix seconds) the RTP clock shows ``timestamp``."""
        ntp = round((wall + NTP_EPOCH) * 2**32)
        words = (timestamp & 0xFFFFFFFF, self.packets, self.octets)
        return self._interleave(1, struct.pack(">BBHIQIII", 0x80, 200, 6, self.payload_type, ntp & (2**64 - 1), *words))

    def _interleave(self, offset: int, packet: bytes) -> bytes:
        if self.channel is None:
            return b""
        return struct.pack(">cBH", b"$", self.channel + offset, len(packet)) + packet


def fragments(nal: bytes, codec: VideoCodec = "h264") -> list[bytes]:
    """The RTP payloads of a NAL unit: itself, or fragments (FU-A, RFC 6184, 5.8; for H.265 RFC 7798, 4.4.3)."""
    if len(nal) <= MAX_PAYLOAD:
        return [nal]
    if codec == "h264":
        skipped, head, kind = 1, bytes([nal[0] & 0xE0 | 28]), nal[0] & 0x1F
    else:
        skipped, head, kind = 2, bytes([nal[0] & 0x81 | 49 << 1, nal[1]]), nal[0] >> 1 & 63
    size = MAX_PAYLOAD - len(head) - 1
    parts = [nal[start : start + size] for start in range(skipped, len(nal), size)]
    flags = [0x80, *[0] * (len(parts) - 2), 0x40]
    return [head + bytes([kind | flag]) + part for part, flag in zip(parts, flags, strict=True)]

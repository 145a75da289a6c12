from __future__ import annotations

import struct

import pytest

from tests.fakes.rtp import MAX_PAYLOAD, Track, fragments


@pytest.mark.parametrize("size", [1, MAX_PAYLOAD, MAX_PAYLOAD + 1, 2 * (MAX_PAYLOAD - 2) + 1, 50_000])
def test_fragments_are_the_nal_unit_again_when_put_together(size: int) -> None:
    nal = b"\x65" + bytes(place % 251 for place in range(size - 1))
    parts = fragments(nal)
    assert all(len(part) <= MAX_PAYLOAD for part in parts)
    if size <= MAX_PAYLOAD:
        assert parts == [nal]
        return
    assert {part[0] for part in parts} == {0x60 | 28}
    assert [part[1] & 0xC0 for part in parts] == [0x80, *[0] * (len(parts) - 2), 0x40]
    assert bytes([parts[0][0] & 0xE0 | parts[0][1] & 0x1F]) + b"".join(part[2:] for part in parts) == nal


def test_fragments_of_h265_keep_its_header() -> None:
    nal = bytes([19 << 1, 1]) + bytes(place % 251 for place in range(5000))
    parts = fragments(nal, "h265")
    assert all(len(part) <= MAX_PAYLOAD for part in parts)
    assert {part[:2] for part in parts} == {bytes([49 << 1, 1])}
    assert [part[2] & 0xC0 for part in parts] == [0x80, *[0] * (len(parts) - 2), 0x40]
    assert {part[2] & 63 for part in parts} == {19}
    assert nal[:2] + b"".join(part[3:] for part in parts) == nal


def test_a_packet_carries_its_marker_and_wrapped_timestamp() -> None:
    track = Track("video", 96, 90_000, channel=2, sequence=0xFFFF)
    packet = track.rtp(2**32 + 5, b"payload", marker=True)
    assert packet[:4] == b"$\x02" + struct.pack(">H", len(packet) - 4)
    assert struct.unpack(">BBHI", packet[4:12]) == (0x80, 0x80 | 96, 0, 5)


def test_a_track_that_nobody_set_up_sends_nothing() -> None:
    track = Track("application", 107, 90_000)
    assert track.rtp(0, b"payload", marker=True) == track.report(0, 0.0) == b""

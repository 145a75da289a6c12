"""The number that each sent picture carries beside its slices, so that a file tells which pictures it holds.

It is a message that decoders skip: user data in a SEI NAL unit (ITU-T H.264 and H.265, annex D; payload type 5).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.fakes.clip import VideoCodec, nal_type

UUID = b"scripted picture"
_TAG = re.compile(re.escape(UUID) + rb"(\d+):(\d+)\x80")
_HEADS = {"h264": b"\x06", "h265": b"\x4e\x01"}
_PARAMETERS = {"h264": (7, 8), "h265": (32, 33, 34)}


def tag(session: int, place: int, codec: VideoCodec) -> bytes:
    """The NAL unit that says: the picture at ``place`` of ``session``. Digits need no emulation prevention."""
    said = UUID + f"{session}:{place}".encode()
    return _HEADS[codec] + bytes([5, len(said)]) + said + b"\x80"


def read_tag(nal: bytes) -> tuple[int, int] | None:
    """Session and place that a NAL unit tells; None where it is no tag."""
    found = _TAG.search(nal[:80]) if nal[:1] in (b"\x06", b"\x4e") else None
    return (int(found[1]), int(found[2])) if found else None


def tagged(nals: Sequence[bytes], said: bytes, codec: VideoCodec) -> list[bytes]:
    """An access unit with a tag: behind the parameter sets, before the slices."""
    place = next(n for n, nal in enumerate(nals) if nal_type(nal, codec) not in _PARAMETERS[codec])
    return [*nals[:place], said, *nals[place:]]

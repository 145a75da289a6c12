"""The parameter sets of a coded picture: what a decoder has to know first, and what a file's header holds.

Pure; used in the recorder process. H.264: ITU-T H.264, 7.4.1 (types 7, 8). H.265: ITU-T H.265, 7.4.2.2 (32, 33, 34).
"""

from __future__ import annotations

from collections.abc import Iterator

FORMATS = {"h264": "h264", "hevc": "hevc"}
"""Codec → FFmpeg's name for its bare stream."""
_START = b"\0\0\1"


def parameter_sets(codec: str, data: bytes) -> frozenset[bytes]:
    """The parameter sets before the first slice of a picture in annex B form; none for other codecs."""
    found = set()
    for unit in _units(data):
        kind = unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63
        if kind in ((7, 8) if codec == "h264" else (32, 33, 34)):
            found.add(unit)
        elif (1 <= kind <= 5) if codec == "h264" else kind < 32:
            break
    return frozenset(found) if codec in FORMATS else frozenset()


def _units(data: bytes) -> Iterator[bytes]:
    """NAL units without their start codes. No unit ends with a zero byte, so those belong to the next code."""
    place = data.find(_START)
    while place >= 0:
        following = data.find(_START, place + 3)
        unit = data[place + 3 : following if following >= 0 else len(data)].rstrip(b"\0")
        if unit:
            yield unit
        place = following

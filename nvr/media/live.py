"""A ring's packets as fragmented MP4, without decoding: what a browser's Media Source Extensions take.

Lives in the web process. The initialisation segment is FFmpeg's, made from the first key frame; fragments are ours
(``nvr.media.atoms``). A picture is passed on when the next one has come: only then is it known how long it lasts, and a
browser that finds a hole between two pictures waits for the next key frame.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import av
import av.error

from nvr.media.atoms import Sample, fragment, tracks
from nvr.packetring import Form, Parcel

TIMESCALE = 90_000
LONGEST = TIMESCALE * 10
"""What a picture lasts at most: a stream that stood still goes on in a format of its own."""
_OPTIONS = {"movflags": "empty_moov+default_base_moof", "video_track_timescale": str(TIMESCALE)}
_START_CODE = b"\0\0\1"
_STREAMS = {"h264": "h264", "hevc": "hevc"}


@dataclass(frozen=True, slots=True)
class Opening:
    """What a viewer gets first. Media time 0 is the instant ``origin_us`` (since 1970)."""

    mime: str
    codec: str
    width: int
    height: int
    origin_us: int
    init: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """One picture as a fragment; ``at_us`` is the instant at which it is shown."""

    data: bytes
    key: bool
    at_us: int


class Fragmenter:
    """Makes fragments of one form's parcels, from a key frame on. Raises ValueError where no MP4 can hold it."""

    def __init__(self, form: Form, first: Parcel) -> None:
        self._lengths = _lengths(form.extradata)
        try:
            sets = form.extradata if not self._lengths else _unpacked_sets(form)
        except IndexError:
            raise ValueError("the camera's parameter sets are damaged") from None
        picture = first.data if not self._lengths else _to_annex_b(first.data, self._lengths)
        init = _initialisation(form, sets + picture)
        [track] = tracks(init)
        self.opening = Opening(
            f'video/mp4; codecs="{track.codec}"', form.codec, form.width, form.height, first.at_us - _shift(first), init
        )
        self._first_us = first.dts_us
        self._track = track.id
        self._timescale = track.timescale
        self._waiting: Parcel | None = None
        self._number = 0

    def push(self, parcel: Parcel) -> Piece | None:
        """Take a picture, and give the one before it as a fragment; None for the first.

        Raises ValueError where the camera's time went back or stood still for long: begin anew.
        """
        waiting, self._waiting = self._waiting, parcel
        if waiting is None:
            return None
        start, end = self._ticks(waiting.dts_us), self._ticks(parcel.dts_us)
        if not start < end <= start + LONGEST:
            raise ValueError("the stream's time jumped")
        data = waiting.data if self._lengths == 4 else _to_lengths(waiting.data, self._lengths)
        shift = self._ticks(waiting.pts_us) - start
        self._number += 1
        sample = Sample(len(data), end - start, waiting.key, shift)
        whole = fragment(self._number, self._track, start, [sample], data)
        return Piece(whole, waiting.key, waiting.at_us)

    def _ticks(self, us: int) -> int:
        return max(0, (us - self._first_us) * self._timescale // 1_000_000)


def _shift(first: Parcel) -> int:
    return first.pts_us - first.dts_us


def _lengths(extradata: bytes) -> int:
    """How many bytes a NAL unit's length has; 0 where units are told apart by start codes (Annex B)."""
    if extradata[:1] != b"\1":
        return 0
    if len(extradata) < 7:
        raise ValueError("the camera's parameter sets are damaged")
    return (extradata[4] if len(extradata) < 23 or extradata[5] >> 5 == 7 else extradata[21]) % 4 + 1


def _initialisation(form: Form, picture: bytes) -> bytes:
    """``ftyp`` and ``moov`` for a stream whose first picture, with its parameter sets, is given in Annex B form."""
    if form.codec not in _STREAMS:
        raise ValueError(f"{form.codec} is not shown live: only H.264 and H.265 are")
    output = io.BytesIO()
    try:
        with (
            av.open(io.BytesIO(picture), "r", format=_STREAMS[form.codec]) as source,
            av.open(output, "w", format="mp4", options=_OPTIONS) as target,
        ):
            stream = target.add_stream_from_template(source.streams.video[0], opaque=True)
            if form.codec == "hevc":
                stream.codec_context.codec_tag = "hvc1"
            target.start_encoding()
            target.mux([])
            init = output.getvalue()
    except (av.error.FFmpegError, IndexError, ValueError) as error:
        raise ValueError(f"the camera's {form.codec} cannot be described: {error}") from error
    return init


def _units(data: bytes) -> list[bytes]:
    """NAL units of a picture in Annex B form."""
    units, place = [], data.find(_START_CODE)
    while place >= 0:
        following = data.find(_START_CODE, place + 3)
        unit = data[place + 3 : following if following >= 0 else len(data)]
        if following >= 0:
            unit = unit.rstrip(b"\0")  # no unit ends with a zero byte: they belong to the next start code
        if unit:
            units.append(unit)
        place = following
    return units


def _to_lengths(data: bytes, lengths: int) -> bytes:
    """A picture with a length of four bytes before each NAL unit."""
    units = _units(data) if not lengths else _split(data, lengths)
    return b"".join(part for unit in units for part in (len(unit).to_bytes(4, "big"), unit))


def _split(data: bytes, lengths: int) -> list[bytes]:
    units, place = [], 0
    while place + lengths <= len(data):
        size = int.from_bytes(data[place : place + lengths], "big")
        units.append(data[place + lengths : place + lengths + size])
        place += lengths + size
    return units


def _to_annex_b(data: bytes, lengths: int) -> bytes:
    return b"".join(b"\0" + _START_CODE + unit for unit in _split(data, lengths))


def _unpacked_sets(form: Form) -> bytes:
    """The parameter sets of an avcC or hvcC record (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1) in Annex B form."""
    record, found = form.extradata, []
    if form.codec == "hevc":
        place = 23
        for _ in range(record[22]):
            count = int.from_bytes(record[place + 1 : place + 3], "big")
            place += 3
            for _ in range(count):
                size = int.from_bytes(record[place : place + 2], "big")
                found.append(record[place + 2 : place + 2 + size])
                place += 2 + size
    else:
        place = 5
        for mask in (31, 255):
            count = record[place] & mask
            place += 1
            for _ in range(count):
                size = int.from_bytes(record[place : place + 2], "big")
                found.append(record[place + 2 : place + 2 + size])
                place += 2 + size
    return b"".join(b"\0" + _START_CODE + unit for unit in found)

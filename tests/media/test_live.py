"""Live packets become an MP4 that anybody can decode, picture by picture, at the time at which each is shown."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import pytest

from nvr.media.live import LONGEST, TIMESCALE, Fragmenter, Piece
from nvr.packetring import Form, Parcel
from tests.fakes import clip
from tests.fakes.archive import shown
from tests.fakes.clip import FPS, HEIGHT, WIDTH, Clip

FRAME_US = 1_000_000 // FPS
AT_US = 1_795_000_000_123_456
FIRST_US = 5_000_000
"""Media time of a run at which somebody begins to watch."""
CODECS = {"h264": "h264", "h265": "hevc"}


class Stream(NamedTuple):
    """What a ring holds of a clip: its ``reordered`` pictures are shown so much later than they are decoded."""

    form: Form
    parcels: list[Parcel]


def annex_b(recorded: Clip) -> Stream:
    """As a camera sends it: start codes, parameter sets before the key frames and in the extradata."""
    delay = max(place - unit.number for place, unit in enumerate(recorded.units))
    sets = [nal for nal in (recorded.vps, recorded.sps, recorded.pps) if nal]
    form = Form(CODECS[recorded.codec], WIDTH, HEIGHT, b"".join(b"\0\0\0\1" + nal for nal in sets))
    parcels = []
    for place, unit in enumerate(recorded.units):
        data = b"".join((b"\0\0\1" if number else b"\0\0\0\1") + nal for number, nal in enumerate(unit.nals))
        shown_us = (unit.number + delay) * FRAME_US
        parcels.append(Parcel(data, FIRST_US + place * FRAME_US, FIRST_US + shown_us, AT_US + shown_us, unit.key))
    return Stream(form, parcels)


def of_file(path: Path) -> Stream:
    """As it comes out of an MP4: a length before each NAL unit, parameter sets in the extradata alone."""
    parcels = []
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        context = video.codec_context
        form = Form(context.name, context.width, context.height, context.extradata or b"")
        for packet in container.demux(video):
            if packet.size:
                assert packet.dts is not None
                assert packet.pts is not None
                assert packet.time_base is not None
                dts, pts = (round(ticks * packet.time_base * 1_000_000) for ticks in (packet.dts, packet.pts))
                parcels.append(Parcel(bytes(packet), FIRST_US + dts, FIRST_US + pts, AT_US + pts, packet.is_keyframe))
    return Stream(form, parcels)


def fragment(stream: Stream) -> tuple[Fragmenter, list[Piece]]:
    fragmenter = Fragmenter(stream.form, stream.parcels[0])
    assert fragmenter.push(stream.parcels[0]) is None
    pieces = []
    for parcel in stream.parcels[1:]:
        piece = fragmenter.push(parcel)
        assert piece is not None
        pieces.append(piece)
    return fragmenter, pieces


@pytest.fixture(scope="module")
def h265() -> Clip:
    return clip.record(frames=50, gop=25, codec="h265")


@pytest.fixture(
    params=["h264", "h264_b_frames", "h265", "clip_h264", "clip_b_frames", "clip_h265"],
)
def stream(request: pytest.FixtureRequest) -> Stream:
    source = request.getfixturevalue(request.param)
    return annex_b(source) if isinstance(source, Clip) else of_file(source)


def test_every_picture_is_shown_in_order_at_its_time(stream: Stream, tmp_path: Path) -> None:
    fragmenter, pieces = fragment(stream)
    file = tmp_path / "live.mp4"
    file.write_bytes(fragmenter.opening.init + b"".join(piece.data for piece in pieces))
    pictures = shown(file)
    assert len(pictures) == len(stream.parcels) - 1, "the last one waits for the next"
    instants = sorted(parcel.at_us for parcel in stream.parcels[:-1])
    for picture, at_us in zip(pictures, instants, strict=True):
        assert picture.number == (at_us - instants[0]) // FRAME_US
        assert abs(fragmenter.opening.origin_us + picture.at_us - at_us) <= 100
    assert [(piece.key, piece.at_us) for piece in pieces] == [(each.key, each.at_us) for each in stream.parcels[:-1]]


def test_each_picture_lasts_until_the_next_one_is_decoded(stream: Stream) -> None:
    fragmenter, pieces = fragment(stream)
    with av.open(io.BytesIO(fragmenter.opening.init + b"".join(piece.data for piece in pieces)), "r") as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    times = [(packet.dts or 0) * (packet.time_base or 0) for packet in packets]
    lengths = [(packet.duration or 0) * (packet.time_base or 0) for packet in packets]
    assert times == [sum(lengths[:place], Fraction(0)) for place in range(len(lengths))]
    assert [packet.is_keyframe for packet in packets] == [parcel.key for parcel in stream.parcels[:-1]]


def test_who_begins_later_gets_a_time_line_of_its_own(h264: Clip, tmp_path: Path) -> None:
    form, parcels = annex_b(h264)
    fragmenter, pieces = fragment(Stream(form, parcels[25:]))
    assert fragmenter.opening.origin_us == AT_US + 25 * FRAME_US
    file = tmp_path / "live.mp4"
    file.write_bytes(fragmenter.opening.init + b"".join(piece.data for piece in pieces))
    assert [(each.number, each.at_us) for each in shown(file)] == [(25 + n, n * FRAME_US) for n in range(24)]


def test_a_viewer_may_begin_with_any_key_frame(h264: Clip) -> None:
    fragmenter, pieces = fragment(annex_b(h264))
    with av.open(io.BytesIO(fragmenter.opening.init + b"".join(piece.data for piece in pieces[25:])), "r") as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 24
    assert frames[0].key_frame
    assert frames[0].time == 1.0


def test_the_opening_tells_a_browser_what_comes(stream: Stream) -> None:
    opening = Fragmenter(stream.form, stream.parcels[0]).opening
    delay_us = stream.parcels[0].pts_us - stream.parcels[0].dts_us
    assert opening.origin_us == stream.parcels[0].at_us - delay_us
    assert (opening.codec, opening.width, opening.height) == (stream.form.codec, WIDTH, HEIGHT)
    kind = {"h264": 'video/mp4; codecs="avc1.', "hevc": 'video/mp4; codecs="hvc1.'}[stream.form.codec]
    assert opening.mime.startswith(kind)
    with av.open(io.BytesIO(opening.init), "r") as container:
        [video] = container.streams.video
        assert (video.codec_context.name, video.codec_context.width) == (stream.form.codec, WIDTH)
        assert len(container.streams) == 1


def test_parameter_sets_may_be_in_the_key_frame_alone(h264: Clip, tmp_path: Path) -> None:
    form, parcels = annex_b(h264)
    fragmenter, pieces = fragment(Stream(Form(form.codec, form.width, form.height, b""), parcels))
    assert fragmenter.opening.mime == Fragmenter(form, parcels[0]).opening.mime
    file = tmp_path / "live.mp4"
    file.write_bytes(fragmenter.opening.init + b"".join(piece.data for piece in pieces))
    assert [each.number for each in shown(file)] == [*range(49)]


def test_lengths_of_two_bytes_are_made_four(clip_h264: Path) -> None:
    form, parcels = of_file(clip_h264)
    short = Form(form.codec, form.width, form.height, form.extradata[:4] + b"\xfd" + form.extradata[5:])

    def shortened(parcel: Parcel) -> Parcel:
        units = clip.nal_units(parcel.data, in_mp4=True)
        return parcel._replace(data=b"".join(len(unit).to_bytes(2, "big") + unit for unit in units))

    (_, expected), (_, found) = fragment(Stream(form, parcels)), fragment(Stream(short, [*map(shortened, parcels)]))
    assert found == expected


@pytest.mark.parametrize("jump_us", [-FRAME_US, -10_000_000, -2 * FRAME_US, LONGEST * 1_000_000 // TIMESCALE])
def test_time_that_jumps_wants_a_new_beginning(h264: Clip, jump_us: int) -> None:
    form, parcels = annex_b(h264)
    fragmenter = Fragmenter(form, parcels[0])
    for parcel in parcels[:10]:
        fragmenter.push(parcel)
    with pytest.raises(ValueError, match="time jumped"):
        fragmenter.push(parcels[10]._replace(dts_us=parcels[10].dts_us + jump_us))


def test_a_stream_that_stood_still_for_less_goes_on(h264: Clip) -> None:
    form, parcels = annex_b(h264)
    fragmenter = Fragmenter(form, parcels[0])
    fragmenter.push(parcels[0])
    assert fragmenter.push(parcels[1]._replace(dts_us=FIRST_US + LONGEST * 1_000_000 // TIMESCALE)) is not None


@pytest.mark.parametrize("codec", ["mjpeg", "mpeg4", "av1", ""])
def test_a_codec_that_is_not_shown_live_is_said(h264: Clip, codec: str) -> None:
    form, parcels = annex_b(h264)
    with pytest.raises(ValueError, match=r"only H\.264 and H\.265"):
        Fragmenter(Form(codec, form.width, form.height, form.extradata), parcels[0])


@pytest.mark.parametrize("data", [b"", b"\0\0\1", bytes(100), b"\xff" * 100])
def test_what_is_no_picture_is_said(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"cannot be described|names no track"):
        Fragmenter(Form("h264", WIDTH, HEIGHT, b""), Parcel(data, 0, 0, AT_US, True))

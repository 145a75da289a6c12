"""What FFmpeg writes is read as FFmpeg reads it, and what we write FFmpeg reads back."""

from __future__ import annotations

import io
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvr.media.atoms import Run, Sample, boxes, find, fragment, put_off, runs, tracks
from nvr.media.segment import OPTIONS
from tests.fakes.clip import write

RECIPES: dict[str, dict[str, Any]] = {
    "h264": {},
    "h265": {"codec": "libx265"},
    "b-frames": {"b_frames": 2},
    "sound": {"audio": "aac"},
}


class Written(NamedTuple):
    """A fragmented MP4: all of it, its header, its fragments, and its packets as PyAV reads them, by track."""

    whole: bytes
    init: bytes
    fragments: list[bytes]
    packets: dict[int, list[Any]]
    extradata: bytes


def fragmented(source: Path) -> bytes:
    """A file as a recorder writes it, as far as it is whole before it is closed."""
    output = io.BytesIO()
    with av.open(str(source)) as opened, av.open(output, "w", format="mp4", options=OPTIONS) as target:
        pairs = {stream: target.add_stream_from_template(stream, opaque=True) for stream in opened.streams}
        for stream, out in pairs.items():
            if stream.codec_context.name == "hevc":
                out.codec_context.codec_tag = "hvc1"
        target.start_encoding()
        for packet in opened.demux():
            if packet.size:
                packet.stream = pairs[packet.stream]
                target.mux_one(packet)
        return output.getvalue()


def demuxed(data: bytes) -> dict[int, list[Any]]:
    with av.open(io.BytesIO(data), "r") as container:
        packets: dict[int, list[Any]] = {stream.id: [] for stream in container.streams}
        for packet in container.demux():
            if packet.size:
                packets[packet.stream.id].append(packet)
    return packets


@pytest.fixture(scope="module", params=RECIPES)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    data = fragmented(write(tmp_path_factory.mktemp("tape") / "tape.mp4", **RECIPES[request.param]))
    places = [(kind, start - 8, end) for kind, start, end in boxes(data, 0, len(data))]
    starts = [start for kind, start, _ in places if kind == b"moof"]
    ends = [end for kind, _, end in places if kind == b"mdat"]
    fragments = [data[start:end] for start, end in zip(starts, ends, strict=True)]
    whole = data[: ends[-1]]
    with av.open(io.BytesIO(whole)) as container:
        extradata = container.streams.video[0].codec_context.extradata or b""
    return Written(whole, data[: starts[0]], fragments, demuxed(whole), extradata)


def of_track(written: Written, track: int) -> list[Run]:
    return [run for each in written.fragments for run in runs(each) if run.track == track]


# What FFmpeg wrote


def test_the_tracks_are_those_of_the_file(written: Written) -> None:
    with av.open(io.BytesIO(written.whole)) as container:
        kinds = {"video": "vide", "audio": "soun"}
        expected = [(each.id, kinds[each.type], each.time_base) for each in container.streams]
    assert [(each.id, each.kind, Fraction(1, each.timescale)) for each in tracks(written.init)] == expected


def test_the_codec_is_named_after_the_profile_in_the_header(written: Written) -> None:
    video, *sound = tracks(written.init)
    if video.codec.startswith("avc1"):
        assert video.codec == f"avc1.{written.extradata[1:4].hex()}"
    else:  # Main profile, compatible with Main and Main 10, level 60 / 30, progressive
        assert video.codec == "hvc1.1.6.L60.90"
        assert (written.extradata[1], written.extradata[2:6], written.extradata[12]) == (1, b"\x60\0\0\0", 60)
    assert [each.codec for each in sound] in ([], ["mp4a.40.2"])


def test_every_sample_is_as_pyav_demuxes_it(written: Written) -> None:
    for track, packets in written.packets.items():
        found = [sample for run in of_track(written, track) for sample in run.samples()]
        assert [(each.size, each.key) for each in found] == [(each.size, each.is_keyframe) for each in packets]
        assert [each.duration for each in found] == [each.duration for each in packets]


def test_every_time_is_as_pyav_demuxes_it(written: Written) -> None:
    """But for the file's edit list, by which PyAV moves all times of a track."""
    for track, packets in written.packets.items():
        found = of_track(written, track)
        times: list[tuple[int, int]] = []
        for run in found:
            at = run.start
            for sample in run.samples():
                times.append((at, at + sample.shift))
                at += sample.duration
            assert run.end() == at
        moved = times[0][0] - packets[0].dts
        assert times == [(each.dts + moved, each.pts + moved) for each in packets]
        keys = [(start, shown) for run in found for _, start, shown in run.key_frames()]
        assert keys == [(each.dts + moved, each.pts + moved) for each in packets if each.is_keyframe]
    [first, *_] = of_track(written, 1)
    assert [number for number, _, _ in first.key_frames()] == [0]


def test_the_data_of_a_run_is_where_it_says(written: Written) -> None:
    for track, packets in written.packets.items():
        data = b""
        for each in written.fragments:
            for run in runs(each):
                if run.track == track:
                    data += each[run.data_at() : run.data_at() + sum(sample.size for sample in run.samples())]
        assert data == b"".join(map(bytes, packets))


def test_a_fragment_can_be_put_to_another_time(written: Written) -> None:
    moved = bytearray(written.fragments[1])
    for run in runs(written.fragments[1]):
        moved[run.start_at : run.start_at + 8] = (run.start + (1 << 40)).to_bytes(8, "big")
    before, after = runs(written.fragments[1]), runs(bytes(moved))
    assert [run.start for run in after] == [run.start + (1 << 40) for run in before]
    assert [run.samples() for run in after] == [run.samples() for run in before]


# What we write

SAMPLES = st.lists(
    st.builds(Sample, st.integers(1, 3000), st.integers(1, 90_000), st.booleans(), st.integers(-9000, 90_000)),
    min_size=1,
    max_size=12,
)


@settings(deadline=None)
@given(st.integers(0, 1 << 33), st.integers(1, 1 << 31), SAMPLES)
def test_a_fragment_that_we_write_is_read_by_us(number: int, start: int, samples: list[Sample]) -> None:
    data = bytes(index % 251 for index in range(sum(sample.size for sample in samples)))
    made = fragment(number, 7, start, samples, data)
    [run] = runs(made)
    assert (run.track, run.start, run.samples()) == (7, start, samples)
    assert made[run.start_at : run.start_at + 8] == start.to_bytes(8, "big")
    assert made[run.data_at() :] == data
    assert [kind for kind, _, _ in boxes(made, 0, len(made))] == [b"moof", b"mdat"]


def test_what_we_write_is_read_back_by_pyav_with_the_same_times(written: Written) -> None:
    """Each of FFmpeg's fragments of video written anew, in two, without its sound."""
    made: list[bytes] = []
    for each in written.fragments:
        [run] = [run for run in runs(each) if run.track == 1]
        at, place = run.start, run.data_at()
        for samples in (run.samples()[:4], run.samples()[4:]):
            size = sum(sample.size for sample in samples)
            made.append(fragment(len(made), 1, at, samples, each[place : place + size]))
            at, place = at + sum(sample.duration for sample in samples), place + size
    expected = [(each.dts, each.pts, each.duration, each.is_keyframe, bytes(each)) for each in written.packets[1]]
    found = demuxed(b"".join([written.init, *made]))[1]
    assert [(each.dts, each.pts, each.duration, each.is_keyframe, bytes(each)) for each in found] == expected


# What is damaged


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_headers_are_a_value_error_at_most(written: Written, data: st.DataObject) -> None:
    for whole, read in ((written.init, tracks), (written.fragments[0][:400], runs)):
        damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
        for place, with_what in data.draw(st.lists(st.tuples(st.integers(0, 1 << 12), st.binary(max_size=8)))):
            damaged[place : place + len(with_what)] = with_what
        try:
            for found in read(bytes(damaged)):
                if isinstance(found, Run):
                    found.samples()
        except ValueError:
            pass


def test_what_is_no_header_names_no_track(written: Written) -> None:
    for data in (b"", b"moov", bytes(1000), written.fragments[0]):
        with pytest.raises(ValueError, match="names no track"):
            tracks(data)
    assert runs(b"") == []


def test_boxes_end_where_they_are_damaged() -> None:
    good, large = b"\0\0\0\x0aabcdxy", b"\0\0\0\1wide" + (18).to_bytes(8, "big") + b"zz"
    data = good + large
    assert list(boxes(data, 0, len(data))) == [(b"abcd", 8, 10), (b"wide", 26, 28)]
    assert list(boxes(data + b"\0\0\0\x07efgh" + good, 0, 46)) == [(b"abcd", 8, 10), (b"wide", 26, 28)]
    assert list(boxes(data, 0, len(data) - 1)) == [(b"abcd", 8, 10)]
    assert list(find(data, b"wide")) == [(26, 28)]


def test_the_times_of_all_tracks_are_put_off_and_nothing_else(written: Written) -> None:
    shifts = {track: 1_000_000 * track for track in written.packets}
    for whole in written.fragments:
        end = int.from_bytes(whole[:4], "big")
        moved = bytearray(b"before" + whole)
        put_off(moved, 6, 6 + end, shifts)
        before, after = runs(whole), runs(bytes(moved[6:]))
        assert [each.start for each in after] == [each.start + shifts[each.track] for each in before]
        back = bytearray(moved)
        put_off(back, 6, 6 + end, {track: -shift for track, shift in shifts.items()})
        assert back == b"before" + whole
        put_off(moved, 6, 6 + end, dict.fromkeys(shifts, -(1 << 40)))
        assert {each.start for each in runs(bytes(moved[6:]))} == {0}, "no time is below 0"


@settings(max_examples=200)
@given(data=st.data())
def test_times_in_damaged_headers_are_a_value_error_at_most(written: Written, data: st.DataObject) -> None:
    moof = bytearray(written.fragments[0][: int.from_bytes(written.fragments[0][:4], "big")])
    for _ in range(data.draw(st.integers(1, 4))):
        moof[data.draw(st.integers(8, len(moof) - 1))] = data.draw(st.integers(0, 255))
    length = len(moof)
    with suppress(ValueError):
        put_off(moof, 0, len(moof), {1: 5})
    assert len(moof) == length
    with pytest.raises(ValueError, match="damaged"):
        put_off(bytearray(bytes(100)), 0, 100, {1: 5})

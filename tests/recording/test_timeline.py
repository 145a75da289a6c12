"""Camera time, however broken, to media time that only rises and instants that are right."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.model import PacketInfo, Placed
from nvr.recording.timeline import HOLD_PACKETS, MAX_SLEW_PPM, Timeline

FRAME = 40_000
WALL = 1_800_000_000_000_000


def video(dts: int | None, arrival: int, *, pts: int | None = None, key: bool = False) -> PacketInfo:
    return PacketInfo("video", dts if pts is None else pts, dts, FRAME, key, 1000, WALL + arrival)


def audio(dts: int, arrival: int) -> PacketInfo:
    return PacketInfo("audio", dts, dts, 128_000, True, 100, WALL + arrival)


def place(packets: list[PacketInfo]) -> tuple[Timeline, list[Placed]]:
    timeline = Timeline()
    places = [place for packet in packets for place in timeline.push(packet)]
    return timeline, places + timeline.flush()


def live(count: int, *, start: int = 0, arrival: int = 0) -> list[PacketInfo]:
    return [video(start + n * FRAME, arrival + n * FRAME, key=n == 0) for n in range(count)]


def test_a_steady_stream_starts_at_zero_and_keeps_its_pace() -> None:
    timeline, places = place(live(10, start=7_000_000))
    assert [p.dts_us for p in places] == [n * FRAME for n in range(10)]
    assert timeline.instant_us(FRAME) == WALL + FRAME


def test_the_first_packet_of_rtsp_without_any_time_comes_one_frame_before_the_second() -> None:
    first = PacketInfo("video", None, None, FRAME, True, 5000, WALL)
    _, places = place([first, *live(5, start=51_000, arrival=FRAME)])
    assert [(p.pts_us, p.dts_us) for p in places][:3] == [(0, 0), (FRAME, FRAME), (2 * FRAME, 2 * FRAME)]


def test_with_b_frames_no_frame_of_the_first_group_is_lost() -> None:
    # what FFmpeg gives for I P B B: see the table in docs/time.md
    seen = [(None, None), (120_000, None), (40_000, None), (80_000, 40_000), (240_000, 80_000), (160_000, 120_000)]
    packets = [video(dts, n * FRAME, key=n == 0) for n, (_, dts) in enumerate(seen)]
    packets = [
        PacketInfo("video", pts, p.dts_us, FRAME, p.key, 1000, p.arrival_us)
        for p, (pts, _) in zip(packets, seen, strict=True)
    ]
    _, places = place(packets)
    assert [p.dts_us for p in places] == [n * FRAME for n in range(6)]
    assert [p.pts_us for p in places] == [80_000, 200_000, 120_000, 160_000, 320_000, 240_000]
    assert all(p.pts_us >= p.dts_us for p in places)


def test_a_run_is_placed_by_a_live_packet_and_not_by_those_queued_while_probing() -> None:
    queued = [video(n * FRAME, 900_000 + n, key=n == 0) for n in range(20)]  # a burst: 0.9 s late
    rest = [video(n * FRAME, 100_000 + n * FRAME) for n in range(20, 25)]  # live: 0.1 s after capture
    timeline, places = place(queued + rest)
    assert len(places) == 25
    assert timeline.instant_us(0) - WALL == pytest.approx(100_000, abs=FRAME)


def test_nothing_comes_out_before_the_start_is_understood() -> None:
    timeline = Timeline()
    assert timeline.push(video(0, 0, key=True)) == []
    assert len(timeline.push(video(FRAME, FRAME))) == 2


def test_an_endless_burst_is_not_held_for_ever() -> None:
    timeline = Timeline()
    out = [p for n in range(HOLD_PACKETS) for p in timeline.push(video(n * FRAME, n, key=n == 0))]
    assert len(out) == HOLD_PACKETS


def test_a_small_step_back_is_put_just_behind_its_predecessor() -> None:
    packets = [*live(5), video(4 * FRAME - 20_000, 5 * FRAME), video(5 * FRAME, 6 * FRAME)]
    timeline, places = place(packets)
    assert 0 < places[5].dts_us - places[4].dts_us < 1_000
    assert places[6].dts_us == 5 * FRAME
    assert timeline.repairs == 1


@pytest.mark.parametrize("jump", [-3_600_000_000, 44_137_000_000, 3_600_000_000, 1_790_000_000_000_000])
def test_a_jump_of_the_camera_clock_neither_jumps_the_run_nor_loses_a_packet(jump: int) -> None:
    before, after = live(10), [video(jump + n * FRAME, n * FRAME) for n in range(10, 20)]
    timeline, places = place(before + after)
    assert [p.dts_us for p in places] == [n * FRAME for n in range(20)]
    assert [p.jumped for p in places] == [n == 10 for n in range(20)]
    assert timeline.jumps == 1


def test_a_pause_of_the_camera_stays_a_pause() -> None:
    packets = [*live(10), video(30_000_000, 30_000_000), video(30_040_000, 30_040_000)]
    _, places = place(packets)
    assert places[10].dts_us == 30_000_000
    assert not places[10].jumped


def test_audio_far_from_the_video_is_dropped_and_near_it_is_kept() -> None:
    packets = [*live(3), audio(100_000, 3 * FRAME), audio(90_000_000, 3 * FRAME), audio(228_000, 4 * FRAME)]
    _, places = place(packets)
    assert [p.dropped for p in places] == [False, False, False, False, True, False]


def test_audio_before_the_first_picture_is_dropped() -> None:
    _, places = place([audio(0, 0), *live(3, start=200_000)])
    assert places[0].dropped


def test_instants_follow_the_least_delayed_packet_by_at_most_500_ppm() -> None:
    timeline = Timeline()
    for n in range(1500):  # 60 s of a camera whose clock is 1000 ppm slow: packets come later and later
        timeline.push(video(n * FRAME, n * FRAME * 1001 // 1000, key=n == 0))
    for n in range(1500, 3000):
        timeline.push(video(n * FRAME, n * FRAME * 1001 // 1000))
    first = timeline.slew(1500 * FRAME)
    assert first == 0  # the least delayed packet was the first
    for n in range(3000, 4500):
        timeline.push(video(n * FRAME, n * FRAME * 1001 // 1000))
    change = timeline.slew(4500 * FRAME)
    assert change == 3000 * FRAME * MAX_SLEW_PPM // 1_000_000


def test_a_wall_clock_that_was_set_is_followed_at_once() -> None:
    timeline = Timeline()
    for packet in live(50):
        timeline.push(packet)
    timeline.slew(50 * FRAME)
    for n in range(50, 100):
        timeline.push(video(n * FRAME, 3_600_000_000 + n * FRAME))
    assert timeline.slew(100 * FRAME) == 3_600_000_000


def test_a_run_without_packets_has_no_instants() -> None:
    timeline = Timeline()
    assert timeline.flush() == []
    with pytest.raises(ValueError, match="no instants"):
        timeline.instant_us(0)


@given(
    st.lists(
        st.tuples(st.none() | st.integers(-(10**13), 10**13), st.integers(0, 5_000_000)),
        min_size=1,
        max_size=60,
    )
)
def test_whatever_comes_dts_rises_and_every_packet_gets_one_place(steps: list[tuple[int | None, int]]) -> None:
    arrival = 0
    packets: list[PacketInfo] = []
    for dts, passed in steps:
        arrival += passed
        packets.append(video(dts, arrival, key=not packets))
    _, places = place(packets)
    assert len(places) == len(packets)
    assert all(later.dts_us > earlier.dts_us for earlier, later in itertools.pairwise(places))
    assert all(p.pts_us >= p.dts_us for p in places)

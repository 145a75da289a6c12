"""Where a run is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nvr.recording.rotation import Decision, Rotation

SECOND = 1_000_000
KEEP, CUT, DISCARD = Decision.KEEP, Decision.CUT, Decision.DISCARD


def test_nothing_is_kept_before_the_first_key_frame() -> None:
    rotation = Rotation(60 * SECOND)
    assert rotation.decide(video=True, key=False, dts_us=0) is DISCARD
    assert rotation.decide(video=False, key=True, dts_us=10) is DISCARD
    assert rotation.decide(video=True, key=True, dts_us=40_000) is CUT
    assert rotation.decide(video=True, key=False, dts_us=80_000) is KEEP
    assert rotation.decide(video=False, key=True, dts_us=90_000) is KEEP


def test_a_segment_ends_at_the_first_key_frame_after_its_duration() -> None:
    rotation = Rotation(60 * SECOND)
    cuts = [n for n in range(0, 300, 7) if rotation.decide(video=True, key=True, dts_us=n * SECOND) is CUT]
    assert cuts == [0, 63, 126, 189, 252]


def test_a_smart_codec_makes_a_segment_long_but_never_starts_one_in_mid_group() -> None:
    rotation = Rotation(60 * SECOND)
    rotation.decide(video=True, key=True, dts_us=0)
    assert all(rotation.decide(video=True, key=False, dts_us=n * SECOND) is KEEP for n in range(1, 600))
    assert rotation.decide(video=True, key=True, dts_us=600 * SECOND) is CUT


def test_after_a_jump_the_next_key_frame_starts_a_file() -> None:
    rotation = Rotation(60 * SECOND)
    rotation.decide(video=True, key=True, dts_us=0)
    assert rotation.decide(video=True, key=False, dts_us=SECOND, changed=True) is KEEP
    assert rotation.decide(video=True, key=True, dts_us=2 * SECOND) is CUT
    assert rotation.decide(video=True, key=True, dts_us=4 * SECOND) is KEEP


def test_after_a_lost_file_it_waits_for_a_key_frame() -> None:
    rotation = Rotation(60 * SECOND)
    rotation.decide(video=True, key=True, dts_us=0)
    rotation.restart()
    assert rotation.decide(video=True, key=False, dts_us=SECOND) is DISCARD
    assert rotation.decide(video=True, key=True, dts_us=2 * SECOND) is CUT


@given(st.lists(st.booleans(), min_size=1, max_size=200), st.integers(1, 20))
def test_from_the_first_key_frame_on_every_packet_is_in_exactly_one_segment(keys: list[bool], length: int) -> None:
    rotation = Rotation(length * SECOND)
    decisions = [rotation.decide(video=True, key=key, dts_us=n * SECOND) for n, key in enumerate(keys)]
    first = keys.index(True) if True in keys else len(keys)
    assert all(decision is DISCARD for decision in decisions[:first])
    assert all(decision is not DISCARD for decision in decisions[first:])
    assert all(keys[n] for n, decision in enumerate(decisions) if decision is CUT)

from __future__ import annotations

import itertools

from tests.fakes.clip import VIDEO_RATE, AccessUnit, Clip, record
from tests.fakes.script import ENDLESS, Script, describe


def pictures(script: Script, count: int) -> list[tuple[float, int, AccessUnit]]:
    entries = itertools.islice(script.timeline(), count)
    return [(due, index, item) for due, index, item in entries if isinstance(item, AccessUnit)]


def test_pictures_are_due_in_order_and_numbered_on_over_loops(h264: Clip) -> None:
    shown = pictures(Script(h264, loops=ENDLESS), 120)
    assert [round(due * 25) for due, _, _ in shown] == [index for _, index, _ in shown] == list(range(120))
    assert [unit.number for _, _, unit in shown] == list(range(120))
    assert [index for _, index, unit in shown if unit.key] == [0, 25, 50, 75, 100]


def test_a_session_may_begin_between_key_frames(h264: Clip) -> None:
    shown = pictures(Script(h264, loops=2, skip=10), 1000)
    assert len(shown) == 90
    assert [index for _, index, unit in shown if unit.key] == [15, 40, 65]
    assert [unit.number for _, _, unit in shown] == list(range(90))


def test_another_clip_may_go_on_from_a_picture(h264: Clip) -> None:
    other = record(50, 25, scale=2)
    shown = pictures(Script(h264, loops=2, changes={30: other}), 100)
    assert [unit.nals for _, _, unit in shown[:30]] == [unit.nals for unit in h264.units[:30]]
    assert [unit.nals for _, _, unit in shown[30:80]] == [unit.nals for unit in other.units]
    assert [unit.number for _, _, unit in shown] == list(range(100))


def test_timestamps_follow_the_script() -> None:
    script = Script(start=100, jumps={5: 10, 7: -3}, equal={2}, fps=10)
    assert [script.timestamp(index, index) - 100 for index in range(9)] == [
        *(0, 9_000, 9_000, 27_000, 36_000, 45_010, 54_010, 63_007, 72_007)
    ]
    assert script.timestamp(0, 1) - script.timestamp(0, 0) == VIDEO_RATE // 10


def test_h265_is_announced_with_its_parameter_sets() -> None:
    clip = record(25, 25, codec="h265")
    _, sdp = describe(Script(clip))
    assert "H265/90000" in sdp
    assert all(name in sdp for name in ("sprop-vps=", "sprop-sps=", "sprop-pps="))
    assert "sprop" not in describe(Script(clip, sprop=False))[1]

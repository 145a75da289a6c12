"""What a decoder has to know first is found in a key frame, and a change of it is seen."""

from __future__ import annotations

import pytest

from nvr.media.parameters import parameter_sets
from tests.fakes import clip


def annex_b(nals: tuple[bytes, ...], code: bytes = b"\0\0\0\1") -> bytes:
    return b"".join(code + nal for nal in nals)


@pytest.mark.parametrize("code", [b"\0\0\0\1", b"\0\0\1"])
def test_the_sets_of_a_key_frame_are_found_whatever_its_start_codes(h264: clip.Clip, code: bytes) -> None:
    assert parameter_sets("h264", annex_b(h264.units[0].nals, code)) == {h264.sps, h264.pps}


def test_a_picture_without_sets_has_none(h264: clip.Clip) -> None:
    assert parameter_sets("h264", annex_b(h264.units[1].nals)) == frozenset()
    assert parameter_sets("h264", b"") == frozenset()
    assert parameter_sets("mjpeg", annex_b(h264.units[0].nals)) == frozenset()


def test_another_size_is_another_set(h264: clip.Clip) -> None:
    larger = clip.record(frames=2, gop=25, scale=2)
    ours, others = (parameter_sets("h264", annex_b(each.units[0].nals)) for each in (h264, larger))
    assert not others <= ours


def test_h265_has_three(h264: clip.Clip) -> None:
    h265 = clip.record(frames=2, gop=25, codec="h265")
    assert len(parameter_sets("hevc", annex_b(h265.units[0].nals))) == 3


def test_what_comes_behind_the_first_slice_is_not_looked_at(h264: clip.Clip) -> None:
    data = annex_b((*h264.units[1].nals, h264.sps))
    assert parameter_sets("h264", data) == frozenset()

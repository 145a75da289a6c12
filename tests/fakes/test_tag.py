from __future__ import annotations

import pytest

from tests.fakes.clip import VideoCodec, slices_digest
from tests.fakes.tag import read_tag, tag, tagged


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_tag_says_its_numbers_and_is_no_slice(codec: VideoCodec) -> None:
    said = tag(12, 90_000, codec)
    assert read_tag(said) == (12, 90_000)
    assert read_tag(said + b"what a fragment without its head leaves behind it") == (12, 90_000)
    assert slices_digest((said,), codec=codec) == slices_digest((), codec=codec)
    assert b"\0\0" not in said


def test_other_units_are_no_tags() -> None:
    assert read_tag(b"\x65" + b"slice") is read_tag(b"") is read_tag(b"\x06\x05\x04abcd\x80") is None


def test_a_tag_stands_behind_the_parameter_sets() -> None:
    said = tag(0, 0, "h264")
    assert tagged([b"\x67sps", b"\x68pps", b"\x65slice"], said, "h264") == [b"\x67sps", b"\x68pps", said, b"\x65slice"]
    assert tagged([b"\x41slice"], said, "h264") == [said, b"\x41slice"]

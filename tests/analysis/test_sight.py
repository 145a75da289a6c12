"""What a camera's ``detect`` asks for, as plain values."""

from __future__ import annotations

from pathlib import Path

from nvr.analysis.sight import Sight, sight_of
from nvr.config import Detect


def test_a_camera_that_is_off_has_no_sight() -> None:
    assert sight_of(Detect(mode="off")) is None


def test_the_keys_of_detect_arrive() -> None:
    detect = Detect(mode="objects", labels=("dog",), min_score=0.6, model=Path(__file__))
    assert sight_of(detect) == Sight("objects", ("dog",), 0.6, Path(__file__))

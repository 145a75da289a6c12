"""Pictures in, observations out; the parts are tested by themselves, here that they are joined."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from nvr.analysis.events import Opened
from nvr.analysis.observer import Models, Observation, Observer
from nvr.analysis.sight import Sight
from nvr.clock import EPOCH
from nvr.errors import ModelError
from nvr.model import Frame
from tests.analysis.test_detector import write_model
from tests.fakes.slots import scene

PERSON = ((16.0, 16.0, 8.0, 16.0, {"person": 0.9}),)


def observed(observer: Observer, moving: int) -> list[Observation]:
    """A still scene of three seconds, then one with a moving square, five pictures a second."""
    pictures = [scene(1)[0]] * 15 + scene(moving)
    return [
        observer.observe(Frame(i420, i420.shape[1], i420.shape[0] * 2 // 3, EPOCH + number * STEP, 0, number, 1))
        for number, i420 in enumerate(pictures)
    ]


STEP = timedelta(seconds=0.2)


def test_the_detector_is_asked_only_when_something_moves(tmp_path: Path) -> None:
    sight = Sight(labels=("person",), model=write_model(tmp_path / "model.onnx", PERSON))
    seen = observed(Observer(sight, Models()), moving=5)
    assert all(each.detections is None and each.tracks is None for each in seen[:15])
    assert [each.label for each in seen[-1].detections or ()] == ["person"]


def test_motion_alone_needs_no_model() -> None:
    seen = observed(Observer(Sight("motion", ()), Models()), moving=5)
    assert [type(action) for each in seen for action in each.actions][:1] == [Opened]
    assert all(each.detections is None for each in seen)


def test_an_unknown_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="zebra"):
        Observer(Sight(labels=("zebra",), model=write_model(tmp_path / "model.onnx")), Models())

"""A chosen model travels to the analyzer, and is a key by which it is loaded once."""

from __future__ import annotations

import pickle
from pathlib import Path

from nvr.analysis.choice import ModelChoice


def test_a_choice_pickles_and_is_a_key() -> None:
    choice = ModelChoice(Path("m.onnx"), "yolov5", (640, 384), classes=("person",), mean=(1, 2, 3))
    assert pickle.loads(pickle.dumps(choice)) == choice
    assert {choice: 1}[ModelChoice(Path("m.onnx"), "yolov5", (640, 384), classes=("person",), mean=(1, 2, 3))] == 1
    assert choice != ModelChoice(Path("m.onnx"))

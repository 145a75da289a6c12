"""How many channels are classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nvr.analysis.choice import ModelChoice
from nvr.analysis.detector.form import Form, examine
from nvr.analysis.detector.layout import counted
from nvr.analysis.detector.session import Session
from tests.analysis.detector.graphs import write, yolov8


@pytest.fixture
def form(tmp_path: Path) -> Form:
    path = write(tmp_path / "m.onnx", yolov8())
    return examine(Session(path), ModelChoice(path), None)


@pytest.mark.parametrize(
    ("channels", "labelled", "task", "want"),
    [
        (80, None, "", 80),
        (17, None, "", 17),
        (112, None, "", 80),
        (131, None, "", 80),
        (35, None, "segment", 3),
        (3, 3, "", 3),
        (35, 3, "", 3),
        (52, 1, "", 1),
        (13, 1, "pose", 1),
        (13, 1, "", None),
        (2, 3, "pose", None),
    ],
)
def test_classes_are_counted(form: Form, channels: int, labelled: int | None, task: str, want: int | None) -> None:
    assert counted(channels, replace(form, labelled=labelled, metadata={"task": task})) == want

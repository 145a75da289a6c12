"""What a model costs; no figure is asserted but that there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nvr.analysis.choice import ModelChoice
from nvr.cli.modelbench import drawn, measured
from tests.analysis.detector.graphs import HEIGHT, WIDTH, write, yolov8


def test_every_step_is_measured(tmp_path: Path) -> None:
    row = measured(ModelChoice(write(tmp_path / "m.onnx", yolov8())), 0.1, quiet=True)
    assert (row["layout"], row["width"], row["height"]) == ("yolov8", WIDTH, HEIGHT)
    assert row["pictures"] >= 1
    for step in ("prepare", "inference", "decode", "all"):
        assert 0 <= row[step]["median"] <= row[step]["p95"]
    assert row["all"]["median"] > 0


def test_the_drawn_picture_is_the_same_every_time() -> None:
    picture, width, height = drawn(64, 36)
    assert (picture.shape, width, height) == ((54, 64), 64, 36)
    assert np.array_equal(picture, drawn(64, 36)[0])
    assert picture[:36].std() > 5

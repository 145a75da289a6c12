"""Files that are loaded, and files that are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from nvr.analysis.detector import SQUARE_MODEL
from nvr.analysis.detector.session import Session
from nvr.errors import ModelError
from tests.analysis.detector.graphs import HEIGHT, WIDTH, save, write, yolov8


def test_tensors_and_metadata_are_told(tmp_path: Path) -> None:
    session = Session(write(tmp_path / "m.onnx", yolov8(), metadata={"task": "detect"}, open_shapes=True))
    assert list(map(str, session.inputs)) == [f"images [1, 3, {HEIGHT}, {WIDTH}]"]
    assert list(map(str, session.outputs)) == ["output0 [d0, d1, d2]"]  # not what it will be
    assert session.metadata == {"task": "detect"}


def test_an_input_that_does_not_fit_is_told(tmp_path: Path) -> None:
    session = Session(write(tmp_path / "m.onnx", yolov8()))
    with pytest.raises(ModelError, match=r"m\.onnx: the model does not run on images \[1, 3, 8, 8\] float32 \(.*Got"):
        session.run({"images": np.zeros((1, 3, 8, 8), np.float32)})


def test_a_graph_that_fails_while_it_runs_is_told(tmp_path: Path) -> None:
    node = helper.make_node("Reshape", ["images", "shape"], ["out"])
    shape = helper.make_node("Constant", [], ["shape"], value_ints=[7, 11])
    told = [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)]
    session = Session(save(tmp_path / "m.onnx", [shape, node], told, {}))
    with pytest.raises(ModelError, match="does not run"):
        session.run({"images": np.zeros((1, 3, HEIGHT, WIDTH), np.float32)})


@pytest.mark.parametrize("content", [b"", b"MZ not a model at all" * 20], ids=["empty", "rubbish"])
def test_what_is_no_model_is_refused_quietly(tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"weights\.pt: not an ONNX model that onnxruntime .* can load"):
        Session(path)
    assert capfd.readouterr() == ("", "")


def test_half_a_model_a_folder_and_nothing_are_refused(tmp_path: Path) -> None:
    half = tmp_path / "half.onnx"
    half.write_bytes(SQUARE_MODEL.read_bytes()[:1_000_000])
    with pytest.raises(ModelError, match="not an ONNX model"):
        Session(half)
    for path in (tmp_path, tmp_path / "missing.onnx"):
        with pytest.raises(ModelError, match="no such model file"):
            Session(path)

"""What is known of a model after one run on a test picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from nvr.analysis.choice import ModelChoice
from nvr.analysis.detector.form import Form, examine
from nvr.analysis.detector.session import Session
from nvr.errors import ModelError
from tests.analysis.detector.graphs import HEIGHT, WIDTH, Input, save, write, yolov8

OPEN: tuple[Input, ...] = (("images", ["batch", 3, "height", "width"], TensorProto.FLOAT),)


def examined(path: Path, size: tuple[int, int] | None = None, **given: Any) -> Form:
    return examine(Session(write(path, yolov8(), **given)), ModelChoice(path, size=size), None)


def test_shapes_that_are_open_are_learnt_by_running(tmp_path: Path) -> None:
    assert examined(tmp_path / "m.onnx", open_shapes=True).shapes == [(1, 84, 126)]


@pytest.mark.parametrize(
    ("size", "metadata", "want"),
    [
        ((WIDTH, HEIGHT), {}, (WIDTH, HEIGHT)),
        (None, {"imgsz": f"[{HEIGHT}, {WIDTH}]"}, (WIDTH, HEIGHT)),
        (None, {"imgsz": "320"}, (320, 320)),
        ((640, 384), {"imgsz": "[320, 320]"}, (640, 384)),
    ],
    ids=["configured", "metadata", "one number", "both"],
)
def test_an_open_size_comes_from_the_configuration_or_the_metadata(
    tmp_path: Path, size: tuple[int, int] | None, metadata: dict[str, str], want: tuple[int, int]
) -> None:
    form = examined(tmp_path / "m.onnx", size, inputs=OPEN, metadata=metadata)
    assert form.size == want


@pytest.mark.parametrize("imgsz", ["", "[0, -4]", "large", "[1]"])
def test_an_open_size_that_nobody_tells_is_asked_for(tmp_path: Path, imgsz: str) -> None:
    with pytest.raises(ModelError, match=r"images \[batch, 3, height, width\] leaves the size open; .*size: \[640"):
        examined(tmp_path / "m.onnx", inputs=OPEN, metadata={"imgsz": imgsz})


def test_a_size_that_the_input_does_not_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"got size \[640, 640\], but its input .* takes only \[96, 64\]; leave size"):
        examined(tmp_path / "m.onnx", (640, 640))


def test_channels_that_come_last_are_seen(tmp_path: Path) -> None:
    inputs: tuple[Input, ...] = (("images", [None, None, None, 3], TensorProto.UINT8),)
    form = examined(tmp_path / "m.onnx", (WIDTH, HEIGHT), inputs=inputs)
    assert (form.channels_last, form.size) == (True, (WIDTH, HEIGHT))
    assert not examined(tmp_path / "m.onnx").channels_last


def test_half_precision_is_widened(tmp_path: Path) -> None:
    cast = helper.make_node("Cast", ["images"], ["out"], to=TensorProto.FLOAT16)
    told = [helper.make_tensor_value_info("out", TensorProto.FLOAT16, None)]
    session = Session(save(tmp_path / "m.onnx", [cast], told, {}))
    form = examine(session, ModelChoice(tmp_path / "m.onnx"), None)
    assert form.outputs[0].dtype == "float32"
    assert 0.2 < form.outputs[0].mean() < 0.8  # the test picture has the values of a picture


def test_the_size_to_scale_to_is_the_inputs_own(tmp_path: Path) -> None:
    """D-FINE's second input is a square, so that it does not matter which number is the width."""
    nodes = [helper.make_node("Identity", [name], [f"{name}_seen"]) for name in ("orig_target_sizes", "image_shape")]
    told = [
        helper.make_tensor_value_info("orig_target_sizes_seen", TensorProto.INT64, [1, 2]),
        helper.make_tensor_value_info("image_shape_seen", TensorProto.FLOAT, [1, 2]),
    ]
    inputs: tuple[Input, ...] = (
        ("images", [1, 3, HEIGHT, WIDTH], TensorProto.FLOAT),
        ("orig_target_sizes", [1, 2], TensorProto.INT64),
        ("image_shape", [1, 2], TensorProto.FLOAT),
    )
    form = examine(Session(save(tmp_path / "m.onnx", nodes, told, {}, inputs)), ModelChoice(tmp_path / "m.onnx"), None)
    assert [each.tolist() for each in form.outputs] == [[[WIDTH, WIDTH]], [[HEIGHT, WIDTH]]]

"""Every layout is recognised by the rule that may, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from onnx import TensorProto

from nvr.analysis.choice import LayoutName
from nvr.analysis.detector.recognition import LAYOUTS
from nvr.errors import ModelError
from tests.analysis.detector import graphs
from tests.analysis.detector.graphs import BOX, COCO, HEIGHT, NAMES, SCORE, WIDTH, Array, Input, made, named, seen

SHAPES, TRIED, NAMED, WRITTEN = "shapes", "shapes and a test picture", "names of inputs and outputs", "metadata"
ULTRALYTICS = {"author": "Ultralytics", "task": "detect", "stride": "32", "names": named(NAMES)}
DARKNET = ("082_convolutional", "094_convolutional", "106_convolutional")
SIZES: tuple[Input, ...] = (graphs.PICTURE, ("orig_target_sizes", [1, 2], TensorProto.INT64))
SHAPE: tuple[Input, ...] = (
    ("input_1", [None, 3, HEIGHT, WIDTH], TensorProto.FLOAT),
    ("image_shape", [1, 2], TensorProto.FLOAT),
)
HF: tuple[Input, ...] = (("pixel_values", ["batch", "channels", HEIGHT, WIDTH], TensorProto.FLOAT),)
TF: tuple[Input, ...] = (("image_tensor:0", [1, HEIGHT, WIDTH, 3], TensorProto.UINT8),)
RGB3: tuple[Input, ...] = (("image", [3, HEIGHT, WIDTH], TensorProto.FLOAT),)
Case = tuple[str, str, dict[str, Array], dict[str, Any]]
CASES: list[Case] = [
    ("yolov8", SHAPES, graphs.yolov8(), {}),
    ("yolov8", WRITTEN, graphs.yolov8(3), {"metadata": ULTRALYTICS}),
    ("yolov8", WRITTEN, graphs.yolov8(3), {"metadata": {**ULTRALYTICS, "end2end": "False", "head": "v10Detect"}}),
    ("yolov8", WRITTEN, graphs.yolov8(3, 32), {"metadata": {**ULTRALYTICS, "task": "segment"}}),
    ("yolov8", WRITTEN, graphs.yolov8(1, 51), {"metadata": {**ULTRALYTICS, "task": "pose", "names": "{0: 'person'}"}}),
    ("yolov8", SHAPES, graphs.yolov8(3), {"metadata": {"names": "['person', 'car', 'truck']"}}),
    ("yolov8", SHAPES, {"o": graphs.yolov8()["output0"].transpose(0, 2, 1)}, {}),
    ("yolov8", "own metadata", graphs.yolov8(places=77), {"metadata": {"layout": "yolov8"}}),
    ("nanodet-boxes", "own metadata", graphs.yolov8(), {"metadata": {"source": "NanoDet", "layout": "yolov8"}}),
    ("yolo-end2end", WRITTEN, graphs.end2end(), {"metadata": {**ULTRALYTICS, "end2end": "True"}}),
    ("yolo-end2end", WRITTEN, graphs.end2end(), {"metadata": {**ULTRALYTICS, "args": "{'nms': True}"}}),
    ("yolo-end2end", WRITTEN, graphs.end2end(), {"metadata": ULTRALYTICS}),
    ("yolo-end2end", WRITTEN, graphs.end2end(32), {"metadata": {**ULTRALYTICS, "task": "segment", "end2end": "True"}}),
    ("yolo-end2end", TRIED, graphs.end2end(), {"metadata": {"names": named(NAMES)}}),
    ("ultralytics-rtdetr", WRITTEN, graphs.rtdetr_rows(), {"metadata": {**ULTRALYTICS, "head": "RTDETRDecoder"}}),
    ("ultralytics-rtdetr", TRIED, graphs.rtdetr_rows(), {"metadata": {"names": named(NAMES)}}),
    ("rtdetr-scores", WRITTEN, graphs.rtdetr_scores(3), {"metadata": {**ULTRALYTICS, "head": "RTDETRDecoder"}}),
    ("rtdetr-scores", WRITTEN, graphs.rtdetr_scores(3), {"metadata": ULTRALYTICS}),
    ("rtdetr-scores", SHAPES, graphs.rtdetr_scores(), {}),
    ("yolov5", SHAPES, graphs.objectness(), {}),
    ("yolov5", WRITTEN, graphs.objectness(3), {"metadata": {"stride": "32", "names": named(NAMES)}}),
    ("yolov6", TRIED, graphs.objectness(anchors=1, sure=1), {}),
    ("yolov7-end2end", SHAPES, graphs.v7_end2end(), {"metadata": {"names": named(NAMES)}}),
    ("yolov3-heads", NAMED, graphs.heads(exponential=True, names=DARKNET), {}),
    ("yolov5-heads", WRITTEN, graphs.heads(3, exponential=False, order="anchors"), {"metadata": ULTRALYTICS}),
    ("yolov3-scores", NAMED, graphs.v3_scores(), {}),
    ("yolov3-nms", NAMED, graphs.v3_nms(), {"inputs": SHAPE}),
    ("yolox", TRIED, graphs.yolox(), {}),
    ("yolox-decoded", TRIED, graphs.objectness(anchors=1), {}),
    ("nanodet", SHAPES, graphs.nanodet(), {}),
    ("nanodet", SHAPES, graphs.nanodet(side=11), {}),
    ("nanodet", SHAPES, graphs.nanodet(3), {"metadata": {"names": named(NAMES)}}),
    ("nanodet-plus", SHAPES, graphs.nanodet(plus=True), {}),
    ("tf-ssd", NAMED, graphs.tensorflow(suffix=":0"), {"inputs": TF, "classes": "coco"}),
    ("torchvision", NAMED, graphs.labelled(3, square=False, batch=False), {"inputs": RGB3, "classes": "coco"}),
    ("rtmdet", NAMED, graphs.rtmdet(), {"classes": "coco"}),
    ("d-fine", NAMED, graphs.labelled(square=True, batch=True), {"inputs": SIZES, "classes": "coco"}),
    ("hf-detr", NAMED, graphs.queries("pred_boxes", "logits"), {"inputs": HF}),
    ("rf-detr", NAMED, graphs.queries("dets", "labels", 91, 3), {}),
    ("rf-detr", NAMED, graphs.queries("dets", "labels", 4), {"classes": ("a", "b", "car")}),
    ("rf-detr", NAMED, graphs.queries("dets", "labels", 3), {"classes": ("a", "b", "car")}),
]


@pytest.mark.parametrize("open_shapes", [False, True], ids=["shapes", "open shapes"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1]}")
def test_a_layout_is_recognised_and_its_box_found(tmp_path: Path, case: Case, open_shapes: bool) -> None:
    layout, rule, outputs, given = case
    model = made(tmp_path / "m.onnx", outputs, {**given, "open_shapes": open_shapes})
    assert (model.recognised.layout.name, model.recognised.rule) == (layout, rule)
    ((label, score, corners),) = seen(model)
    assert corners == pytest.approx(BOX, abs=0.01)
    assert score == pytest.approx(SCORE, abs=1e-5)
    names = given.get("metadata", {}).get("names", "")
    assert label == ("truck" if "truck" in names else "person" if "person" in names else "car")


def test_every_layout_has_a_case_and_a_word_in_the_configuration() -> None:
    assert set(get_args(LayoutName)) == set(LAYOUTS)
    assert {case[0] for case in CASES} | {"yolov7-heads"} == set(LAYOUTS)


def test_the_configuration_goes_before_everything(tmp_path: Path) -> None:
    outputs = {"output0": np.zeros((1, 300, 6), np.float32)}
    given = {"metadata": {**ULTRALYTICS, "head": "RTDETRDecoder", "layout": "ultralytics-rtdetr"}}
    model = made(tmp_path / "m.onnx", outputs, given, layout="yolo-end2end")
    assert (model.recognised.layout.name, model.recognised.rule) == ("yolo-end2end", "configuration")
    model = made(tmp_path / "m.onnx", outputs, given)
    assert (model.recognised.layout.name, model.recognised.rule) == ("ultralytics-rtdetr", "own metadata")


def test_names_go_before_ultralytics_metadata(tmp_path: Path) -> None:
    outputs = graphs.queries("pred_boxes", "logits", 3)
    assert made(tmp_path / "m.onnx", outputs, {"metadata": ULTRALYTICS}).recognised.layout.name == "hf-detr"


def test_metadata_goes_before_shapes(tmp_path: Path) -> None:
    # Without the metadata the values of the test picture tell, and they look like pixels.
    outputs = graphs.end2end()
    assert made(tmp_path / "m.onnx", outputs, {"classes": NAMES}).recognised.layout.name == "yolo-end2end"
    model = made(tmp_path / "m.onnx", outputs, {"metadata": {**ULTRALYTICS, "head": "RTDETRDecoder"}})
    assert model.recognised.layout.name == "ultralytics-rtdetr"


def test_a_foreign_word_in_the_metadata_says_nothing(tmp_path: Path) -> None:
    assert made(tmp_path / "m.onnx", graphs.yolov8(), {"metadata": {"layout": "NCHW"}}).recognised.rule == SHAPES


REFUSED: list[tuple[str, dict[str, Array], dict[str, Any], dict[str, Any], str]] = [
    (
        "nothing fits",
        {"logits": np.zeros((1, 1000), np.float32)},
        {},
        {},
        r"layout is not known: inputs images \[1, 3, 64, 96\]; outputs logits \[1, 1000\]; no names of classes;",
    ),
    (
        "two fit",
        {"output0": np.zeros((1, 300, 6), np.float32)},
        {"metadata": {"names": named(NAMES)}},
        {},
        r"may be laid out as yolo-end2end or ultralytics-rtdetr: .*\[1, 300, 6\].*layout: yolo-end2end\}",
    ),
    (
        "heads without a word",
        graphs.heads(exponential=True),
        {},
        {},
        r"may be laid out as yolov3-heads or yolov5-heads or yolov7-heads: .*o32 \[1, 255, 2, 3\]",
    ),
    (
        "configured wrongly",
        graphs.yolov8(),
        {},
        {"layout": "yolov5"},
        r"the configuration says layout yolov5, which is \[1, 3 x cells, 5 \+ classes\], but .*\[1, 84, 126\]",
    ),
    (
        "names and other shapes",
        {"logits": np.zeros((1, 7), np.float32), "pred_boxes": np.zeros((1, 7), np.float32)},
        {},
        {},
        "says layout hf-detr, which is",
    ),
    ("rotated", graphs.yolov8(3), {"metadata": {**ULTRALYTICS, "task": "obb"}}, {}, "task 'obb' tells of no upright"),
    ("names missing", graphs.yolov8(3), {}, {}, r"layout is not known: .*\[1, 7, 126\]; no names of classes.*classes"),
    ("names too few", graphs.yolov8(4), {"metadata": ULTRALYTICS}, {}, "names"),
    ("names too few", graphs.yolov8(4), {"classes": NAMES}, {"layout": "yolov8"}, "has 4 classes, but 3 names"),
    ("softmax", graphs.queries("pred_boxes", "logits", 92), {}, {}, "has 92 classes, not COCO's 80, and does not say"),
    ("unnamed rows", graphs.rtmdet(), {}, {}, "does not say what its classes are called; .*classes: coco"),
    (
        "no picture",
        graphs.yolov8(),
        {"inputs": (("x", [1, 10], TensorProto.FLOAT),)},
        {},
        r"want one colour picture as input, .*got x \[1, 10\]",
    ),
    ("batch", graphs.yolov8(), {"inputs": (("x", [4, 3, 64, 96], TensorProto.FLOAT),)}, {}, "with a batch of 1"),
    ("grey", graphs.yolov8(), {"inputs": (("x", [1, 1, 64, 96], TensorProto.FLOAT),)}, {}, "want one colour picture"),
    (
        "two pictures",
        graphs.yolov8(),
        {"inputs": (graphs.PICTURE, ("right", [1, 3, 64, 96], TensorProto.FLOAT))},
        {},
        r"want one picture of bytes or floats as input, got images \[1, 3, 64, 96\], right",
    ),
    (
        "whole numbers",
        graphs.yolov8(),
        {"inputs": (("x", [1, 3, 64, 96], TensorProto.INT32),)},
        {},
        r"want one picture of bytes or floats as input, got x \[1, 3, 64, 96\] tensor\(int32\)",
    ),
    (
        "white unknown",
        graphs.tensorflow(),
        {"inputs": (("image_tensor", [1, HEIGHT, WIDTH, 3], TensorProto.FLOAT),), "classes": "coco"},
        {},
        "does not say what white is; .*scale: 1",
    ),
]


@pytest.mark.parametrize(
    ("outputs", "given", "choice", "told"), [pytest.param(*each[1:], id=each[0]) for each in REFUSED]
)
def test_what_is_not_sure_is_refused(
    tmp_path: Path, outputs: dict[str, Array], given: dict[str, Any], choice: dict[str, Any], told: str
) -> None:
    with pytest.raises(ModelError, match=rf"mine\.onnx: .*{told}"):
        made(tmp_path / "mine.onnx", outputs, given, **choice)


@pytest.mark.parametrize("order", ["channels", "anchors", "last", "cells"])
@pytest.mark.parametrize(("layout", "exponential"), [("yolov3-heads", True), ("yolov5-heads", False)])
def test_heads_of_any_order_are_read(tmp_path: Path, layout: str, exponential: bool, order: str) -> None:
    outputs = graphs.heads(exponential=exponential, order=order)
    model = made(tmp_path / "m.onnx", outputs, {}, layout=layout)
    ((_, score, corners),) = seen(model)
    assert corners == pytest.approx(BOX, abs=0.01)
    assert score == pytest.approx(SCORE, abs=1e-5)


def test_numbers_of_half_precision_are_read(tmp_path: Path) -> None:
    inputs: tuple[Input, ...] = (("images", [1, 3, HEIGHT, WIDTH], TensorProto.FLOAT16),)
    outputs = {"output0": graphs.yolov8()["output0"].astype(np.float16)}
    model = made(tmp_path / "m.onnx", outputs, {"inputs": inputs})
    assert model.preparation.dtype == "float16"
    assert seen(model) == [("car", SCORE, BOX)]


Make = Callable[[int], dict[str, Array]]


@pytest.mark.parametrize(
    ("layout", "make"),
    [("yolov8", graphs.yolov8), ("yolov5", graphs.objectness), ("rtdetr-scores", graphs.rtdetr_scores)],
)
def test_cocos_names_are_taken_only_for_eighty_classes(tmp_path: Path, layout: str, make: Make) -> None:
    assert len(made(tmp_path / "m.onnx", make(COCO), {}, layout=layout).names) == COCO
    with pytest.raises(ModelError, match="has 79 classes, not COCO's 80"):
        made(tmp_path / "m.onnx", make(79), {}, layout=layout)

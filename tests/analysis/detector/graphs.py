"""Small ONNX files: each sees the same in every picture, laid out as the models of one family lay it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from nvr.analysis.choice import ModelChoice
from nvr.analysis.detector import OnnxDetector, OnnxModel

Array = NDArray[Any]
Column = tuple[float, float, float, float, dict[str, float]]
"""Centre, width and height in input pixels, and scores by label."""
SIZE, CELLS = 32, 16 + 4 + 1
"""Of ``write_model``: an input of 32 x 32."""
NAMES = ("person", "car", "truck")
WIDTH, HEIGHT = 96, 64
"""Of the other models."""
STRIDES = (8, 16, 32)
COCO = 80
LEFT, TOP, RIGHT, BOTTOM = BOX = (16.0, 12.0, 48.0, 60.0)
"""What they see, in input pixels."""
CX, CY, W, H = (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2, RIGHT - LEFT, BOTTOM - TOP
SCORE = 0.75
KIND = 2
"""The class of it: car, where the classes are COCO's."""
_ANCHORS = {8: (10, 13), 16: (30, 61), 32: (116, 90)}
Input = tuple[str, list[int | str | None], int]
PICTURE: Input = ("images", [1, 3, HEIGHT, WIDTH], TensorProto.FLOAT)


def write(
    path: Path,
    outputs: Mapping[str, Array],
    *,
    inputs: tuple[Input, ...] = (PICTURE,),
    metadata: Mapping[str, str] | None = None,
    open_shapes: bool = False,
) -> Path:
    """A model whose outputs are always these. ``open_shapes``: it does not say how large they are."""
    nodes = [] if not open_shapes else _nothing(inputs[0][0])
    for name, value in outputs.items():
        given = numpy_helper.from_array(np.asarray(value))
        nodes.append(helper.make_node("Constant", [], [f"{name}_fixed" if open_shapes else name], value=given))
        if open_shapes:
            nodes += [
                helper.make_node("Constant", [], [f"{name}_told"], value_ints=list(np.shape(value))),
                helper.make_node("Add", [f"{name}_told", "nothing"], [f"{name}_shape"]),
                helper.make_node("Reshape", [f"{name}_fixed", f"{name}_shape"], [name], allowzero=1),
            ]
    told = [
        helper.make_tensor_value_info(
            name,
            helper.np_dtype_to_tensor_dtype(np.asarray(value).dtype),
            [f"d{n}" for n in range(np.ndim(value))] if open_shapes else list(np.shape(value)),
        )
        for name, value in outputs.items()
    ]
    return save(path, nodes, told, metadata or {}, inputs)


def _nothing(picture: str) -> list[onnx.NodeProto]:
    """A zero that nobody knows before the picture is there."""
    return [
        helper.make_node("Cast", [picture], ["level"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMin", ["level"], ["darkest"], keepdims=0),
        helper.make_node("Sub", ["darkest", "darkest"], ["zero"]),
        helper.make_node("Cast", ["zero"], ["nothing"], to=TensorProto.INT64),
    ]


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    outputs: list[onnx.ValueInfoProto],
    metadata: Mapping[str, str],
    inputs: tuple[Input, ...] = (PICTURE,),
) -> Path:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape, kind in inputs],
        outputs,
        [numpy_helper.from_array(np.zeros(1, np.float32), "unused")],  # onnxruntime warns of such a thing
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, dict(metadata))
    path.write_bytes(model.SerializeToString())
    return path


def made(path: Path, outputs: Mapping[str, Array], given: Mapping[str, Any] = {}, **choice: Any) -> OnnxModel:
    """A model of these outputs, loaded. ``given``: inputs, metadata, open_shapes, classes."""
    written = {name: value for name, value in given.items() if name != "classes"}
    return OnnxModel(ModelChoice(write(path, outputs, **written), **({"classes": given.get("classes")} | choice)))


def seen(model: OnnxModel, least: float = 0.45) -> list[tuple[str, Any, Any]]:
    """Label, score and corners in input pixels of what a model sees in a grey picture of the input's size."""
    picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    return [
        (
            each.label,
            each.score,
            (each.box.left * WIDTH, each.box.top * HEIGHT, each.box.right * WIDTH, each.box.bottom * HEIGHT),
        )
        for each in OnnxDetector(model, min_score=least).detect(picture, WIDTH, HEIGHT)
    ]


def write_model(
    path: Path,
    columns: tuple[Column, ...] = (),
    *,
    names: tuple[str, ...] = NAMES,
    input_name: str = "images",
    output_shape: tuple[int, ...] | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """A model laid out as the shipped one, 32 x 32, that sees the same in every picture."""
    output = np.zeros((1, 4 + len(names), CELLS), np.float32)
    for index, (cx, cy, width, height, scores) in enumerate(columns):
        output[0, :4, index] = cx, cy, width, height
        for label, score in scores.items():
            output[0, 4 + names.index(label), index] = score
    if output_shape is not None:
        output = np.zeros(output_shape, np.float32)
    if metadata is None:
        metadata = {"names": named(names), "source": "made in a test after nanodet"}
    picture: Input = (input_name, [1, 3, SIZE, SIZE], TensorProto.FLOAT)
    return write(path, {"output0": output}, inputs=(picture,), metadata=metadata)


def named(names: tuple[str, ...] = NAMES) -> str:
    """Names as Ultralytics writes them into the metadata."""
    return repr(dict(enumerate(names)))


def cells(strides: tuple[int, ...] = STRIDES) -> list[tuple[int, int, int]]:
    """Stride, column and row of each cell of the usual input."""
    return [
        (stride, column, row)
        for stride in strides
        for row in range(-(-HEIGHT // stride))
        for column in range(-(-WIDTH // stride))
    ]


def logit(value: float) -> float:
    return float(np.log(value / (1 - value)))


def scores(count: int, kind: int = KIND, score: float = SCORE, other: float = 0.0) -> Array:
    row = np.full(count, other, np.float32)
    row[min(kind, count - 1)] = score
    return row


def yolov8(count: int = COCO, extra: int = 0, places: int | None = None) -> dict[str, Array]:
    output = np.zeros((1, 4 + count + extra, len(cells()) if places is None else places), np.float32)
    output[0, :4, 5] = CX, CY, W, H
    output[0, 4 : 4 + count, 5] = scores(count)
    output[0, 4 + count :, :] = 0.99  # what is after the classes is none
    return {"output0": output}


def end2end(extra: int = 0) -> dict[str, Array]:
    output = np.zeros((1, 300, 6 + extra), np.float32)
    output[0, 1, :6] = *BOX, SCORE, KIND
    return {"output0": output}


def v7_end2end() -> dict[str, Array]:
    return {"output": np.array([[0, *BOX, KIND, SCORE]], np.float32)}


def objectness(count: int = COCO, anchors: int = 3, sure: float = 0.9) -> dict[str, Array]:
    """YOLOv5 with three anchors; with one, YOLOv6 (``sure`` 1) and YOLOX after decoding."""
    output = np.zeros((1, anchors * len(cells()), 5 + count), np.float32)
    output[0, :, :4], output[0, :, 4] = (60, 30, 4, 4), sure if sure == 1 else 0.01
    output[0, 7] = [CX, CY, W, H, sure, *scores(count, score=SCORE / sure)]
    return {"output": output}


def yolox(count: int = COCO) -> dict[str, Array]:
    output = np.zeros((1, len(cells()), 5 + count), np.float32)
    place = cells().index((16, 3, 1))
    output[0, place, :4] = CX / 16 - 3, CY / 16 - 1, np.log(W / 16), np.log(H / 16)
    output[0, place, 4:] = [0.9, *scores(count, score=SCORE / 0.9)]
    return {"output": output}


def nanodet(count: int = COCO, side: int = 8, *, plus: bool = False) -> dict[str, Array]:
    """Distances are whole strides, so that each is sure; of the cell whose centre is at 24, 24 (Plus: 16, 16)."""
    all_cells = cells((*STRIDES, 64) if plus else STRIDES)
    output = np.zeros((1, len(all_cells), count + 4 * side), np.float32)
    place, x, y = (all_cells.index((16, 1, 1)), 16, 16) if plus else (all_cells.index((16, 1, 1)), 24, 24)
    output[0, place, :count] = scores(count)
    for edge, distance in enumerate(((x - LEFT) / 16, (y - TOP) / 16, (RIGHT - x) / 16, (BOTTOM - y) / 16)):
        whole, part = int(distance), distance - int(distance)
        row = np.full(side, -80.0)
        row[whole] = np.log(1 - part) if part < 1 else -80
        if part > 0:
            row[whole + 1] = np.log(part)
        output[0, place, count + edge * side : count + (edge + 1) * side] = row
    return {"output": output}


def heads(
    count: int = COCO, *, exponential: bool, order: str = "channels", names: tuple[str, ...] = ("o32", "o16", "o8")
) -> dict[str, Array]:
    """YOLOv3's and YOLOv5's three heads, coarsest first; the box is the first anchor's of stride 32, or of 16."""
    made: dict[str, Array] = {}
    for name, stride in zip(names, (32, 16, 8), strict=False):
        columns, rows = WIDTH // stride, HEIGHT // stride
        head = np.full((3, rows, columns, 5 + count), -9.0, np.float32)
        if stride == 16:
            column, row, (width, height) = int(CX // 16), int(CY // 16), _ANCHORS[16]
            if exponential:
                places = logit(CX / 16 - column or 1e-6), logit(CY / 16 - row)
                sizes = np.log(W / width), np.log(H / height)
            else:
                places = logit((CX / 16 - column + 0.5) / 2), logit((CY / 16 - row + 0.5) / 2)
                sizes = logit(np.sqrt(W / width) / 2), logit(np.sqrt(H / height) / 2)
            head[0, row, column] = [*places, *sizes, logit(0.9), *scores(count, score=logit(SCORE / 0.9), other=-9)]
        made[name] = np.asarray(_ORDERS[order](head)[np.newaxis], np.float32)
    return made


_ORDERS: dict[str, Callable[[Array], Array]] = {
    "channels": lambda head: head.transpose(0, 3, 1, 2).reshape(-1, *head.shape[1:3]),
    "anchors": lambda head: head,
    "last": lambda head: head.transpose(1, 2, 0, 3).reshape(*head.shape[1:3], -1),
    "cells": lambda head: head.transpose(1, 2, 0, 3),
}


def v3_scores(count: int = COCO) -> dict[str, Array]:
    classes, boxes = np.zeros((378, count), np.float32), np.zeros((378, 4), np.float32)
    classes[9], boxes[9] = scores(count), (CX / WIDTH, CY / HEIGHT, W / WIDTH, H / HEIGHT)
    return {"classes": classes, "boxes": boxes}


def v3_nms() -> dict[str, Array]:
    boxes, sure = np.zeros((1, 378, 4), np.float32), np.zeros((1, COCO, 378), np.float32)
    boxes[0, 9], sure[0, :, 9] = (TOP, LEFT, BOTTOM, RIGHT), scores(COCO)
    kept = np.array([[[0, KIND, 9], [-1, -1, -1]]], np.int32)
    return {"yolonms_layer_1/ExpandDims_1:0": boxes, "yolonms_layer_1/ExpandDims_3:0": sure, "kept": kept}


def labelled(kind: int = KIND, *, square: bool, batch: bool) -> dict[str, Array]:
    """Labels, boxes and scores, of D-FINE (in a square as wide as the input) or torchvision (in input pixels)."""
    stretch = WIDTH / HEIGHT if square else 1
    rows: dict[str, Array] = {
        "labels": np.array([kind, 0], np.int64),
        "boxes": np.array([(LEFT, TOP * stretch, RIGHT, BOTTOM * stretch), (0, 0, 1, 1)], np.float32),
        "scores": np.array([SCORE, 0.1], np.float32),
    }
    return {name: value[np.newaxis] if batch else value for name, value in rows.items()}


def queries(boxes: str, logits: str, count: int = COCO, kind: int = KIND) -> dict[str, Array]:
    """Boxes in fractions and logits, of Hugging Face's and RF-DETR's exports."""
    places, classes = np.full((1, 300, 4), 0.1, np.float32), np.full((1, 300, count), -9.0, np.float32)
    places[0, 4] = CX / WIDTH, CY / HEIGHT, W / WIDTH, H / HEIGHT
    classes[0, 4] = scores(count, kind, logit(SCORE), -9)
    return {logits: classes, boxes: places}


def rtdetr_rows() -> dict[str, Array]:
    output = np.zeros((1, 300, 6), np.float32)
    output[0, :, :4] = 0.5
    output[0, 4] = CX / WIDTH, CY / HEIGHT, W / WIDTH, H / HEIGHT, SCORE, KIND
    return {"output0": output}


def rtdetr_scores(count: int = COCO) -> dict[str, Array]:
    output = np.zeros((1, 300, 4 + count), np.float32)
    output[0, 4] = [CX / WIDTH, CY / HEIGHT, W / WIDTH, H / HEIGHT, *scores(count)]
    return {"output0": output}


def tensorflow(prefix: str = "detection_", suffix: str = "") -> dict[str, Array]:
    boxes = np.zeros((1, 100, 4), np.float32)
    boxes[0, 0] = TOP / HEIGHT, LEFT / WIDTH, BOTTOM / HEIGHT, RIGHT / WIDTH
    sure, classes = np.full((1, 100), 0.9, np.float32), np.ones((1, 100), np.float32)
    sure[0, 0], classes[0, 0] = SCORE, KIND + 1
    rows: dict[str, Array] = {"boxes": boxes, "classes": classes, "scores": sure}
    made: dict[str, Array] = {f"{prefix}{name}{suffix}": value for name, value in rows.items()}
    return made | {f"num_detections{suffix}": np.array([1], np.float32)}  # the rest is not to be looked at


def rtmdet() -> dict[str, Array]:
    dets = np.zeros((1, 20, 5), np.float32)
    dets[0, 0] = *BOX, SCORE
    labels = np.full((1, 20), -1, np.int64)
    labels[0, 0] = KIND
    return {"dets": dets, "labels": labels}

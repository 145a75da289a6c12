"""YOLO heads, one output a scale, and the other forms in which YOLOv3 is exported.

A head tells of three anchors for each cell. YOLOv3 (arXiv:1804.02767): centre sigmoid(t) + cell, size e^t x anchor.
YOLOv5 and v7: centre 2 sigmoid(t) - 0.5 + cell, size (2 sigmoid(t))^2 x anchor. The shapes are equal, so it takes
names, metadata or the configuration to tell them apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from nvr.analysis.detector import grid
from nvr.analysis.detector.finding import Ask, Decode, Found, Outputs, around, listed, sigmoid, surest
from nvr.analysis.detector.layout import Layout, counted
from nvr.analysis.detector.yolo import with_objectness

if TYPE_CHECKING:
    from nvr.analysis.detector.finding import Array
    from nvr.analysis.detector.form import Form

Anchors = dict[int, tuple[float, ...]]
"""Widths and heights in pixels by stride."""
_V3: Anchors = {8: (10, 13, 16, 30, 33, 23), 16: (30, 61, 62, 45, 59, 119), 32: (116, 90, 156, 198, 373, 326)}
_TINY: Anchors = {16: (10, 14, 23, 27, 37, 58), 32: (81, 82, 135, 169, 344, 319)}
_V7: Anchors = {8: (12, 16, 19, 36, 40, 28), 16: (36, 75, 76, 55, 72, 146), 32: (142, 110, 192, 243, 459, 401)}
_DARKNET = re.compile(r"\d+_convolutional")
_ANCHORS = 3


def _strides(form: Form) -> tuple[int, ...] | None:
    """The stride of each output; None where one is no head, or they are neither a usual nor a tiny model's."""
    strides = []
    for shape in form.shapes:
        places = {(shape[i], shape[i + 1]) for i in range(1, len(shape) - 1)} if len(shape) in (4, 5) else set()
        fits = [each for each in grid.USUAL if grid.across(form.size, each)[::-1] in places]
        if len(fits) != 1 or shape[0] != 1:
            return None
        strides.append(fits[0])
    return tuple(strides) if sorted(strides) in ([8, 16, 32], [16, 32]) else None


def _by_anchor(output: Array, rows: int, columns: int) -> Array | None:
    """A head as (anchor, row, column, channels); None where its axes are in no known order."""
    head: Array = output[0]
    shape = head.shape
    if len(shape) == 4 and shape[:3] == (_ANCHORS, rows, columns):
        return head
    if len(shape) == 4 and shape[:3] == (rows, columns, _ANCHORS):
        return np.transpose(head, (2, 0, 1, 3))
    if len(shape) == 3 and shape[1:] == (rows, columns) and shape[0] % _ANCHORS == 0:
        return np.transpose(head.reshape(_ANCHORS, -1, rows, columns), (0, 2, 3, 1))
    if len(shape) == 3 and shape[:2] == (rows, columns) and shape[2] % _ANCHORS == 0:
        return np.transpose(head.reshape(rows, columns, _ANCHORS, -1), (2, 0, 1, 3))
    return None


def _slots(form: Form) -> int | None:
    strides = _strides(form)
    if strides is None:
        return None
    channels = set()
    for output, stride in zip(form.outputs, strides, strict=True):
        columns, rows = grid.across(form.size, stride)
        head = _by_anchor(output, rows, columns)
        channels.add(0 if head is None else head.shape[3])
    (most, *others) = channels
    return counted(most - 5, form) if not others and most > 5 else None


def _is_darknet(form: Form) -> bool:
    return all(map(_DARKNET.fullmatch, form.names))


def _decoder(form: Form, anchors: Anchors, tiny: Anchors, *, exponential: bool) -> Decode:
    strides, count = _strides(form), _slots(form)
    assert strides is not None
    assert count is not None
    sizes = anchors if len(strides) == 3 else tiny
    heads = [(stride, *grid.across(form.size, stride), np.reshape(sizes[stride], (_ANCHORS, 2))) for stride in strides]

    def decode(outputs: Outputs, ask: Ask) -> Found:
        parts = [
            _read_head(_by_anchor(output, rows, columns), stride, sizes, count, ask, exponential=exponential)
            for output, (stride, columns, rows, sizes) in zip(outputs, heads, strict=True)
        ]
        return Found(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    return decode


def _read_head(
    head: Any, stride: int, sizes: Array, count: int, ask: Ask, *, exponential: bool
) -> tuple[Array, Array, Array]:
    """Corners, scores and classes of one head (anchor, row, column, channels)."""
    anchor, row, column = np.nonzero(sigmoid(head[..., 4]) >= ask.min_score)
    values = head[anchor, row, column]
    cells = np.stack([column, row], axis=1)
    if exponential:
        likely = sigmoid(values[:, :2])
        extent = np.exp(values[:, 2:4]) * sizes[anchor]
    else:
        likely = 2 * sigmoid(values[:, :2]) - 0.5
        extent = (2 * sigmoid(values[:, 2:4])) ** 2 * sizes[anchor]
    boxes = np.concatenate([(likely + cells) * stride, extent, sigmoid(values[:, 4:])], axis=1)
    places, classes, scores = with_objectness(boxes, count, ask)
    return around(boxes[places, :4]), scores, classes


def _slots_scores(form: Form) -> int | None:
    """Two lists: scores of classes, and boxes in fractions of the input."""
    classes, boxes = form.output("classes"), form.output("boxes")
    if classes is None or boxes is None or len(form.names) != 2:
        return None
    scores, corners = (form.shapes[each][-2:] for each in (classes, boxes))
    return counted(scores[1], form) if len(scores) == 2 and corners == (scores[0], 4) else None


def _decoder_scores(form: Form) -> Decode:
    classes, boxes, count = form.output("classes"), form.output("boxes"), _slots_scores(form)
    assert classes is not None
    assert boxes is not None
    assert count is not None
    size = np.array(form.size * 2, np.float32)

    def decode(outputs: Outputs, ask: Ask) -> Found:
        scores = outputs[classes].reshape(-1, outputs[classes].shape[-1])[:, :count].T
        places, numbers, sure = surest(scores, ask)
        return Found(around(outputs[boxes].reshape(-1, 4)[places] * size), sure, numbers)

    return decode


def _has_image_shape(form: Form) -> bool:
    return any(side.name.startswith("image_shape") for side in form.sides)


def _slots_nms(form: Form) -> int | None:
    """Boxes [1, n, 4], scores [1, classes, n], and which of them are kept [k, 3] or [1, k, 3]."""
    if not _has_image_shape(form) or len(form.outputs) != 3:
        return None
    boxes, scores, kept = form.shapes
    fits = len(boxes) == len(scores) == 3 and boxes[2] == 4 and scores[2] == boxes[1] and kept[-1] == 3
    return counted(scores[1], form) if fits else None


def _decoder_nms(form: Form) -> Decode:
    def decode(outputs: Outputs, ask: Ask) -> Found:
        boxes, scores, kept = outputs[0][0], outputs[1][0], outputs[2].reshape(-1, 3)
        kept = kept[(kept >= 0).all(axis=1)]
        numbers, places = kept[:, 1], kept[:, 2]
        return listed(boxes[places][:, [1, 0, 3, 2]], scores[numbers, places], numbers, ask)

    return decode


_HEADS = "[1, 3 x (5 + classes), rows, columns] for each scale"
LAYOUTS = (
    Layout(
        "yolov3-heads",
        f"{_HEADS}, names such as 082_convolutional",
        _slots,
        lambda form: _decoder(form, _V3, _TINY, exponential=True),
        named=_is_darknet,
    ),
    Layout("yolov5-heads", _HEADS, _slots, lambda form: _decoder(form, _V3, _TINY, exponential=False)),
    Layout("yolov7-heads", _HEADS, _slots, lambda form: _decoder(form, _V7, _TINY, exponential=False)),
    Layout(
        "yolov3-scores",
        "classes [n, classes], boxes [n, 4]",
        _slots_scores,
        _decoder_scores,
        named=lambda form: set(form.names) == {"classes", "boxes"},
    ),
    Layout(
        "yolov3-nms",
        "[1, n, 4], [1, classes, n], [k, 3]; a second input image_shape",
        _slots_nms,
        _decoder_nms,
        named=_has_image_shape,
        sorted_out=True,
    ),
)

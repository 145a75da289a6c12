"""YOLO's layouts whose boxes need no grid: centres and sizes in pixels, or finished rows.

Ultralytics YOLOv5u, v8 to 12 and 26, the original YOLOv5 and v7 (YOLOv3's export by Ultralytics is like these), YOLOv6,
YOLOv7's and v10's end-to-end exports, and what NanoDet's conversion here was made to look like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nvr.analysis.detector import grid
from nvr.analysis.detector.canvas import Preparation
from nvr.analysis.detector.finding import Ask, Decode, Found, Outputs, around, listed, surest
from nvr.analysis.detector.layout import MMDET_DEVIATION, MMDET_MEAN, Layout, counted

if TYPE_CHECKING:
    from nvr.analysis.detector.finding import Array
    from nvr.analysis.detector.form import Form


def first_output(form: Form, rank: int) -> tuple[int, ...] | None:
    """The shape of the first output where it is of a rank and for one picture."""
    shape = form.shapes[0]
    return shape if len(shape) == rank and (rank < 3 or shape[0] == 1) else None


def are_cells(form: Form, shape: tuple[int, ...]) -> bool:
    """Whether an output (1, a, b) tells of every cell, either way round."""
    return any(grid.strides_of(form.size, places) is not None for places in shape[1:])


def _columns(form: Form) -> tuple[int, bool] | None:
    """Channels of a box-by-column output, and whether they come first; None where there is none."""
    shape = first_output(form, 3)
    if shape is None:
        return None
    if form.metadata.get("layout") == "yolov8" or grid.strides_of(form.size, shape[2]) is not None:
        return shape[1], True  # a converted model may have other places than cells
    return (shape[2], False) if grid.strides_of(form.size, shape[1]) is not None else None


def _slots_yolov8(form: Form) -> int | None:
    found = _columns(form)
    return counted(found[0] - 4, form) if found is not None and found[0] > 4 else None


def _decoder_yolov8(form: Form) -> Decode:
    found, count = _columns(form), _slots_yolov8(form)
    assert found is not None
    assert count is not None
    first = found[1]

    def decode(outputs: Outputs, ask: Ask) -> Found:
        output = outputs[0][0] if first else outputs[0][0].T
        places, classes, scores = surest(output[4 : 4 + count], ask)
        return Found(around(output[:4, places].T), scores, classes)

    return decode


def is_converted(form: Form) -> bool:
    """Whether the file was made of NanoDet, as the shipped ones: its pictures are prepared as NanoDet's."""
    return "nanodet" in form.metadata.get("source", "").lower()


def with_objectness(rows: Array, count: int, ask: Ask) -> tuple[Array, Array, Array]:
    """Of rows box, objectness, classes: which are of something wanted, their classes and scores."""
    likely = np.flatnonzero(rows[:, 4] >= ask.min_score)  # no class is surer than 1
    some = rows[likely]
    places, classes, scores = surest((some[:, 5 : 5 + count] * some[:, 4:5]).T, ask)
    return likely[places], classes, scores


def _rows(form: Form, anchors: int) -> int | None:
    """Class numbers of rows box, objectness, classes, one for each anchor of each cell."""
    shape = first_output(form, 3)
    if shape is None or shape[2] <= 5 or shape[1] % anchors or grid.strides_of(form.size, shape[1] // anchors) is None:
        return None
    return counted(shape[2] - 5, form)


def slots_by_anchor(form: Form) -> int | None:
    """Three rows a cell: YOLOv5."""
    return _rows(form, 3)


def slots_by_cell(form: Form) -> int | None:
    """One row a cell: YOLOv6 and YOLOX."""
    return _rows(form, 1)


def decoder_of_rows(form: Form) -> Decode:
    """Rows centre, size, objectness, classes; in pixels."""
    count = counted(form.shapes[0][2] - 5, form)
    assert count is not None

    def decode(outputs: Outputs, ask: Ask) -> Found:
        places, classes, scores = with_objectness(outputs[0][0], count, ask)
        return Found(around(outputs[0][0][places, :4]), scores, classes)

    return decode


def all_sure(form: Form) -> bool:
    """Whether the objectness of every row is 1, which YOLOv6 writes where others tell how sure they are."""
    return bool((form.outputs[0][0, :, 4] == 1).all())


def finished_rows(form: Form) -> int | None:
    """Rows of six or (with masks or points) more: they do not tell how many classes there are."""
    shape = first_output(form, 3)
    if shape is None or are_cells(form, shape):
        return None
    more = form.metadata.get("task") in ("segment", "pose")
    return 0 if shape[2] == 6 or (more and shape[2] > 6) else None


def whole_classes(form: Form) -> bool:
    """Whether the sixth of each row is a whole number that can be a class."""
    classes = form.outputs[0][0][:, 5]
    return bool(np.isfinite(classes).all() and (classes >= 0).all() and (classes == np.round(classes)).all())


def _in_pixels(form: Form) -> bool:
    rows = form.outputs[0][0]
    return whole_classes(form) and (not rows.any() or bool(np.abs(rows[:, :4]).max() > 2))


def _decoder_end2end(form: Form) -> Decode:
    def decode(outputs: Outputs, ask: Ask) -> Found:
        rows = outputs[0][0]
        return listed(rows[:, :4], rows[:, 4], rows[:, 5], ask)

    return decode


def _slots_v7_end2end(form: Form) -> int | None:
    shape = first_output(form, 2)
    return 0 if shape is not None and shape[1] == 7 else None


def _decoder_v7_end2end(form: Form) -> Decode:
    def decode(outputs: Outputs, ask: Ask) -> Found:
        rows = outputs[0]
        return listed(rows[:, 1:5], rows[:, 6], rows[:, 5], ask)

    return decode


LAYOUTS = (
    Layout(
        "nanodet-boxes",
        "[1, 4 + classes, cells]",
        _slots_yolov8,
        _decoder_yolov8,
        Preparation(channels="bgr", scale=255, mean=MMDET_MEAN, deviation=MMDET_DEVIATION, border=None),
    ),
    Layout("yolov8", "[1, 4 + classes, cells]", _slots_yolov8, _decoder_yolov8),
    Layout("yolo-end2end", "[1, boxes, 6]", finished_rows, _decoder_end2end, evident=_in_pixels, sorted_out=True),
    Layout("yolov5", "[1, 3 x cells, 5 + classes]", slots_by_anchor, decoder_of_rows),
    Layout("yolov6", "[1, cells, 5 + classes], objectness 1", slots_by_cell, decoder_of_rows, evident=all_sure),
    Layout("yolov7-end2end", "[boxes, 7]", _slots_v7_end2end, _decoder_v7_end2end, sorted_out=True),
)

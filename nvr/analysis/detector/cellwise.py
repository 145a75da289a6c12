"""Layouts that tell of each cell of a grid where in it a box is: YOLOX, NanoDet and NanoDet-Plus.

YOLOX: arXiv:2107.08430. NanoDet: each side of a box is a distribution over whole strides from the cell's centre, of
which the expectation is taken (arXiv:2006.04388); the centre of NanoDet-Plus is the cell's corner.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nvr.analysis.detector import grid
from nvr.analysis.detector.canvas import Preparation
from nvr.analysis.detector.finding import Ask, Decode, Found, Outputs, around, surest
from nvr.analysis.detector.layout import MMDET_DEVIATION, MMDET_MEAN, Layout, counted
from nvr.analysis.detector.yolo import all_sure, decoder_of_rows, first_output, slots_by_cell, with_objectness

if TYPE_CHECKING:
    from nvr.analysis.detector.form import Form

_WITHIN_CELLS = 8
"""Raw places are about a cell from theirs, decoded ones anywhere in hundreds of pixels."""
_SIDES = (8, 11)
"""Numbers that tell of one side of a NanoDet box."""
_COCO = 80


def _raw(form: Form) -> bool:
    return bool(np.median(np.abs(form.outputs[0][0, :, 0])) < _WITHIN_CELLS)


def _decoded(form: Form) -> bool:
    return not _raw(form) and not all_sure(form)


def _decoder_yolox(form: Form) -> Decode:
    shape = form.shapes[0]
    strides, count = grid.strides_of(form.size, shape[1]), counted(shape[2] - 5, form)
    assert strides is not None
    assert count is not None
    cells, widths = grid.cells(form.size, strides)

    def decode(outputs: Outputs, ask: Ask) -> Found:
        rows = outputs[0][0]
        places, classes, scores = with_objectness(rows, count, ask)
        centres = (rows[places, :2] + cells[places]) * widths[places]
        sizes = np.exp(rows[places, 2:4]) * widths[places]
        return Found(around(np.concatenate([centres, sizes], axis=1)), scores, classes)

    return decode


def _nanodet(form: Form, strides: grid.Strides) -> tuple[int, int] | None:
    """Class numbers, and numbers a side."""
    shape = first_output(form, 3)
    if shape is None or shape[1] != grid.count(form.size, strides):
        return None
    wanted = _COCO if form.labelled is None else form.labelled
    return next(((wanted, side) for side in _SIDES if shape[2] == wanted + 4 * side), None)


def _slots_nanodet(form: Form) -> int | None:
    found = _nanodet(form, grid.USUAL)
    return None if found is None else found[0]


def _slots_plus(form: Form) -> int | None:
    found = _nanodet(form, (*grid.USUAL, 64))
    return None if found is None else found[0]


def _decoder_distances(form: Form, strides: grid.Strides, centre: float) -> Decode:
    found = _nanodet(form, strides)
    assert found is not None
    count, side = found
    cells, widths = grid.cells(form.size, strides)
    steps = np.arange(side, dtype=np.float32)

    def decode(outputs: Outputs, ask: Ask) -> Found:
        rows = outputs[0][0]
        places, classes, scores = surest(rows[:, :count].T, ask)
        likely = rows[places, count:].reshape(-1, 4, side)
        weights = np.exp(likely - likely.max(axis=2, keepdims=True))
        distances = (weights @ steps) / weights.sum(axis=2) * widths[places]
        middle = (cells[places] + centre) * widths[places]
        corners = np.concatenate([middle - distances[:, :2], middle + distances[:, 2:]], axis=1)
        return Found(corners, scores, classes)

    return decode


_YOLOX = Preparation(resize="letterbox-topleft", channels="bgr", scale=255)
_NANODET = Preparation(
    resize="stretch", channels="bgr", scale=255, mean=MMDET_MEAN, deviation=MMDET_DEVIATION, border=None
)
LAYOUTS = (
    Layout("yolox", "[1, cells, 5 + classes], not decoded", slots_by_cell, _decoder_yolox, _YOLOX, evident=_raw),
    Layout("yolox-decoded", "[1, cells, 5 + classes]", slots_by_cell, decoder_of_rows, _YOLOX, evident=_decoded),
    Layout(
        "nanodet",
        "[1, cells, classes + 32 or 44]",
        _slots_nanodet,
        lambda form: _decoder_distances(form, grid.USUAL, 0.5),
        _NANODET,
    ),
    Layout(
        "nanodet-plus",
        "[1, cells with stride 64, classes + 32 or 44]",
        _slots_plus,
        lambda form: _decoder_distances(form, (*grid.USUAL, 64), 0.0),
        replace(_NANODET),
    ),
)

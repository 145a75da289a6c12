"""Layouts of the DETR family, which tells of a few hundred boxes and needs no suppression: arXiv:2005.12872.

D-FINE, RT-DETR and DEIM by their own export and by Hugging Face's, RF-DETR, and Ultralytics' RT-DETR of both kinds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nvr.analysis.detector.finding import Ask, Decode, Found, Outputs, around, listed, sigmoid, surest
from nvr.analysis.detector.layout import IMAGENET_DEVIATION, IMAGENET_MEAN, STRETCHED, Layout
from nvr.analysis.detector.yolo import are_cells, finished_rows, first_output, whole_classes

if TYPE_CHECKING:
    from nvr.analysis.detector.form import Form

_MOST_QUERIES = 1000
ROWS = {"labels", "boxes", "scores"}
"""Outputs of D-FINE's own export, and of torchvision's models."""


def slots_of_rows(form: Form) -> int | None:
    """Boxes [(1,) n, 4] with a label and a score each."""
    places = [form.output(name) for name in ("labels", "boxes", "scores")]
    labels, boxes, scores = (() if place is None else form.shapes[place] for place in places)
    fits = len(boxes) > 1 and boxes[-1] == 4 and labels == scores == boxes[:-1]
    return 0 if fits and boxes[:-2] in ((), (1,)) else None


def decoder_of_labels(form: Form, size: tuple[int, int]) -> Decode:
    """Left, top, right, bottom of a picture of that size, to be brought to the input's size."""
    labels, boxes, scores = (form.output(name) for name in ("labels", "boxes", "scores"))
    assert labels is not None
    assert boxes is not None
    assert scores is not None
    factor = np.array(form.size * 2, np.float32) / np.array(size * 2, np.float32)

    def decode(outputs: Outputs, ask: Ask) -> Found:
        corners = outputs[boxes].reshape(-1, 4) * factor
        return listed(corners, outputs[scores].ravel(), outputs[labels].ravel(), ask)

    return decode


def _has_target_sizes(form: Form) -> bool:
    return set(form.names) >= ROWS and any(side.name.startswith("orig_target_sizes") for side in form.sides)


def _slots_queries(form: Form, boxes_name: str, logits_name: str) -> int | None:
    """Boxes [1, n, 4] and as many rows of logits."""
    boxes, logits = form.output(boxes_name), form.output(logits_name)
    if boxes is None or logits is None:
        return None
    places, classes = form.shapes[boxes], form.shapes[logits]
    fits = len(places) == len(classes) == 3 and places[0] == 1 and places[2] == 4 and classes[:2] == places[:2]
    return classes[2] if fits else None


def _decoder_queries(form: Form, boxes_name: str, logits_name: str) -> Decode:
    boxes, logits = form.output(boxes_name), form.output(logits_name)
    assert boxes is not None
    assert logits is not None
    size = np.array(form.size * 2, np.float32)

    def decode(outputs: Outputs, ask: Ask) -> Found:
        places, classes, scores = surest(sigmoid(outputs[logits][0]).T, ask)
        return Found(around(outputs[boxes][0][places] * size), scores, classes)

    return decode


def _slots_hf(form: Form) -> int | None:
    count = _slots_queries(form, "pred_boxes", "logits")
    return count if form.labelled in (None, count) else None


def _slots_rf(form: Form) -> int | None:
    """A model trained by its user has one number more than classes, its last: the background."""
    count = _slots_queries(form, "dets", "labels")
    return count if count is not None and form.labelled in (None, count, count - 1) else None


def _are_fractions(form: Form) -> bool:
    return bool(np.abs(form.outputs[0][0, :, :4]).max(initial=0) < 2)


def _decoder_ultralytics(form: Form) -> Decode:
    size = np.array(form.size * 2, np.float32)

    def decode(outputs: Outputs, ask: Ask) -> Found:
        rows = outputs[0][0]
        return listed(around(rows[:, :4] * size), rows[:, 4], rows[:, 5], ask)

    return decode


def _slots_scores(form: Form) -> int | None:
    """A few hundred rows, which are no cells."""
    shape = first_output(form, 3)
    if shape is None or shape[2] <= 4 or shape[1] > _MOST_QUERIES or are_cells(form, shape):
        return None
    return shape[2] - 4 if form.labelled in (None, shape[2] - 4) else None


def _decoder_scores(form: Form) -> Decode:
    size = np.array(form.size * 2, np.float32)

    def decode(outputs: Outputs, ask: Ask) -> Found:
        rows = outputs[0][0]
        places, classes, scores = surest(rows[:, 4:].T, ask)
        return Found(around(rows[places, :4] * size), scores, classes)

    return decode


LAYOUTS = (
    Layout(
        "d-fine",
        "labels [1, n], boxes [1, n, 4], scores [1, n]; a second input orig_target_sizes",
        lambda form: slots_of_rows(form) if _has_target_sizes(form) else None,
        # The size it is told is a square of the input's width.
        lambda form: decoder_of_labels(form, (form.size[0], form.size[0])),
        STRETCHED,
        named=_has_target_sizes,
        sorted_out=True,
    ),
    Layout(
        "hf-detr",
        "logits [1, n, classes], pred_boxes [1, n, 4]",
        _slots_hf,
        lambda form: _decoder_queries(form, "pred_boxes", "logits"),
        STRETCHED,
        named=lambda form: {"logits", "pred_boxes"} <= set(form.names),
        sorted_out=True,
    ),
    Layout(
        "rf-detr",
        "dets [1, n, 4], labels [1, n, classes]",
        _slots_rf,
        lambda form: _decoder_queries(form, "dets", "labels"),
        replace(STRETCHED, mean=IMAGENET_MEAN, deviation=IMAGENET_DEVIATION),
        named=lambda form: {"dets", "labels"} <= set(form.names),
        spare=True,
        sorted_out=True,
    ),
    Layout(
        "ultralytics-rtdetr",
        "[1, n, 6], boxes in fractions",
        finished_rows,
        _decoder_ultralytics,
        STRETCHED,
        evident=lambda form: _are_fractions(form) and whole_classes(form),
        sorted_out=True,
    ),
    Layout(
        "rtdetr-scores",
        "[1, n, 4 + classes], boxes in fractions",
        _slots_scores,
        _decoder_scores,
        STRETCHED,
        evident=_are_fractions,
        sorted_out=True,
    ),
)

"""Layouts that end in finished boxes with a label and a score each: TensorFlow's and torchvision's SSD, RTMDet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nvr.analysis.detector.canvas import Preparation
from nvr.analysis.detector.detr import ROWS, decoder_of_labels, slots_of_rows
from nvr.analysis.detector.finding import Ask, Decode, Found, Outputs, listed
from nvr.analysis.detector.layout import MMDET_DEVIATION, MMDET_MEAN, STRETCHED, Layout

if TYPE_CHECKING:
    from nvr.analysis.detector.form import Form

_NAMES = ("boxes", "scores", "classes")


def _tensorflow(form: Form) -> list[int] | None:
    """Where boxes, scores and classes are, with or without ``detection_`` before their names."""
    for prefix in ("detection_", ""):
        places = [form.output(prefix + name) for name in _NAMES]
        found = [place for place in places if place is not None]
        if len(found) == len(_NAMES):
            return found
    return None


def _is_tensorflow(form: Form) -> bool:
    return {f"detection_{name}" for name in _NAMES} <= set(form.names)


def _slots_tensorflow(form: Form) -> int | None:
    places = _tensorflow(form)
    if places is None:
        return None
    boxes, scores, classes = (form.shapes[place] for place in places)
    return 0 if len(boxes) == 3 and boxes[0] == 1 and boxes[2] == 4 and scores == classes == boxes[:2] else None


def _decoder_tensorflow(form: Form) -> Decode:
    places = _tensorflow(form)
    assert places is not None
    boxes, scores, classes = places
    count = form.output("num_detections")
    size = np.array([form.size[1], form.size[0]] * 2, np.float32)

    def decode(outputs: Outputs, ask: Ask) -> Found:
        kept = slice(None) if count is None else slice(max(int(outputs[count].ravel()[0]), 0))
        corners = (outputs[boxes][0][kept] * size)[:, [1, 0, 3, 2]]
        return listed(corners, outputs[scores][0][kept], outputs[classes][0][kept], ask)

    return decode


def _slots_rtmdet(form: Form) -> int | None:
    dets, labels = form.output("dets"), form.output("labels")
    if dets is None or labels is None:
        return None
    rows = form.shapes[dets]
    return 0 if len(rows) == 3 and rows[0] == 1 and rows[2] == 5 and form.shapes[labels] == rows[:2] else None


def _decoder_rtmdet(form: Form) -> Decode:
    dets, labels = form.output("dets"), form.output("labels")
    assert dets is not None
    assert labels is not None

    def decode(outputs: Outputs, ask: Ask) -> Found:
        rows = outputs[dets][0]
        return listed(rows[:, :4], rows[:, 4], outputs[labels][0], ask)

    return decode


LAYOUTS = (
    Layout(
        "tf-ssd",
        "detection_boxes [1, n, 4], detection_scores [1, n], detection_classes [1, n]",
        _slots_tensorflow,
        _decoder_tensorflow,
        replace(STRETCHED, scale=255),
        named=_is_tensorflow,
        first=1,
        sorted_out=True,
    ),
    Layout(
        "torchvision",
        "boxes [n, 4], labels [n], scores [n]",
        lambda form: None if form.sides else slots_of_rows(form),
        lambda form: decoder_of_labels(form, form.size),
        STRETCHED,
        named=lambda form: set(form.names) >= ROWS and not form.sides,
        first=1,
        sorted_out=True,
    ),
    Layout(
        "rtmdet",
        "dets [1, n, 5], labels [1, n]",
        _slots_rtmdet,
        _decoder_rtmdet,
        Preparation(resize="letterbox-topleft", channels="bgr", scale=255, mean=MMDET_MEAN, deviation=MMDET_DEVIATION),
        named=lambda form: {"dets", "labels"} <= set(form.names),
        sorted_out=True,
    ),
)

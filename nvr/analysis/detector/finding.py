"""What a decoder is asked and what it answers: boxes in input pixels, with scores and classes. Pure.

A model tells of thousands of places, and nearly all hold nothing. Looking at the wanted scores alone first leaves a
handful of them for the rest of the work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Outputs = list[Array]
"""A model's outputs as it gives them, each float32 or a whole number."""

SAME_OBJECT = 0.5
"""Overlap (IoU) from which two boxes of one label are one object."""
MAX_CANDIDATES = 400


@dataclass(frozen=True, slots=True)
class Ask:
    """Which classes are wanted, as their numbers in the outputs, and from which score on."""

    classes: NDArray[np.intp]
    min_score: float


@dataclass(frozen=True, slots=True)
class Found:
    """Boxes: left, top, right, bottom in input pixels (n, 4), and for each its score and class (n)."""

    corners: Array
    scores: Array
    classes: Array


Decode = Callable[[Outputs, Ask], Found]


def surest(scores: Array, ask: Ask) -> tuple[Array, Array, Array]:
    """Of scores (classes, places): the places whose surest class is wanted and sure enough, their classes and scores.

    A bus that is also a bit of a car is no car.
    """
    best = scores[ask.classes].max(axis=0)
    places = np.flatnonzero(best >= ask.min_score)
    if places.size > MAX_CANDIDATES:
        places = places[np.argsort(best[places])[-MAX_CANDIDATES:]]
    classes = scores[:, places].argmax(axis=0)
    wanted = np.isin(classes, ask.classes)
    places, classes = places[wanted], classes[wanted]
    return places, classes, scores[classes, places]


def listed(corners: Array, scores: Array, classes: Array, ask: Ask) -> Found:
    """What a model has sorted out by itself: boxes (n, 4), one score and one class for each."""
    with np.errstate(invalid="ignore"):
        numbers = np.nan_to_num(classes, nan=-1, posinf=-1, neginf=-1).astype(np.intp)
    kept = np.flatnonzero((scores >= ask.min_score) & np.isin(numbers, ask.classes))
    if kept.size > MAX_CANDIDATES:
        kept = kept[np.argsort(scores[kept])[-MAX_CANDIDATES:]]
    return Found(corners[kept], scores[kept], numbers[kept])


def around(centres: Array) -> Array:
    """Rows centre x, centre y, width, height (n, 4) as left, top, right, bottom."""
    half = centres[:, 2:] / 2
    return np.concatenate([centres[:, :2] - half, centres[:, :2] + half], axis=1)


def sigmoid(values: Array) -> Array:
    """1 / (1 + e^-x), for any x."""
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -80, 80))))


def suppress(found: Found) -> list[int]:
    """Greedy non-maximum suppression within each class: indices to keep, best score first."""
    corners, scores = found.corners, found.scores
    rectangles = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    kept = cv2.dnn.NMSBoxesBatched(rectangles.tolist(), scores.tolist(), found.classes.tolist(), 0.0, SAME_OBJECT)
    return sorted(map(int, kept), key=lambda index: -float(scores[index]))

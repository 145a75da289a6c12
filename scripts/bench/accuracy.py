"""How well people are found and told apart: the MOTChallenge's metrics, by py-motmetrics."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import checkout  # noqa: F401
import numpy as np
from numpy.typing import NDArray
from outcome import Outcome
from sequence import Truth

from nvr.model import Box

METRICS = {
    "mota": "MOTA",
    "idf1": "IDF1",
    "precision": "precision",
    "recall": "recall",
    "num_switches": "id switches",
    "num_fragmentations": "fragmentations",
    "num_false_positives": "false boxes",
    "num_misses": "missed boxes",
}


def score(
    part: str,
    truth: Truth,
    found: Mapping[int, Sequence[tuple[int, Box]]],
    least: float = 0.5,
    reach: Mapping[str, float] = {},
) -> list[Outcome]:
    """Compare boxes with the truth of the same frames; ``least`` is the overlap (IoU) that makes a match."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies
        import motmetrics  # type: ignore[import-untyped]

        accumulator = motmetrics.MOTAccumulator(auto_id=False)
        for frame in sorted(found):
            people = truth.people.get(frame, [])
            boxes = without_ignored(truth, frame, found[frame], least)
            likeness = overlaps([each.box for each in people], [box for _, box in boxes])
            distances = np.where(likeness >= least, 1 - likeness, np.nan)
            accumulator.update([each.id for each in people], [id for id, _ in boxes], distances, frameid=frame)
        computed = motmetrics.metrics.create().compute(accumulator, metrics=list(METRICS), return_dataframe=False)
    return [
        Outcome(part, name, float(computed[metric]), (">=", reach[metric]) if metric in reach else None)
        for metric, name in METRICS.items()
    ]


def without_ignored(truth: Truth, frame: int, boxes: Sequence[tuple[int, Box]], least: float) -> list[tuple[int, Box]]:
    """Boxes without those on nobody who counts, but on somebody or something that the truth ignores."""
    ignored = truth.ignored.get(frame, [])
    if not ignored or not boxes:
        return list(boxes)
    only = [box for _, box in boxes]
    counted = overlaps(only, [each.box for each in truth.people.get(frame, [])]).max(axis=1, initial=0)
    beside = overlaps(only, ignored).max(axis=1, initial=0)
    return [boxes[i] for i in range(len(boxes)) if counted[i] >= least or beside[i] < least]


def overlaps(some: Sequence[Box], others: Sequence[Box]) -> NDArray[np.float64]:
    """Intersection over union of each with each: (some, others)."""
    one, other = _corners(some)[:, None], _corners(others)[None]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = np.prod(np.maximum(sides, 0), -1)
    union = np.prod(one[..., 2:] - one[..., :2], -1) + np.prod(other[..., 2:] - other[..., :2], -1) - shared
    return np.asarray(shared / np.maximum(union, 1e-12))


def _corners(boxes: Sequence[Box]) -> NDArray[np.float64]:
    return np.array([(box.left, box.top, box.right, box.bottom) for box in boxes], np.float64).reshape(-1, 4)

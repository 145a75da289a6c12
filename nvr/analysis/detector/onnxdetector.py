"""One camera's view of a model: which of its labels are wanted, from which score on, and where in the picture."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nvr.analysis.detector.canvas import Canvas
from nvr.analysis.detector.finding import MAX_CANDIDATES, Ask, Found, suppress
from nvr.errors import ModelError
from nvr.model import Box, Detection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nvr.analysis.detector.finding import Outputs
    from nvr.analysis.detector.onnxmodel import OnnxModel

MIN_SCORE = 0.45
"""People found and false ones per picture on the PETS09 street (4650 people, 795 pictures): 0.4 finds 93.3 % with
0.74 false, 0.45 92.5 % with 0.41, 0.5 91.3 % with 0.21."""
_MAX_DETECTIONS = 100


class Detector(Protocol):
    """What the analyzer needs of a detector."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that ``detect`` may return."""

    def detect(self, i420: NDArray[np.uint8], width: int, height: int, region: Box | None = None) -> list[Detection]:
        """What is in a picture (``nvr.model.Frame.i420``), or in a region of it, best score first."""


class OnnxDetector:
    """Looks for ``wanted`` labels (all where empty) from ``min_score`` up.

    Not for use by several threads at once. Raises ModelError for a wanted label the model does not have.
    """

    def __init__(self, model: OnnxModel, wanted: Collection[str] = (), min_score: float = MIN_SCORE) -> None:
        unknown = [label for label in wanted if label not in model.names]
        if unknown:
            raise ModelError(_unknown_labels(model, unknown))
        self._model = model
        numbers = [number for number, name in enumerate(model.by_number) if name and (not wanted or name in wanted)]
        self._ask = Ask(np.array(numbers, np.intp), min_score)
        self._canvas = Canvas(model.preparation)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the model's input, pixels."""
        return self._model.size

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self._model.by_number[number] for number in self._ask.classes)

    def detect(self, i420: NDArray[np.uint8], width: int, height: int, region: Box | None = None) -> list[Detection]:
        """See ``Detector``. ``i420`` is uint8, (height * 3 // 2, width). At most 100 detections.

        Boxes are in fractions of the whole picture, also those of a region, and cut at ``aligned(region, …)``, the part
        that was really looked at: a box that touches an edge of it within the picture is probably cut.
        """
        return self.read(self._model.infer(self.prepare(i420, width, height, region)))

    def prepare(self, i420: NDArray[np.uint8], width: int, height: int, region: Box | None = None) -> Any:
        """The first third of ``detect``: the model's input, valid until the next call."""
        return self._canvas.fill(i420, width, height, region)

    def read(self, outputs: Outputs) -> list[Detection]:
        """The last third of ``detect``: what the outputs for the picture prepared last tell."""
        found = self._sound(self._model.decode(outputs, self._ask))
        if self._model.recognised.layout.sorted_out:
            kept = [int(index) for index in np.argsort(-found.scores, kind="stable")]
        else:
            kept = suppress(found)
        return [
            Detection(
                Box(*map(float, found.corners[i])),
                self._model.by_number[found.classes[i]],
                min(float(found.scores[i]), 1.0),
            )
            for i in kept[:_MAX_DETECTIONS]
        ]

    def _sound(self, found: Found) -> Found:
        """In fractions of the picture: what is in it and no empty box, and the best where there are very many."""
        boxes = self._canvas.undo(found.corners)
        whole = np.isfinite(found.corners).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        kept = np.flatnonzero(whole)
        if kept.size > MAX_CANDIDATES:
            kept = kept[np.argsort(found.scores[kept])[-MAX_CANDIDATES:]]
        return Found(boxes[kept], found.scores[kept], found.classes[kept])


def _unknown_labels(model: OnnxModel, unknown: list[str]) -> str:
    hints = []
    for label in unknown:
        near = difflib.get_close_matches(label.lower(), model.names, n=3)
        near += [name for name in model.names if label.lower() in name and name not in near][:3]
        hints.append(f'"{label}"' + (f" (did you mean {' or '.join(near)}?)" if near else ""))
    return (
        f"{model.path.name} does not know the label {', '.join(hints)}; "
        f"its {len(model.names)} labels: {', '.join(model.names)}"
    )

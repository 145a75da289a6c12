"""Object detector: a picture in, labelled boxes out. The one module that imports the inference library.

Knows one layout, the shipped NanoDet's (see ``models/NOTICE``), and refuses every other with its shapes printed: a
model that is fed wrongly does not fail, it sees wrongly. Runs in the analyzer process on one thread; a session that
spins or uses more threads costs two to four times the CPU for the same picture.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state

from nvr.errors import ModelError
from nvr.model import Box, Detection

if TYPE_CHECKING:
    from cv2.typing import MatLike
    from numpy.typing import NDArray

_MODELS = Path(__file__).parent / "models"
SQUARE_MODEL = _MODELS / "nanodet-g-416.onnx"
WIDE_MODEL = _MODELS / "nanodet-g-416x256.onnx"
"""The same weights for 16:9 pictures, which fill hardly more than half of the square: 38 % less work."""
MIN_SCORE = 0.45
"""People found and false ones per picture on the PETS09 street (4650 people, 795 pictures): 0.4 finds 93.3 % with
0.74 false, 0.45 92.5 % with 0.41, 0.5 91.3 % with 0.21."""

# The library's exceptions have no base of their own.
_REFUSED = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented)
_MEAN = (103.53, 116.28, 123.675)
_DEVIATION = (57.375, 57.12, 58.395)
"""Blue, green, red: what the NanoDet project trains with."""
_STRIDES = (8, 16, 32)
_SAME_OBJECT = 0.5
"""Overlap (IoU) from which two boxes of one label are one object."""
_MAX_CANDIDATES = 400
_MAX_DETECTIONS = 100


def default_model(width: int, height: int) -> Path:
    """The shipped model that wastes least on pictures of this size."""
    return WIDE_MODEL if width * 256 >= height * 416 else SQUARE_MODEL


class Detector(Protocol):
    """What the analyzer needs of a detector."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that ``detect`` may return."""

    def detect(self, i420: NDArray[np.uint8], width: int, height: int) -> list[Detection]:
        """What is in a picture (``nvr.model.Frame.i420``), best score first."""


class OnnxModel:
    """A loaded ONNX file; one serves any number of ``OnnxDetector``. About 100 ms and 30 MB to load.

    Raises ModelError where the file is missing, is not ONNX, or its layout is not the one this module knows.
    """

    def __init__(self, path: Path = SQUARE_MODEL) -> None:
        self._session = _open(path)
        self.names = _check_layout(path, self._session)
        self.path = path
        height, width = self._session.get_inputs()[0].shape[2:]
        self.size: tuple[int, int] = width, height
        self._input = self._session.get_inputs()[0].name

    def infer(self, blob: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw output, (4 + labels, cells), of an input of shape (1, 3, height, width)."""
        output: NDArray[np.float32] = self._session.run(None, {self._input: blob})[0][0]
        return output


class OnnxDetector:
    """One camera's view of a model: only ``wanted`` labels (all where empty), only from ``min_score`` up.

    Not for use by several threads at once. Raises ModelError for a wanted label the model does not have.
    """

    def __init__(self, model: OnnxModel, wanted: Collection[str] = (), min_score: float = MIN_SCORE) -> None:
        unknown = [label for label in wanted if label not in model.names]
        if unknown:
            raise ModelError(_unknown_labels(model, unknown))
        self._model = model
        self._min_score = min_score
        self._classes = [index for index, name in enumerate(model.names) if not wanted or name in wanted]
        self._rows = np.array(self._classes) + 4
        self._letterbox = _Letterbox(model.size)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self._model.names[index] for index in self._classes)

    def detect(self, i420: NDArray[np.uint8], width: int, height: int) -> list[Detection]:
        """See ``Detector``. ``i420`` is uint8, (height * 3 // 2, width). At most 100 detections."""
        return self._decode(self._model.infer(self._letterbox.fill(i420, width, height)))

    def _decode(self, output: NDArray[np.float32]) -> list[Detection]:
        # Looking at the wanted rows alone first leaves a handful of 3549 columns for the rest of the work.
        best = output[self._rows].max(axis=0)
        columns = np.flatnonzero(best >= self._min_score)
        if columns.size > _MAX_CANDIDATES:
            columns = columns[np.argsort(best[columns])[-_MAX_CANDIDATES:]]
        classes = output[4:, columns].argmax(axis=0)
        sure = np.isin(classes, self._classes)  # a bus that is also a bit of a car is no car
        columns, classes = columns[sure], classes[sure]
        scores = output[4 + classes, columns]
        boxes = self._letterbox.undo(output[:4, columns])
        kept = _suppress(boxes, scores, classes)
        return [
            Detection(Box(*map(float, boxes[i])), self._model.names[classes[i]], min(float(scores[i]), 1.0))
            for i in kept[:_MAX_DETECTIONS]
            if boxes[i][2] > boxes[i][0] and boxes[i][3] > boxes[i][1]
        ]


class _Letterbox:
    """Scales pictures into the model's input, centred, and boxes back. Keeps its buffer between pictures."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._width, self._height = size
        self._blob = np.zeros((1, 3, self._height, self._width), np.float32)  # 0 is the mean colour
        self._inner = (0, 0)
        self._left = self._top = 0

    def fill(self, i420: NDArray[np.uint8], width: int, height: int) -> NDArray[np.float32]:
        """The picture as the model wants it: BGR, normalised, (1, 3, height, width); valid until the next call."""
        scale = min(self._width / width, self._height / height)
        inner = (_even(width * scale), _even(height * scale))
        if inner != self._inner:
            self._inner = inner
            self._left, self._top = (self._width - inner[0]) // 2, (self._height - inner[1]) // 2
            self._blob[:] = 0
        window = self._blob[0, :, self._top : self._top + inner[1], self._left : self._left + inner[0]]
        for plane, mean, deviation, target in zip(
            cv2.split(_small_bgr(i420, width, height, inner)), _MEAN, _DEVIATION, window, strict=True
        ):
            np.multiply(plane, np.float32(1 / deviation), out=target)
            target -= np.float32(mean / deviation)
        return self._blob

    def undo(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows cx, cy, w, h in input pixels to columns left, top, right, bottom in fractions, cut at the border."""
        cx, cy, w, h = boxes
        corners = np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1)
        corners -= np.array([self._left, self._top] * 2, np.float32)
        return np.clip(corners / np.array(self._inner * 2, np.float32), 0, 1)


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def _small_bgr(i420: NDArray[np.uint8], width: int, height: int, size: tuple[int, int]) -> MatLike:
    """The picture as BGR of ``size`` (even width, height): planes are scaled first, then coloured; 0.2 ms, not 1.5."""
    chroma = i420[height:].reshape(-1)
    half, count = (height // 2, width // 2), (height // 2) * (width // 2)
    half_size = (size[0] // 2, size[1] // 2)
    small = np.concatenate(
        [
            _scale(i420[:height], size).reshape(-1),
            _scale(chroma[:count].reshape(half), half_size).reshape(-1),
            _scale(chroma[count : 2 * count].reshape(half), half_size).reshape(-1),
        ]
    )
    return cv2.cvtColor(small.reshape(size[1] * 3 // 2, size[0]), cv2.COLOR_YUV2BGR_I420)


def _scale(plane: MatLike, size: tuple[int, int]) -> MatLike:
    """Halve while possible (fast and free of aliasing), then interpolate."""
    height, width = plane.shape
    while width >= 2 * size[0] and height >= 2 * size[1]:
        width, height = width // 2, height // 2
        plane = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)


def _suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.intp]) -> list[int]:
    """Greedy non-maximum suppression within each class: indices to keep, best score first."""
    rectangles = np.column_stack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    kept = cv2.dnn.NMSBoxesBatched(rectangles.tolist(), scores.tolist(), classes.tolist(), 0.0, _SAME_OBJECT)
    return sorted(map(int, kept), key=lambda index: -float(scores[index]))


def _open(path: Path) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise ModelError(f"{path}: no such model file; correct the path, or leave `model` out for the built-in one")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # only what is fatal: the rest comes as an exception
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (*_REFUSED, state.NoSuchFile, state.RuntimeException) as error:
        raise ModelError(
            f"{path}: not an ONNX model that onnxruntime {onnxruntime.__version__} can load ({error}); "
            "export it again as .onnx, or leave `model` out for the built-in one"
        ) from error


def _check_layout(path: Path, session: onnxruntime.InferenceSession) -> tuple[str, ...]:
    """The model's label names, or ModelError where it is not laid out as NanoDet's conversion."""
    inputs = [(each.name, each.shape, each.type) for each in session.get_inputs()]
    outputs = [(each.name, each.shape, each.type) for each in session.get_outputs()]
    metadata = session.get_modelmeta().custom_metadata_map
    names = _names(metadata.get("names", ""))
    size = inputs[0][1][2:] if len(inputs) == 1 and len(inputs[0][1]) == 4 else [None, None]
    sides = [side for side in size if isinstance(side, int) and side % 32 == 0]
    cells = sum((sides[0] // stride) * (sides[1] // stride) for stride in _STRIDES) if len(sides) == 2 else None
    wanted = (
        [("images", [1, 3, *size], "tensor(float)")],
        [("output0", [1, 4 + len(names), cells], "tensor(float)")],
    )
    if not names or (inputs, outputs) != wanted or "nanodet" not in metadata.get("source", "").lower():
        raise ModelError(
            f"{path}: this model's layout is not known: inputs {_shapes(inputs)}; outputs {_shapes(outputs)}; "
            f"{len(names)} names, source {metadata.get('source', 'not stated')!r}. Known is NanoDet: inputs images "
            "[1, 3, H, W]; outputs output0 [1, 4 + names, cells of strides 8, 16 and 32]; metadata `names`, and a "
            "`source` that says nanodet. Leave `model` out for the built-in one"
        )
    return names


def _names(text: str) -> tuple[str, ...]:
    """Ultralytics-style metadata, ``{0: 'person', 1: 'bicycle'}``, or nothing where it is not that."""
    try:
        names = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return ()
    if not isinstance(names, dict) or list(names) != list(range(len(names))):
        return ()
    return tuple(str(name) for name in names.values())


def _shapes(tensors: list[tuple[str, list[int | str], str]]) -> str:
    return ", ".join(f"{name} {shape} {kind}" for name, shape, kind in tensors)


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

"""What a model file says of itself: its tensors, its metadata, and what one run on a test picture showed."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nvr.errors import ModelError

if TYPE_CHECKING:
    from nvr.analysis.choice import ModelChoice
    from nvr.analysis.detector.finding import Outputs
    from nvr.analysis.detector.session import Session, Tensor

_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}
_OF_PICTURES = ("float32", "float16", "float64", "uint8")
SIDE_INPUTS = ("orig_target_sizes", "image_shape")
"""Second inputs that are known: the size to which boxes are to be scaled, which here is always the input's own."""


@dataclass(frozen=True)
class Form:
    """What is known of a model before its layout is."""

    picture: Tensor
    """The input that takes the picture."""
    sides: tuple[Tensor, ...]
    """The other inputs."""
    size: tuple[int, int]
    """Width and height of the picture."""
    channels_last: bool
    names: tuple[str, ...]
    """Of the outputs, without TensorFlow's ``:0``."""
    outputs: Outputs
    """Of one run on a test picture."""
    metadata: dict[str, str]
    labelled: int | None
    """How many names of classes are known."""

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of the outputs, as they came."""
        return [tuple(output.shape) for output in self.outputs]

    def output(self, name: str) -> int | None:
        """Where an output of a name is."""
        return self.names.index(name) if name in self.names else None


def examine(session: Session, choice: ModelChoice, labelled: int | None) -> Form:
    """Run a model once on a test picture. Raises ModelError for inputs that nvr cannot feed, and for an open size."""
    sides = tuple(each for each in session.inputs if each.name.split(":")[0] in SIDE_INPUTS)
    pictures = [each for each in session.inputs if each not in sides]
    unknown = any(side.type not in _TYPES for side in sides)
    if unknown or len(pictures) != 1 or _TYPES.get(pictures[0].type) not in _OF_PICTURES:
        raise ModelError(
            f"{session.path}: want one picture of bytes or floats as input, got {shown(session.inputs)}; "
            "export it again without other inputs"
        )
    picture = pictures[0]
    channels_last = _channels_last(session, picture)
    size = _size(session, picture, choice, channels_last=channels_last)
    outputs = run(session, picture, sides, size, _test_picture(picture, size, channels_last=channels_last))
    return Form(
        picture=picture,
        sides=sides,
        size=size,
        channels_last=channels_last,
        names=tuple(each.name.split(":")[0] for each in session.outputs),
        outputs=outputs,
        metadata=session.metadata,
        labelled=labelled,
    )


def run(session: Session, picture: Tensor, sides: tuple[Tensor, ...], size: tuple[int, int], blob: Any) -> Outputs:
    """All outputs of a picture (1, …), numbers of half precision widened. Raises ModelError."""
    feed = {picture.name: blob if len(picture.shape) == 4 else blob[0]}
    for side in sides:
        # One number twice, so that it does not matter which is the width: boxes come back in its fractions.
        edges = (size[1], size[0]) if side.name.startswith("image_shape") else (size[0], size[0])
        feed[side.name] = np.array([edges], _TYPES[side.type])
    outputs = session.run(feed)
    return [each.astype(np.float32) if each.dtype in (np.float16, np.float64) else each for each in outputs]


def dtype_of(picture: Tensor) -> str:
    """numpy's name of an input's type."""
    return _TYPES[picture.type]


def shown(tensors: tuple[Tensor, ...]) -> str:
    """Names and shapes for a message."""
    return ", ".join(map(str, tensors)) or "none"


def _channels_last(session: Session, picture: Tensor) -> bool:
    edges = picture.shape if len(picture.shape) == 4 else (1, *picture.shape)
    if len(edges) == 4 and (edges[0] == 1 or not isinstance(edges[0], int)):
        if edges[3] == 3 and edges[1] != 3:
            return True
        if edges[1] == 3 or not isinstance(edges[1], int):
            return False
    raise ModelError(
        f"{session.path}: want one colour picture as input, [1, 3, height, width] or [1, height, width, 3], "
        f"got {picture}; export it again with a batch of 1"
    )


def _size(session: Session, picture: Tensor, choice: ModelChoice, *, channels_last: bool) -> tuple[int, int]:
    """From the input, else the configuration, else the metadata (``imgsz``: height, width)."""
    edges = picture.shape[-3:-1] if channels_last else picture.shape[-2:]
    fixed = tuple(edge if isinstance(edge, int) and edge > 0 else None for edge in (edges[1], edges[0]))
    wanted = choice.size or _imgsz(session.metadata.get("imgsz", ""))
    if wanted is None and None in fixed:
        raise ModelError(
            f"{session.path}: its input {picture} leaves the size open; write the one it was made for into the "
            "configuration, width before height: model: {path: …, size: [640, 640]}"
        )
    width, height = (edge or other for edge, other in zip(fixed, wanted or (0, 0), strict=True))
    if choice.size is not None and choice.size != (width, height):
        raise ModelError(
            f"{session.path}: got size [{choice.size[0]}, {choice.size[1]}], but its input {picture} takes only "
            f"[{width}, {height}]; leave size out"
        )
    return width, height


def _imgsz(text: str) -> tuple[int, int] | None:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    match value:
        case [int() as height, int() as width] if width > 0 and height > 0:
            return width, height
        case int() if value > 0:
            return value, value
    return None


def _test_picture(picture: Tensor, size: tuple[int, int], *, channels_last: bool) -> Any:
    """A smooth picture, the same every time: nothing is in it, but its values are those of a picture."""
    x, y = np.meshgrid(np.linspace(0.2, 0.8, size[0]), np.linspace(0.3, 0.7, size[1]))
    plane = (x + y) / 2 * (255 if dtype_of(picture) == "uint8" else 1)
    planes = np.stack([plane] * 3, axis=2 if channels_last else 0)
    return np.ascontiguousarray(planes[np.newaxis]).astype(dtype_of(picture))

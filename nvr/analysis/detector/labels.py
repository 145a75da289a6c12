"""Names of a model's classes: from its metadata, from the configuration, or COCO's where the number says so."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nvr.errors import ModelError

if TYPE_CHECKING:
    from nvr.analysis.choice import ModelChoice

# fmt: off
COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)
# fmt: on
_HOLES = frozenset({0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
"""Numbers of COCO's original list that its data set does not use; 0 is no class."""
_REST = iter(COCO)
SPARSE = tuple("" if number in _HOLES else next(_REST) for number in range(91))
"""COCO's names by their original numbers, 1 to 90."""
Given = tuple[str, ...] | Literal["coco"] | None
_MAX_BYTES = 1_000_000
ADVICE = "write the names in the order of the model's classes into the configuration: model: {path: …, classes: […]}"


def known(choice: ModelChoice, metadata: dict[str, str]) -> Given:
    """The names that the configuration or else the metadata gives; None where neither does.

    Raises ModelError for a file of names that cannot be read.
    """
    if isinstance(choice.classes, Path):
        return _read(choice.classes)
    return choice.classes if choice.classes is not None else _literal(metadata.get("names", ""))


def by_number(path: Path, given: Given, count: int, first: int = 0, *, spare: bool = False) -> tuple[str, ...]:
    """The name of each class number of a model, empty where a number is no class.

    ``count`` is how many numbers its outputs tell of, 0 where they do not tell; ``first`` is the number of the first
    class; ``spare``: the last number may be none. Raises ModelError where names and numbers do not agree, or there are
    no names.
    """
    if isinstance(given, tuple):
        numbered = ("",) * first + given
        if count and count - len(numbered) not in ((0, 1) if spare else (0,)):
            raise ModelError(f"{path}: has {count} classes, but {len(given)} names for them; {ADVICE}")
        return numbered + ("",) * (count - len(numbered))
    if count == len(COCO) or (count == 0 and first == 0 and given == "coco"):
        return COCO
    if count == len(SPARSE) or (count == 0 and first == 1 and given == "coco"):
        return SPARSE
    if count == 0:
        raise ModelError(f"{path}: does not say what its classes are called; {ADVICE}, or classes: coco for COCO's")
    raise ModelError(f"{path}: has {count} classes, not COCO's 80, and does not say what they are called; {ADVICE}")


def _literal(text: str) -> tuple[str, ...] | None:
    """Metadata as exporters write it: ``{0: 'person', 1: 'bicycle'}`` or ``['person', 'bicycle']``."""
    try:
        names = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    match names:
        case dict() if names and [str(key) for key in names] == [str(number) for number in range(len(names))]:
            return tuple(str(name) for name in names.values())
        case list() | tuple() if names and all(isinstance(name, str) for name in names):
            return tuple(names)
    return None


def _read(path: Path) -> tuple[str, ...]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ModelError(f"{path}: too large for a list of names; it has one name a line")
        lines = path.read_text("utf-8").rstrip().splitlines()
    except UnicodeDecodeError:
        raise ModelError(f"{path}: not UTF-8 text; it has one name of a class a line") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot read the names of classes ({error.strerror or error})") from error
    if not lines:
        raise ModelError(f"{path}: empty; it has one name of a class a line")
    return tuple(line.strip() for line in lines)

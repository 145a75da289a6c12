"""What classes are called, or that nobody says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nvr.analysis.choice import ModelChoice
from nvr.analysis.detector import OnnxModel
from nvr.analysis.detector.labels import COCO, SPARSE, Given, by_number, known
from nvr.errors import ModelError

FILE = Path("mine.onnx")


def test_cocos_names_are_those_of_the_shipped_model() -> None:
    assert OnnxModel().names == COCO
    assert len(SPARSE) == 91
    assert tuple(name for name in SPARSE if name) == COCO
    # Well-known numbers of COCO's original list.
    assert [SPARSE[number] for number in (1, 3, 13, 44, 72, 90)] == [
        "person", "car", "stop sign", "bottle", "tv", "toothbrush"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{0: 'person', 1: 'car'}", ("person", "car")),
        ('{"0": "person", "1": "car"}', ("person", "car")),
        ("['person', 'car']", ("person", "car")),
        ("{1: 'person'}", None),
        ("person, car", None),
        ("{", None),
        ("", None),
        ("[]", None),
        ("{}", None),
    ],
)
def test_metadata_is_read_as_exporters_write_it(text: str, names: tuple[str, ...] | None) -> None:
    assert known(ModelChoice(FILE), {"names": text}) == names


def test_the_configuration_goes_before_the_metadata(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("person\n\n fire engine \n")
    metadata: dict[str, str] = {"names": "['a']"}
    assert known(ModelChoice(FILE, classes=("b",)), metadata) == ("b",)
    assert known(ModelChoice(FILE, classes=file), metadata) == ("person", "", "fire engine")
    assert known(ModelChoice(FILE, classes="coco"), metadata) == "coco"


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "cannot read"), (b"", "empty"), (b"\xff\xfe", "not UTF-8"), (b"x" * 1_000_001, "too large")],
    ids=["missing", "empty", "binary", "large"],
)
def test_a_file_that_is_no_list_of_names_is_refused(tmp_path: Path, content: bytes | None, told: str) -> None:
    file = tmp_path / "names.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ModelError, match=rf"names\.txt: {told}"):
        known(ModelChoice(FILE, classes=file), {})


@pytest.mark.parametrize(
    ("given", "count", "more", "want"),
    [
        (None, 80, {}, COCO),
        ("coco", 80, {}, COCO),
        (None, 91, {}, SPARSE),
        ("coco", 0, {}, COCO),
        ("coco", 0, {"first": 1}, SPARSE),
        (("a", "b"), 2, {}, ("a", "b")),
        (("a", "b"), 0, {}, ("a", "b")),
        (("a", "b"), 0, {"first": 1}, ("", "a", "b")),
        (("a", "b"), 3, {"spare": True}, ("a", "b", "")),
        (("a", "b"), 2, {"spare": True}, ("a", "b")),
    ],
)
def test_names_by_number(given: Given, count: int, more: dict[str, Any], want: tuple[str, ...]) -> None:
    assert by_number(FILE, given, count, **more) == want


@pytest.mark.parametrize(
    ("given", "count", "more", "told"),
    [
        (None, 3, {}, "has 3 classes, not COCO's 80, and does not say what they are called; write the names"),
        (None, 0, {}, "does not say what its classes are called; .*or classes: coco"),
        (("a", "b"), 3, {}, "has 3 classes, but 2 names for them"),
        (("a", "b"), 1, {}, "has 1 classes, but 2 names for them"),
        (("a", "b"), 4, {"spare": True}, "has 4 classes, but 2 names"),
    ],
)
def test_without_the_right_names_a_model_is_refused(given: Given, count: int, more: dict[str, Any], told: str) -> None:
    with pytest.raises(ModelError, match=rf"mine\.onnx: {told}"):
        by_number(FILE, given, count, **more)

"""``nvr models``: what is made of a file, and that a file of which nothing can be made is said so."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.analysis.detector import graphs
from tests.analysis.detector.graphs import NAMES, named, write
from tests.cli.conftest import Configure
from tests.fakes.station import nvr

METADATA = {"author": "Ultralytics", "task": "detect", "stride": "32", "names": named(NAMES), "end2end": "False"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write(tmp_path / "mine.onnx", graphs.yolov8(3), metadata=METADATA)


def test_inspect_tells_what_was_recognised_and_by_what(model: Path) -> None:
    done = nvr("models", "inspect", str(model))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        str(model),
        "  inputs     images [1, 3, 64, 96] tensor(float)",
        "  outputs    output0 [1, 7, 126] tensor(float)",
        "  metadata   author: Ultralytics",
        "  metadata   end2end: False",
        "  metadata   names: {0: 'person', 1: 'car', 2: 'truck'}",
        "  metadata   stride: 32",
        "  metadata   task: detect",
        "  layout     yolov8, told by the exporter's metadata",
        "  picture    96x64, letterbox on grey 114, RGB 0 to 1, mean 0, deviation 1",
        "  labels     3: person, car, truck",
        "  looked at  a drawn picture, in which there is nothing: give one with --picture (1280x720)",
        "  found      1 from score 0.25 on",
        "             0.75  0.167,0.130 to 0.500,1.000  truck",
    ]


def test_inspect_looks_at_a_picture(model: Path, tmp_path: Path) -> None:
    picture = tmp_path / "street.png"
    cv2.imwrite(str(picture), np.full((65, 97, 3), 90, np.uint8))  # of odd size: a column and a row are left off
    done = nvr("models", "inspect", str(model), "--picture", str(picture), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["picture"], told["width"], told["height"]) == (str(picture), 96, 64)
    assert told["detections"] == [{"label": "truck", "score": 0.75, "box": [0.16667, 0.1875, 0.5, 0.9375]}]
    assert (told["layout"], told["rule"], told["labels"]) == ("yolov8", "metadata", list(NAMES))
    assert told["preparation"]["resize"] == "letterbox"


def test_the_shipped_model_is_inspected_without_a_file() -> None:
    done = nvr("models", "inspect", "--json")
    assert json.loads(done.stdout)["layout"] == "nanodet-boxes"


def test_a_layout_that_is_named_is_tried(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.onnx", {"o": np.zeros((1, 300, 6), np.float32)}, metadata={"names": named(NAMES)})
    done = nvr("models", "inspect", str(path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"nvr: {path}: this model may be laid out as yolo-end2end or ultralytics-rtdetr")
    done = nvr("models", "inspect", str(path), "--layout", "yolo-end2end")
    assert "  layout     yolo-end2end, told by what was given" in done.stdout
    done = nvr("models", "inspect", str(path), "--layout", "yolov9")
    assert done.returncode == 2
    assert done.stderr.startswith('nvr: --layout: got "yolov9", want one of nanodet-boxes, yolov8')


@pytest.mark.parametrize("command", ["inspect", "bench"])
def test_the_model_of_a_camera_is_the_configured_one(tmp_path: Path, configure: Configure, command: str) -> None:
    path = write(tmp_path / "mine.onnx", graphs.yolov8(3))
    config = configure(f"{{host: 127.0.0.1, detect: {{model: {{path: {path}, classes: [a, b, c]}}}}}}")
    seconds = ("--seconds", "0.1") if command == "bench" else ()
    done = nvr("models", command, "--camera", "hik1", "--config", str(config), "--json", *seconds)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told if command == "inspect" else told[0])["model"] == str(path)
    done = nvr("models", command, str(path), "--camera", "hik1", "--config", str(config))
    assert (done.returncode, done.stderr) == (2, "nvr: give a file or --camera, not both\n")


def test_bench_prints_a_table(model: Path) -> None:
    done = nvr("models", "bench", str(model), "--seconds", "0.1")
    assert done.returncode == 0, done.stderr
    header, row = done.stdout.splitlines()
    assert header.split() == ["model", "layout", "input", "pictures", "prepare", "inference", "decode", "all", "p95"]
    assert row.split()[:3] == ["mine.onnx", "yolov8", "96x64"]
    assert done.stderr == ""


def test_bench_measures_both_shipped_models() -> None:
    done = nvr("models", "bench", "--seconds", "0.1", "--json")
    assert [Path(row["model"]).name for row in json.loads(done.stdout)] == [
        "nanodet-g-416.onnx",
        "nanodet-g-416x256.onnx",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("missing.onnx",), "missing.onnx: no such model file"),
        (("folder",), "folder: no such model file"),
        (("street.txt",), "street.txt: not an ONNX model"),
        (("--picture", "missing.jpg"), "missing.jpg: no such picture"),
        (("--picture", "street.txt"), "street.txt: cannot be read as a picture; give a JPEG or PNG"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "street.txt").write_text("no picture and no model")
    done = nvr("models", "inspect", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"nvr: {told}")
    assert done.stderr.count("\n") == 1

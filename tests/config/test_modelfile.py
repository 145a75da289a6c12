"""``detect.model``: a path, or keys that say what a file does not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nvr import config
from nvr.analysis.choice import ModelChoice
from nvr.config.modelfile import ModelFile
from nvr.errors import ConfigError

PAGE = (Path(__file__).parents[2] / "docs/configuration.md").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.onnx").touch()
    (tmp_path / "names.txt").write_text("person\n")
    return tmp_path


def read(folder: Path, model: str) -> ModelFile | None:
    path = folder / "nvr.yaml"
    path.write_text(f"cameras:\n  a:\n    host: h\n    detect:\n      model: {model}\n")
    return config.load(path).cameras["a"].detect.model


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("m.onnx", {}),
        ("{path: m.onnx}", {}),
        ("{path: m.onnx, layout: yolov5}", {"layout": "yolov5"}),
        ("{path: m.onnx, size: 640}", {"size": (640, 640)}),
        ("{path: m.onnx, size: [640, 384]}", {"size": (640, 384)}),
        ("{path: m.onnx, resize: stretch, channels: bgr}", {"resize": "stretch", "channels": "bgr"}),
        ("{path: m.onnx, scale: 255}", {"scale": 255}),
        ("{path: m.onnx, mean: 0.5}", {"mean": (0.5, 0.5, 0.5)}),
        ("{path: m.onnx, deviation: [1, 2, 0.5]}", {"deviation": (1, 2, 0.5)}),
        ("{path: m.onnx, classes: [person, car]}", {"classes": ("person", "car")}),
        ("{path: m.onnx, classes: coco}", {"classes": "coco"}),
        ("{path: m.onnx, min_score: 0.3}", {}),
    ],
)
def test_what_is_said_of_a_model_arrives(folder: Path, text: str, want: dict[str, Any]) -> None:
    model = read(folder, text)
    assert model is not None
    assert model.choice == ModelChoice(folder / "m.onnx", **want)


def test_a_file_of_names_starts_at_the_configurations_folder(folder: Path) -> None:
    model = read(folder, "{path: m.onnx, classes: names.txt}")
    assert model is not None
    assert model.choice.classes == folder / "names.txt"


def test_nothing_is_the_shipped_model(folder: Path) -> None:
    assert read(folder, "") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("n.onnx", r"5: cameras\.a\.detect\.model: there is no file .*/n\.onnx"),
        ("7", r"5: cameras\.a\.detect\.model: got 7, want a path, or keys such as path and layout"),
        ("{layout: yolov5}", r"5: cameras\.a\.detect\.model\.path: is missing: want the path of an ONNX model"),
        ("{path: m.onnx, layot: yolov5}", r"5: cameras\.a\.detect\.model\.layot: unknown key, did you mean layout\?"),
        ("{path: m.onnx, layout: yolov9}", r'model\.layout: got "yolov9", want nanodet-boxes, yolov8, .*'),
        ("{path: m.onnx, size: [640]}", r"model\.size: got a list, want width and height such as \[640, 384\]"),
        ("{path: m.onnx, size: 16}", r"model\.size: got 16, want width and height .* 32 to 4096"),
        ("{path: m.onnx, size: true}", r"model\.size: got true"),
        ("{path: m.onnx, mean: [1, 2]}", r"model\.mean: got a list, want three numbers"),
        ("{path: m.onnx, mean: [.inf, 1, 1]}", r"model\.mean: got a list, want three numbers"),
        ("{path: m.onnx, deviation: [1, 0, 1]}", r"model\.deviation: want more than 0"),
        ("{path: m.onnx, scale: 128}", r"model\.scale: got 128, want 1 or 255"),
        ("{path: m.onnx, classes: []}", r"model\.classes: got a list, want names such as \[person, car\], a file"),
        ("{path: m.onnx, classes: gone.txt}", r"model\.classes: there is no file .*/gone\.txt"),
        ("{path: m.onnx, min_score: 2}", r"model\.min_score: got 2, want at most 1"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(folder: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read(folder, text)


def test_every_key_is_documented() -> None:
    (section,) = re.findall(r"^## A model of your own\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(ModelFile.model_fields)


def test_the_schema_has_both_ways(folder: Path) -> None:
    told = config.schema()["$defs"]["ModelFile"]  # type: ignore[index]
    assert set(told["properties"]) == set(ModelFile.model_fields)

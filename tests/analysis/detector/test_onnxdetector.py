from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from nvr.analysis.choice import ModelChoice
from nvr.analysis.detector import SQUARE_MODEL, OnnxDetector, OnnxModel, aligned
from nvr.errors import ModelError
from nvr.model import Box
from tests.analysis.detector.graphs import CELLS, NAMES, SIZE, Column, Input, save, write, write_model

SQUARE: tuple[Input, ...] = (("images", [1, 3, SIZE, SIZE], TensorProto.FLOAT),)


def write_eye(path: Path, x: int, y: int) -> Path:
    """A model that tells the colour of one input pixel: scores are blue, green and red, 0..1."""
    constants = {
        "from": np.array([y, x]),
        "to": np.array([y + 1, x + 1]),
        "axes": np.array([2, 3]),
        "deviation": np.array([57.375, 57.12, 58.395], np.float32).reshape(1, 3, 1, 1),
        "mean": np.array([103.53, 116.28, 123.675], np.float32).reshape(1, 3, 1, 1),
        "white": np.array(255, np.float32),
        "shape": np.array([1, 3, 1]),
        "times": np.array([1, 1, CELLS]),
        "boxes": np.tile(np.array([16, 16, 8, 8], np.float32).reshape(1, 4, 1), (1, 1, CELLS)),
    }
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
        for name, value in constants.items()
    ]
    nodes += [
        helper.make_node("Slice", ["images", "from", "to", "axes"], ["pixel"]),
        helper.make_node("Mul", ["pixel", "deviation"], ["scaled"]),
        helper.make_node("Add", ["scaled", "mean"], ["level"]),
        helper.make_node("Div", ["level", "white"], ["share"]),
        helper.make_node("Reshape", ["share", "shape"], ["scores"]),
        helper.make_node("Tile", ["scores", "times"], ["all"]),
        helper.make_node("Concat", ["boxes", "all"], ["output0"], axis=1),
    ]
    metadata = {"names": "{0: 'blue', 1: 'green', 2: 'red'}", "source": "nanodet"}
    told = [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 7, CELLS])]
    return save(path, nodes, told, metadata, (("images", [1, 3, SIZE, SIZE], TensorProto.FLOAT),))


def picture(width: int, height: int, bgr: tuple[int, int, int] = (90, 90, 90)) -> NDArray[np.uint8]:
    colour = np.full((height, width, 3), bgr, np.uint8)
    return np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2YUV_I420), np.uint8)


def corners(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def test_a_box_comes_out_of_the_letterbox_in_fractions_of_the_picture(tmp_path: Path) -> None:
    model = OnnxModel(write_model(tmp_path / "m.onnx", ((16, 16, 8, 6, {"person": 0.9}),)))
    # 64x36 becomes 32x18, centred: 7 rows of border above.
    (found,) = OnnxDetector(model).detect(picture(64, 36), 64, 36)
    assert found.label == "person"
    assert found.score == pytest.approx(0.9)
    assert corners(found.box) == pytest.approx((12 / 32, 6 / 18, 20 / 32, 12 / 18))


def test_an_upright_picture_is_centred_the_other_way(tmp_path: Path) -> None:
    model = OnnxModel(write_model(tmp_path / "m.onnx", ((16, 16, 8, 8, {"person": 0.9}),)))
    (found,) = OnnxDetector(model).detect(picture(36, 64), 36, 64)
    assert corners(found.box) == pytest.approx((5 / 18, 12 / 32, 13 / 18, 20 / 32))


def test_pictures_of_other_sizes_may_follow_each_other(tmp_path: Path) -> None:
    detector = OnnxDetector(OnnxModel(write_model(tmp_path / "m.onnx", ((16, 16, 8, 8, {"person": 0.9}),))))
    first = detector.detect(picture(64, 36), 64, 36)
    detector.detect(picture(32, 32), 32, 32)
    assert detector.detect(picture(64, 36), 64, 36) == first


def test_boxes_are_cut_at_the_border_of_the_picture(tmp_path: Path) -> None:
    columns: tuple[Column, ...] = ((0, 16, 20, 60, {"person": 0.9}), (16, 2, 8, 4, {"car": 0.9}))
    (found,) = OnnxDetector(OnnxModel(write_model(tmp_path / "m.onnx", columns))).detect(picture(64, 36), 64, 36)
    assert found.label == "person"  # the car lay in the letterbox's border altogether
    assert corners(found.box) == pytest.approx((0, 0, 10 / 32, 1))


@pytest.mark.parametrize(
    ("columns", "want"),
    [
        ((), []),
        (((10, 16, 8, 8, {"person": 0.6}), (11, 16, 8, 8, {"person": 0.8})), [("person", 0.8)]),
        (((8, 16, 8, 8, {"person": 0.6}), (20, 16, 8, 8, {"person": 0.8})), [("person", 0.8), ("person", 0.6)]),
        (((10, 16, 8, 8, {"person": 0.6}), (11, 16, 8, 8, {"car": 0.8})), [("car", 0.8), ("person", 0.6)]),
        (((10, 16, 8, 8, {"truck": 0.5, "car": 0.8}),), [("car", 0.8)]),
        (((10, 16, 8, 8, {"person": 0.44}),), []),
        (((10, 16, 0, 8, {"person": 0.9}),), []),
    ],
    ids=["nothing", "same object", "two apart", "two labels", "surest label", "below the score", "no width"],
)
def test_what_is_seen(tmp_path: Path, columns: tuple[Column, ...], want: list[tuple[str, float]]) -> None:
    detector = OnnxDetector(OnnxModel(write_model(tmp_path / "m.onnx", columns)))
    found = [(each.label, round(each.score, 3)) for each in detector.detect(picture(64, 36), 64, 36)]
    assert found == want


def test_only_wanted_labels_are_seen(tmp_path: Path) -> None:
    columns: tuple[Column, ...] = (
        (8, 16, 8, 8, {"person": 0.9}),
        (20, 12, 8, 8, {"car": 0.8}),
        (24, 20, 8, 8, {"truck": 0.5, "car": 0.7}),
    )
    model = OnnxModel(write_model(tmp_path / "m.onnx", columns))
    detector = OnnxDetector(model, ("truck", "person"))
    assert detector.labels == ("person", "truck")
    # The third is surely a car: that it looks a bit like a truck makes it none.
    assert [each.label for each in detector.detect(picture(64, 36), 64, 36)] == ["person"]
    assert OnnxDetector(model).labels == NAMES


def test_cameras_share_a_model_and_have_their_own_scores(tmp_path: Path) -> None:
    model = OnnxModel(write_model(tmp_path / "m.onnx", ((16, 16, 8, 8, {"person": 0.5}),)))
    assert OnnxDetector(model, min_score=0.6).detect(picture(64, 36), 64, 36) == []
    assert len(OnnxDetector(model, min_score=0.4).detect(picture(64, 36), 64, 36)) == 1


@pytest.mark.parametrize(
    ("bgr", "want"), [((230, 20, 20), "blue"), ((20, 230, 20), "green"), ((20, 20, 230), "red")], ids=str
)
@pytest.mark.parametrize("size", [(64, 36), (1920, 1080), (32, 32), (30, 18), (66, 38)], ids=str)
def test_the_model_sees_the_colours_of_the_picture(
    tmp_path: Path, bgr: tuple[int, int, int], want: str, size: tuple[int, int]
) -> None:
    detector = OnnxDetector(OnnxModel(write_eye(tmp_path / "m.onnx", 16, 16)))
    best = detector.detect(picture(*size, bgr), *size)[0]
    assert best.label == want
    assert best.score == pytest.approx(230 / 255, abs=0.02)


def test_the_letterbox_is_filled_with_the_mean_colour(tmp_path: Path) -> None:
    detector = OnnxDetector(OnnxModel(write_eye(tmp_path / "m.onnx", 16, 3)))
    detector.detect(picture(64, 64, (255, 255, 255)), 64, 64)  # leaves nothing behind where the next has its border
    best = detector.detect(picture(64, 36, (255, 255, 255)), 64, 36)[0]
    assert best.label == "red"
    assert best.score == pytest.approx(123.675 / 255, abs=1e-4)


def test_a_picture_of_odd_size_is_taken(tmp_path: Path) -> None:
    detector = OnnxDetector(OnnxModel(write_eye(tmp_path / "m.onnx", 16, 16)))
    i420 = np.full((35 * 3 // 2, 63), 128, np.uint8)
    i420[:35] = 235
    assert detector.detect(i420, 63, 35)[0].score == pytest.approx(1, abs=0.01)


def test_the_model_that_ships_loads_and_knows_the_labels_of_coco() -> None:
    model = OnnxModel()
    assert (len(model.names), model.names[0], model.names[2], model.size) == (80, "person", "car", (416, 416))
    assert OnnxDetector(model).detect(picture(640, 360), 640, 360) == []


def test_the_notice_beside_the_model_is_of_this_file() -> None:
    digest = hashlib.sha256(SQUARE_MODEL.read_bytes()).hexdigest()
    assert f"sha256 {digest}" in (SQUARE_MODEL.parent / "NOTICE").read_text()


def test_the_library_is_kept_quiet(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    OnnxModel(write_model(tmp_path / "m.onnx"))
    assert capfd.readouterr() == ("", "")


def test_a_missing_model_is_named() -> None:
    with pytest.raises(ModelError, match=r"/nowhere/yolo\.onnx: no such model file; .* leave `model` out"):
        OnnxModel(Path("/nowhere/yolo.onnx"))


@pytest.mark.parametrize("content", [b"", b"MZ not a model at all" * 20], ids=["empty", "rubbish"])
def test_a_file_that_is_not_onnx_is_refused(tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"weights\.pt: not an ONNX model that onnxruntime .* can load"):
        OnnxModel(path)
    assert capfd.readouterr() == ("", "")


def test_half_a_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    path.write_bytes(SQUARE_MODEL.read_bytes()[:1_000_000])
    with pytest.raises(ModelError, match="not an ONNX model"):
        OnnxModel(path)


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_nothing_or_certain(tmp_path: Path, score: float) -> None:
    columns: tuple[Column, ...] = ((16, 16, 8, 8, {"person": score}),)
    found = OnnxDetector(OnnxModel(write_model(tmp_path / "m.onnx", columns))).detect(picture(64, 36), 64, 36)
    assert [each.score for each in found] == ([1.0] if score == np.inf else [])


@pytest.mark.parametrize(
    "corners", [(np.nan, 16, 8, 8), (16, 16, np.inf, 8), (16, 16, -8, 8), (16, 16, 0, 0), (900, 16, 8, 8)], ids=str
)
def test_boxes_that_are_none_are_left_out(tmp_path: Path, corners: tuple[float, float, float, float]) -> None:
    columns: tuple[Column, ...] = ((*corners, {"person": 0.9}), (16, 16, 8, 6, {"car": 0.9}))
    found = OnnxDetector(OnnxModel(write_model(tmp_path / "m.onnx", columns))).detect(picture(64, 36), 64, 36)
    assert [each.label for each in found] == ["car"]


def test_of_very_many_boxes_the_surest_are_told(tmp_path: Path) -> None:
    rows = np.zeros((1, 50_000, 6), np.float32)
    rows[0, :, :4] = np.random.default_rng(1).uniform((0, 0, 16, 16), (15, 15, 32, 32), (50_000, 4))
    rows[0, :, 4] = np.linspace(0.5, 0.9, 50_000)
    choice = ModelChoice(
        write(tmp_path / "m.onnx", {"output0": rows}, inputs=SQUARE), "yolo-end2end", classes=("person",)
    )
    found = OnnxDetector(OnnxModel(choice)).detect(picture(64, 64), 64, 64)
    assert len(found) == 100
    assert min(each.score for each in found) > 0.89


def test_no_box_at_all_is_no_detection(tmp_path: Path) -> None:
    outputs = {"output": np.zeros((0, 7), np.float32)}
    choice = ModelChoice(write(tmp_path / "m.onnx", outputs, inputs=SQUARE), classes="coco")
    assert OnnxDetector(OnnxModel(choice)).detect(picture(64, 64), 64, 64) == []


REGION = Box(0.25, 0.5, 0.75, 1)


def test_a_region_is_looked_at_alone_and_its_boxes_lie_in_the_whole_picture(tmp_path: Path) -> None:
    model = OnnxModel(write_model(tmp_path / "m.onnx", ((16, 16, 8, 6, {"person": 0.9}),)))
    # 64x36 of 128x72 become 32x18, centred as a whole picture of that shape would be.
    (found,) = OnnxDetector(model).detect(picture(128, 72), 128, 72, REGION)
    assert corners(found.box) == pytest.approx(
        (0.25 + 0.5 * 12 / 32, 0.5 + 0.5 * 6 / 18, 0.25 + 0.5 * 20 / 32, 0.5 + 0.5 * 12 / 18)
    )


def test_a_box_that_leaves_the_region_ends_exactly_at_its_edge(tmp_path: Path) -> None:
    columns: tuple[Column, ...] = ((0, 16, 90, 90, {"person": 0.9}),)
    detector = OnnxDetector(OnnxModel(write_model(tmp_path / "m.onnx", columns)))
    for region in (REGION, Box(0.11, 0.13, 0.77, 0.99)):
        (found,) = detector.detect(picture(128, 72), 128, 72, region)
        assert found.box == aligned(region, 128, 72)


@pytest.mark.parametrize("bgr", [(230, 20, 20), (20, 20, 230)], ids=str)
def test_a_region_has_its_own_colours(tmp_path: Path, bgr: tuple[int, int, int]) -> None:
    i420 = picture(128, 72)
    patch = picture(64, 36, bgr)
    i420[36:72, 32:96] = patch[:36]
    planes, parts = i420[72:].reshape(2, 36, 64), patch[36:].reshape(2, 18, 32)
    planes[:, 18:, 16:48] = parts
    best = OnnxDetector(OnnxModel(write_eye(tmp_path / "m.onnx", 3, 16))).detect(i420, 128, 72, REGION)[0]
    assert best.label == ("blue" if bgr[0] > 200 else "red")
    assert best.score == pytest.approx(230 / 255, abs=0.02)


def test_an_unknown_label_is_named_with_what_is_near(tmp_path: Path) -> None:
    model = OnnxModel(write_model(tmp_path / "m.onnx"))
    with pytest.raises(ModelError) as caught:
        OnnxDetector(model, ("person", "persons", "zebra"))
    assert str(caught.value) == (
        'm.onnx does not know the label "persons" (did you mean person?), "zebra"; its 3 labels: person, car, truck'
    )

#!/usr/bin/env python3
"""Make the detector for wide pictures from the square one: the same weights, 416x256 input.

    scripts/models/widen.py        writes nvr/analysis/models/nanodet-g-416x256.onnx

A 16:9 picture fills 416x234 of the square input; the rest is padding that costs 38 % of the work. The network is fully
convolutional: what knows the size are the targets of its up-scaling, the shapes of its reshaping and the grid of cell
centres, and these are replaced here. Needs the package onnx (a development dependency); the output is deterministic.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

MODELS = Path(__file__).resolve().parents[2] / "nvr/analysis/models"
SQUARE, WIDE = MODELS / "nanodet-g-416.onnx", MODELS / "nanodet-g-416x256.onnx"
WIDTH, HEIGHT, SIDE = 416, 256, 416
STRIDES = (8, 16, 32)


def cells(width: int, height: int) -> list[int]:
    return [(width // stride) * (height // stride) for stride in STRIDES]


def grid(width: int, height: int) -> dict[str, np.ndarray]:
    """Stride, centre x and centre y of every cell, level by level, as the square model's constants have them."""
    strides, xs, ys = [], [], []
    for stride in STRIDES:
        x, y = np.meshgrid(np.arange(width // stride), np.arange(height // stride))
        strides.append(np.full(x.size, stride))
        xs.append(((x + 0.5) * stride).ravel())
        ys.append(((y + 0.5) * stride).ravel())
    return {name: np.concatenate(value) for name, value in (("strides", strides), ("xs", xs), ("ys", ys))}


def replacement(value: np.ndarray) -> np.ndarray | None:
    """What a constant becomes for the wide input; None where it does not know the size."""
    old, new = cells(SIDE, SIDE), cells(WIDTH, HEIGHT)
    counts = dict(zip([*old, sum(old)], [*new, sum(new)], strict=True))
    if value.dtype == np.int64 and value.shape == (4,) and value[2] == value[3] > 1:  # (1, channels, height, width)
        return np.array([value[0], value[1], value[2] * HEIGHT // SIDE, value[3]])
    if value.dtype == np.int64 and any(int(each) in counts for each in value.ravel()):
        return np.array([counts.get(int(each), int(each)) for each in value.ravel()])
    if value.dtype == np.float16 and value.size == sum(old):
        for name, square in grid(SIDE, SIDE).items():
            if np.array_equal(value.ravel(), square.astype(np.float16)):
                return grid(WIDTH, HEIGHT)[name].reshape(1, 1, -1)
        raise SystemExit("a constant of all cells that is neither stride nor centre: this is another model")
    return None


def main() -> None:
    model = onnx.load(SQUARE)
    changed = 0
    for initializer in model.graph.initializer:
        value = numpy_helper.to_array(initializer)
        new = replacement(value)
        if new is not None:
            initializer.CopyFrom(numpy_helper.from_array(new.astype(value.dtype), initializer.name))
            changed += 1
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = HEIGHT
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_value = sum(cells(WIDTH, HEIGHT))
    for entry in model.metadata_props:
        if entry.key == "imgsz":
            entry.value = f"[{HEIGHT}, {WIDTH}]"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, WIDE)
    print(f"{WIDE.name}: {changed} constants replaced, {WIDE.stat().st_size} bytes")


if __name__ == "__main__":
    main()

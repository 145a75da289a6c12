"""A loaded ONNX file: what goes in, what comes out. The one module that imports the inference library.

One thread that does not spin: a session that spins or uses more threads costs two to four times the CPU for the same
picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state

from nvr.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The library's exceptions have no base of their own.
_REFUSED = (
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NoSuchFile,
    state.NotImplemented,
    state.RuntimeException,
)


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output as the file declares it. A side that is not a number is a name, or None."""

    name: str
    shape: tuple[int | str | None, ...]
    type: str
    """As ONNX calls it: ``tensor(float)``."""

    def __str__(self) -> str:
        kind = "" if self.type == "tensor(float)" else f" {self.type}"
        return f"{self.name} [{', '.join('?' if side is None else str(side) for side in self.shape)}]{kind}"


class Session:
    """Runs a model on the CPU. Raises ModelError where the file is missing or is not ONNX. About 100 ms to load."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._session = _open(path)
        self.inputs = tuple(Tensor(each.name, tuple(each.shape), each.type) for each in self._session.get_inputs())
        self.outputs = tuple(Tensor(each.name, tuple(each.shape), each.type) for each in self._session.get_outputs())
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        """What the exporter wrote beside the graph: names, task, stride and such."""

    def run(self, feed: dict[str, NDArray[np.generic]]) -> list[NDArray[np.generic]]:
        """All outputs, in the order of ``outputs``. Raises ModelError for an input that the graph does not take."""
        try:
            return list(self._session.run(None, feed))
        except _REFUSED as error:
            given = ", ".join(f"{name} {list(value.shape)} {value.dtype}" for name, value in feed.items())
            raise ModelError(f"{self.path}: the model does not run on {given} ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


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
    except _REFUSED as error:
        raise ModelError(
            f"{path}: not an ONNX model that onnxruntime {onnxruntime.__version__} can load ({_first_line(error)}); "
            "export it again as .onnx, or leave `model` out for the built-in one"
        ) from error

"""Object detector: a picture in, labelled boxes out.

A file is loaded (``session``) and run once on a test picture (``form``); its layout is recognised (``recognition``),
or refused with its shapes: a model that is read wrongly does not fail, it sees wrongly. Then each picture is prepared
(``canvas``), inferred, and read (``yolo``, ``heads``, ``cellwise``, ``detr``, ``ssd``). Runs in the analyzer process on
one thread.
"""

from nvr.analysis.detector.canvas import Preparation, aligned
from nvr.analysis.detector.onnxdetector import MIN_SCORE, Detector, OnnxDetector
from nvr.analysis.detector.onnxmodel import SQUARE_MODEL, WIDE_MODEL, OnnxModel, default_model

__all__ = [
    "MIN_SCORE",
    "SQUARE_MODEL",
    "WIDE_MODEL",
    "Detector",
    "OnnxDetector",
    "OnnxModel",
    "Preparation",
    "aligned",
    "default_model",
]

"""Which layout a model has: from the configuration, its own metadata, names, Ultralytics' metadata, or shapes.

The first of these that says anything decides, and a layout that does not fit what it says is refused: a model that is
read wrongly does not fail, it sees wrongly. Where shapes alone leave more than one, the values of a test picture's
outputs have to tell, else it is refused as well.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nvr.analysis.detector import cellwise, detr, heads, ssd, yolo
from nvr.analysis.detector.form import shown
from nvr.errors import ModelError

if TYPE_CHECKING:
    from nvr.analysis.choice import ModelChoice
    from nvr.analysis.detector.form import Form
    from nvr.analysis.detector.layout import Layout
    from nvr.analysis.detector.session import Session

LAYOUTS: dict[str, Layout] = {
    each.name: each for each in (*yolo.LAYOUTS, *heads.LAYOUTS, *cellwise.LAYOUTS, *ssd.LAYOUTS, *detr.LAYOUTS)
}
_ULTRALYTICS = ("yolov8", "yolo-end2end", "yolov5", "yolov5-heads", "rtdetr-scores")
_NEVER_BY_SHAPE = ("nanodet-boxes", "yolov3-scores", "yolov3-nms", "tf-ssd", "torchvision", "rtmdet", "d-fine")
_COCO = 80
_TASKS = ("detect", "segment", "pose")


@dataclass(frozen=True)
class Recognised:
    """A layout, what told it, and how many class numbers there are (0: the outputs do not tell)."""

    layout: Layout
    rule: str
    count: int


def recognise(session: Session, form: Form, choice: ModelChoice) -> Recognised:
    """Raises ModelError with all shapes, and what to write into the configuration, where nothing or too much fits."""
    task = form.metadata.get("task", "detect")
    if task not in _TASKS and choice.layout is None:
        raise ModelError(
            f"{session.path}: a model for the task {task!r} tells of no upright boxes; take one for detect, or name "
            "its layout in the configuration: model: {path: …, layout: …}"
        )
    for rule, candidates in (
        ("configuration", _configured(choice)),
        ("own metadata", _own_metadata(form)),
        ("names of inputs and outputs", [each for each in LAYOUTS.values() if each.named(form)]),
        ("metadata", _metadata(form)),
    ):
        if candidates:
            return _only(session, form, candidates, rule)
    return _only(session, form, [each for each in LAYOUTS.values() if _may_be(each, form)], "shapes")


def _configured(choice: ModelChoice) -> list[Layout]:
    return [] if choice.layout is None else [LAYOUTS[choice.layout]]


def _own_metadata(form: Form) -> list[Layout]:
    """A ``layout`` that the file itself names; other programs use the word for other things."""
    name = form.metadata.get("layout", "yolov8" if yolo.is_converted(form) else "")
    if name == "yolov8" and yolo.is_converted(form):
        return [LAYOUTS["nanodet-boxes"]]
    return [LAYOUTS[name]] if name in LAYOUTS else []


def _metadata(form: Form) -> list[Layout]:
    """What Ultralytics and the original YOLOv5 write beside their models."""
    data = form.metadata
    if data.get("head") == "RTDETRDecoder":
        return [LAYOUTS["ultralytics-rtdetr"] if yolo.finished_rows(form) == 0 else LAYOUTS["rtdetr-scores"]]
    if data.get("end2end") == "True" or _argument(data, "nms"):
        return [LAYOUTS["yolo-end2end"]]
    if data.get("end2end") == "False" and "names" in data:
        return [LAYOUTS["yolov8"]]
    if "names" in data and ("task" in data or "stride" in data or data.get("author") == "Ultralytics"):
        fit = [LAYOUTS[name] for name in _ULTRALYTICS]
        return [each for each in fit if each.slots(form) is not None] or fit
    return []


def _argument(data: dict[str, str], name: str) -> bool:
    """Whether an argument of the export was true."""
    try:
        arguments = ast.literal_eval(data.get("args", ""))
    except (ValueError, SyntaxError):
        return False
    return isinstance(arguments, dict) and arguments.get(name) is True


def _may_be(layout: Layout, form: Form) -> bool:
    """Whether shapes alone allow it. Without names only COCO's 80 classes count: any number would fit something."""
    count = None if layout.name in _NEVER_BY_SHAPE else layout.slots(form)
    return count is not None and (form.labelled is not None or count in (0, _COCO))


def _only(session: Session, form: Form, candidates: list[Layout], rule: str) -> Recognised:
    """The one candidate that fits."""
    fitting = [each for each in candidates if each.slots(form) is not None]
    if not fitting and len(candidates) == 1 and candidates[0].slots(replace(form, labelled=None)) is not None:
        fitting = candidates  # but for the number of names, of which is complained later
        form = replace(form, labelled=None)
    if len(fitting) > 1:
        fitting = [each for each in fitting if each.evident(form)]
        rule += " and a test picture"
    if len(fitting) != 1:
        raise ModelError(_refusal(session, form, fitting or candidates, rule))
    count = fitting[0].slots(form)
    assert count is not None
    return Recognised(fitting[0], rule, count)


def _refusal(session: Session, form: Form, candidates: list[Layout], rule: str) -> str:
    names = "no names of classes" if form.labelled is None else f"{form.labelled} names of classes"
    outputs = ", ".join(f"{name} {list(shape)}" for name, shape in zip(form.names, form.shapes, strict=True))
    seen = f"inputs {shown(session.inputs)}; outputs {outputs}; {names}"
    if len(candidates) == 1:
        return (
            f"{session.path}: the {rule} says layout {candidates[0].name}, which is {candidates[0].outputs}, but the "
            f"model has {seen}; name another in the configuration: model: {{path: …, layout: …}}, one of "
            f"{', '.join(LAYOUTS)}"
        )
    if candidates:
        return (
            f"{session.path}: this model may be laid out as {' or '.join(each.name for each in candidates)}: {seen}; "
            f"write the right one into the configuration: model: {{path: …, layout: {candidates[0].name}}}"
        )
    return (
        f"{session.path}: this model's layout is not known: {seen}; name it in the configuration, "
        "model: {path: …, layout: …}, with classes: […] where the model has no names or not COCO's 80; layouts: "
        f"{', '.join(LAYOUTS)} (docs/models.md says what each is)"
    )

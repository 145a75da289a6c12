"""``nvr models``: what nvr makes of a detector model, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvr.cli.app import ConfigOption, JsonOption, app, check_camera, load_config

if TYPE_CHECKING:
    from nvr.analysis.choice import ModelChoice
    from nvr.analysis.detector import OnnxModel
    from nvr.cli.modelbench import Picture
    from nvr.model import Detection

_RULES = {
    "configuration": "what was given",
    "own metadata": "the file's own metadata",
    "names of inputs and outputs": "the names of inputs and outputs",
    "metadata": "the exporter's metadata",
    "metadata and a test picture": "the exporter's metadata and what it made of a test picture",
    "shapes": "the shapes of the outputs",
    "shapes and a test picture": "the shapes of the outputs and what it made of a test picture",
}
SHOWN_LABELS = 12
"""Labels that ``inspect`` prints; ``--json`` has them all."""
LEAST_SCORE = 0.25
"""Of what ``inspect`` shows: what an event would not count tells whether a model sees at all."""

models = typer.Typer(help="Detector models: the shipped one and your own.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(models, name="models")

FileArgument = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="An ONNX file; else the shipped models.")]
CameraOption = Annotated[str | None, typer.Option("--camera", help="The model that this camera is configured with.")]
LayoutOption = Annotated[str | None, typer.Option("--layout", help="Read it as laid out like this.")]


@models.command()
def inspect(
    file: FileArgument = None,
    picture: Annotated[Path | None, typer.Option("--picture", help="Look at this JPEG or PNG.")] = None,
    layout: LayoutOption = None,
    camera: CameraOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """What is recognised of a model and by which rule, and what it sees in a picture."""
    from nvr.analysis.detector import OnnxDetector, OnnxModel
    from nvr.cli.listing import print_json
    from nvr.cli.modelbench import DRAWN, drawn

    choice = _choices(file, layout, camera, config)[0]
    model = OnnxModel(choice)
    looked_at = drawn(*DRAWN) if picture is None else _read(picture)
    found = OnnxDetector(model, min_score=LEAST_SCORE).detect(*looked_at)
    report = _described(model) | {
        "picture": None if picture is None else str(picture),
        "width": looked_at[1],
        "height": looked_at[2],
        "detections": [_detection(each) for each in found],
    }
    if json:
        print_json(report)
    else:
        _print(report)


@models.command()
def bench(
    file: FileArgument = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=600, help="How long to measure a model.")] = 5,
    layout: LayoutOption = None,
    camera: CameraOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Milliseconds a picture takes on one thread."""
    from nvr.cli.listing import print_json_array, print_table
    from nvr.cli.modelbench import measured

    rows = [measured(choice, seconds, quiet=json) for choice in _choices(file, layout, camera, config)]
    if json:
        print_json_array(rows)
        return
    print_table(
        ("model", "layout", "input", "pictures", "prepare", "inference", "decode", "all", "p95"),
        (
            (
                Path(row["model"]).name,
                row["layout"],
                f"{row['width']}x{row['height']}",
                str(row["pictures"]),
                *(f"{row[step]['median']:.2f}" for step in ("prepare", "inference", "decode", "all")),
                f"{row['all']['p95']:.2f}",
            )
            for row in rows
        ),
        "no model",
    )


def _choices(file: Path | None, layout: str | None, camera: str | None, config: Path | None) -> list[ModelChoice]:
    """The models that are meant, at least one. Raises ConfigError."""
    from dataclasses import replace
    from typing import get_args

    from nvr.analysis.choice import LayoutName, ModelChoice
    from nvr.analysis.detector import SQUARE_MODEL, WIDE_MODEL
    from nvr.errors import ConfigError

    if layout is not None and layout not in get_args(LayoutName):
        raise ConfigError(f'--layout: got "{layout}", want one of {", ".join(get_args(LayoutName))}')
    if file is not None and camera is not None:
        raise ConfigError("give a file or --camera, not both")
    chosen = [ModelChoice(SQUARE_MODEL), ModelChoice(WIDE_MODEL)] if file is None else [ModelChoice(file)]
    if camera is not None:
        settings = load_config(config)
        check_camera(settings, camera)
        model = settings.cameras[camera].detect.model
        chosen = chosen if model is None else [model.choice]
    return [each if layout is None else replace(each, layout=layout) for each in chosen]  # type: ignore[arg-type]


def _described(model: OnnxModel) -> dict[str, Any]:
    """What a model is, as ``--json`` tells it."""
    from dataclasses import asdict

    session, wanted = model.session, asdict(model.preparation)
    size = wanted.pop("size")
    return {
        "model": str(model.path),
        "inputs": [{"name": each.name, "shape": each.shape, "type": each.type} for each in session.inputs],
        "outputs": [
            {"name": each.name, "shape": list(shape), "type": each.type}
            for each, shape in zip(session.outputs, model.form.shapes, strict=True)
        ],
        "metadata": session.metadata,
        "layout": model.recognised.layout.name,
        "rule": model.recognised.rule,
        "preparation": {"width": size[0], "height": size[1], **wanted},
        "labels": list(model.names),
    }


def _detection(found: Detection) -> dict[str, Any]:
    box = found.box
    return {
        "label": found.label,
        "score": round(found.score, 4),
        "box": [round(each, 5) for each in (box.left, box.top, box.right, box.bottom)],
    }


def _print(report: dict[str, Any]) -> None:
    from nvr.config.echo import clean, printable

    wanted, found = report["preparation"], report["detections"]
    border = "mean colour" if wanted["border"] is None else f"grey {wanted['border']:g}"
    typer.echo(report["model"])
    for word in ("inputs", "outputs"):
        typer.echo(f"  {word:<10} " + ", ".join(f"{each['name']} {_shape(each)}" for each in report[word]))
    for key, value in sorted(report["metadata"].items()):
        typer.echo(f"  metadata   {printable(key)}: {clean(value)}")
    typer.echo(f"  layout     {report['layout']}, told by {_RULES.get(report['rule'], report['rule'])}")
    typer.echo(
        f"  picture    {wanted['width']}x{wanted['height']}, {wanted['resize']}"
        + ("" if wanted["resize"] == "stretch" else f" on {border}")
        + f", {wanted['channels'].upper()} 0 to {wanted['scale']:g}"
        + f", mean {_numbers(wanted['mean'])}, deviation {_numbers(wanted['deviation'])}"
    )
    labels = report["labels"]
    more = f" and {len(labels) - SHOWN_LABELS} more (--json)" if len(labels) > SHOWN_LABELS else ""
    typer.echo(f"  labels     {len(labels)}: {printable(', '.join(labels[:SHOWN_LABELS]))}{more}")
    typer.echo(
        f"  looked at  {report['picture'] or 'a drawn picture, in which there is nothing: give one with --picture'}"
        f" ({report['width']}x{report['height']})"
    )
    typer.echo(f"  found      {len(found)} from score {LEAST_SCORE} on")
    for each in found:
        left, top, right, bottom = each["box"]
        corners = f"{left:.3f},{top:.3f} to {right:.3f},{bottom:.3f}"
        typer.echo(f"             {each['score']:.2f}  {corners}  {printable(each['label'])}")


def _shape(tensor: dict[str, Any]) -> str:
    return f"[{', '.join('?' if side is None else str(side) for side in tensor['shape'])}] {tensor['type']}"


def _numbers(three: tuple[float, ...]) -> str:
    return f"{three[0]:g}" if len(set(three)) == 1 else "/".join(f"{each:g}" for each in three)


def _read(path: Path) -> Picture:
    """A picture file. Raises NvrError."""
    import cv2

    from nvr.errors import NvrError

    if not path.is_file():
        raise NvrError(f"{path}: no such picture")
    try:
        colour = cv2.imread(str(path), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise NvrError(f"{path}: cannot be read as a picture ({error.err}); give a JPEG or PNG") from error
    if colour is None or min(colour.shape[:2]) < 2:
        raise NvrError(f"{path}: cannot be read as a picture; give a JPEG or PNG")
    height, width = (side - side % 2 for side in colour.shape[:2])
    return cv2.cvtColor(colour[:height, :width], cv2.COLOR_BGR2YUV_I420), width, height  # type: ignore[return-value]

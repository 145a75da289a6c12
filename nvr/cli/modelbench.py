"""What a detector model costs on this machine, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from nvr.analysis.choice import ModelChoice
    from nvr.analysis.detector import OnnxModel

    Picture = tuple[NDArray[np.uint8], int, int]
    """I420, width, height."""

DRAWN = (1280, 720)
WARM_UP = 3


def measured(choice: ModelChoice, seconds: float, *, quiet: bool) -> dict[str, Any]:
    """Median and 95th percentile of each step in milliseconds, of a drawn picture on one thread.

    Raises ModelError for a model that cannot be used.
    """
    import cv2
    import numpy as np

    from nvr.analysis.detector import OnnxModel

    cv2.setNumThreads(1)  # as in the analyzer
    model = OnnxModel(choice)
    taken = np.array(list(_timed(model, round(seconds * 1e6), quiet=quiet))) / 1000
    steps = {"prepare": taken[:, 0], "inference": taken[:, 1], "decode": taken[:, 2], "all": taken.sum(axis=1)}
    return {
        "model": str(model.path),
        "layout": model.recognised.layout.name,
        "width": model.size[0],
        "height": model.size[1],
        "pictures": len(taken),
        **{
            name: {"median": round(float(np.median(each)), 3), "p95": round(float(np.percentile(each, 95)), 3)}
            for name, each in steps.items()
        },
    }


def _timed(model: OnnxModel, length_us: int, *, quiet: bool) -> Iterator[tuple[int, int, int]]:
    """Microseconds of preparing, inference and decoding, picture by picture."""
    from nvr.analysis.detector import OnnxDetector
    from nvr.clock import SystemClock

    clock, detector, picture = SystemClock(), OnnxDetector(model), drawn(*DRAWN)
    for _ in range(WARM_UP):
        detector.detect(*picture)
    start = now = clock.monotonic_us()
    with _progress(quiet=quiet) as progress:
        task = progress.add_task(model.path.name, total=length_us)
        while now - start < length_us:
            began = clock.monotonic_us()
            blob = detector.prepare(*picture)
            prepared = clock.monotonic_us()
            outputs = model.infer(blob)
            inferred = clock.monotonic_us()
            detector.read(outputs)
            now = clock.monotonic_us()
            yield prepared - began, inferred - prepared, now - inferred
            progress.update(task, completed=now - start)


def _progress(*, quiet: bool) -> Any:
    """A bar on standard error; none into a pipe."""
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    hidden = quiet or not sys.stderr.isatty()
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden)


def drawn(width: int, height: int) -> Picture:
    """A yard with noise, a wall and some boxes: nothing that a model knows."""
    import numpy as np

    picture = np.full((height * 3 // 2, width), 128, np.uint8)
    noise = np.random.default_rng(7).integers(-8, 9, (height, width))
    picture[:height] = np.clip(np.linspace(150, 90, height)[:, np.newaxis] + noise, 16, 235)
    for number in range(8):
        left, top = width * number // 8, height * (3 + number % 3) // 8
        picture[top : top + height // 6, left : left + width // 20] = 40 + 20 * number
    return picture, width, height

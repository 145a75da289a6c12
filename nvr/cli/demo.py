"""``nvr demo``: the whole thing on a built-in camera, to see it work before there is hardware."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from nvr.cli.app import app

STOP_S = 12
OURS = "# Made by nvr demo, and made anew each time."


@app.command()
def demo(
    footage: Annotated[Path | None, typer.Option("--footage", help="A video file to play as the camera.")] = None,
    folder: Annotated[Path, typer.Option("--folder", help="Where its files go.")] = Path("nvr-demo"),
    seconds: Annotated[int, typer.Option("--seconds", min=5, max=86_400, help="How long to run.")] = 45,
) -> None:
    """Run everything on a built-in camera: footage you give, or a scene that is drawn."""
    from nvr.errors import NvrError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NvrError(f"cannot make {folder}: {error.strerror}; choose another --folder") from error
    if footage is not None and not footage.is_file():
        raise NvrError(f"{footage}: no such video file")
    config = _write_config(folder, footage.resolve() if footage else _scene(folder), drawn=footage is None)
    typer.echo(f"nvr start --config {config}")
    # In a session of its own: a terminal's Ctrl-C would reach it as well as ours, and the second one kills.
    command = [sys.executable, "-m", "nvr", "start", "--config", str(config)]
    recorder = subprocess.Popen(command, start_new_session=True)
    try:
        _watch(recorder, config, seconds)
    finally:
        recorder.send_signal(signal.SIGINT)
        recorder.wait(timeout=STOP_S)
    for arguments in (["status"], ["events", "list", "--since", "1h"], ["segments", "list", "--since", "1h"]):
        typer.echo(f"\nnvr {' '.join(arguments)} --config {config}")
        subprocess.run([sys.executable, "-m", "nvr", *arguments, "--config", str(config)], check=False, timeout=60)
    typer.echo(f"\nvideo:    {folder / 'storage/segments/demo'}\npictures: {folder / 'storage/snapshots/demo'}")


def _scene(folder: Path) -> Path:
    from rich.progress import Progress

    from nvr.media.scene import draw_scene

    path = (folder / "scene.mp4").resolve()
    if not path.is_file():
        with Progress(transient=True) as progress:
            task = progress.add_task("drawing a scene")
            draw_scene(path, lambda done, total: progress.update(task, completed=done, total=total))
    return path


def _write_config(folder: Path, video: Path, *, drawn: bool) -> Path:
    """A drawn figure is no person to a detector: the drawn scene shows motion events."""
    from nvr.errors import NvrError

    path = folder / "nvr.yaml"
    if path.exists() and not path.read_text(errors="replace").startswith(OURS):
        raise NvrError(f"{path} is a configuration of yours and stays as it is: choose another --folder")
    quoted = str(video).replace("'", "''")
    path.write_text(
        f"{OURS}\n"
        "storage: storage\n"
        "recording: {segment: 10s}\n"
        "cameras:\n"
        "  demo:\n"
        f"    url: '{quoted}'\n"
        "    loop: true\n"
        f"    detect: {'motion' if drawn else 'objects'}\n"
    )
    return path


def _watch(recorder: subprocess.Popen[bytes], config: Path, seconds: int) -> None:
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    from nvr.errors import NvrError

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("recording and analysing (Ctrl-C to end sooner)", total=seconds)
        try:
            for _ in range(seconds):
                if recorder.poll() is not None:
                    raise NvrError(f"nvr start ended with exit code {recorder.returncode}; its messages are above")
                time.sleep(1)
                progress.advance(task)
        except KeyboardInterrupt:
            return

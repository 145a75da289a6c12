"""``nvr check`` and ``nvr rebuild``: files against rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvr.cli.app import (
    CameraOption,
    ConfigOption,
    JsonOption,
    app,
    check_camera,
    database_of,
    load_config,
    open_catalogue,
)

if TYPE_CHECKING:
    from rich.progress import Progress

    from nvr.check import Report
    from nvr.rebuild import Rebuilt


@app.command()
def check(
    deep: Annotated[bool, typer.Option("--deep", help="Read every packet of every file.")] = False,
    camera: CameraOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Look whether files and rows agree; exit code 1 where they do not."""
    from nvr import archive
    from nvr.check import Check
    from nvr.cli.listing import print_json
    from nvr.clock import SystemClock

    settings = load_config(config)
    with archive.held(settings.storage) as alone:
        running = not alone
    with open_catalogue(settings) as catalogue:
        if camera not in catalogue.cameras():  # it may be one of former days
            check_camera(settings, camera)
        usage = [each for each in catalogue.usage() if camera in (None, each.camera)]
        total = sum(each.bytes if deep else each.segments for each in usage)
        one = Check(settings.storage, catalogue, SystemClock(), deep=deep, running=running)
        with _progress(quiet=json, count=not deep) as progress:
            task = progress.add_task("reading" if deep else "looking", total=max(total, 1))
            report = one.run(camera, lambda seen: progress.update(task, completed=seen.bytes if deep else seen.files))
    if json:
        print_json(_as_json(report))
    else:
        _print(report)
    raise typer.Exit(1 if report.problems else 0)


@app.command()
def rebuild(json: JsonOption = False, config: ConfigOption = None) -> None:
    """Make the catalogue's rows again from the files; not while nvr start runs."""
    from nvr import archive
    from nvr.catalogue.store import Catalogue
    from nvr.catalogue.upgrade import upgrade
    from nvr.cli.listing import print_json
    from nvr.errors import StorageError
    from nvr.rebuild import Rebuild

    settings = load_config(config)
    database = database_of(settings)
    with archive.held(settings.storage) as alone, _progress(quiet=json, count=True) as progress:
        if not alone:
            raise StorageError(f"an nvr start is recording into {settings.storage}: stop it, then rebuild")
        if not database.exists():
            upgrade(database)
        task = progress.add_task("reading files", total=None)
        with Catalogue.open(database) as catalogue:
            done = Rebuild(
                settings.storage,
                catalogue,
                lambda seen: progress.update(task, completed=seen.files, total=max(seen.total, 1)),
            ).run()
    if json:
        print_json(
            {
                "files": done.files,
                "kept": done.kept,
                "added": done.added,
                "missing": done.missing,
                "events": done.events,
                "unreadable": done.unreadable,
            }
        )
    else:
        _print_rebuilt(done)


def _progress(*, quiet: bool, count: bool) -> Progress:
    """A bar on standard error, of files where ``count``, else of bytes; none into a pipe."""
    import sys

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    measured = (MofNCompleteColumn(),) if count else (DownloadColumn(), TransferSpeedColumn())
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *measured,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )


def _print(report: Report) -> None:
    from nvr.cli.listing import print_table

    if report.problems:
        print_table(
            ("camera", "problem", "where", "what", "what to do"),
            (
                (problem.camera, problem.kind, problem.where, problem.what, problem.advice)
                for problem in report.problems
            ),
            "",
        )
    typer.echo(f"{_speed(report)}: {_verdict(report)}", err=True)


def _speed(report: Report) -> str:
    seconds = max(report.us / 1e6, 1e-6)
    text = f"{report.files} files in {seconds:.1f} s, {report.files / seconds:.0f} files/s"
    return f"{text}, {report.bytes / 1e6 / seconds:.0f} MB/s" if report.deep else text


def _verdict(report: Report) -> str:
    if not report.problems:
        return "in order"
    return f"{len(report.problems)} problem{'s' if len(report.problems) > 1 else ''}"


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "deep": report.deep,
        "files": report.files,
        "bytes": report.bytes,
        "seconds": round(report.us / 1e6, 3),
        "problems": [
            {
                "camera": problem.camera,
                "problem": problem.kind,
                "where": problem.where,
                "what": problem.what,
                "advice": problem.advice,
            }
            for problem in report.problems
        ],
    }


def _print_rebuilt(done: Rebuilt) -> None:
    typer.echo(f"{done.files} files: {done.added} rows made, {done.kept} agreed, {done.missing} files missing")
    if done.events:
        typer.echo(f"{done.events} events made again from their snapshots")
    for text in done.unreadable:
        typer.echo(f"nvr: {text}; it stays where it is", err=True)

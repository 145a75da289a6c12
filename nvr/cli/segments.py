"""``nvr segments``: the recorded files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from nvr.cli.app import (
    CameraOption,
    ConfigOption,
    JsonOption,
    LimitOption,
    SinceOption,
    UntilOption,
    app,
    check_camera,
    load_config,
    open_catalogue,
)

if TYPE_CHECKING:
    from pathlib import Path

    from nvr.model import Segment

segments = typer.Typer(help="The recorded files.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(segments, name="segments")


@segments.command("list")
def list_segments(
    since: SinceOption = "1h",
    until: UntilOption = None,
    camera: CameraOption = None,
    limit: LimitOption = 10_000,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """The files that hold video of a span, oldest first."""
    from nvr.cli.listing import print_json_array, print_table
    from nvr.cli.spans import span
    from nvr.clock import format_duration, format_local

    settings = load_config(config)
    check_camera(settings, camera)
    begin, end = span(since, until)
    with open_catalogue(settings) as catalogue:
        found = catalogue.segments(begin, end, camera=camera, limit=limit)
        if json:
            print_json_array(_as_json(segment, settings.storage) for segment in found)
            return
        print_table(
            ("camera", "start", "duration", "MB", "codec", "size", "state", "path"),
            (
                (
                    segment.camera,
                    format_local(segment.start),
                    format_duration(segment.duration),
                    f"{segment.bytes / 1e6:.1f}",
                    segment.codec,
                    f"{segment.width}x{segment.height}",
                    segment.state,
                    str(settings.storage / segment.path),
                )
                for segment in found
            ),
            f"no segments since {format_local(begin)} (one is listed when it is closed)",
        )


def _as_json(segment: Segment, storage: Path) -> dict[str, Any]:
    from nvr.clock import format_rfc3339

    return {
        "camera": segment.camera,
        "path": str(storage / segment.path),
        "start": format_rfc3339(segment.start),
        "end": format_rfc3339(segment.end),
        "duration": segment.duration.total_seconds(),
        "bytes": segment.bytes,
        "codec": segment.codec,
        "width": segment.width,
        "height": segment.height,
        "state": segment.state,
    }

"""``nvr cameras``: which there are, and whether one works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvr.cli.app import ConfigOption, JsonOption, app, check_camera, load_config

if TYPE_CHECKING:
    from nvr.clock import Clock
    from nvr.config import Camera
    from nvr.model import Address

cameras = typer.Typer(help="The configured cameras.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(cameras, name="cameras")


@cameras.command("list")
def list_cameras(json: JsonOption = False, config: ConfigOption = None) -> None:
    """The configured cameras and what is done with them."""
    from nvr.cli.listing import print_json_array, print_table

    settings = load_config(config)
    rows = [_describe(name, camera) for name, camera in settings.cameras.items()]
    if json:
        print_json_array(rows)
        return
    print_table(
        ("camera", "main", "sub", "record", "audio", "detect", "labels"),
        (
            (
                row["camera"],
                row["main"],
                row["sub"] or "-",
                row["record"],
                row["audio"],
                row["detect"],
                " ".join(row["labels"]) or "-",
            )
            for row in rows
        ),
        "no cameras",
    )


@cameras.command("test")
def try_camera(
    name: str,
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=60, help="How long to read each stream.")] = 5,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """One careful login: what the streams are, and what to fix."""
    from nvr.cli.listing import print_json
    from nvr.clock import SystemClock

    settings = load_config(config, resolve=True)
    check_camera(settings, name)
    camera = settings.cameras[name]
    clock = SystemClock()
    report: dict[str, Any] = {"camera": name, "streams": {}}
    for stream, address in (("main", camera.main), ("sub", camera.sub)):
        if address is not None:
            if not json:
                typer.echo(f"{name} {stream}: {address.url}")
            found = _look_at(address, clock, seconds, audio=camera.audio != "off" and stream == "main")
            report["streams"][stream] = found
            if not json:
                _print_found(found)
    if json:
        print_json(report)


def _look_at(address: Address, clock: Clock, seconds: float, *, audio: bool) -> dict[str, Any]:
    from nvr.errors import LoginError
    from nvr.media.probe import greet, sample

    advice: list[str] = []
    login = "none asked for"
    if not address.is_file and address.url.startswith("rtsp://"):
        greeting = greet(address)
        if greeting.status == 401:
            login = ", ".join(offer.split()[0] for offer in greeting.offers) or "unknown"
            if greeting.advice is not None:
                raise LoginError(f"{address.url}: {greeting.advice} (no login was tried)")
            if not address.username:
                raise LoginError(f"{address.url}: the camera wants a login: give username and password")
    found = sample(address, clock, audio=audio, seconds=seconds)
    if found.advice is not None:
        advice.append(found.advice)
    if found.audio not in (None, "aac"):
        advice.append(f"audio is {found.audio}: it is recorded as AAC; set the camera to AAC to have it copied")
    return {
        "url": address.url,
        "login": login,
        "codec": found.codec,
        "width": found.width,
        "height": found.height,
        "audio": found.audio,
        "fps": round(found.fps, 1),
        "bitrate": found.bitrate,
        "key_frame_interval": None if found.gop_us is None else found.gop_us / 1e6,
        "advice": advice,
    }


def _print_found(found: dict[str, Any]) -> None:
    interval = found["key_frame_interval"]
    typer.echo(f"  login      {found['login']}")
    typer.echo(f"  video      {found['codec']} {found['width']}x{found['height']}, {found['fps']} frames/s")
    typer.echo(f"  bit rate   {found['bitrate'] / 1e6:.2f} Mb/s")
    typer.echo("  key frames " + (f"every {interval:.1f} s" if interval else "fewer than two seen"))
    typer.echo(f"  audio      {found['audio'] or 'none'}")
    for line in found["advice"]:
        typer.echo(f"  to fix     {line}")


def _describe(name: str, camera: Camera) -> dict[str, Any]:
    return {
        "camera": name,
        "main": camera.main.url,
        "sub": camera.sub.url if camera.sub else None,
        "record": camera.record,
        "audio": camera.audio,
        "detect": camera.detect.mode,
        "labels": list(camera.detect.labels) if camera.detect.mode == "objects" else [],
    }

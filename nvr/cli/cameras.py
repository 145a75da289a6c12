"""``nvr cameras``: which there are, and whether one works."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvr.cli.app import ConfigOption, JsonOption, app, check_camera, load_config

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from nvr.clock import Clock
    from nvr.config import Camera
    from nvr.errors import SourceError
    from nvr.media.probe import Sample
    from nvr.model import Address

WAIT_US = 30_000_000
"""How long to wait while a recorder is logging in at the same device."""
CLOCK_OFF_US = 2_000_000
CLOCK_MOVED_US = 200_000
"""From where on the camera's clock is worth a word: its pictures come up to a second late."""

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
    from nvr.cli.hearing import hear
    from nvr.cli.listing import print_json
    from nvr.clock import SystemClock
    from nvr.errors import SourceError

    settings = load_config(config, resolve=True)
    check_camera(settings, name)
    camera = settings.cameras[name]
    clock = SystemClock()
    folder = run_folder(settings.storage)
    report: dict[str, Any] = {"camera": name, "streams": {}}
    for stream, address in (("main", camera.main), ("sub", camera.sub)):
        if address is not None:
            if not json:
                typer.echo(f"{name} {stream}: {address.url}")
            try:
                found = _look_at(address, folder, clock, seconds, audio=camera.audio != "off" and stream == "main")
            except SourceError as error:
                raise type(error)(with_hint(error)) from error
            report["streams"][stream] = found
            if not json:
                _print_found(found)
    alerts = hear(name, camera, folder, clock)
    if alerts is not None:
        report["alerts"] = alerts
        if not json:
            typer.echo(f"{name} alerts: {alerts['url']}\n  login      {alerts['login']}\n  alerts     can be heard")
    if json:
        print_json(report)


def run_folder(storage: Path) -> Path | None:
    """Where a running nvr notes which logins were refused; None where none runs."""
    from nvr import layout
    from nvr.errors import StorageError

    try:
        folder = layout.run_folder(layout.volume_id(storage))
    except StorageError:
        return None
    return folder if folder.is_dir() else None


def _look_at(address: Address, folder: Path | None, clock: Clock, seconds: float, *, audio: bool) -> dict[str, Any]:
    from nvr.media.probe import announced, sample

    login, tracks = ask_for_login(address), list[str]()
    found = sample(address, clock, audio=audio, seconds=seconds, login=try_login(address, folder, clock))
    if address.url.startswith("rtsp://"):
        tracks = announced(address)
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
        "metadata": any("metadata" in track.lower() for track in tracks),
        "clock_offset": None if found.clock_offset_us is None else round(found.clock_offset_us / 1e6, 3),
        "advice": _advise(found),
    }


def ask_for_login(address: Address) -> str:
    """How the camera wants to be logged in to. Raises LoginError where that cannot work, SourceError."""
    from nvr.errors import LoginError
    from nvr.media.probe import greet

    if not address.url.startswith("rtsp://"):
        return "none asked for"
    greeting = greet(address)
    if greeting.status != 401:
        return "none asked for"
    if greeting.advice is not None:
        raise LoginError(f"{address.url}: {greeting.advice} (no login was tried)")
    if not address.username:
        raise LoginError(f"{address.url}: the camera wants a login: give username and password")
    return ", ".join(offer.split()[0] for offer in greeting.offers if offer) or "unknown"


def try_login(address: Address, folder: Path | None, clock: Clock) -> AbstractContextManager[None] | None:
    """What to hold while logging in, so that a running nvr and others do not try at the same time, or what was refused.

    ``folder`` is ``run_folder``; None where nobody else is.
    """
    from nvr.media.door import Door

    until_us = clock.monotonic_us() + WAIT_US
    return None if folder is None else Door(folder, address, clock).try_login(lambda: clock.monotonic_us() < until_us)


def _advise(found: Sample) -> list[str]:
    """What to change at the camera or in the configuration, a line each."""
    from nvr.clock import format_duration

    advice = []
    if found.gop_is_long:
        seen = f"every {found.gop_us / 1e6:.1f} s" if found.gop_us else f"none in {found.seconds:.1f} s after the first"
        advice.append(
            f"key frames are far apart ({seen}): segments get long and pictures come late; switch H.264+/H.265+ (smart "
            "codec) off and set the I-frame interval to 2 s (Hikvision: Configuration > Video/Audio > Video)"
        )
    if found.audio is not None and not found.audible:
        advice.append(
            f"audio ({found.audio}) is announced, but none comes: switch the camera's microphone input on, or set the "
            "video type to Video Stream or audio: off here"
        )
    elif found.audio not in (None, "aac"):
        advice.append(f"audio is {found.audio}: it is recorded as AAC; set the camera to AAC to have it copied")
    offset_us, moved_us = found.clock_offset_us or 0, found.clock_moved_us or 0
    if abs(offset_us) > CLOCK_OFF_US or abs(moved_us) > CLOCK_MOVED_US:
        off = f"is {_off(offset_us)} this machine's"
        if abs(moved_us) > CLOCK_MOVED_US:
            off += f" and moved by {moved_us / 1e6:+.1f} s in {format_duration(timedelta(seconds=found.seconds))}"
        advice.append(
            f"the camera's clock {off}: recordings are not affected, the time in the picture is wrong; let both keep "
            "time by NTP (Hikvision: Configuration > System > System Settings > Time Settings)"
        )
    return advice


def _off(offset_us: int) -> str:
    from nvr.clock import format_duration

    return f"{format_duration(timedelta(microseconds=abs(offset_us)))} {'ahead of' if offset_us > 0 else 'behind'}"


def with_hint(error: SourceError) -> str:
    """An error and what to change because of it, in one line."""
    from nvr.reason import Reason

    hints = {
        Reason.REFUSED: "correct username or password before the next try: cameras lock a user out for up to 30 min "
        "after five to seven wrong logins",
        Reason.FORBIDDEN: "let this user view the channel (Hikvision: Configuration > System > User Management)",
        Reason.NOT_FOUND: "correct channel, url or sub_url, or switch that stream on at the camera",
        Reason.BUSY: "close other programs and browsers that show this camera, and try again in a minute",
        Reason.UNREACHABLE: "check host and port (Hikvision: Configuration > Network > Basic Settings > Port > RTSP)",
        Reason.STALLED: "check the network and whether the camera is still starting",
    }
    hint = hints.get(error.reason)
    untried = error.reason is Reason.REFUSED and error.__cause__ is None  # our own words, which say what to do
    return str(error) if hint is None or untried else f"{error}; {hint}"


def _print_found(found: dict[str, Any]) -> None:
    interval, offset = found["key_frame_interval"], found["clock_offset"]
    typer.echo(f"  login      {found['login']}")
    typer.echo(f"  video      {found['codec']} {found['width']}x{found['height']}, {found['fps']} frames/s")
    typer.echo(f"  bit rate   {found['bitrate'] / 1e6:.2f} Mb/s")
    typer.echo("  key frames " + (f"every {interval:.1f} s" if interval else "fewer than two seen"))
    typer.echo(f"  audio      {found['audio'] or 'none'}")
    if found["metadata"]:
        typer.echo("  metadata   announced (ONVIF), not recorded")
    if offset is not None:
        typer.echo(f"  clock      {offset:+.1f} s from this machine's")
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

"""Where a camera's own events are heard, by its configuration, and for ``nvr cameras test`` whether they can be."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nvr.isapi.task import Ear, Place
from nvr.model import Address

if TYPE_CHECKING:
    from pathlib import Path

    from nvr.clock import Clock
    from nvr.config import Camera

WAIT_US = 30_000_000
"""How long to wait while somebody else is logging in at the same device."""


def hear(name: str, camera: Camera, folder: Path | None, clock: Clock) -> dict[str, Any] | None:
    """Subscribe to a camera's alerts, once, and hang up; None for a camera without ``alerts``.

    ``folder`` is where a running nvr notes refused logins; None where none runs. Raises LoginError and SourceError,
    whose text says what to set at the camera.
    """
    from nvr.isapi.device import ALERTS, Device
    from nvr.vestibule import enter

    ear = ear_of(name, camera, None)
    if ear is None:
        return None
    device, until_us = Device(ear.place), clock.monotonic_us() + WAIT_US
    with ExitStack() as held:
        held.callback(device.close)
        if folder is not None:
            held.enter_context(enter(folder, ear, clock, lambda: clock.monotonic_us() < until_us))
        with device.alerts():
            login = ", ".join(offer.split()[0] for offer in device.login.offers) if device.login.sent else None
    return {"url": ear.place.url + ALERTS, "login": login or "none asked for"}


def ear_of(name: str, camera: Camera, slot: Path | None) -> Ear | None:
    """What a camera's ``alerts`` ask for; None where it is not listened to. ``slot``: it is analysed there."""
    alerts = camera.alerts
    host = camera.host or alerts.host
    if not alerts.on or host is None:
        return None
    return Ear(
        camera=name,
        place=place_of(camera, host),
        channel=camera.channel if camera.host is not None else alerts.channel or 1,
        door=_door(camera, host),
        hold=alerts.hold,
        types=tuple(alerts.types),
        slot=slot,
    )


def place_of(camera: Camera, host: str) -> Place:
    """Where a camera's device speaks HTTP, with the login of its streams."""
    alerts = camera.alerts
    port = alerts.port or (443 if alerts.tls else 80)
    return Place(host, port, alerts.tls, alerts.verify, camera.username, _password(camera))


def _door(camera: Camera, host: str) -> Address:
    """Where the recorder logs in, if that is the same device."""
    main = camera.main
    if main.is_file or (urlsplit(main.url).hostname or "").lower() != host.lower():
        return Address(f"rtsp://{f'[{host}]' if ':' in host else host}", camera.username, _password(camera))
    return main


def _password(camera: Camera) -> str | None:
    return None if camera.password is None else camera.password.get_secret_value()

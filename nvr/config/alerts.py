"""Whether a camera's own events are taken over, and how: the keys of ``alerts``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Literal

from nvr.config.echo import shown
from nvr.config.keys import Keys, key
from nvr.config.value import DurationSchema, Host, Texts, span

Switch = Literal["off", "on"]
_Hold = Annotated[timedelta, span(timedelta(seconds=1), timedelta(minutes=5)), DurationSchema]


class Alerts(Keys):
    """Whether a camera's own events are taken over, and how."""

    mode: Switch = key("on", "Whether nvr listens to what the camera itself reports (Hikvision's ISAPI).")
    host: Host | None = key(None, "With url: host name or IP address of the Hikvision device that reports.")
    channel: int | None = key(None, "With url: the camera's channel at that device, 1 if not given.", ge=1, le=999)
    port: int | None = key(None, "Port of the device's web page: 80, with tls 443, if not given.", ge=1, le=65535)
    tls: bool = key(False, "Whether the device is spoken to over HTTPS.")
    verify: bool = key(True, "With tls: false takes a certificate that no authority has signed.")
    types: Texts = key([], "Types of reports that make events, such as fielddetection; all if not given.")
    hold: _Hold = key("5s", "How long an event goes on without the camera repeating it, 1s to 5m.")

    @property
    def on(self) -> bool:
        return self.mode == "on"


def written_out(given: object) -> object:
    """``alerts: on`` is short for ``alerts: {mode: on}``."""
    if isinstance(given, str):
        return {"mode": given}
    if isinstance(given, Mapping | Alerts):
        return given
    raise ValueError(f"got {shown(given)}, want off, on, or keys such as port and types")


def combined(shared: object, own: object, *, has_host: bool) -> object:
    """A camera's ``alerts`` with those of ``defaults`` under them; one that says anything of its own wants them on.

    ``has_host``: the camera has a ``host`` of its own, which no shared address replaces.
    """
    under, over = _keys(shared), _keys(own)
    if under is not None and has_host:
        under = {key: value for key, value in under.items() if key not in ("host", "channel")}
    if own is None:
        return shared if under is None else under
    return own if under is None or over is None else {**under, "mode": "on", **over}


def misfits(keys: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Keys of one camera that do not go with its ``alerts``: (place within the camera, what is wrong)."""
    alerts = _keys(keys.get("alerts")) or {"mode": "off"}
    on = alerts.get("mode", "on") == "on"
    given = {key for key in ("host", "channel") if alerts.get(key) is not None}
    has_host = keys.get("host") is not None
    if on and not has_host and "host" not in given and keys.get("url") is not None:
        yield ("alerts",), "needs the device's address beside a url: want alerts: {host: 192.168.1.64}"
    if has_host:
        yield from ((("alerts", key), "goes with url; a camera with host has it there") for key in sorted(given))
    if alerts.get("verify") is False and alerts.get("tls") is not True:
        yield ("alerts", "verify"), "goes with tls: true"
    if _mode(keys.get("detect")) == "camera" and not on:
        yield ("detect",), "got camera, but alerts is off, so nobody would look: want alerts: on beside it"


def _keys(given: object) -> Mapping[str, object] | None:
    if isinstance(given, str):
        return {"mode": given}
    if isinstance(given, Alerts):
        return given.model_dump(exclude_unset=True)
    return given if isinstance(given, Mapping) else None


def _mode(detect: object) -> object:
    return detect.get("mode") if isinstance(detect, Mapping) else getattr(detect, "mode", detect)

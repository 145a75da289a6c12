"""How the keys of a camera combine: what ``defaults`` add, which keys go together, where a URL's login goes.

Pure functions over keys as the file holds them, before their values are checked; so any value may be of any type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nvr.config import alerts, zone
from nvr.config.address import is_file, split_login

_OF_HOST = ("host", "port", "channel")
_OF_URL = ("url", "sub_url")
_LOGIN = ("username", "password")


def combined(shared: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    """A camera's keys with those of ``defaults`` under them: its own win, and ``detect``, ``alerts`` and ``retention``
    combine key by key.

    An address of its own replaces a shared one whole, a login in its own URL a shared login.
    """
    dropped: set[str] = set()
    if own.get("url") is not None:
        dropped.update(_OF_HOST, _OF_URL)
        if not is_file(own["url"]):
            dropped.add("loop")
    if own.get("host") is not None:
        dropped.update(_OF_URL, ("loop",))
    if any(_holds_login(own.get(key)) for key in _OF_URL):
        dropped.update(_LOGIN)
    keys = {key: value for key, value in shared.items() if key not in dropped}
    detect = _detect(shared.get("detect")), _detect(own.get("detect"))
    keys.update((key, value) for key, value in own.items() if value is not None or key == "password")
    if detect[0] is not None and detect[1] is not None:
        keys["detect"] = {**_of_use(detect[0], detect[1]), **detect[1]}
    told = alerts.combined(shared.get("alerts"), own.get("alerts"), has_host=own.get("host") is not None)
    if told is not None:
        keys["alerts"] = told
    retention = shared.get("retention"), own.get("retention")
    if isinstance(retention[0], Mapping) and isinstance(retention[1], Mapping):
        keys["retention"] = {**retention[0], **retention[1]}
    return keys


def _detect(given: object) -> Mapping[str, object] | None:
    """``detect: motion`` is short for ``detect: {mode: motion}``."""
    if isinstance(given, str):
        return {"mode": given}
    return given if isinstance(given, Mapping) else None


def _of_use(shared: Mapping[str, object], own: Mapping[str, object]) -> Mapping[str, object]:
    """Shared keys of ``detect`` without filters of labels that the camera, which names its own, does not look for."""
    filters, labels = shared.get("filters"), own.get("labels")
    if not isinstance(filters, Mapping) or not isinstance(labels, list | tuple):
        return shared
    return {**shared, "filters": {label: value for label, value in filters.items() if label in labels}}


def _holds_login(url: object) -> bool:
    return isinstance(url, str) and not is_file(url) and "@" in url


def without_login(keys: Mapping[str, object]) -> dict[str, object]:
    """The keys with the login of ``url`` and ``sub_url`` moved to ``username`` and ``password``.

    A login that differs from one given beside it, or cannot be decoded, stays where it is, for the check of the URL to
    report.
    """
    moved = dict(keys)
    for key in _OF_URL:
        url = keys.get(key)
        if not isinstance(url, str):
            continue
        try:
            bare, username, password = split_login(url)
        except ValueError:
            continue
        login = [(name, text) for name, text in zip(_LOGIN, (username, password), strict=True) if text is not None]
        # A login given twice is refused even if both are the same: which one would a later change have to change?
        if all(keys.get(name) is None and moved.get(name) in {None, text} for name, text in login):
            moved.update(login)
            moved[key] = bare
    return moved


def misfits(keys: Mapping[str, object]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Keys of one camera that do not go together: (place within the camera, what is wrong and what to do)."""
    given = {key for key, value in keys.items() if value is not None}
    url, detect = keys.get("url"), keys.get("detect")
    if {"host", "url"} <= given:
        yield ("url",), "stands beside host: a camera has either host or url"
    elif not {"host", "url"} & given:
        yield (), 'has no address: want "host: 192.168.1.64" or "url: rtsp://…"'
    if "host" not in given and "url" in given:
        yield from (
            ((key,), f"goes with host; with url write the {key} into the url")
            for key in sorted({"port", "channel"} & given)
        )
    if "sub_url" in given and "url" not in given:
        yield ("sub_url",), "goes with url; a camera with host has its own sub stream"
    if keys.get("loop") is True and not is_file(url):
        yield ("loop",), "only a video file can be repeated: want a url that is the path of one"
    if "password" in given and "username" not in given and not any(_holds_login(keys.get(key)) for key in _OF_URL):
        yield ("password",), "needs a username beside it"
    mode = detect.get("mode") if isinstance(detect, Mapping) else getattr(detect, "mode", detect)
    if keys.get("record") == "events" and mode == "off":
        yield ("record",), "got events, but detect is off, so nothing would be kept: want continuous, or detect: motion"
    stream = detect.get("stream") if isinstance(detect, Mapping) else getattr(detect, "stream", None)
    if stream == "sub" and "url" in given and not {"host", "sub_url"} & given:
        yield ("detect", "stream"), "got sub, but the camera has no sub stream: give its sub_url, or leave it at auto"
    yield from alerts.misfits(keys)
    yield from ((("detect", *place), text) for place, text in zone.misfits(detect))

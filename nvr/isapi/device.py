"""One device over HTTP: its stream of alerts, and a picture. The one place in nvr that imports httpx.

Whoever logs in goes through the device's door first (``subscription``). Runs in the listener process and in
``nvr cameras test``.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from nvr.errors import LoginError, SourceError
from nvr.isapi.login import Login
from nvr.isapi.task import Place
from nvr.reason import Reason

ALERTS = "/ISAPI/Event/notification/alertStream"
LARGEST_PICTURE = 8 << 20
_WORDS = 2000
"""Bytes of an answer's text that are looked at."""
_TRIES = 3
_ERRORS = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError, KeyError, NotImplementedError)
"""What httpx and its digest raise for a device that is away, breaks off, or answers nonsense."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a device may take, seconds."""

    connect: float = 5.0
    answer: float = 10.0
    """Between two bytes of an answer, until the alerts begin."""
    login: float = 20.0
    """From the first connection to the answer: the door is held no longer, however slowly bytes drip."""
    silence: float = 60.0
    """Between two bytes of alerts; heartbeats come every 10 s."""


class Device:
    """Use from one thread, but for ``interrupt``."""

    def __init__(self, place: Place, patience: Patience = Patience()) -> None:
        self.place = place
        self.login = Login(place.username, place.password)
        self._patience = patience
        self._socket: socket.socket | None = None
        verify: bool | ssl.SSLContext = place.verify and place.tls  # without TLS no certificates need to be read
        timeout = httpx.Timeout(patience.answer, connect=patience.connect)
        self._client = httpx.Client(
            base_url=place.url, auth=self.login, verify=verify, timeout=timeout, trust_env=False, follow_redirects=False
        )

    def close(self) -> None:
        self._client.close()

    @contextlib.contextmanager
    def alerts(self) -> Iterator[Iterator[bytes]]:
        """The bytes of the alert stream, as they come; the body begins when the device has let us in.

        Raises LoginError for a refused password, SourceError for everything else, also while it is read.
        """
        overdue = threading.Timer(self._patience.login, self.interrupt)
        overdue.daemon = True
        overdue.start()
        try:
            response = self._send(ALERTS)
        finally:
            overdue.cancel()
        response.request.extensions["timeout"]["read"] = self._patience.silence  # httpcore looks when it reads on
        try:
            yield self._chunks(response)
        finally:
            self._socket = None
            response.close()

    def interrupt(self) -> None:
        """End what another thread waits for: an answer, or alerts."""
        waiting = self._socket
        if waiting is not None:
            with contextlib.suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)

    def picture(self, channel: int) -> bytes:
        """A JPEG of this moment, from the main stream. Raises LoginError and SourceError.

        Devices that are busy answer 503 or a document that tells an error: asked again, twice.
        """
        paths = [f"/ISAPI/Streaming/channels/{channel}01/picture"] * _TRIES
        error = SourceError(f"{self.place.url}{paths[0]}: no picture", Reason.BUSY)
        for path in paths:
            try:
                response = self._send(path)
            except SourceError as refused:
                if refused.reason is not Reason.BUSY:
                    raise
                error = refused
                continue
            with contextlib.closing(response):
                body = b"".join(self._chunks(response, LARGEST_PICTURE))
            if body[:2] == b"\xff\xd8":
                return body
            error = SourceError(f"{self.place.url}{path}: no picture but {_words(body)}", Reason.BUSY)
        raise error

    def _send(self, path: str) -> httpx.Response:
        """The answer whose body is to be read; anything but 200 is an error."""
        url = self.place.url + path
        try:
            headers, extensions = {"Accept-Encoding": "identity"}, {"trace": self._trace}
            request = self._client.build_request("GET", path, headers=headers, extensions=extensions)
            response = self._client.send(request, stream=True)
        except _ERRORS as error:
            raise SourceError(*_explained(url, error)) from error
        if response.status_code == httpx.codes.OK:
            return response
        with contextlib.closing(response):
            try:
                body = b"".join(self._chunks(response, _WORDS))
            except SourceError:
                body = b""
        raise self._refusal(url, response, body)

    def _trace(self, step: str, info: dict[str, Any]) -> None:
        """httpcore's account of what it does: the only way to a socket before there is an answer."""
        if step in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = info["return_value"].get_extra_info("socket")

    def _chunks(self, response: httpx.Response, limit: int | None = None) -> Iterator[bytes]:
        """The body, up to ``limit`` bytes. Raises SourceError where it breaks off."""
        left = limit
        try:
            for chunk in response.iter_raw():
                yield chunk if left is None else chunk[:left]
                if left is not None:
                    left -= len(chunk)
                    if left <= 0:
                        return
        except _ERRORS as error:
            raise SourceError(*_explained(str(response.request.url), error)) from error

    def _refusal(self, url: str, response: httpx.Response, body: bytes) -> SourceError:
        status, words = response.status_code, _words(body)
        said = f"{url}: {status} {response.reason_phrase}{words and f' ({words})'}"
        if status == 401:
            return self._refused_login(url, words)
        if status in (403, 503) and re.search("subscri|invalid ?operation|busy|max", words, re.IGNORECASE):
            return SourceError(f"{said}: too many others listen: close other programs", Reason.BUSY)
        if status == 403:
            advice = "let this user be notified (Hikvision: User Management, Remote: Notify Surveillance Center)"
            return SourceError(f"{said}: {advice}", Reason.FORBIDDEN)
        if status in (301, 302, 307, 308):
            where = response.headers.get("location", "")[:100]
            return SourceError(f"{said} → {where}: give alerts its port, or tls: true", Reason.UNUSABLE)
        if status in (404, 405, 501):
            return SourceError(f"{said}: this device has no ISAPI there, or it is switched off", Reason.NOT_FOUND)
        return SourceError(said, Reason.BUSY if status >= 500 or status == 429 else Reason.UNUSABLE)

    def _refused_login(self, url: str, words: str) -> SourceError:
        """A 401 in words. Only a password that was sent, and with a nonce that still counts, was refused."""
        if self.login.refused:
            locked = " (the account is locked)" if re.search(r"\block\b|locked", words, re.IGNORECASE) else ""
            return LoginError(f"{url}: the login of {self.place.username} was refused{locked}")
        if self.login.sent:
            return SourceError(f"{url}: the device takes its own nonces for too old", Reason.BUSY)
        if not self.place.username:
            return SourceError(f"{url}: the device wants a login: give username and password", Reason.REFUSED)
        wanted = ", ".join(offer.split()[0] for offer in self.login.offers) or "nothing that is known"
        return SourceError(f"{url}: no login was tried: the device wants {wanted}", Reason.REFUSED)


def _explained(url: str, error: Exception) -> tuple[str, Reason]:
    """An error of httpx in words, and what it is for the ledger."""
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        hint = ""
        if "CERTIFICATE" in str(error).upper():
            hint = "; a certificate of the device's own needs verify: false"
        return f"{url}: cannot be reached: {error}{hint}", Reason.UNREACHABLE
    if isinstance(error, httpx.TimeoutException):
        return f"{url}: nothing came any more", Reason.STALLED
    if isinstance(error, httpx.ReadError | httpx.RemoteProtocolError | OSError):
        return f"{url}: broke off: {error}", Reason.CLOSED
    return f"{url}: answers what cannot be read: {type(error).__name__}: {error}", Reason.UNUSABLE


def _words(body: bytes) -> str:
    """The text of an answer without its tags, short, and nothing that a terminal would obey."""
    line = " ".join(re.sub(r"<[^>]*>", " ", body[:_WORDS].decode(errors="replace")).split())
    return "".join(each for each in line if each.isprintable())[:200]

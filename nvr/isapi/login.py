"""Logging in over HTTP: digest (RFC 7616, SHA-256 too) where it is offered, and the password never sent unasked.

Every request is first made without credentials, and the answer says how they are wanted; so no login is wasted on a
guess: cameras count those. Runs in the thread that asks.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator

import httpx

log = logging.getLogger(__name__)
STRONGEST_FIRST = ("SHA-512", "SHA-512-SESS", "SHA-256", "SHA-256-SESS", "MD5", "MD5-SESS")
_OFFER = re.compile(r"""(?:^|,)\s*(?=(?:Digest|Basic)(?:\s|$))(?=(?:[^"]*"[^"]*")*[^"]*$)""", re.IGNORECASE)
_ALGORITHM = re.compile(r"algorithm\s*=\s*\"?([\w-]+)", re.IGNORECASE)
_STALE = re.compile(r"stale\s*=\s*\"?true", re.IGNORECASE)


class Login(httpx.Auth):
    """The login of one user. Use from one thread."""

    def __init__(self, username: str | None, password: str | None) -> None:
        self.sent = False
        """Whether the last request carried the password, in whatever form."""
        self.refused = False
        """Whether the password was refused; a device that finds its own nonce too old refuses nothing."""
        self.offers: list[str] = []
        """How the device wanted to be logged in to, the last time."""
        self._username = username
        self._password = password or ""
        self._warned = False

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Ask, log in once, and once more where the device says that its own nonce was too old."""
        self.sent = self.refused = False
        response = yield request
        for _ in range(2):
            if response.status_code != 401:
                break
            self.offers = offers(response)
            if not self._username:
                break
            if self.sent and not _is_stale(response):
                break
            answer = self._answer(request)
            if answer is None:
                return
            request.headers["Authorization"] = answer
            self.sent = True
            response = yield request
        self.refused = self.sent and response.status_code == 401 and not _is_stale(response)

    def _answer(self, request: httpx.Request) -> str | None:
        """The header that logs in; None where the device wants nothing that is known. Digest goes before Basic."""
        assert self._username is not None
        digests = [offer for offer in self.offers if offer[:6].lower() == "digest"]
        for algorithm in STRONGEST_FIRST:
            for offer in digests:
                if algorithm == _algorithm(offer):
                    return self._digest(request, offer)
        if digests or not any(offer[:5].lower() == "basic" for offer in self.offers):
            return None
        if request.url.scheme == "http" and not self._warned:
            self._warned = True
            log.warning("%s offers nothing but Basic: the password goes over the network in plain", request.url.host)
        plain = httpx.BasicAuth(self._username.encode(), self._password.encode())
        return next(plain.auth_flow(request)).headers["Authorization"]

    def _digest(self, request: httpx.Request, offer: str) -> str:
        assert self._username is not None
        flow = httpx.DigestAuth(self._username.encode(), self._password.encode()).auth_flow(request)
        next(flow)
        return flow.send(httpx.Response(401, headers={"WWW-Authenticate": offer}, request=request)).headers[
            "Authorization"
        ]


def offers(response: httpx.Response) -> list[str]:
    """The ways to log in that a 401 names, however it puts them into headers."""
    found = []
    for header in response.headers.get_list("www-authenticate"):
        found += [offer.strip() for offer in _OFFER.split(header) if offer.strip()]
    return found


def _is_stale(response: httpx.Response) -> bool:
    return any(_STALE.search(offer) for offer in offers(response))


def _algorithm(offer: str) -> str:
    found = _ALGORITHM.search(offer)
    return "MD5" if found is None else found[1].upper()

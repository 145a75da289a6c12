"""A Hikvision device's HTTP side: a real server on 127.0.0.1 with digest login that plays scripted alert streams."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import select
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
SILENT = None
"""A step of a stream: nothing more is sent, and the connection stays."""
USER, PASSWORD = "viewer", "geheim: ä"
_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
HEARTBEAT = (
    '<EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">\r\n'
    "<ipAddress>127.0.0.1</ipAddress><portNo>80</portNo><protocol>HTTP</protocol><channelID>1</channelID>"
    "<dateTime>{at}</dateTime><activePostCount>0</activePostCount><eventType>videoloss</eventType>"
    "<eventState>inactive</eventState><eventDescription>videoloss alarm</eventDescription></EventNotificationAlert>"
)


def alert(
    kind: str = "VMD", state: str = "active", channel: str = "<channelID>1</channelID>", more: str = "", at: str = ""
) -> str:
    """One alert's document; ``more`` is XML at its end, ``at`` its dateTime, none where it is empty."""
    when = f"<dateTime>{at}</dateTime>" if at else ""
    return (
        '<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">\r\n'
        f"<ipAddress>127.0.0.1</ipAddress>\r\n{channel}{when}<activePostCount>1</activePostCount>\r\n"
        f"<eventType>{kind}</eventType>\r\n<eventState>{state}</eventState>\r\n"
        f"<eventDescription>{kind} alarm</eventDescription>{more}\r\n</EventNotificationAlert>"
    )


def part(body: str | bytes, kind: str = "application/xml", boundary: str = "boundary", length: bool = True) -> bytes:
    """A part of a multipart stream as cameras send it."""
    body = body.encode() if isinstance(body, str) else body
    head = f"--{boundary}\r\nContent-Type: {kind}\r\n" + (f"Content-Length: {len(body)}\r\n" if length else "")
    return head.encode() + b"\r\n" + body + b"\r\n"


def region(id: str, target: str = "") -> str:
    """A region of an alert, for ``more``."""
    return (
        f"<DetectionRegionList><DetectionRegionEntry><regionID>{id}</regionID>"
        f"<detectionTarget>{target}</detectionTarget></DetectionRegionEntry></DetectionRegionList>"
    )


@dataclass
class Answer:
    """What a request gets in place of what it asked for."""

    status: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Stream = Sequence[bytes | float | None]
"""What a connection plays: bytes are sent, numbers are seconds of waiting, ``SILENT`` keeps it open; then it closes."""


class FakeDevice:
    """Each subscription plays the next of ``streams``, the last of them again and again."""

    def __init__(
        self,
        *streams: Stream | Answer,
        offers: Sequence[str] = ("MD5",),
        pictures: Sequence[bytes | Answer] = (),
        password: str = PASSWORD,
        content_type: str = "multipart/mixed; boundary=boundary",
        stale: int = 0,
    ) -> None:
        """``offers`` are digest algorithms or "Basic"; none is no login. The first ``stale`` nonces are too old."""
        self.requests: list[tuple[str, str]] = []
        """Path and Authorization header of each request."""
        self.refused = 0
        """Wrong logins, as the device counts them."""
        self.open = 0
        """Subscriptions just now."""
        self._streams = list(streams)
        self._offers, self._pictures = offers, list(pictures)
        self._password, self._content_type, self._stale = password, content_type, stale
        self._nonces: dict[str, bool] = {}
        """Nonces that were given, and whether each is any good."""
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._accepting.join(5)
        self._server.close()
        for thread in self._threads:
            thread.join(5)

    def subscriptions(self) -> int:
        """How many requests for alerts were let in or need no login."""
        return sum(1 for path, login in self.requests if path.endswith("alertStream") and (login or not self._offers))

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while (request := self._request(connection)) is not None:
                    if not self._reply(connection, *request):
                        return
            except OSError:
                pass

    def _request(self, connection: socket.socket) -> tuple[str, str] | None:
        """Path and Authorization of the next request; None where there is none."""
        head = b""
        while b"\r\n\r\n" not in head:
            if self._over.is_set():
                return None
            if select.select([connection], [], [], 0.05)[0]:
                got = connection.recv(65536)
                if not got:
                    return None
                head += got
        login = re.search(rb"\r\nauthorization: ([^\r\n]+)", head, re.IGNORECASE)
        request = (head.split()[1].decode(), login[1].decode() if login else "")
        self.requests.append(request)
        return request

    def _reply(self, connection: socket.socket, path: str, login: str) -> bool:
        """Answer a request; whether the connection goes on."""
        refused = self.refused
        if self._offers and not self._lets_in(path, login):
            stale = bool(login) and self.refused == refused
            offers = "".join(f"WWW-Authenticate: {self._offer(name, stale)}\r\n" for name in self._offers)
            body = b"<userCheck><statusString>Unauthorized</statusString><lockStatus>unlock</lockStatus></userCheck>"
            head = f"HTTP/1.1 401 Unauthorized\r\n{offers}Content-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            return True
        if path.endswith("/picture"):
            return self._answer(connection, self._next(self._pictures) if self._pictures else Answer("404 Not Found"))
        if not path.endswith("alertStream"):
            return self._answer(connection, Answer("404 Not Found"))
        stream = self._next(self._streams)
        if isinstance(stream, Answer):
            return self._answer(connection, stream)
        self.open += 1
        try:
            self._play(connection, stream)
        finally:
            self.open -= 1
        return False

    def _next(self, script: list[T]) -> T:
        with self._lock:
            return script.pop(0) if len(script) > 1 else script[0]

    def _answer(self, connection: socket.socket, answer: bytes | Answer) -> bool:
        if isinstance(answer, bytes):
            answer = Answer("200 OK", answer, {"Content-Type": "image/jpeg"})
        headers = {"Content-Length": str(len(answer.body)), **answer.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"HTTP/1.1 {answer.status}\r\n{lines}\r\n".encode() + answer.body)
        return True

    def _play(self, connection: socket.socket, stream: Stream) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {self._content_type}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        for step in stream:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif self._gone(connection, step):
                return

    def _gone(self, connection: socket.socket, seconds: float | None) -> bool:
        """Wait; whether the other side or the test has ended meanwhile."""
        end = time.monotonic() + (3600 if seconds is None else seconds)
        while time.monotonic() < end:
            if self._over.is_set():
                return True
            if select.select([connection], [], [], 0.02)[0] and not connection.recv(4096):
                return True
        return False

    def _offer(self, name: str, stale: bool) -> str:
        if name == "Basic":
            return 'Basic realm="device"'
        nonce = secrets.token_hex(8)
        self._nonces[nonce] = self._stale <= 0
        self._stale -= 1
        said = ', stale="true"' if stale else ""
        return f'Digest qop="auth", realm="device", nonce="{nonce}", algorithm={name}{said}'

    def _lets_in(self, path: str, login: str) -> bool:
        """Check a login; a wrong one counts, one with a nonce that is too old does not."""
        if not login:
            return False
        if login.startswith("Basic "):
            right: bool = base64.b64decode(login[6:]).decode() == f"{USER}:{self._password}"
            self.refused += not right
            return "Basic" in self._offers and right
        fields = {key: value.strip('"') for key, value in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', login)}
        if not self._nonces.get(fields["nonce"], False):
            return False

        def digest(text: str) -> str:
            return str(_HASHES[fields["algorithm"]](text.encode()).hexdigest())

        secret = digest(f"{fields['username']}:{fields['realm']}:{self._password}")
        counted = ":".join(fields[name] for name in ("nonce", "nc", "cnonce", "qop"))
        right = fields["response"] == digest(f"{secret}:{counted}:{digest(f'GET:{path}')}")
        self.refused += not right
        return right

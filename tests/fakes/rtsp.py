"""A camera that follows a script: RTSP over TCP in plain sockets, for what real cameras do wrong.

It sends generated H.264 or H.265 (RFC 6184, RFC 7798: single NAL units and fragments) and audio (G.711; AAC by RFC
3640), interleaved in the RTSP connection (RFC 2326, 10.12), and keeps what it sent, so that a test can prove that
nothing was lost.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from tests.fakes.clip import AccessUnit, VideoCodec, slices_digest
from tests.fakes.fault import Damager
from tests.fakes.rtp import AAC, Track, fragments
from tests.fakes.script import Script, describe
from tests.fakes.tag import tag, tagged

__all__ = ["Request", "Script", "ScriptedCamera", "Sent", "describe"]
REALM = "IP Camera(C1234)"
NONCE = "4d6f6465726e2063616d657261"
SEND_TIMEOUT = 10
JOIN_TIMEOUT = 10.0
_STATUS = {
    200: "OK",
    401: "Unauthorized",
    404: "Not Found",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    461: "Unsupported Transport",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked of a camera and what it got."""

    method: str
    uri: str
    authorization: bool
    status: int

    @property
    def is_refused_login(self) -> bool:
        """A request that carried a login and was refused: cameras count these and lock the account."""
        return self.authorization and self.status == 401


@dataclass(frozen=True, slots=True)
class Sent:
    """One picture that went out: display number (on over ``loops``), RTP timestamp before wrapping, digest."""

    number: int
    key: bool
    timestamp: int
    digest: str
    at: float = 0.0
    """When it was sent, Unix seconds."""
    damaged: bool = False


class ScriptedCamera:
    """Listens on a free port of loopback and plays ``scripts``: the n-th session that plays gets the n-th, later ones
    the last. A context manager; threads and sockets are gone when it ends.

    Its faults as a device: ``vanish`` (nothing listens, every connection is closed), ``freeze`` (connections are
    taken, and nothing is said or heard any more), ``drop`` (every connection is closed), and ``come_back``, on the
    same port. ``password`` may be changed at any time.
    """

    def __init__(self, *scripts: Script, username: str | None = None, password: str = "") -> None:
        self.scripts = scripts
        self.username, self.password = username, password
        self.requests: list[Request] = []
        self.sessions: list[list[Sent]] = []
        """The pictures of each session that played, in the order they went out."""
        self.tries: Counter[str] = Counter()
        """Requests of each method that passed the login."""
        self.frozen = threading.Event()
        self._connections: set[_Connection] = set()
        self._place = socket.socket()
        """Bound and deaf: nobody else gets the port while the camera is gone."""
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self.host, self.port = self._place.getsockname()
        self._listener = socket.create_server((self.host, self.port))
        self._thread = threading.Thread()

    @property
    def url(self) -> str:
        return f"rtsp://{self.host}:{self.port}/Streaming/Channels/101"

    @property
    def sent(self) -> list[Sent]:
        """The pictures of the first session."""
        return self.sessions[0] if self.sessions else []

    def next_script(self) -> Script:
        return self.scripts[min(len(self.sessions), len(self.scripts) - 1)]

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.vanish()
        self._place.close()

    def vanish(self) -> None:
        """Be gone from the network, as after a loss of power."""
        with contextlib.suppress(OSError):  # it is gone already
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(JOIN_TIMEOUT)
        self.drop()

    def drop(self) -> None:
        """Close every connection."""
        for connection in list(self._connections):
            connection.close()

    def freeze(self) -> None:
        """Hang: the kernel still takes connections, nobody answers them."""
        self.frozen.set()

    def come_back(self) -> None:
        """Be there again after ``vanish`` or ``freeze``, knowing nothing of earlier connections."""
        if self.frozen.is_set():
            self.frozen.clear()  # first: who connects now is answered, and not left to wait for ever
            self.drop()
        else:
            self._listener = socket.create_server((self.host, self.port))
            self._listen()

    def forget(self, connection: _Connection) -> None:
        """A connection has ended by itself."""
        self._connections.discard(connection)

    def _listen(self) -> None:
        self._thread = threading.Thread(
            target=self._accept, args=(self._listener,), name="scripted-camera", daemon=True
        )
        self._thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            connection = _Connection(self, client)
            self._connections.add(connection)
            connection.start()


@dataclass(eq=False)
class _Connection:
    """One client: a thread reads its requests, another sends the media."""

    camera: ScriptedCamera
    client: socket.socket
    tracks: list[Track] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    silent: Literal["", "stalled", "half-open"] = ""

    def __post_init__(self) -> None:
        # Only for sending: reading ends when the client goes or the camera is closed.
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_TIMEOUT, 0))
        self._lock = threading.Lock()
        self._script = self.camera.next_script()
        self._damager = Damager(self._script.damage) if self._script.damage else None
        self._heard = time.monotonic()
        self._sender: threading.Thread | None = None
        self._reader = threading.Thread(target=self._read, name="scripted-requests", daemon=True)

    def start(self) -> None:
        self._reader.start()

    def close(self) -> None:
        """End both threads and the connection."""
        self.ended.set()
        with contextlib.suppress(OSError):  # the client was first
            self.client.shutdown(socket.SHUT_RDWR)
        if self._reader is not threading.current_thread():
            self._reader.join(JOIN_TIMEOUT)

    def _read(self) -> None:
        """Answer requests until the client goes away, then clear up."""
        try:
            with self.client.makefile("rb") as stream:
                while not self.ended.is_set() and (first := stream.read(1)):
                    if first == b"$":  # the client's own RTCP
                        stream.read(int.from_bytes(stream.read(3)[1:]))
                        continue
                    head = first + stream.readline()
                    while not head.endswith(b"\r\n\r\n") and (line := stream.readline()):
                        head += line
                    if self.silent == "half-open" or self.camera.frozen.is_set():
                        self.ended.wait()
                    elif not self.silent:
                        self._answer(head.decode())
        except (OSError, ValueError):
            pass  # gone, or closed by the script
        self.ended.set()
        if self._sender is not None:
            self._sender.join(JOIN_TIMEOUT)
        self.client.close()
        self.camera.forget(self)

    def _answer(self, head: str) -> None:
        method, uri, _ = head.split("\r\n", 1)[0].split(" ")
        headers = {name.lower(): value for name, value in re.findall(r"^([\w-]+): *(.*?)\r?$", head, re.MULTILINE)}
        self._heard = time.monotonic()
        status, fields, body = self._decide(method, uri, headers)
        self.camera.requests.append(Request(method, uri, "authorization" in headers, status))
        lines = [f"RTSP/1.0 {status} {_STATUS.get(status, 'Error')}", f"CSeq: {headers.get('cseq', '0')}", *fields]
        lines += [f"Content-Length: {len(body)}"] if body else []
        answer = "\r\n".join([*lines, "", body]).encode()
        if method != "PLAY" or status != 200:
            self._write(answer)
            return
        sent: list[Sent] = []
        self.camera.sessions.append(sent)  # before the client knows that it plays
        arguments = (sent, len(self.camera.sessions) - 1)
        self._write(answer)
        self._sender = threading.Thread(target=self._play, args=arguments, name="scripted-media", daemon=True)
        self._sender.start()

    def _decide(self, method: str, uri: str, headers: Mapping[str, str]) -> tuple[int, list[str], str]:
        """Status, header lines and body of the answer."""
        session = [f"Session: 12345678;timeout={self._script.session_timeout or 60}"]
        if method == "OPTIONS":
            return 200, ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"], ""
        if not self._may(method, headers.get("authorization")):
            return 401, [f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}"'], ""
        refused = self._refusal(method)
        if refused is not None:
            return refused, [], ""
        if method == "DESCRIBE":
            self.tracks, sdp = describe(self._script)
            return 200, ["Content-Type: application/sdp", f"Content-Base: {uri}/"], sdp
        if method == "SETUP":
            channels = re.search(r"interleaved=(\d+)-\d+", headers.get("transport", ""))
            if channels is None:
                return 461, [], ""
            self.tracks[int(uri.rsplit("=", 1)[1])].channel = int(channels[1])
            return 200, [*session, f"Transport: {headers['transport']}"], ""
        return 200, session, ""

    def _refusal(self, method: str) -> int | None:
        tried = self.camera.tries[method]
        self.camera.tries[method] += 1
        statuses = self._script.refusals.get(method, ())
        if tried < len(statuses):
            return statuses[tried]
        return self._script.describe_status if method == "DESCRIBE" and self._script.describe_status != 200 else None

    def _may(self, method: str, authorization: str | None) -> bool:
        """Check a digest login (RFC 2069: MD5, no qop)."""
        if self._script.refuse_login:
            return False
        if self.camera.username is None:
            return True
        given = dict(re.findall(r'(\w+)="([^"]*)"', authorization or ""))
        who = _md5(f"{self.camera.username}:{REALM}:{self.camera.password}")
        what = _md5(f"{method}:{given.get('uri')}")
        return given.get("response") == _md5(f"{who}:{NONCE}:{what}") and given.get("username") == self.camera.username

    def _play(self, sent: list[Sent], session: int) -> None:
        """Send the media as the script says, then hang up."""
        script = self._script
        begin, wall = time.monotonic(), time.time()
        try:
            for due, index, item in script.timeline():
                if script.speed and self.ended.wait(begin + due / script.speed - time.monotonic()):
                    return
                if isinstance(item, bytes):
                    self._send_sound(due, item)
                    continue
                if self._is_over(index):
                    break
                if script.reports and index % script.fps == 0:
                    self._send_reports(due, index, wall)
                self._send_picture(index, item, sent, session)
            if not self.silent:
                # Only this direction: closing both would reset the connection and lose what the client has yet to read.
                self.client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the client went away

    def _is_over(self, index: int) -> bool:
        """Whether the session ends, or says no more, before this picture; waits for as long as it stalls."""
        script = self._script
        if index == script.stall_after:
            self.silent = "stalled"
        elif index == script.half_open_after or self.camera.frozen.is_set():
            self.silent = "half-open"
        if index in script.stalls:
            with self._lock:  # nothing goes out, answers neither
                self.ended.wait(script.stalls[index])
        limit = script.session_timeout
        expired = limit is not None and time.monotonic() - self._heard > limit
        return bool(self.silent) or expired or index == script.drop_after or self.ended.is_set()

    def _send_sound(self, due: float, packet: bytes) -> None:
        for track in self._playing("audio"):
            header = struct.pack(">HH", 16, len(packet) << 3) if track.payload_type == AAC else b""
            self._write(track.rtp(round(due * track.rate), header + packet, marker=True))

    def _send_reports(self, due: float, index: int, begun: float) -> None:
        wall = begun + due + sum(step for place, step in self._script.clock_steps.items() if place <= index)
        for track in self.tracks:
            now = self._script.timestamp(index, index) if track.kind == "video" else round(due * track.rate)
            self._write(track.report(now, wall))

    def _send_picture(self, index: int, unit: AccessUnit, sent: list[Sent], session: int) -> None:
        script = self._script
        assert script.video is not None
        for track in self._playing("video"):
            timestamp = script.timestamp(index, unit.number)
            payloads, digest = _packed(unit.nals, script.video.codec)
            noise, damaged = b"", False
            if self._damager is not None:
                payloads, noise, damaged = self._damager.spoil(index, payloads)
            # Noted first, so that what a client has is always in the list.
            sent.append(Sent(unit.number, unit.key, timestamp, digest, time.time(), damaged))
            if script.tags and payloads:
                payloads = tagged(payloads, tag(session, index, script.video.codec), script.video.codec)
            payloads = [*payloads, *_filler(script.padding)]
            track.sequence += script.lost_numbers.get(index, 0)
            last = len(payloads) - 1
            packets = [track.rtp(timestamp, each, script.marker and n == last) for n, each in enumerate(payloads)]
            self._write(b"".join([noise, *packets]))

    def _playing(self, kind: str) -> list[Track]:
        return [track for track in self.tracks if track.kind == kind and track.channel is not None]

    def _write(self, data: bytes) -> None:
        with self._lock:
            self.client.sendall(data)


@functools.lru_cache(maxsize=8)
def _filler(size: int) -> list[bytes]:
    return fragments(b"\x0c" + b"\xff" * size + b"\x80") if size else []


@functools.lru_cache(maxsize=8192)
def _packed(nals: tuple[bytes, ...], codec: VideoCodec) -> tuple[list[bytes], str]:
    """A picture's RTP payloads and its digest; clips are played over and over."""
    return [payload for nal in nals for payload in fragments(nal, codec)], slices_digest(nals, codec=codec)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

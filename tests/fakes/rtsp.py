"""A camera that follows a script: RTSP over TCP in plain sockets, for what real cameras do wrong.

It sends generated H.264 (RFC 6184: single NAL units and FU-A) and audio (G.711; AAC by RFC 3640), interleaved in the
RTSP connection (RFC 2326, 10.12), and keeps what it sent, so that a test can prove that nothing was lost.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import heapq
import math
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.fakes.clip import FPS, VIDEO_RATE, AccessUnit, Clip, Sound, slices_digest
from tests.fakes.rtp import AAC, Track, fragments

REALM = "IP Camera(C1234)"
NONCE = "4d6f6465726e2063616d657261"
SEND_TIMEOUT = 10
JOIN_TIMEOUT = 10.0
_STATUS = {200: "OK", 401: "Unauthorized", 404: "Not Found", 453: "Not Enough Bandwidth", 461: "Unsupported Transport"}


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


@dataclass(frozen=True)
class Script:
    """What the camera does in one connection. Places are indices of pictures as they are sent, over all loops."""

    video: Clip | None = None
    """None: the camera announces no video."""
    audio: Sound | None = None
    silent_audio: bool = False
    """Announce the audio, send none."""
    metadata: bool = False
    """Announce ONVIF metadata, as Hikvision does, and send none."""
    loops: int = 1
    sprop: bool = True
    """Give SPS and PPS in the SDP."""
    speed: float | None = None
    """Of real time; None sends as quickly as the client reads."""
    start: int = 0
    """RTP timestamp of the first picture; 2**32 - 90_000 wraps after a second."""
    jumps: Mapping[int, int] = field(default_factory=dict)
    """Ticks of 90 kHz by which timestamps move, up or down, from a picture on."""
    reports: bool = False
    """Send RTCP sender reports, one a second."""
    clock_steps: Mapping[int, int] = field(default_factory=dict)
    """Seconds by which the camera's clock, seen in the reports, is set from a picture on."""
    stall_after: int | None = None
    """Fall silent after so many pictures, the connection open; no request is answered any more."""
    drop_after: int | None = None
    """Close the connection after so many pictures. Without either it is closed after the last one."""
    describe_status: int = 200
    refuse_login: bool = False
    """401 whatever the login."""

    def timeline(self) -> Iterator[tuple[float, int, AccessUnit | bytes]]:
        """All there is to send, in order: due second, index, and a picture or an audio packet."""
        return heapq.merge(self._pictures(), self._sounds(), key=lambda entry: entry[0])

    def timestamp(self, index: int, number: int) -> int:
        """RTP timestamp, not wrapped, of the picture at ``index`` with the display number ``number``."""
        return self.start + number * VIDEO_RATE // FPS + sum(t for place, t in self.jumps.items() if place <= index)

    def _pictures(self) -> Iterator[tuple[float, int, AccessUnit | bytes]]:
        units = self.video.units if self.video else ()
        for index in range(len(units) * self.loops):
            loop, place = divmod(index, len(units))
            unit = units[place]
            yield index / FPS, index, AccessUnit(loop * len(units) + unit.number, unit.key, unit.nals)

    def _sounds(self) -> Iterator[tuple[float, int, AccessUnit | bytes]]:
        if self.audio is None or self.silent_audio:
            return
        step = self.audio.samples / self.audio.rate
        once = len(self.audio.packets)
        count = math.ceil(len(self.video.units) * self.loops / FPS / step) if self.video else once * self.loops
        for index in range(count):
            yield index * step, index, self.audio.packets[index % once]


class ScriptedCamera:
    """Listens on a free port of loopback and plays ``scripts``: the n-th session that plays gets the n-th, later ones
    the last. A context manager; threads and sockets are gone when it ends."""

    def __init__(self, *scripts: Script, username: str | None = None, password: str = "") -> None:
        self.scripts = scripts
        self.username, self.password = username, password
        self.requests: list[Request] = []
        self.sessions: list[list[Sent]] = []
        """The pictures of each session that played, in the order they went out."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self._stop = threading.Event()
        self._connections: list[_Connection] = []
        self._thread = threading.Thread(target=self._accept, name="scripted-camera", daemon=True)

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
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(JOIN_TIMEOUT)
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(_Connection(self, client, self._stop))


@dataclass
class _Connection:
    """One client: a thread reads its requests, another sends the media."""

    camera: ScriptedCamera
    client: socket.socket
    stop: threading.Event
    tracks: list[Track] = field(default_factory=list)
    stalled: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        # Only for sending: reading ends when the client goes or the camera is closed.
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_TIMEOUT, 0))
        self._lock = threading.Lock()
        self._script = self.camera.next_script()
        self._sender: threading.Thread | None = None
        self._reader = threading.Thread(target=self._read, name="scripted-requests", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """End both threads and the connection."""
        with contextlib.suppress(OSError):  # the client was first
            self.client.shutdown(socket.SHUT_RDWR)
        for thread in (self._reader, self._sender):
            if thread is not None:
                thread.join(JOIN_TIMEOUT)
        self.client.close()

    def _read(self) -> None:
        """Answer requests until the client goes away."""
        try:
            with self.client.makefile("rb") as stream:
                while not self.stop.is_set() and (first := stream.read(1)):
                    if first == b"$":  # the client's own RTCP
                        stream.read(int.from_bytes(stream.read(3)[1:]))
                        continue
                    head = first + stream.readline()
                    while not head.endswith(b"\r\n\r\n") and (line := stream.readline()):
                        head += line
                    if not self.stalled.is_set():
                        self._answer(head.decode())
        except (OSError, ValueError):
            pass  # gone, or closed by the script

    def _answer(self, head: str) -> None:
        method, uri, _ = head.split("\r\n", 1)[0].split(" ")
        headers = {name.lower(): value for name, value in re.findall(r"^([\w-]+): *(.*?)\r?$", head, re.MULTILINE)}
        status, fields, body = self._decide(method, uri, headers)
        self.camera.requests.append(Request(method, uri, "authorization" in headers, status))
        lines = [f"RTSP/1.0 {status} {_STATUS.get(status, 'Error')}", f"CSeq: {headers.get('cseq', '0')}", *fields]
        lines += [f"Content-Length: {len(body)}"] if body else []
        self._write("\r\n".join([*lines, "", body]).encode())
        if method == "PLAY" and status == 200:
            sent: list[Sent] = []
            self.camera.sessions.append(sent)
            self._sender = threading.Thread(target=self._play, args=(sent,), name="scripted-media", daemon=True)
            self._sender.start()

    def _decide(self, method: str, uri: str, headers: Mapping[str, str]) -> tuple[int, list[str], str]:
        """Status, header lines and body of the answer."""
        session = ["Session: 12345678;timeout=60"]
        if method == "OPTIONS":
            return 200, ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"], ""
        if not self._may(method, headers.get("authorization")):
            return 401, [f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}"'], ""
        if method == "DESCRIBE" and self._script.describe_status != 200:
            return self._script.describe_status, [], ""
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

    def _play(self, sent: list[Sent]) -> None:
        """Send the media as the script says, then hang up."""
        self._begin, self._wall = time.monotonic(), time.time()
        try:
            for due, index, item in self._script.timeline():
                if self._script.speed and self.stop.wait(self._begin + due / self._script.speed - time.monotonic()):
                    return
                if isinstance(item, bytes):
                    self._send_sound(due, item)
                elif index == self._script.stall_after:
                    self.stalled.set()
                    return
                elif index == self._script.drop_after:
                    break
                else:
                    self._send_picture(due, index, item, sent)
            if self._script.stall_after is None:
                # Only this direction: closing both would reset the connection and lose what the client has yet to read.
                self.client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the client went away

    def _send_sound(self, due: float, packet: bytes) -> None:
        for track in self._playing("audio"):
            header = struct.pack(">HH", 16, len(packet) << 3) if track.payload_type == AAC else b""
            self._write(track.rtp(round(due * track.rate), header + packet, marker=True))

    def _send_picture(self, due: float, index: int, unit: AccessUnit, sent: list[Sent]) -> None:
        if self._script.reports and index % FPS == 0:
            wall = self._wall + due + sum(step for place, step in self._script.clock_steps.items() if place <= index)
            for track in self.tracks:
                now = self._script.timestamp(index, index) if track.kind == "video" else round(due * track.rate)
                self._write(track.report(now, wall))
        for track in self._playing("video"):
            timestamp = self._script.timestamp(index, unit.number)
            # Noted first, so that what a client has is always in the list.
            sent.append(Sent(unit.number, unit.key, timestamp, slices_digest(unit.nals)))
            payloads = [payload for nal in unit.nals for payload in fragments(nal)]
            packets = [track.rtp(timestamp, payload, payload is payloads[-1]) for payload in payloads]
            self._write(b"".join(packets))

    def _playing(self, kind: str) -> list[Track]:
        return [track for track in self.tracks if track.kind == kind and track.channel is not None]

    def _write(self, data: bytes) -> None:
        with self._lock:
            self.client.sendall(data)


def describe(script: Script) -> tuple[list[Track], str]:
    """The tracks that a script announces, and the SDP that does so (RFC 4566)."""
    tracks: list[Track] = []
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=Media Presentation", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*"]
    if script.video is not None:
        tracks.append(Track("video", 96, VIDEO_RATE))
        sets = ",".join(base64.b64encode(nal).decode() for nal in (script.video.sps, script.video.pps))
        sprop = f";profile-level-id={script.video.sps[1:4].hex()};sprop-parameter-sets={sets}" if script.sprop else ""
        lines += ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", f"a=fmtp:96 packetization-mode=1{sprop}"]
        lines.append(f"a=control:trackID={len(tracks) - 1}")
    if script.audio is not None:
        kind, name = (AAC, "MPEG4-GENERIC") if script.audio.codec == "aac" else (0, "PCMU")
        tracks.append(Track("audio", kind, script.audio.rate))
        lines += [f"m=audio 0 RTP/AVP {kind}", f"a=rtpmap:{kind} {name}/{script.audio.rate}"]
        if kind == AAC:
            sizes = "mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3"
            lines.append(f"a=fmtp:{AAC} streamtype=5;profile-level-id=1;{sizes};config={script.audio.config.hex()}")
        lines.append(f"a=control:trackID={len(tracks) - 1}")
    if script.metadata:
        tracks.append(Track("application", 107, VIDEO_RATE))
        lines += ["m=application 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000"]
        lines.append(f"a=control:trackID={len(tracks) - 1}")
    return tracks, "\r\n".join([*lines, ""])


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

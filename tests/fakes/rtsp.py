"""A camera that follows a script: RTSP over TCP in plain sockets, for what real cameras do wrong.

It sends generated H.264 (RFC 6184: single NAL units and FU-A) and audio (G.711; AAC by RFC 3640), interleaved in the
RTSP connection (RFC 2326, 10.12), and keeps what it sent, so that a test can prove that nothing was lost.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import heapq
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from tests.fakes.clip import FPS, VIDEO_RATE, AccessUnit, Clip, Sound, slices_digest

REALM = "IP Camera(C1234)"
NONCE = "4d6f6465726e2063616d657261"
MAX_PAYLOAD = 1400
SOCKET_TIMEOUT = 10.0
NTP_EPOCH = 2_208_988_800
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

    def units(self) -> Iterator[tuple[int, AccessUnit]]:
        """Index and picture, with display numbers that count on."""
        once = self.video.units if self.video else ()
        for index in range(len(once) * self.loops):
            unit = once[index % len(once)]
            yield index, AccessUnit(index // len(once) * len(once) + unit.number, unit.key, unit.nals)


@dataclass
class Track:
    """The RTP state of one announced track (RFC 3550)."""

    kind: Literal["video", "audio", "application"]
    payload_type: int
    rate: int
    channel: int | None = None
    sequence: int = 65_500
    packets: int = 0
    octets: int = 0

    def rtp(self, timestamp: int, payload: bytes, marker: bool) -> bytes:
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.packets, self.octets = self.packets + 1, self.octets + len(payload)
        kind = self.payload_type | (0x80 if marker else 0)
        return struct.pack(">BBHII", 0x80, kind, self.sequence, timestamp & 0xFFFFFFFF, self.payload_type) + payload

    def report(self, timestamp: int, wall: float) -> bytes:
        """A sender report: at ``wall`` (Unix seconds) the RTP clock shows ``timestamp``."""
        ntp = round((wall + NTP_EPOCH) * 2**32)
        words = (timestamp & 0xFFFFFFFF, self.packets, self.octets)
        return struct.pack(">BBHIQIII", 0x80, 200, 6, self.payload_type, ntp & (2**64 - 1), *words)


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
        self._thread.join(SOCKET_TIMEOUT)
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
        self.client.settimeout(SOCKET_TIMEOUT)
        self._lock = threading.Lock()
        self._script = self.camera.next_script()
        self._sender: threading.Thread | None = None
        self._reader = threading.Thread(target=self._read, name="scripted-requests", daemon=True)
        self._reader.start()

    def close(self) -> None:
        self._hang_up()
        for thread in (self._reader, self._sender):
            if thread is not None:
                thread.join(SOCKET_TIMEOUT)

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):  # the client was first
            self.client.shutdown(socket.SHUT_RDWR)
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
        begin = time.monotonic()
        wall = time.time()  # what the camera's own clock shows; nothing is measured by it
        try:
            for due, track, item in self._plan():
                if self._script.speed and self.stop.wait(max(0.0, begin + due / self._script.speed - time.monotonic())):
                    return
                if isinstance(item, int):
                    index, unit = item, self._units[item]
                    if index == self._script.stall_after:
                        self.stalled.set()
                        return
                    if index == self._script.drop_after:
                        break
                    self._report(index, due, wall)
                    timestamp = self._timestamp(index, unit.number * VIDEO_RATE // FPS)
                    self._send_picture(track, timestamp, unit)
                    sent.append(Sent(unit.number, unit.key, timestamp, slices_digest(unit.nals)))
                else:
                    self._send(track, track.rtp(round(due * track.rate), item, marker=True))
            if self._script.stall_after is None:
                self._hang_up()
        except OSError:
            pass  # the client went away

    @property
    def _units(self) -> list[AccessUnit]:
        return [unit for _, unit in self._script.units()]

    def _plan(self) -> Iterator[tuple[float, Track, int | bytes]]:
        """What goes out when (seconds from the start): indices of pictures, and packets of audio."""
        tracks = {track.kind: track for track in self.tracks if track.channel is not None}
        plans = []
        if "video" in tracks:
            plans.append([(n / FPS, 0, n) for n in range(len(self._units))])
        sound = self._script.audio
        if "audio" in tracks and sound is not None and not self._script.silent_audio:
            plans.append([(n * sound.samples / sound.rate, 1, n) for n in range(len(sound.packets))])
        for due, is_audio, number in heapq.merge(*plans):
            if is_audio:
                assert sound is not None
                yield due, tracks["audio"], _audio_payload(sound, number)
            else:
                yield due, tracks["video"], number

    def _timestamp(self, index: int, ticks: int) -> int:
        moved = sum(by for place, by in self._script.jumps.items() if index >= place)
        return self._script.start + ticks + moved

    def _report(self, index: int, due: float, wall: float) -> None:
        if not self._script.reports or index % FPS:
            return
        stepped = sum(by for place, by in self._script.clock_steps.items() if index >= place)
        for track in self.tracks:
            if track.channel is not None and track.kind != "application":
                ticks = (
                    self._timestamp(index, round(due * track.rate))
                    if track.kind == "video"
                    else round(due * track.rate)
                )
                self._interleave(track.channel + 1, track.report(ticks, wall + due + stepped))

    def _send_picture(self, track: Track, timestamp: int, unit: AccessUnit) -> None:
        """RFC 6184: a NAL unit that fits is a packet, a larger one is split into FU-A; the marker ends the picture."""
        payloads = [payload for nal in unit.nals for payload in _split(nal)]
        for number, payload in enumerate(payloads, 1):
            self._send(track, track.rtp(timestamp, payload, marker=number == len(payloads)))

    def _send(self, track: Track, packet: bytes) -> None:
        assert track.channel is not None
        self._interleave(track.channel, packet)

    def _interleave(self, channel: int, packet: bytes) -> None:
        self._write(struct.pack(">cBH", b"$", channel, len(packet)) + packet)

    def _write(self, data: bytes) -> None:
        with self._lock:
            self.client.sendall(data)


def describe(script: Script) -> tuple[list[Track], str]:
    """The tracks a script announces and their SDP (RFC 4566)."""
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=Media Presentation", "t=0 0", "a=control:*"]
    tracks: list[Track] = []

    def add(track: Track, media: str, *attributes: str) -> None:
        lines.extend([f"m={media} 0 RTP/AVP {track.payload_type}", "c=IN IP4 0.0.0.0", *attributes])
        lines.append(f"a=control:trackID={len(tracks)}")
        tracks.append(track)

    if script.video is not None:
        clip = script.video
        sets = ",".join(base64.b64encode(nal).decode() for nal in (clip.sps, clip.pps))
        sprop = f"; sprop-parameter-sets={sets}" if script.sprop else ""
        fmtp = f"a=fmtp:96 packetization-mode=1; profile-level-id={clip.sps[1:4].hex()}{sprop}"
        add(Track("video", 96, VIDEO_RATE), "video", "a=rtpmap:96 H264/90000", fmtp)
    if script.audio is not None and script.audio.codec == "aac":
        sound = script.audio
        mode = "mode=AAC-hbr; sizelength=13; indexlength=3; indexdeltalength=3; profile-level-id=1"
        fmtp = f"a=fmtp:104 streamtype=5; {mode}; config={sound.config.hex()}"
        add(Track("audio", 104, sound.rate), "audio", f"a=rtpmap:104 mpeg4-generic/{sound.rate}/1", fmtp)
    elif script.audio is not None:
        add(Track("audio", 0, script.audio.rate), "audio", "a=rtpmap:0 PCMU/8000")
    if script.metadata:
        add(Track("application", 107, VIDEO_RATE), "application", "a=rtpmap:107 vnd.onvif.metadata/90000")
    return tracks, "\r\n".join([*lines, ""])


def _split(nal: bytes) -> Iterator[bytes]:
    if len(nal) <= MAX_PAYLOAD:
        yield nal
        return
    body, step = nal[1:], MAX_PAYLOAD - 2
    for start in range(0, len(body), step):
        edge = (0x80 if start == 0 else 0) | (0x40 if start + step >= len(body) else 0)
        yield bytes([nal[0] & 0xE0 | 28, edge | nal[0] & 0x1F]) + body[start : start + step]


def _audio_payload(sound: Sound, number: int) -> bytes:
    packet = sound.packets[number]
    if sound.codec == "aac":  # RFC 3640: one access unit, its size in 13 bits
        return struct.pack(">HH", 16, len(packet) << 3) + packet
    return packet


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()

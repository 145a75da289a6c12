"""Look at a camera carefully: how it wants to be logged in to, and what its stream really is.

Used by ``nvr cameras test``. The first question is asked without a credential, which no camera counts as a wrong login;
the second is one login.
"""

from __future__ import annotations

import itertools
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from nvr.clock import Clock
from nvr.errors import SourceError
from nvr.media.source import open_source
from nvr.model import Address

TIMEOUT_S = 5.0
ANSWER_BYTES = 65_536
RTSP_PORT = 554
LONG_GOP_US = 4_000_000


@dataclass(frozen=True, slots=True)
class Greeting:
    """A camera's answer to a DESCRIBE without a credential (RFC 2326). ``offers`` are its WWW-Authenticate lines."""

    status: int
    server: str
    offers: tuple[str, ...]

    @property
    def advice(self) -> str | None:
        """Why FFmpeg could not log in with any password, if so: it knows MD5 digest alone, and takes the last offer."""
        digests = [offer for offer in self.offers if offer.lower().startswith("digest")]
        if digests and "sha-256" in digests[-1].lower():
            return (
                "the camera asks for a SHA-256 digest: set its RTSP digest algorithm to MD5 "
                "(Hikvision: Configuration > System > Security > Authentication)"
            )
        return None


@dataclass(frozen=True, slots=True)
class Sample:
    """What a few seconds of a stream showed. ``gop_us`` is the longest key frame distance, None for fewer than two."""

    codec: str
    width: int
    height: int
    audio: str | None
    fps: float
    bitrate: int
    gop_us: int | None
    seconds: float

    @property
    def advice(self) -> str | None:
        """What to change at the camera."""
        if self.gop_us is None or self.gop_us > LONG_GOP_US:
            return (
                "key frames are far apart: segments get long and pictures come late; "
                "switch H.264+/H.265+ (smart codec) off and set the I-frame interval to 2 s"
            )
        return None


def greet(address: Address) -> Greeting:
    """Ask without a credential. Raises SourceError where nobody answers, or not in RTSP."""
    parts = urlsplit(address.url)
    if parts.scheme != "rtsp":
        raise SourceError(f"{address.url}: only rtsp:// can be asked without a login")
    host, port = parts.hostname or "", parts.port or RTSP_PORT
    request = f"DESCRIBE {address.url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: nvr\r\nAccept: application/sdp\r\n\r\n"
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
            connection.settimeout(TIMEOUT_S)
            connection.sendall(request.encode())
            answer = b""
            while b"\r\n\r\n" not in answer and len(answer) < ANSWER_BYTES:
                part = connection.recv(4096)
                if not part:
                    break
                answer += part
    except TimeoutError as error:
        raise SourceError(f"{address.url}: no answer from {host}:{port} for {TIMEOUT_S:.0f} s") from error
    except OSError as error:
        raise SourceError(f"{address.url}: cannot reach {host}:{port}: {error.strerror or error}") from error
    return _parse(address, answer.decode("latin-1"))


def sample(address: Address, clock: Clock, *, audio: bool, seconds: float) -> Sample:
    """Log in once and read for some seconds. Raises SourceError, LoginError."""
    source = open_source(address, clock, audio=audio)
    try:
        begin_us = clock.monotonic_us()
        size, times, keys = 0, list[int](), list[int]()
        for info, _ in source.packets():
            if info.stream == "video":
                size += info.size
                times.append(info.dts_us or 0)
                if info.key:
                    keys.append(info.dts_us or 0)
            if clock.monotonic_us() - begin_us > seconds * 1e6:
                break
        # by the stream's own time: what was queued while it was opened comes at once
        lasted = max((max(times, default=0) - min(times, default=0)) / 1e6, 0.001)
        gaps = [after - before for before, after in itertools.pairwise(keys)]
        return Sample(
            codec=source.info.codec,
            width=source.info.width,
            height=source.info.height,
            audio=source.info.audio,
            fps=max(0, len(times) - 1) / lasted,
            bitrate=round(size * 8 / lasted),
            gop_us=max(gaps, default=None),
            seconds=lasted,
        )
    finally:
        source.close()


def _parse(address: Address, answer: str) -> Greeting:
    match = re.match(r"RTSP/1\.\d (\d{3})", answer)
    if match is None:
        raise SourceError(f"{address.url}: what answers there does not speak RTSP: is the port right?")
    headers = [line.partition(":") for line in answer.split("\r\n")[1:]]
    return Greeting(
        status=int(match[1]),
        server=next((value.strip() for name, _, value in headers if name.lower() == "server"), ""),
        offers=tuple(value.strip() for name, _, value in headers if name.lower() == "www-authenticate"),
    )

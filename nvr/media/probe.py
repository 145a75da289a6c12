"""Look at a camera carefully: whether it answers, how it wants to be logged in to, and what its stream really is.

``knock``, ``greet`` and ``explain_refusal`` carry no credential, which no camera counts as a wrong login; ``sample`` is
one login, and ``announced`` one more, for a credential that was let in.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import socket
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from urllib.parse import urlsplit

from nvr.clock import Clock, SystemClock
from nvr.errors import SourceError
from nvr.media.source import Source, open_source, taken_at_us
from nvr.model import Address
from nvr.reason import Reason

TIMEOUT_S = 5.0
ANSWER_BYTES = 65_536
RTSP_PORT = 554
LONG_GOP_US = 4_000_000
SETTLED_US = 1_000_000
"""What was queued while the stream was opened comes late: the camera's clock is compared after so long."""
DIGESTS = {"md5", "md5-sess"}
"""The digest algorithms that FFmpeg knows."""
_ANSWER = b"RTSP/1."


@dataclass(frozen=True, slots=True)
class Greeting:
    """A camera's answer to a DESCRIBE (RFC 2326). ``offers`` are its WWW-Authenticate lines, ``body`` its SDP."""

    status: int
    server: str
    offers: tuple[str, ...]
    body: str = ""

    @property
    def advice(self) -> str | None:
        """Why FFmpeg could not log in with any password, if so: it knows MD5 digest alone, and takes the last offer."""
        digests = [offer for offer in self.offers if offer.lower().startswith("digest")]
        algorithm = _parameter(digests[-1], "algorithm") if digests else None
        if algorithm is None or algorithm.lower() in DIGESTS:
            return None
        return (
            f"the camera asks for a {algorithm} digest: set its RTSP digest algorithm to MD5 "
            "(Hikvision: Configuration > System > Security > Authentication)"
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """What some seconds of a stream showed.

    ``gop_us`` is the longest key frame distance, None for fewer than two key frames. ``audible`` says whether the audio
    that is announced came. ``clock_offset_us`` is how far the camera's clock is ahead of this machine's by its RTCP
    sender reports (RFC 3550, 6.4.1), and ``clock_moved_us`` by how much that changed meanwhile; None without reports.
    """

    codec: str
    width: int
    height: int
    audio: str | None
    audible: bool
    fps: float
    bitrate: int
    gop_us: int | None
    seconds: float
    clock_offset_us: int | None = None
    clock_moved_us: int | None = None

    @property
    def gop_is_long(self) -> bool:
        """Whether key frames are far apart, as with a smart codec: more than 4 s."""
        return (self.gop_us or round(self.seconds * 1e6)) > LONG_GOP_US


def knock(address: Address, timeout_s: float = 1.0) -> bool:
    """Whether something there answers an RTSP OPTIONS (RFC 2326, 10.1) in time, with whatever status. Never raises.

    True also where that cannot be told: for a file and for ``rtsps``. Only looking up a host's name may take longer.
    """
    if address.is_file or not address.url.startswith("rtsp://"):
        return True
    clock = SystemClock()
    until_us = clock.monotonic_us() + round(timeout_s * 1e6)
    request = f"OPTIONS {address.url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: nvr\r\n\r\n"
    answer = b""
    try:
        parts = urlsplit(address.url)
        with socket.create_connection((parts.hostname or "", parts.port or RTSP_PORT), timeout_s) as connection:
            connection.sendall(request.encode())
            while len(answer) < len(_ANSWER) and _ANSWER.startswith(answer):
                connection.settimeout(max((until_us - clock.monotonic_us()) / 1e6, 0.001))
                part = connection.recv(64)
                if not part:
                    return False
                answer += part
    except (OSError, ValueError):  # ValueError: a port or a host that cannot be one
        return False
    return answer.startswith(_ANSWER)


def greet(address: Address) -> Greeting:
    """Ask without a credential. Raises SourceError where nobody answers, or not in RTSP."""
    return _converse(address, login=False)


def explain_refusal(address: Address) -> str | None:
    """Why a camera refuses whatever the password is, and what to set there; None where that is not the reason.

    Asks without a login. Never raises.
    """
    try:
        greeting = greet(address)
    except SourceError:
        return None
    return greeting.advice if greeting.status == 401 else None


def announced(address: Address) -> list[str]:
    """The tracks that a camera announces (RFC 4566), such as ``H264`` and ``vnd.onvif.metadata``; empty if unknown.

    Logs in with the credential where it has to: only for one that was let in just before. Never raises.
    """
    try:
        greeting = _converse(address, login=True)
    except SourceError:
        return []
    return re.findall(r"^a=rtpmap:\d+ ([^/\s]+)", greeting.body, re.MULTILINE)


def sample(
    address: Address, clock: Clock, *, audio: bool, seconds: float, login: AbstractContextManager[None] | None = None
) -> Sample:
    """Log in once, within ``login`` (see ``Door``), and read for some seconds. Raises SourceError, LoginError.

    Reads for up to 4 s more where it takes that to tell how far apart key frames are.
    """
    with login or nullcontext():
        source = open_source(address, clock, audio=audio)
    try:
        return _read(source, clock, seconds)
    finally:
        source.close()


def _read(source: Source, clock: Clock, seconds: float) -> Sample:
    begin_us = clock.monotonic_us()
    size, audible = 0, False
    times, keys, offsets = list[int](), list[int](), list[int]()
    for info, packet in source.packets():
        passed_us = clock.monotonic_us() - begin_us
        if info.stream == "video":
            size += info.size
            times.append(info.dts_us or 0)
            if info.key:
                keys.append(info.dts_us or 0)
            taken_us = taken_at_us(packet) if passed_us > SETTLED_US else None
            if taken_us is not None:
                offsets.append(taken_us - info.arrival_us)
        else:
            audible = True
        if passed_us > seconds * 1e6 and (len(keys) > 1 or passed_us > seconds * 1e6 + LONG_GOP_US):
            break
    # by the stream's own time: what was queued while it was opened comes at once
    lasted = max((max(times, default=0) - min(times, default=0)) / 1e6, 0.001)
    offset_us, moved_us = _compare(offsets)
    return Sample(
        codec=source.info.codec,
        width=source.info.width,
        height=source.info.height,
        audio=source.info.audio,
        audible=audible,
        fps=max(0, len(times) - 1) / lasted,
        bitrate=round(size * 8 / lasted),
        gop_us=max((after - before for before, after in itertools.pairwise(keys)), default=None),
        seconds=lasted,
        clock_offset_us=offset_us,
        clock_moved_us=moved_us,
    )


def _compare(offsets: Sequence[int]) -> tuple[int | None, int | None]:
    """The camera's clock at the end, and how much it moved: by the packets that came with the least delay."""
    part = len(offsets) // 4
    if not part:
        return (max(offsets), None) if offsets else (None, None)
    end_us = max(offsets[-part:])
    return end_us, end_us - max(offsets[:part])


def _converse(address: Address, *, login: bool) -> Greeting:
    """A DESCRIBE, and with ``login`` a second one with the credential if the first was refused."""
    parts = urlsplit(address.url)
    if parts.scheme != "rtsp":
        raise SourceError(f"{address.url}: only rtsp:// can be asked without a login")
    try:
        host, port = parts.hostname or "", parts.port or RTSP_PORT
        with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
            greeting = _describe(connection, address, "")
            authorization = _authorization(address, greeting.offers) if login and greeting.status == 401 else None
            return greeting if authorization is None else _describe(connection, address, authorization)
    except TimeoutError as error:
        text = f"{address.url}: no answer from {host}:{port} for {TIMEOUT_S:.0f} s"
        raise SourceError(text, Reason.STALLED) from error
    except (OSError, ValueError) as error:
        text = f"{address.url}: cannot reach {host}:{port}: {getattr(error, 'strerror', None) or error}"
        raise SourceError(text, Reason.UNREACHABLE) from error


def _describe(connection: socket.socket, address: Address, authorization: str) -> Greeting:
    lines = [f"DESCRIBE {address.url} RTSP/1.0", f"CSeq: {2 if authorization else 1}", "User-Agent: nvr"]
    lines += ["Accept: application/sdp", *filter(None, [authorization])]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    answer, wanted = b"", None
    while len(answer) < (ANSWER_BYTES if wanted is None else wanted):
        part = connection.recv(4096)
        if not part:
            break
        answer += part
        if wanted is None and b"\r\n\r\n" in answer:
            head = answer.partition(b"\r\n\r\n")[0]
            length = re.search(rb"^content-length: *(\d{1,5})\r?$", head, re.IGNORECASE | re.MULTILINE)
            wanted = min(len(head) + 4 + (int(length[1]) if length else 0), ANSWER_BYTES)
    return _parse(address, answer.decode("latin-1"))


def _parse(address: Address, answer: str) -> Greeting:
    match = re.match(r"RTSP/1\.\d (\d{3})", answer)
    if match is None:
        raise SourceError(f"{address.url}: what answers there does not speak RTSP: is the port right?")
    head, _, body = answer.partition("\r\n\r\n")
    headers = [line.partition(":") for line in head.split("\r\n")[1:]]
    return Greeting(
        status=int(match[1]),
        server=next((value.strip() for name, _, value in headers if name.lower() == "server"), ""),
        offers=tuple(value.strip() for name, _, value in headers if name.lower() == "www-authenticate"),
        body=body,
    )


def _authorization(address: Address, offers: Sequence[str]) -> str | None:
    """The header that logs in with an MD5 digest (RFC 2069, as cameras do it); None where that is not offered."""
    for offer in offers:
        realm, nonce = _parameter(offer, "realm"), _parameter(offer, "nonce")
        plain = _parameter(offer, "qop") is None and (_parameter(offer, "algorithm") or "md5").lower() == "md5"
        if offer.lower().startswith("digest") and plain and realm is not None and nonce is not None:
            who = _md5(f"{address.username}:{realm}:{address.password or ''}")
            response = _md5(f"{who}:{nonce}:{_md5(f'DESCRIBE:{address.url}')}")
            fields = {"username": address.username, "realm": realm, "nonce": nonce, "uri": address.url}
            given = ", ".join(f'{name}="{value}"' for name, value in [*fields.items(), ("response", response)])
            return f"Authorization: Digest {given}"
    return None


def _parameter(offer: str, name: str) -> str | None:
    """A parameter of a WWW-Authenticate line (RFC 2617): quoted or not."""
    match = re.search(rf'[\s,]{name}\s*=\s*(?:"([^"]*)"|([^\s,"]+))', offer, re.IGNORECASE)
    return None if match is None else match[1] if match[1] is not None else match[2]


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

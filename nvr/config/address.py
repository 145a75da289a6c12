"""Addresses of streams: which are allowed, and the login taken out of them. Pure; asks neither network nor disk.

RFC 3986 gives the syntax of a URL, RFC 7826 (section 4.2) its two schemes ``rtsp`` and ``rtsps``.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from urllib.parse import unquote, urlsplit

from nvr.config.echo import shown
from nvr.model import StreamName

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_STREAM_NUMBER: dict[StreamName, str] = {"main": "01", "sub": "02"}
_WANT = "want rtsp://…, rtsps://… or the path of a video file"
_ENCODE = "in its user name and password write @ as %40, / as %2F, ? as %3F, # as %23; or use the keys beside it"


def is_file(url: object) -> bool:
    """Whether an address is the path of a video file."""
    return isinstance(url, str) and "://" not in url


def hikvision(host: str, port: int, channel: int, stream: StreamName) -> str:
    """``rtsp://192.168.1.64:554/Streaming/Channels/101``: main stream 01, sub stream 02 of a channel."""
    name = f"[{host}]" if ":" in host else host
    return f"rtsp://{name}:{port}/Streaming/Channels/{channel}{_STREAM_NUMBER[stream]}"


def check_host(text: str) -> str:
    """A host name, IPv4 or IPv6 address, without brackets. Raises ValueError for anything else."""
    bare = text[1:-1] if ":" in text and text[0] + text[-1] == "[]" else text
    try:
        if ":" in bare:
            IPv6Address(bare)
        elif not _HOST.fullmatch(bare):
            raise ValueError
    except ValueError:
        raise ValueError(
            f"got {shown(text)}, want a host name or an IP address alone: its port goes into the key port, "
            "an rtsp:// address into url"
        ) from None
    return bare


def split_login(url: str) -> tuple[str, str | None, str | None]:
    """``rtsp://u:p%40ss@host/x`` → (``rtsp://host/x``, ``u``, ``p@ss``); a file's path comes back as it is.

    Raises ValueError, without the login in its text, where the login cannot be decoded.
    """
    if is_file(url):
        return url, None, None
    scheme, _, rest = url.partition("://")
    end = next((place for place, letter in enumerate(rest) if letter in "/?#"), len(rest))
    login, at, host = rest[:end].rpartition("@")
    if not at:
        return url, None, None
    username, _, password = login.partition(":")
    try:
        decoded = unquote(username, errors="strict") or None, unquote(password, errors="strict") or None
    except UnicodeDecodeError:
        raise ValueError(f"got {shown(url)}, whose login is not percent-encoded UTF-8: {_ENCODE}") from None
    return f"{scheme}://{host}{rest[end:]}", *decoded


def check_rtsp(url: str) -> str:
    """An RTSP address without a login. Raises ValueError that says what is wrong and never holds a password."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in {"rtsp", "rtsps"}:
        raise ValueError(f"got {shown(url)}, {_WANT}")
    if re.search(r"[\s\x00-\x1f]", url):
        raise ValueError(f"got {shown(url)}, an address with a space in it: write it as %20")
    if "@" in rest or "#" in rest:
        raise ValueError(f"got {shown(url)}, an address with a stray @ or #: {_ENCODE}")
    try:
        parts = urlsplit(f"{scheme.lower()}://{rest}")
        port = parts.port
        check_host(parts.hostname or "")
    except ValueError:
        raise ValueError(f"got {shown(url)}, want rtsp://HOST:PORT/PATH with a port from 1 to 65535") from None
    if port == 0:
        raise ValueError(f"got {shown(url)}, want a port from 1 to 65535")
    return parts.geturl()

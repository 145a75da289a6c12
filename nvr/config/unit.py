"""Values with their unit inside, as the file holds them: ``60s``, ``500GB``."""

from __future__ import annotations

import re
from datetime import timedelta

from nvr.clock import parse_duration
from nvr.config.echo import shown

_BYTES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_MOST_BYTES = 2**63 - 1
SIZE_PATTERN = rf"^([0-9]{{1,18}})(?:\.([0-9]{{1,18}}))?({'|'.join(_BYTES)})$"
DURATION_PATTERN = r"^[0-9]{1,18}(\.[0-9]{1,18})?(ms|s|m|h|d|w)$"
_SIZE = re.compile(SIZE_PATTERN, re.ASCII)


def parse_size(text: str) -> int:
    """Bytes of ``500GB``, ``1.5TB`` (powers of 1000) or ``500GiB`` (powers of 1024), a fraction of a byte cut off.

    Raises ValueError that says what is wanted. The units are those of IEC 80000-13.
    """
    match = _SIZE.match(text.strip())
    if match is None:
        raise ValueError(f"got {shown(text)}, want a size such as 500GB, 200MB or 1TiB")
    whole, fraction, unit = match[1], match[2] or "", _BYTES[match[3]]
    size: int = int(whole + fraction) * unit // 10 ** len(fraction)
    if size > _MOST_BYTES:
        raise ValueError(f"got {shown(text)}, a size that no disk has")
    return size


def parse_span(text: str, least: timedelta, most: timedelta) -> timedelta:
    """A duration such as ``60s`` within limits. Raises ValueError that says what is wanted."""
    try:
        span = parse_duration(text)
    except ValueError:
        raise ValueError(f"got {shown(text)}, want a duration such as {examples(least, most)}") from None
    if not least <= span <= most:
        raise ValueError(f"got {shown(text)}, want a duration from {_spell(least)} to {_spell(most)}")
    return span


def examples(least: timedelta, most: timedelta) -> str:
    """Durations for an error to name, of those within limits: ``90s, 1h or 7d``."""
    fitting = [text for text in ("90s", "1h", "7d") if least <= parse_duration(text) <= most]
    return " or ".join(filter(None, (", ".join(fitting[:-1]), fitting[-1])))


def _spell(span: timedelta) -> str:
    """A limit in the largest unit that holds it whole: ``15m``."""
    seconds = round(span.total_seconds())
    return next(f"{seconds // size}{unit}" for unit, size in _SECONDS if seconds % size == 0 and (seconds or size == 1))


_SECONDS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))

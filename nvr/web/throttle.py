"""How often somebody may try to log in. Pure.

Wrong tries fill a bucket, one for each address and one for each account's name; time empties it. A full one refuses
every try, right or wrong, until it has room again. The account's is larger, so that one address alone cannot keep its
owner out for long. Buckets are few: the oldest go.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    """``tries`` at once, then one every ``pause_us``."""

    tries: int
    pause_us: int


ADDRESS = Limit(10, 30_000_000)
ACCOUNT = Limit(50, 5_000_000)


class Throttle:
    """Counts wrong tries. Times are of a monotonic clock, microseconds."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def wait_us(self, address: str, name: str, now_us: int) -> int:
        """How long to wait before the next try; 0 where it may be made now."""
        return max(self._wait_us(key, limit, now_us) for key, limit in _keys(address, name))

    def failed(self, address: str, name: str, now_us: int) -> None:
        """A try was wrong."""
        for key, limit in _keys(address, name):
            self._buckets[key] = self._level(key, limit, now_us) + 1, now_us
            self._buckets.move_to_end(key)
        while len(self._buckets) > KNOWN:
            self._buckets.popitem(last=False)

    def succeeded(self, address: str, name: str) -> None:
        """A try was right: what was wrong before was a slip."""
        for key, _ in _keys(address, name):
            self._buckets.pop(key, None)

    def _level(self, key: tuple[str, str], limit: Limit, now_us: int) -> float:
        level, at_us = self._buckets.get(key, (0.0, now_us))
        return max(0.0, level - (now_us - at_us) / limit.pause_us)

    def _wait_us(self, key: tuple[str, str], limit: Limit, now_us: int) -> int:
        over = self._level(key, limit, now_us) - (limit.tries - 1)
        return max(0, round(over * limit.pause_us))


def _keys(address: str, name: str) -> tuple[tuple[tuple[str, str], Limit], ...]:
    return (("address", network(address)), ADDRESS), (("account", name[:64].casefold()), ACCOUNT)


def network(address: str) -> str:
    """An IPv4 address, or the network of an IPv6 address that one household has (/64)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed.ipv4_mapped if parsed.version == 6 else parsed)

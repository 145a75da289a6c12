"""How often somebody may try to log in. Pure.

Wrong tries fill a bucket, one for each address and one for each account's name; time empties it. A full one refuses
every try, right or wrong, until it has room again. The account's is larger, so that one address alone cannot keep its
owner out for long. A right try empties the account's bucket, and takes its owner's slips out of the address's; what
was wrong for others stays there: who has an account may not guess the passwords of others with it. Buckets are few:
the oldest go.
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


_Key = tuple[str, str]


class Throttle:
    """Counts wrong tries. Times are of a monotonic clock, microseconds."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[_Key, tuple[float, int]] = OrderedDict()

    def wait_us(self, address: str, name: str, now_us: int) -> int:
        """How long to wait before the next try; 0 where it may be made now."""
        return max(self._wait_us(key, limit, now_us) for key, limit in _keys(address, name))

    def failed(self, address: str, name: str, now_us: int) -> None:
        """A try was wrong."""
        for key, limit in (*_keys(address, name), _slips(address, name)):
            self._fill(key, limit, 1, now_us)
        while len(self._buckets) > KNOWN:
            self._buckets.popitem(last=False)

    def succeeded(self, address: str, name: str, now_us: int) -> None:
        """A try was right: what was wrong before was a slip."""
        (of_address, limit), (of_account, _) = _keys(address, name)
        slips, _ = _slips(address, name)
        if slips in self._buckets:
            self._fill(of_address, limit, -self._level(slips, limit, now_us), now_us)
        for key in (slips, of_account):
            self._buckets.pop(key, None)

    def _fill(self, key: _Key, limit: Limit, by: float, now_us: int) -> None:
        self._buckets[key] = max(0.0, self._level(key, limit, now_us) + by), now_us
        self._buckets.move_to_end(key)

    def _level(self, key: _Key, limit: Limit, now_us: int) -> float:
        level, at_us = self._buckets.get(key, (0.0, now_us))
        return max(0.0, level - (now_us - at_us) / limit.pause_us)

    def _wait_us(self, key: _Key, limit: Limit, now_us: int) -> int:
        over = self._level(key, limit, now_us) - (limit.tries - 1)
        return max(0, round(over * limit.pause_us))


def _keys(address: str, name: str) -> tuple[tuple[_Key, Limit], tuple[_Key, Limit]]:
    return (("address", network(address)), ADDRESS), (("account", _account(name)), ACCOUNT)


def _slips(address: str, name: str) -> tuple[_Key, Limit]:
    """What an address's bucket holds of tries for one account."""
    return (network(address), _account(name)), ADDRESS


def _account(name: str) -> str:
    return name[:64].casefold()


def network(address: str) -> str:
    """An IPv4 address, or the network of an IPv6 address that one household has (/64)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed.ipv4_mapped if parsed.version == 6 else parsed)

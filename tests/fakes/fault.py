"""What a bad network or a bad camera does to the bytes of a stream."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

NOISE_BYTES = 1500


@dataclass(frozen=True, slots=True)
class Damage:
    """What happens to the pictures from ``begin`` up to ``end`` (places as in ``Script``). All rates are 0 to 1."""

    bits: float = 0.0
    """Of the bits of RTP payloads, how many are flipped."""
    truncated: float = 0.0
    """Of the pictures, how many lose the second half of their last payload."""
    garbage: float = 0.0
    """Of the RTP payloads, how many are random bytes; the packets around them are right."""
    noise: float = 0.0
    """Of the pictures, how many are replaced by random bytes outside of any packet."""
    begin: int = 0
    end: int | None = None
    seed: int = 1


class Damager:
    """Damages one session's pictures; the same seed damages the same bits."""

    def __init__(self, damage: Damage) -> None:
        self._damage = damage
        self._random = random.Random(damage.seed)
        self._ahead = self._distance()

    def spoil(self, place: int, payloads: Sequence[bytes]) -> tuple[list[bytes], bytes, bool]:
        """The payloads of a picture as they are to be sent, bytes that go out instead, and whether there is damage."""
        damage = self._damage
        if place < damage.begin or (damage.end is not None and place >= damage.end):
            return list(payloads), b"", False
        if self._random.random() < damage.noise:
            return [], self._random.randbytes(NOISE_BYTES), True
        sent = [self._flipped(payload) for payload in payloads]
        if self._random.random() < damage.truncated:
            sent[-1] = sent[-1][: max(3, len(sent[-1]) // 2)]
        if damage.garbage:
            sent = [
                self._random.randbytes(len(payload)) if self._random.random() < damage.garbage else payload
                for payload in sent
            ]
        return sent, b"", sent != list(payloads)

    def _distance(self) -> int:
        """Bits to the next one that is flipped."""
        return round(self._random.expovariate(self._damage.bits)) if self._damage.bits else -1

    def _flipped(self, payload: bytes) -> bytes:
        size = len(payload) * 8
        if self._ahead < 0:
            return payload
        changed = bytearray(payload)
        while self._ahead < size:
            changed[self._ahead >> 3] ^= 1 << (self._ahead & 7)
            self._ahead += 1 + self._distance()
        self._ahead -= size
        return bytes(changed)

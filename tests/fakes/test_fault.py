from __future__ import annotations

import pytest

from tests.fakes.fault import NOISE_BYTES, Damage, Damager

PAYLOADS = [bytes(1000), bytes(500)]


def flipped(before: list[bytes], after: list[bytes]) -> int:
    whole = zip(b"".join(before), b"".join(after), strict=True)
    return sum((old ^ new).bit_count() for old, new in whole)


@pytest.mark.parametrize("rate", [1e-4, 1e-3, 1e-2])
def test_bits_are_flipped_at_the_rate_it_is_told(rate: float) -> None:
    damager = Damager(Damage(bits=rate))
    pictures = [damager.spoil(place, PAYLOADS)[0] for place in range(500)]
    assert sum(flipped(PAYLOADS, sent) for sent in pictures) / (500 * 12_000) == pytest.approx(rate, rel=0.2)


def test_the_same_seed_damages_the_same() -> None:
    damage = Damage(bits=1e-3, truncated=0.2, garbage=0.2, noise=0.2)
    first, second = Damager(damage), Damager(damage)
    assert [first.spoil(n, PAYLOADS) for n in range(50)] == [second.spoil(n, PAYLOADS) for n in range(50)]


def test_only_the_pictures_it_is_told_are_damaged_and_it_says_which() -> None:
    damager = Damager(Damage(garbage=1.0, begin=3, end=5))
    told = [damager.spoil(place, PAYLOADS) for place in range(8)]
    assert [damaged for _, _, damaged in told] == [False, False, False, True, True, False, False, False]
    assert [sent == PAYLOADS for sent, _, _ in told] == [not damaged for _, _, damaged in told]
    assert all([len(each) for each in sent] == [1000, 500] for sent, _, _ in told)


def test_truncated_pictures_lose_their_end() -> None:
    sent, noise, damaged = Damager(Damage(truncated=1.0)).spoil(0, PAYLOADS)
    assert (sent, noise, damaged) == ([bytes(1000), bytes(250)], b"", True)


def test_noise_comes_instead_of_packets() -> None:
    sent, noise, damaged = Damager(Damage(noise=1.0)).spoil(0, PAYLOADS)
    assert (sent, len(noise), damaged) == ([], NOISE_BYTES, True)

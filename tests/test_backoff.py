"""Waiting before the next try."""

from __future__ import annotations

import random

from nvr.backoff import HEALTHY_US, JITTER, LONGEST_US, Backoff


def test_waits_double_up_to_half_a_minute() -> None:
    backoff = Backoff(random.Random(1))
    waits = [backoff.failed(0) / 1e6 for _ in range(9)]
    for wait, nominal in zip(waits, [0.5, 1, 2, 4, 8, 16, 30, 30, 30], strict=True):
        assert nominal * (1 - JITTER) <= wait <= nominal * (1 + JITTER)


def test_a_healthy_spell_begins_the_series_anew() -> None:
    backoff = Backoff(random.Random(1))
    for _ in range(7):
        backoff.failed(0)
    assert backoff.failed(HEALTHY_US - 1) > LONGEST_US / 2
    assert backoff.failed(HEALTHY_US) < 700_000
    backoff.failed(0)
    backoff.reset()
    assert backoff.failed(0) < 700_000
    quick = Backoff(random.Random(1), healthy_us=5)
    assert all(quick.failed(5) < 700_000 for _ in range(9))


def test_two_cameras_do_not_wait_alike() -> None:
    assert Backoff(random.Random(1)).failed(0) != Backoff(random.Random(2)).failed(0)

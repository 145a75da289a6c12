"""Ports for servers that have to be told which one is theirs."""

from __future__ import annotations

import itertools
import os
import socket

FIRST, COUNT = 20_000, 10_000
"""Below those that the system gives to whoever asks for any (from 32768 on), so that nobody gets one meanwhile."""
APART = 37
"""Tests run side by side in processes whose ids are near to each other."""
_NUMBERS = itertools.count(os.getpid() * APART)


def free_port() -> int:
    """A port that nobody listens at, another one at each call."""
    for number in itertools.islice(_NUMBERS, COUNT):
        port = FIRST + number % COUNT
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        return port
    raise RuntimeError("all ports are taken")

"""Ctrl-C while footage is looked at, and how saved pictures are named; the rest is in ``test_analyze.py``."""

from __future__ import annotations

import os
import signal
from datetime import timedelta

import pytest

from nvr.analysis.sight import Sight
from nvr.analysis.story import Story
from nvr.cli.trial import Found, _named, _stopping
from nvr.clock import EPOCH
from nvr.model import Box, Event
from nvr.reanalysis import Order, Outcome


def test_ctrl_c_is_heard_and_a_second_one_ends_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with _stopping() as stopping:
        assert not stopping()
        os.kill(os.getpid(), signal.SIGINT)
        assert stopping()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_two_subjects_of_one_picture_have_pictures_of_their_own() -> None:
    names = {
        _named(Story(Event("hik1", "object", "Traffic Light", EPOCH, EPOCH, box=box)), EPOCH)
        for box in (Box(0.1, 0.2, 0.3, 0.4), Box(0.5, 0.2, 0.7, 0.4), None)
    }
    assert len(names) == 3
    assert all(name.startswith("hik1_1970-01-01_") and "_traffic-light" in name for name in names)


def test_speed_is_told_even_of_what_took_no_time() -> None:
    order = Order("hik1", EPOCH, EPOCH, Sight(), timedelta(seconds=1))
    found = Found(order, Outcome(EPOCH), [], [], timedelta(seconds=30), timedelta(seconds=10))
    assert found.speed == 3.0
    assert Found(order, Outcome(EPOCH), [], [], timedelta(seconds=1), timedelta()).speed == 1000.0

"""Two doors: what recorders were refused is not tried, and what was refused here keeps no recorder from anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from nvr.errors import LoginError, SourceError
from nvr.isapi.task import Ear, Place
from nvr.media.door import REFUSED_US, Door
from nvr.model import Address
from nvr.vestibule import enter
from tests.fakes.clock import FakeClock

RTSP = Address("rtsp://192.0.2.1:554/Streaming/Channels/101", "viewer", "secret")
EAR = Ear("hik1", Place("192.0.2.1", username="viewer", password="secret"), 1, RTSP, timedelta(seconds=5))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def try_here(folder: Path, clock: FakeClock, error: SourceError | None = None, ear: Ear = EAR) -> bool:
    """Whether a login is tried over HTTP; it ends with ``error``, which comes out as it is."""
    tried = False
    try:
        with enter(folder, ear, clock, lambda: False):
            tried = True
            if error is not None:
                raise error
    except SourceError as raised:
        if tried and raised is not error:
            raise
    return tried


def try_recorder(folder: Path, clock: FakeClock, error: SourceError | None = None) -> bool:
    tried = False
    try:
        with Door(folder, RTSP, clock).try_login(lambda: False):
            tried = True
            if error is not None:
                raise error
    except SourceError:
        pass
    return tried


def test_what_a_recorder_was_refused_is_not_tried_here(tmp_path: Path, clock: FakeClock) -> None:
    assert try_recorder(tmp_path, clock, LoginError("wrong"))
    assert not try_here(tmp_path, clock)
    clock.advance(REFUSED_US / 1e6 - 60)
    assert not try_here(tmp_path, clock)
    clock.advance(120)
    assert try_here(tmp_path, clock)


def test_what_was_refused_here_is_not_tried_here_again_but_recording_goes_on(tmp_path: Path, clock: FakeClock) -> None:
    assert try_here(tmp_path, clock, LoginError("no right to listen"))
    assert not try_here(tmp_path, clock)
    assert try_recorder(tmp_path, clock)
    clock.advance(REFUSED_US / 1e6 + 60)
    assert try_here(tmp_path, clock)


def test_another_password_may_be_tried_at_once(tmp_path: Path, clock: FakeClock) -> None:
    assert try_here(tmp_path, clock, LoginError("wrong"))
    changed = replace(EAR, place=replace(EAR.place, password="new"), door=replace(RTSP, password="new"))
    assert try_here(tmp_path, clock, ear=changed)


def test_an_error_that_is_no_refusal_is_forgotten(tmp_path: Path, clock: FakeClock) -> None:
    assert try_here(tmp_path, clock, SourceError("unreachable"))
    assert try_here(tmp_path, clock)
    assert try_recorder(tmp_path, clock)


def test_nobody_tries_while_a_recorder_does(tmp_path: Path, clock: FakeClock) -> None:
    with Door(tmp_path, RTSP, clock).try_login():
        assert not try_here(tmp_path, clock)
    clock.advance(60)
    assert try_here(tmp_path, clock)


def test_one_port_for_both_is_one_door(tmp_path: Path, clock: FakeClock) -> None:
    ear = replace(EAR, place=replace(EAR.place, port=554))
    assert try_here(tmp_path, clock, ear=ear)
    assert try_here(tmp_path, clock, LoginError("wrong"), ear)
    assert not try_here(tmp_path, clock, ear=ear)

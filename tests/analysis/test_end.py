"""The analyzer's end before it has looked at anything."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from nvr import frameslot, layout, pulse
from nvr.analysis.sight import Sight
from nvr.analysis.task import Look, Task
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import SystemClock, from_us
from nvr.model import Event
from tests.analysis.test_analyzer import RUN
from tests.fakes.station import ROOT, WAIT_S, told_to_end_at_once


def test_who_is_told_to_end_at_the_first_beat_ends_what_a_killed_one_left_open(tmp_path: Path) -> None:
    layout.prepare(tmp_path / "storage")
    database = tmp_path / "storage/nvr.db"
    upgrade(database)
    look = Look("hik1", tmp_path / "hik1.slot", Sight("motion", ()), timedelta(milliseconds=50))
    frameslot.create(look.slot)
    task = Task((look,), tmp_path / "storage", database, tmp_path / "analyzer.pulse", restarts=1)
    now = from_us(SystemClock().now_us())
    with Catalogue.open(database) as catalogue:
        left = catalogue.open_event(Event("hik1", "motion", "motion", now, now))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        done = subprocess.run(
            [sys.executable, "-c", told_to_end_at_once(RUN), str(theirs.fileno())],
            input=pickle.dumps(task),
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
            timeout=WAIT_S,
            check=False,
        )
    assert done.returncode == 0
    assert (beat := pulse.read(task.pulse)) is not None
    assert beat.state == "stopped"
    with Catalogue.open(database, readonly=True) as catalogue:
        assert (event := catalogue.event(left)) is not None
    assert event.end is not None

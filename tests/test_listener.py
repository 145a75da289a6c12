"""The listener as a process: rows of what a device tells, and its behaviour when told to end, killed, or left alone."""

from __future__ import annotations

import pickle
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nvr import layout, pulse
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import EPOCH, SystemClock
from nvr.isapi.device import Patience
from nvr.isapi.task import Ear, Place, Task
from nvr.listener import Listener
from nvr.model import Address, Event
from nvr.pulse import Pulse
from tests.fakes.isapi import HEARTBEAT, PASSWORD, SILENT, USER, Answer, FakeDevice, alert, part, region
from tests.fakes.station import ROOT, wait_for

RUN = (
    "import pickle, socket, sys; from nvr.listener import run; "
    "run(pickle.loads(sys.stdin.buffer.read()), socket.socket(fileno=int(sys.argv[1])))"
)
STOP_S = 30.0
SOON_S = 8.0
"""Less than a device is waited for."""
ON, OFF, BEAT = part(alert()), part(alert(state="inactive")), part(HEARTBEAT)
PERSON = part(alert("fielddetection", more=region("1", "human")))
JPEG = b"\xff\xd8picture\xff\xd9"


class Running:
    """A listener's process and the supervisor's end of its channel."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._errors = (task.folder.parent / "errors").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(theirs.fileno())],
            stdin=subprocess.PIPE,
            stderr=self._errors,
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
        )
        theirs.close()
        assert self.process.stdin is not None
        with self.process.stdin as stdin:
            stdin.write(pickle.dumps(task))

    def beat(self, process: str = "listener") -> Pulse:
        wait_for(lambda: pulse.read(layout.pulse_path(self.task.folder, process)), f"a pulse of {process}")
        found = pulse.read(layout.pulse_path(self.task.folder, process))
        assert found is not None
        return found

    def wait_for_events(self, wanted: Callable[[list[Event]], object]) -> list[Event]:
        wait_for(lambda: wanted(self.events()), "such events")
        return self.events()

    def events(self) -> list[Event]:
        """Oldest first."""
        with Catalogue.open(self.task.database, readonly=True) as catalogue:
            return sorted(catalogue.events(EPOCH), key=lambda event: event.id or 0)

    def errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_S) == 0
        assert "Traceback" not in self.errors()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(STOP_S)
        self.channel.close()
        self._errors.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []
    layout.prepare(tmp_path / "storage")
    upgrade(tmp_path / "storage/nvr.db")

    def start(fake: FakeDevice, *channels: int, password: str = PASSWORD, hold_s: float = 20) -> Running:
        place = Place("127.0.0.1", fake.port, username=USER, password=password)
        door = Address("rtsp://127.0.0.1:9/", USER, password)
        ears = tuple(Ear(f"hik{each}", place, each, door, timedelta(seconds=hold_s)) for each in channels or (1,))
        running = Running(Task(ears, tmp_path / "storage", tmp_path / "storage/nvr.db", tmp_path / "run", restarts=3))
        made.append(running)
        return running

    yield start
    for running in made:
        running.close()


Start = Callable[..., Running]


def test_what_a_camera_tells_is_an_event_with_a_picture(start: Start) -> None:
    with FakeDevice([BEAT, PERSON, 0.3, part(alert("fielddetection", "inactive")), SILENT], pictures=[JPEG]) as fake:
        running = start(fake)
        (event,) = running.wait_for_events(lambda found: found and found[0].end and found[0].snapshot)
        assert (event.camera, event.kind, event.label, event.zones) == ("hik1", "camera", "person", ("region-1",))
        assert (event.ended, event.detail) == ("the camera said so", "fielddetection: fielddetection alarm; region 1")
        assert event.received == event.start
        assert event.snapshot is not None
        assert (running.task.storage / event.snapshot).read_bytes() == JPEG
        wait_for(lambda: running.beat("alerts.hik1").alerts == 3, "the alerts in the pulse")
        assert running.beat("alerts.hik1").state == "listening"
        assert (running.beat().state, running.beat().restarts, running.beat().last_error) == ("listening", 3, None)
        running.stop()
        assert running.beat().state == running.beat("alerts.hik1").state == "stopped"


def test_one_connection_serves_all_cameras_of_a_device(start: Start) -> None:
    second = part(alert(channel="<dynChannelID>34</dynChannelID>"))
    with FakeDevice([ON, second, SILENT]) as fake:
        running = start(fake, 1, 2, 3)
        events = running.wait_for_events(lambda found: len(found) == 2)
        assert {event.camera for event in events} == {"hik1", "hik2"}
        assert fake.subscriptions() == 1
        assert {running.beat(f"alerts.hik{number}").state for number in (1, 2, 3)} <= {"listening", "connecting"}


def test_a_stop_in_a_silent_stream_ends_soon(start: Start) -> None:
    with FakeDevice([ON, SILENT]) as fake:
        running = start(fake)
        running.wait_for_events(lambda found: found)
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < SOON_S
        (event,) = running.events()
        assert event.end == event.seen


def test_a_stop_while_a_device_does_not_answer_ends_soon(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, FakeDevice([SILENT]) as fake:
        fake.port = server.getsockname()[1]
        running = start(fake)
        with server.accept()[0]:
            running.beat()
            began = time.monotonic()
            running.stop()
            assert time.monotonic() - began < SOON_S


def test_it_ends_by_itself_when_the_supervisor_is_gone(start: Start) -> None:
    with FakeDevice([BEAT, SILENT]) as fake:
        running = start(fake)
        wait_for(lambda: running.beat().state == "listening", "the stream")
        running.channel.close()
        assert running.process.wait(STOP_S) == 0
        assert "the supervisor is gone" in running.errors()


def test_an_event_goes_on_after_a_kill(start: Start) -> None:
    with FakeDevice([ON, SILENT], [0.2, ON, 0.2, OFF, SILENT]) as fake:
        first = start(fake)
        first.wait_for_events(lambda found: found)
        first.process.kill()
        first.process.wait(STOP_S)
        second = start(fake)
        (event,) = second.wait_for_events(lambda found: found[0].end)
        assert event.ended == "the camera said so"


def test_an_event_that_a_kill_left_ends_where_it_was_told_last(start: Start) -> None:
    with FakeDevice([ON, 0.6, ON, 0.6, ON, SILENT], [SILENT]) as fake:
        first = start(fake, hold_s=5)
        first.wait_for_events(lambda found: found and found[0].seen > found[0].start)
        first.process.kill()
        first.process.wait(STOP_S)
        seen = first.events()[0].seen
        second = start(fake, hold_s=5)
        (event,) = second.wait_for_events(lambda found: found[0].end)
        assert event.end == seen


def test_other_open_events_are_left_alone(start: Start) -> None:
    with FakeDevice([BEAT, SILENT]) as fake:
        now = datetime.now(UTC)
        running = start(fake)
        wait_for(lambda: running.beat().state == "listening", "the stream")
        running.stop()
        with Catalogue.open(running.task.database) as catalogue:
            catalogue.open_event(Event("hik1", "object", "person", now, now))
            catalogue.open_event(Event("hik1", "health", "not analysed", now, now))
        again = start(fake)
        wait_for(lambda: again.beat().state == "listening", "the stream")
        again.stop()
        assert [event.end for event in again.events()] == [None, None]


def test_a_hundred_alerts_at_once_are_a_hundred_events(start: Start) -> None:
    burst = b"".join(part(alert(f"type{number}") + alert(f"type{number}", "inactive")) for number in range(100))
    with FakeDevice([burst, SILENT]) as fake:
        running = start(fake)
        events = running.wait_for_events(lambda found: len(found) == 100 and all(event.end for event in found))
        assert [event.label for event in events] == [f"type{number}" for number in range(100)]
        assert running.beat().dropped == 0


def test_a_database_that_is_locked_loses_no_event(start: Start) -> None:
    with FakeDevice([BEAT, 1.5, ON, OFF, PERSON, SILENT]) as fake:
        running = start(fake)
        wait_for(lambda: running.beat().state == "listening", "the stream")
        other = sqlite3.connect(running.task.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        wait_for(lambda: (running.beat().last_error or "").startswith("the catalogue"), "the error in the pulse")
        assert running.beat("alerts.hik1").state == "listening"
        other.execute("ROLLBACK")
        other.close()
        events = running.wait_for_events(lambda found: len(found) == 2)
        assert [event.label for event in events] == ["motion", "person"]
        wait_for(lambda: running.beat().last_error is None, "the error to be over")


def test_a_refused_login_is_said_and_not_repeated(start: Start) -> None:
    with FakeDevice([SILENT]) as fake:
        running = start(fake, 1, 2, password="wrong")
        wait_for(lambda: "refused" in (running.beat("alerts.hik2").last_error or ""), "the error in the pulse")
        assert running.beat().state == "waiting"
        running.stop()
        assert "wrong" not in running.errors()
        again = start(fake, password="wrong")
        wait_for(lambda: "not tried" in (again.beat("alerts.hik1").last_error or ""), "the error in the pulse")
        assert fake.refused == 1


class Shifted(SystemClock):
    """The machine's clocks, moved on by hand."""

    us = 0

    def now_us(self) -> int:
        return super().now_us() + self.us

    def monotonic_us(self) -> int:
        return super().monotonic_us() + self.us


def test_an_outage_is_an_event_that_says_why(tmp_path: Path) -> None:
    layout.prepare(tmp_path)
    upgrade(tmp_path / "nvr.db")
    clock = Shifted()
    ours, _theirs = socket.socketpair()
    with (
        FakeDevice(Answer("403 Forbidden", b"<statusString>Invalid Operation</statusString>")) as fake,
        Catalogue.open(tmp_path / "nvr.db") as catalogue,
    ):
        place = Place("127.0.0.1", fake.port, username=USER, password=PASSWORD)
        ear = Ear("hik1", place, 1, Address("rtsp://127.0.0.1:9/"), timedelta(seconds=5))
        listener = Listener(Task((ear,), tmp_path, tmp_path / "nvr.db", tmp_path / "run"), ours, catalogue, clock)
        listener.start()

        def found() -> list[Event]:
            listener.turn()
            return list(catalogue.events(EPOCH))

        wait_for(lambda: fake.subscriptions(), "the first try")
        assert found() == []
        clock.us = 11_000_000
        wait_for(lambda: found() and "403" in found()[0].detail, "an event that says why")
        (event,) = found()
        assert (event.kind, event.label, event.end) == ("health", "alerts down", None)
        assert "403 Forbidden (Invalid Operation): too many others listen" in event.detail
        listener.close()
        (event,) = catalogue.events(EPOCH)
        assert (event.end, event.ended) == (event.seen, "nvr ended")
    ours.close()
    _theirs.close()


def test_a_device_that_falls_silent_is_subscribed_to_again_and_the_silence_is_an_event(tmp_path: Path) -> None:
    layout.prepare(tmp_path)
    upgrade(tmp_path / "nvr.db")
    clock = Shifted()
    ours, theirs = socket.socketpair()
    with FakeDevice([BEAT, 0.1, BEAT, SILENT], [ON, SILENT]) as fake, Catalogue.open(tmp_path / "nvr.db") as catalogue:
        place = Place("127.0.0.1", fake.port, username=USER, password=PASSWORD)
        ear = Ear("hik1", place, 1, Address("rtsp://127.0.0.1:9/"), timedelta(seconds=5))
        task = Task((ear,), tmp_path, tmp_path / "nvr.db", tmp_path / "run")
        listener = Listener(task, ours, catalogue, clock, Patience(silence=3))

        def found() -> dict[str, Event]:
            listener.turn()
            return {event.label: event for event in catalogue.events(EPOCH)}

        def heartbeats() -> int:
            listener.turn()
            beat = pulse.read(layout.pulse_path(tmp_path / "run", "alerts.hik1"))
            clock.us += 1_000_000  # a pulse is due
            return 0 if beat is None else beat.alerts

        listener.start()
        wait_for(lambda: heartbeats() == 2, "two heartbeats")
        clock.us += 60_000_000
        wait_for(lambda: {"motion", "alerts down"} <= found().keys(), "what came after the silence, and the silence")
        silence = found()["alerts down"]
        assert silence.end is not None
        assert silence.end - silence.start > timedelta(seconds=60)
        assert "nothing came any more" in silence.detail
        assert found()["motion"].start >= silence.start + timedelta(seconds=60)
        assert fake.subscriptions() == 2
        listener.close()
    ours.close()
    theirs.close()


def test_a_thread_that_died_ends_the_process_for_the_supervisor_to_see(tmp_path: Path) -> None:
    layout.prepare(tmp_path)
    upgrade(tmp_path / "nvr.db")
    ours, theirs = socket.socketpair()
    ear = Ear("hik1", Place("127.0.0.1", 9), 1, Address("rtsp://127.0.0.1:9/"), timedelta(seconds=5))
    with Catalogue.open(tmp_path / "nvr.db") as catalogue:
        task = Task((ear,), tmp_path, tmp_path / "nvr.db", tmp_path / "run")
        listener = Listener(task, ours, catalogue, SystemClock())
        with pytest.raises(RuntimeError, match="nobody listens"):
            listener.turn()
        listener.close()
    ours.close()
    theirs.close()

"""The thread that listens to one device never dies and never hurries."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from nvr.clock import SystemClock
from nvr.errors import LoginError
from nvr.isapi.device import Device, Patience
from nvr.isapi.subscription import WATCHDOG_US, Down, Heard, Message, Subscription, Up
from nvr.isapi.task import Place
from tests.fakes.clock import FakeClock
from tests.fakes.isapi import HEARTBEAT, PASSWORD, SILENT, USER, Answer, FakeDevice, Stream, alert, part

WAIT_S = 30.0
BEAT = part(HEARTBEAT)


class ShiftedClock(SystemClock):
    """The machine's clock, moved on by hand."""

    shift_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.shift_us

    def monotonic_us(self) -> int:
        return super().monotonic_us() + self.shift_us


class Ear:
    """A subscription and what it tells."""

    def __init__(
        self,
        fake: FakeDevice,
        password: str = PASSWORD,
        silence: float = 10,
        refused: bool = False,
        tries: int = 0,
        door_us: int = 0,
    ) -> None:
        """``tries``: so many tries follow one another without a pause, and their pauses are only noted."""
        self.messages: queue.Queue[Message] = queue.Queue()
        self.clock = ShiftedClock()
        self.pauses: list[float] = []
        self._refused, self._tries, self._door_us = refused, tries, door_us
        self._over = threading.Event()
        self._tried = threading.Event()
        place = Place("127.0.0.1", fake.port, username=USER, password=password)
        device = Device(place, Patience(connect=10, answer=10, silence=silence))
        pause = self._note if tries else None
        self.subscription = Subscription(device, self._enter, self.clock, self.messages.put, pause)

    @contextmanager
    def _enter(self, idle: Callable[[], bool]) -> Iterator[None]:
        assert idle()
        self.clock.shift_us += self._door_us
        if self._refused:
            raise LoginError("not tried")
        yield

    def _note(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if len(self.pauses) >= self._tries:
            self._tried.set()
            self._over.wait(WAIT_S)

    def wait_for_tries(self) -> None:
        assert self._tried.wait(WAIT_S)

    def __enter__(self) -> Ear:
        self.subscription.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.subscription.stop()
        self._over.set()
        self.subscription.join(WAIT_S)
        assert not self.subscription.alive

    def next(self) -> Message:
        return self.messages.get(timeout=WAIT_S)

    def heard(self, number: int) -> list[tuple[str, bool]]:
        """Type and state of the next alerts; everything else is passed over."""
        found = list[tuple[str, bool]]()
        while len(found) < number:
            message = self.next()
            if isinstance(message, Heard):
                found.append((message.alert.type, message.alert.active))
        return found


def test_alerts_are_told_as_they_come() -> None:
    with FakeDevice([part(alert()), BEAT, SILENT]) as fake, Ear(fake) as ear:
        assert ear.next() == Up()
        assert ear.heard(2) == [("VMD", True), ("videoloss", False)]
        assert (ear.subscription.parts, ear.subscription.bad) == (2, 0)
        assert ear.subscription.heard_us > 0


def test_a_device_that_closes_its_stream_is_subscribed_to_at_once() -> None:
    stream: Stream = [part(alert()), 0.1]
    with FakeDevice(stream, stream, [part(alert()), SILENT]) as fake, Ear(fake) as ear:
        ear.clock.shift_us = 1_000_000
        began = time.monotonic()
        assert ear.heard(3) == [("VMD", True)] * 3
        assert time.monotonic() - began < 15
        assert fake.subscriptions() == 3
        assert fake.refused == 0


def test_what_ends_a_connection_is_told_with_its_time() -> None:
    with FakeDevice([0.1], [SILENT]) as fake, Ear(fake) as ear:
        assert ear.next() == Up()
        down = ear.next()
        assert isinstance(down, Down)
        assert "closed the stream" in down.why
        assert ear.next() == Up()


def test_a_bad_part_costs_one_part() -> None:
    bad = part("<EventNotificationAlert><a></EventNotificationAlert>")
    with FakeDevice([part(alert()), bad, BEAT[:200], part(alert(state="inactive")), SILENT]) as fake, Ear(fake) as ear:
        assert ear.heard(2) == [("VMD", True), ("VMD", False)]
        assert (ear.subscription.parts, ear.subscription.bad) == (2, 2)
        assert fake.subscriptions() == 1


def test_silence_is_noticed_and_dated_from_the_last_heartbeat() -> None:
    with FakeDevice([BEAT, 0.1, BEAT, SILENT], [SILENT]) as fake, Ear(fake, silence=3) as ear:
        ear.heard(2)
        heard_us = ear.subscription.heard_us
        down = ear.next()
        assert isinstance(down, Down)
        assert "nothing came any more" in down.why
        assert round(down.since.timestamp() * 1e6) == heard_us
        assert ear.next() == Up()


def test_a_device_without_heartbeats_is_not_blamed_for_its_silence() -> None:
    with FakeDevice([BEAT, SILENT], [SILENT]) as fake, Ear(fake, silence=3) as ear:
        ear.heard(1)
        down = ear.next()
        assert isinstance(down, Down)
        assert down.since.timestamp() * 1e6 - ear.subscription.heard_us > 200_000


def test_bytes_without_an_alert_are_no_sign_of_life_for_ever() -> None:
    dripping: list[bytes | float | None] = [b"\r\n", 0.05] * 1000
    with FakeDevice(dripping, [SILENT]) as fake, Ear(fake) as ear:
        assert ear.next() == Up()
        ear.clock.shift_us = WATCHDOG_US
        down = ear.next()
        assert isinstance(down, Down)
        assert "sends, but no alerts" in down.why


BUSY = Answer("403 Forbidden", b"<statusString>Invalid Operation</statusString>")


@pytest.mark.parametrize(
    ("answer", "least", "most"),
    [
        (BUSY, 30, 72),
        (Answer("503 Service Unavailable"), 30, 72),
        (Answer("403 Forbidden"), 30, 72),
        (Answer("500 Oops"), 20, 72),
        (Answer("404 Not Found"), 20, 36),
    ],
)
def test_tries_get_rare_and_never_are_a_tight_loop(answer: Answer, least: float, most: float) -> None:
    with FakeDevice(answer) as fake, Ear(fake, tries=9) as ear:
        ear.wait_for_tries()
        assert ear.pauses[0] >= 0.4
        assert all(later > 1.2 * before for before, later in zip(ear.pauses[:5], ear.pauses[1:6], strict=True))
        assert least < max(ear.pauses) <= most
        assert fake.subscriptions() == 9


def test_a_try_that_took_long_is_no_connection_that_was_healthy() -> None:
    """Else a device that answers late, or not at all, would be asked every half second for ever."""
    with FakeDevice(Answer("500 Oops")) as fake, Ear(fake, tries=7, door_us=6_000_000) as ear:
        ear.wait_for_tries()
        assert ear.pauses[-1] > 20


def test_a_device_that_closes_at_once_is_asked_ever_more_rarely() -> None:
    with FakeDevice([BEAT]) as fake, Ear(fake, tries=6) as ear:
        ear.wait_for_tries()
        assert ear.pauses[0] < 1
        assert ear.pauses[-1] > 10


def test_a_refused_login_waits_for_the_door() -> None:
    with FakeDevice([SILENT]) as fake, Ear(fake, password="wrong", tries=1) as ear:
        ear.wait_for_tries()
        assert ear.pauses == [60]
        assert fake.refused == 1


def test_a_door_that_is_shut_sends_nothing() -> None:
    with FakeDevice([SILENT]) as fake, Ear(fake, refused=True) as ear:
        down = ear.next()
        assert isinstance(down, Down)
        assert down.why == "not tried"
        assert fake.requests == []


def test_re_authentication_after_a_close_is_no_refusal() -> None:
    with FakeDevice([BEAT], [BEAT, SILENT], stale=3) as fake, Ear(fake) as ear:
        while ear.subscription.parts < 2:
            ear.next()
        assert fake.refused == 0


def test_a_stop_in_a_silence_ends_at_once() -> None:
    with FakeDevice([BEAT, SILENT]) as fake:
        with Ear(fake, silence=60) as ear:
            ear.heard(1)
            began = time.monotonic()
        assert time.monotonic() - began < 10


def test_nothing_depends_on_a_wall_clock() -> None:
    """A clock that stands still breaks nothing: times are told, not waited for."""
    with FakeDevice([part(alert()), SILENT]) as fake:
        messages: queue.Queue[Message] = queue.Queue()
        device = Device(Place("127.0.0.1", fake.port, username=USER, password=PASSWORD))

        @contextmanager
        def enter(_: Callable[[], bool]) -> Iterator[None]:
            yield

        clock = FakeClock()
        subscription = Subscription(device, enter, clock, messages.put)
        subscription.start()
        assert messages.get(timeout=WAIT_S) == Up()
        heard = messages.get(timeout=WAIT_S)
        subscription.stop()
        subscription.join(WAIT_S)
        assert isinstance(heard, Heard)
        assert heard.now_us == clock.monotonic_us()

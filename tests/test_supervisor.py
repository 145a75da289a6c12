"""The supervisor over real processes; its clock is the test's, so that no back-off is waited for."""

from __future__ import annotations

import itertools
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nvr import supervisor as module
from nvr.nursery import Nursery
from nvr.supervisor import BUDGET, HANG_US, HEALTHY_US, OVERDRAWN_US, STOP_US, End, Supervisor, Worker
from tests.fakes.clock import FakeClock
from tests.fakes.workers import SECRET

WORKERS = "tests.fakes.workers"
LIMIT_S = 20.0


@pytest.fixture(autouse=True)
def _quick_and_clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short turns, and this process's signal handling as it was."""
    monkeypatch.setattr(module, "TICK_S", 0.005)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@dataclass
class Scene:
    """A supervisor, what its workers did, and a script that goes on once a turn until it asks for the end."""

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    nursery: Nursery = field(default_factory=lambda: Nursery([WORKERS]))
    starts: list[tuple[str, int, int]] = field(default_factory=list)
    """Name, restarts and monotonic microseconds of each start."""
    said: list[str] = field(default_factory=list)
    ends: list[tuple[str, End, str]] = field(default_factory=list)
    running: Supervisor = field(init=False)

    def worker(self, name: str, function: str, *arguments: Any) -> Worker:
        def started(restarts: int) -> tuple[Any, ...]:
            self.starts.append((name, restarts, self.clock.monotonic_us()))
            return arguments

        return Worker(name, f"{WORKERS}:{function}", started, self.pulse(name))

    def serving(self, name: str, function: str = "live", beat_us: int = 0) -> Worker:
        return self.worker(name, function, self.pulse(name), beat_us)

    def pulse(self, name: str) -> Path:
        return self.folder / f"{name}.pulse"

    def pids(self) -> list[int]:
        return [int(word) for word in self.said if word.isdigit()]

    def play(self, *workers: Worker, script: Iterator[None]) -> None:
        """Run the supervisor, the script beside it; the script's end is the stop."""
        end = time.monotonic() + LIMIT_S
        over = False

        def turn() -> None:
            nonlocal over
            assert time.monotonic() < end, f"the script does not come to its end: {self.starts} {self.said}"
            if not over and next(script, self) is self:
                over = True
                os.kill(os.getpid(), signal.SIGTERM)

        running = Supervisor(workers, self.clock, self.nursery, self._hear, turn, self._end)
        self.running = running
        try:
            running.run()
        finally:
            signal.set_wakeup_fd(-1)
            running._wake_read.close()  # a process's supervisor lives as long as the process; here there are many
            running._wake_write.close()

    def _end(self, name: str, end: End, how: str) -> None:
        self.ends.append((name, end, how))

    def _hear(self, channel: socket.socket) -> bool:
        try:
            data = channel.recv(4096)
        except BlockingIOError:
            return False
        if not data:
            raise EOFError
        self.said.append(data.decode())
        return True


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.nursery.close()
    left = [pid for pid in made.pids() if lives(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, "a worker outlives its supervisor"


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # gone before it was looked at, or meanwhile
        return False
    return state != "Z"


def until(found: Callable[[], object]) -> Iterator[None]:
    while not found():
        yield


def ended(caplog: pytest.LogCaptureFixture) -> int:
    return sum("restart in" in message for message in caplog.messages)


def test_all_are_started_and_ended_in_order(scene: Scene) -> None:
    scene.play(scene.serving("a"), scene.serving("b"), script=until(lambda: len(scene.pids()) == 2))
    assert [(name, restarts) for name, restarts, _ in scene.starts] == [("a", 0), ("b", 0)]
    assert scene.said.count("closed") == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_that_ends_a_program_closes_everything(scene: Scene, number: signal.Signals) -> None:
    def script() -> Iterator[None]:
        yield from until(scene.pids)
        os.kill(os.getpid(), number)
        yield from until(lambda: "closed" in scene.said)

    scene.play(scene.serving("a"), script=script())
    assert scene.said.count("closed") == 1


def test_a_worker_that_ends_is_started_again_ever_later(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    def script() -> Iterator[None]:
        while len(scene.starts) < 7:
            if ended(caplog) == len(scene.starts):
                scene.clock.advance(0.2)
            yield

    scene.play(scene.worker("a", "leave", 3), script=script())
    assert [restarts for _, restarts, _ in scene.starts] == list(range(7))
    at = [us for _, _, us in scene.starts]
    waited = [(after - before) / 1e6 for before, after in itertools.pairwise(at)]
    for seconds, wanted in zip(waited, (0.5, 1, 2, 4, 8, 16), strict=True):
        assert wanted * 0.8 <= seconds <= wanted * 1.2 + 0.3
    assert "a ended (exit code 3); restart in 0." in caplog.text


def test_a_worker_that_began_well_is_started_again_soon(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """The pulse is given ahead of time, so that what passes on the test's clock is no hang."""

    def script() -> Iterator[None]:
        for number, lived in enumerate((1, 1, 1, HEALTHY_US / 1e6, HEALTHY_US / 1e6)):
            while len(scene.pids()) == number:
                yield
            scene.clock.advance(lived)
            os.kill(scene.pids()[number], signal.SIGKILL)
            while ended(caplog) == number:
                yield
            scene.clock.advance(40)

    scene.play(scene.serving("a", beat_us=10**12), script=script())
    waits = [
        float(message.split("restart in ")[1].split(" s")[0]) for message in caplog.messages if "restart in" in message
    ]
    for wait, nominal in zip(waits, (0.5, 1, 2, 0.5, 0.5), strict=True):
        assert nominal * 0.75 <= wait <= nominal * 1.25


def test_the_neighbours_of_a_worker_that_ends_go_on(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    def script() -> Iterator[None]:
        yield from until(lambda: scene.pids() and ended(caplog))
        scene.clock.advance(2)
        yield from until(lambda: ended(caplog) == 2)

    scene.play(scene.serving("a"), scene.worker("b", "be_killed"), script=script())
    assert [name for name, _, _ in scene.starts].count("a") == 1
    assert "b ended (signal SIGKILL)" in caplog.text


@pytest.mark.parametrize("function", ["live", "stay"])
def test_a_worker_whose_pulse_stands_still_is_killed_and_started_again(
    scene: Scene, caplog: pytest.LogCaptureFixture, function: str
) -> None:
    last_beat = scene.clock.monotonic_us() + 5_000_000

    def script() -> Iterator[None]:
        yield from until(scene.pids)
        scene.clock.advance((5_000_000 + HANG_US) / 1e6)
        for _ in range(10):
            yield
        assert not ended(caplog), "killed although it beat 30 s ago"
        scene.clock.advance(0.001)
        yield from until(lambda: ended(caplog))
        scene.clock.advance(2)
        yield from until(lambda: len(scene.pids()) == 2)
        os.kill(scene.pids()[1], signal.SIGKILL)

    scene.play(scene.serving("a", function, last_beat), script=script())
    assert "a shows no life for 30 s: killed" in caplog.text
    assert "a ended (it hung)" in caplog.text
    assert [restarts for _, restarts, _ in scene.starts] == [0, 1]


def test_the_pulse_of_its_predecessor_keeps_no_worker_alive(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    def script() -> Iterator[None]:
        yield from until(scene.pids)
        os.kill(scene.pids()[0], signal.SIGKILL)
        yield from until(lambda: ended(caplog) == 1)
        scene.clock.advance(2)
        yield from until(lambda: len(scene.starts) == 2)
        scene.clock.advance(HANG_US / 1e6 + 1)
        yield from until(lambda: ended(caplog) == 2)

    first = True

    def arguments(restarts: int) -> tuple[Any, ...]:
        nonlocal first
        scene.starts.append(("a", restarts, scene.clock.monotonic_us()))
        place, first = (scene.pulse("a") if first else scene.pulse("elsewhere")), False
        return place, 10**12

    scene.play(Worker("a", f"{WORKERS}:live", arguments, scene.pulse("a")), script=script())
    assert "a shows no life" in caplog.text


def test_a_worker_that_does_not_end_is_killed_in_time(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    def script() -> Iterator[None]:
        yield from until(lambda: len(scene.pids()) == 2)
        os.kill(os.getpid(), signal.SIGINT)
        yield from until(lambda: "closed" in scene.said)
        for _ in range(10):
            yield
        assert lives(scene.pids()[1])
        scene.clock.advance(STOP_US / 1e6 + 0.001)
        yield from until(lambda: not lives(scene.pids()[1]))

    scene.play(scene.serving("a"), scene.serving("b", "stay"), script=script())
    assert "b does not end: killed" in caplog.text
    assert "a does not end" not in caplog.text
    assert STOP_US < 10_000_000


def test_a_second_ctrl_c_ends_at_once(scene: Scene) -> None:
    def script() -> Iterator[None]:
        yield from until(scene.pids)
        os.kill(os.getpid(), signal.SIGINT)
        yield
        os.kill(os.getpid(), signal.SIGINT)
        yield from until(lambda: not lives(scene.pids()[0]))

    scene.play(scene.serving("a", "stay"), script=script())


def test_nothing_is_started_again_while_all_ends(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    def script() -> Iterator[None]:
        yield from until(lambda: len(scene.pids()) == 2)
        os.kill(os.getpid(), signal.SIGINT)
        yield from until(lambda: "closed" in scene.said)
        for _ in range(10):
            yield
        os.kill(scene.pids()[1], signal.SIGKILL)

    scene.play(scene.serving("a"), scene.serving("b", "stay"), script=script())
    assert len(scene.starts) == 2
    assert not ended(caplog)


def test_what_a_worker_said_before_it_ended_arrives_whole_and_in_order(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MESSAGES_A_TURN", 1)

    def script() -> Iterator[None]:
        assert scene.nursery.channel is not None
        assert select.select([scene.nursery.channel], [], [], LIMIT_S)[0], "no word of its end"
        yield from until(lambda: ended(caplog))

    scene.play(scene.worker("a", "speak_and_leave", 150), script=script())
    assert scene.said[:150] == [f"#{number}" for number in range(150)]


def test_a_message_reaches_the_worker_it_is_for(scene: Scene) -> None:
    def script() -> Iterator[None]:
        yield from until(lambda: "ready" in scene.said)
        assert scene.running.tell("a", b"#1")
        assert not scene.running.tell("nobody", b"#2")
        yield from until(lambda: "#1" in scene.said)

    scene.play(scene.worker("a", "echo"), script=script())
    assert "#2" not in scene.said


def test_a_worker_that_is_to_be_renewed_ends_in_order_and_is_started_at_once(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """With arguments asked for anew; it is no restart that is counted, told, or put off."""

    def script() -> Iterator[None]:
        for number in range(1, 4):
            yield from until(lambda: len(scene.pids()) == number + 1)  # noqa: B023  # called in this turn alone
            scene.running.restart("a")
            scene.running.restart("nobody")
        yield from until(lambda: len(scene.pids()) == 5)

    scene.play(scene.serving("a"), scene.serving("b"), script=script())
    assert [start for start in scene.starts if start[0] == "a"] == [("a", 0, scene.starts[0][2])] * 4
    assert [name for name, *_ in scene.starts].count("b") == 1
    assert scene.said.count("closed") == 5
    assert scene.ends == []
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_worker_that_dies_after_it_was_renewed_is_a_restart(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    def script() -> Iterator[None]:
        yield from until(lambda: len(scene.pids()) == 1)
        scene.running.restart("a")
        yield from until(lambda: len(scene.pids()) == 2)
        os.kill(scene.pids()[1], signal.SIGKILL)
        yield from until(lambda: ended(caplog))
        scene.running.restart("a")  # it does not run: its start comes when it is due
        scene.clock.advance(2)
        yield from until(lambda: len(scene.pids()) == 3)

    scene.play(scene.serving("a"), script=script())
    assert [restarts for _, restarts, _ in scene.starts] == [0, 0, 1]
    assert scene.ends == [("a", End.KILLED, "signal SIGKILL")]


def test_every_end_is_told_with_what_it_was(scene: Scene) -> None:
    def script() -> Iterator[None]:
        yield from until(lambda: len(scene.ends) == 3)

    scene.play(
        scene.worker("a", "be_killed"), scene.worker("b", "leave", 3), scene.worker("c", "leave", 0), script=script()
    )
    assert sorted(scene.ends) == [
        ("a", End.KILLED, "signal SIGKILL"),
        ("b", End.CRASHED, "exit code 3"),
        ("c", End.LEFT, "exit code 0"),
    ]


def test_a_worker_that_hung_is_told_to_have(scene: Scene) -> None:
    def script() -> Iterator[None]:
        yield from until(scene.pids)
        scene.clock.advance(HANG_US / 1e6 + 1)
        yield from until(lambda: scene.ends)

    scene.play(scene.serving("a", "stay"), script=script())
    assert scene.ends == [("a", End.HUNG, "it hung")]


def test_a_worker_that_never_comes_up_is_tried_ever_more_rarely(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    def script() -> Iterator[None]:
        for number in range(1, BUDGET + 1):
            yield from until(lambda: ended(caplog) == number)  # noqa: B023  # called in this turn alone
            scene.clock.advance(40)
        for _ in range(10):
            yield
        assert len(scene.starts) == BUDGET
        scene.clock.advance(OVERDRAWN_US / 1e6)
        yield from until(lambda: len(scene.starts) == BUDGET + 1)

    scene.play(scene.worker("a", "leave", 3), script=script())
    assert sum("does not come up" in message for message in caplog.messages) == 1


@pytest.mark.parametrize("twice", [False, True])
def test_a_stopped_nursery_does_not_keep_it_from_ending(scene: Scene, twice: bool) -> None:
    def script() -> Iterator[None]:
        yield from until(scene.pids)
        os.kill(scene.nursery.pid, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGINT)
        yield from until(lambda: not lives(scene.pids()[0]))
        if twice:
            os.kill(os.getpid(), signal.SIGINT)
        for _ in range(5):
            yield
        scene.clock.advance(0.001 if twice else STOP_US / 1e6 + 1)

    scene.play(scene.serving("a"), script=script())


def test_a_stopped_nursery_is_replaced(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nvr.nursery.ANSWER_S", 2.0)

    def script() -> Iterator[None]:
        yield from until(scene.pids)
        os.kill(scene.nursery.pid, signal.SIGSTOP)
        os.kill(scene.pids()[0], signal.SIGKILL)
        scene.clock.advance(HANG_US / 1e6 + 1)  # nobody tells of its end: it shows no life
        yield from until(lambda: scene.ends)
        scene.clock.advance(2)
        yield from until(lambda: len(scene.pids()) == 2)

    scene.play(scene.serving("a"), script=script())
    assert "the nursery" in caplog.text


def test_a_killed_nursery_costs_every_worker_a_restart(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    def script() -> Iterator[None]:
        yield from until(lambda: len(scene.pids()) == 2)
        os.kill(scene.nursery.pid, signal.SIGKILL)
        yield from until(lambda: ended(caplog) == 2)
        scene.clock.advance(2)
        yield from until(lambda: len(scene.pids()) == 4)

    scene.play(scene.serving("a"), scene.serving("b"), script=script())
    assert sorted(restarts for _, restarts, _ in scene.starts) == [0, 0, 1, 1]
    assert "the nursery ended" in caplog.text


def test_a_nursery_that_is_killed_during_the_stop_leaves_no_worker(scene: Scene) -> None:
    def script() -> Iterator[None]:
        yield from until(scene.pids)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(scene.nursery.pid, signal.SIGKILL)
        for _ in range(50):
            yield
        scene.clock.advance(STOP_US / 1e6 + 1)

    scene.play(scene.serving("a", "stay"), script=script())
    left = [pid for pid in scene.pids() if lives(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left


@pytest.mark.parametrize(
    ("what", "message"), [("expected", "the disk of rtsp://***@127.0.0.1/ is full"), ("bug", "bug: ValueError: a bug")]
)
def test_a_worker_that_fails_says_so_in_one_line(
    scene: Scene, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], what: str, message: str
) -> None:
    scene.play(scene.worker("a", "fail", what), script=until(lambda: ended(caplog)))
    said = capfd.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert SECRET not in said
    assert len(said.strip().splitlines()) == 1
    assert "a ended (exit code 1)" in caplog.text

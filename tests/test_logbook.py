"""What the supervisor notes for the ledger: its own life, and gaps that dead recorders cannot tell of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nvr.catalogue.intake import Intake
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import from_us
from nvr.logbook import ALIVE_US, Logbook
from nvr.model import Gap
from nvr.reason import Reason
from nvr.supervisor import End
from tests.fakes.clock import FakeClock

BEGIN = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    upgrade(tmp_path / "nvr.db")
    with Catalogue.open(tmp_path / "nvr.db") as opened:
        yield opened


class Start:
    """One ``nvr start``: its logbook, and what it had to store."""

    def __init__(
        self, catalogue: Catalogue, clock: FakeClock, boot: str = "boot-1", cameras: tuple[str, ...] = ("hik1",)
    ):
        self.intake = Intake(catalogue)
        self.logbook = Logbook(catalogue, self.intake, clock, boot)
        self.logbook.begin(cameras)
        self.intake.store()

    def tick(self) -> None:
        self.logbook.tick()
        self.intake.store()


def told(catalogue: Catalogue) -> list[tuple[Reason, float, float | None]]:
    """Reason, start and end (seconds from ``BEGIN``) of every gap, by start."""
    return [
        (
            gap.reason,
            (gap.start - BEGIN).total_seconds(),
            None if gap.end is None else (gap.end - BEGIN).total_seconds(),
        )
        for gap in catalogue.gaps(BEGIN - timedelta(days=1))
    ]


def at(clock: FakeClock) -> datetime:
    return from_us(clock.now_us())


def test_a_first_start_makes_its_cameras_known_and_has_nothing_to_explain(catalogue: Catalogue) -> None:
    start = Start(catalogue, FakeClock(BEGIN), cameras=("a", "b"))
    assert catalogue.cameras() == {"a": BEGIN, "b": BEGIN}
    assert (start.logbook.gap("a"), told(catalogue)) == (None, [])


def test_a_stint_is_alive_every_few_seconds_and_ends_in_order(catalogue: Catalogue) -> None:
    clock = FakeClock(BEGIN)
    start = Start(catalogue, clock)
    clock.advance(ALIVE_US / 1e6 - 1)
    start.tick()
    stint = catalogue.last_stint()
    assert stint is not None
    assert (stint.alive, stint.end, stint.boot) == (BEGIN, None, "boot-1")
    clock.advance(1)
    start.tick()
    stint = catalogue.last_stint()
    assert stint is not None
    assert stint.alive == at(clock)
    clock.advance(3)
    start.logbook.close()
    stint = catalogue.last_stint()
    assert stint is not None
    assert stint.end == at(clock)


@pytest.mark.parametrize(
    ("end", "reason"), [(End.KILLED, Reason.KILLED), (End.HUNG, Reason.HUNG), (End.CRASHED, Reason.CRASHED)]
)
def test_a_dead_recorder_leaves_a_gap_for_the_next_to_end(catalogue: Catalogue, end: End, reason: Reason) -> None:
    clock = FakeClock(BEGIN)
    start = Start(catalogue, clock)
    clock.advance(7)
    start.logbook.ended("hik1", end, "signal SIGKILL")
    start.intake.store()
    gap = start.logbook.gap("hik1")
    assert gap is not None
    assert (gap.reason, gap.detail, gap.start) == (reason, "signal SIGKILL", at(clock))
    assert told(catalogue) == [(reason, 7, None)]


def test_a_dead_recorder_that_had_told_of_a_gap_leaves_that_one(catalogue: Catalogue) -> None:
    clock = FakeClock(BEGIN)
    start = Start(catalogue, clock)
    mine = Gap("g", "hik1", BEGIN, Reason.UNREACHABLE)
    start.logbook.hear(mine)
    clock.advance(7)
    start.logbook.ended("hik1", End.KILLED, "")
    assert start.logbook.gap("hik1") == mine


def test_a_gap_that_ended_is_not_handed_on_and_one_told_whole_ends_no_other(catalogue: Catalogue) -> None:
    start = Start(catalogue, FakeClock(BEGIN))
    lasting = Gap("g", "hik1", BEGIN, Reason.UNREACHABLE)
    start.logbook.hear(lasting)
    start.logbook.hear(Gap("h", "hik1", BEGIN, Reason.CLOCK_STEPPED, end=BEGIN + timedelta(hours=1)))
    assert start.logbook.gap("hik1") == lasting
    start.logbook.hear(Gap("g", "hik1", BEGIN, Reason.UNREACHABLE, end=BEGIN + timedelta(seconds=5)))
    assert start.logbook.gap("hik1") is None
    start.intake.store()
    assert sorted(told(catalogue)) == [(Reason.CLOCK_STEPPED, 0, 3600), (Reason.UNREACHABLE, 0, 5)]


@pytest.mark.parametrize(("boot", "reason"), [("boot-1", Reason.KILLED), ("boot-2", Reason.POWER)])
def test_a_start_that_was_killed_is_explained_by_the_next(catalogue: Catalogue, boot: str, reason: Reason) -> None:
    clock = FakeClock(BEGIN)
    killed = Start(catalogue, clock)
    clock.advance(20)
    killed.tick()
    clock.advance(100)
    following = Start(catalogue, clock, boot)
    gap = following.logbook.gap("hik1")
    assert gap is not None
    assert gap.reason is reason
    assert told(catalogue) == [(reason, 20, None)]


def test_a_gap_from_before_the_kill_lasts_until_then(catalogue: Catalogue) -> None:
    clock = FakeClock(BEGIN)
    killed = Start(catalogue, clock)
    clock.advance(5)
    killed.logbook.hear(Gap("g", "hik1", at(clock), Reason.UNREACHABLE))
    clock.advance(15)
    killed.tick()
    clock.advance(100)
    Start(catalogue, clock)
    assert told(catalogue) == [(Reason.UNREACHABLE, 5, 20), (Reason.KILLED, 20, None)]


def test_a_camera_that_was_stopped_on_purpose_stays_stopped(catalogue: Catalogue) -> None:
    clock = FakeClock(BEGIN)
    first = Start(catalogue, clock, cameras=("hik1", "hik2"))
    first.logbook.hear(Gap("g", "hik1", BEGIN, Reason.STOPPED))
    first.logbook.hear(Gap("h", "hik2", BEGIN, Reason.STOPPED))
    first.intake.store()
    first.logbook.close()
    clock.advance(60)
    second = Start(catalogue, clock, cameras=("hik1",))
    assert second.logbook.gap("hik1") == Gap("g", "hik1", BEGIN, Reason.STOPPED)
    second.logbook.hear(Gap("g", "hik1", BEGIN, Reason.STOPPED, end=at(clock)))
    second.intake.store()
    clock.advance(60)
    third = Start(catalogue, clock, cameras=("hik1", "hik2"))  # the second was killed
    assert [third.logbook.gap(name).reason for name in ("hik1", "hik2")] == [  # type: ignore[union-attr]
        Reason.KILLED,
        Reason.STOPPED,
    ]


@pytest.mark.parametrize("reason", [Reason.SCHEDULE, Reason.UNREACHABLE, Reason.KILLED])
def test_after_an_orderly_end_whatever_went_before_is_over(catalogue: Catalogue, reason: Reason) -> None:
    """Or twelve scheduled seconds of downtime would be called not scheduled."""
    clock = FakeClock(BEGIN)
    first = Start(catalogue, clock)
    first.logbook.hear(Gap("g", "hik1", BEGIN, reason))
    first.intake.store()
    clock.advance(10)
    first.logbook.close()
    clock.advance(60)
    Start(catalogue, clock)
    assert told(catalogue) == [(reason, 0, 10), (Reason.STOPPED, 10, None)]


def test_a_camera_that_was_off_was_off_while_nvr_was_down(catalogue: Catalogue) -> None:
    clock = FakeClock(BEGIN)
    first = Start(catalogue, clock)
    first.logbook.hear(Gap("g", "hik1", BEGIN, Reason.OFF))
    first.intake.store()
    clock.advance(10)
    first.logbook.close()
    clock.advance(60)
    Start(catalogue, clock)
    assert told(catalogue) == [(Reason.OFF, 0, 70)]


def test_a_database_that_is_locked_costs_a_tick_and_nothing_else(catalogue: Catalogue, tmp_path: Path) -> None:
    clock = FakeClock(BEGIN)
    with Catalogue.open(tmp_path / "nvr.db", busy_timeout=timedelta(milliseconds=1)) as impatient:
        start = Start(impatient, clock)
        clock.advance(ALIVE_US / 1e6)
        with catalogue._database.writing():
            start.logbook.tick()
            start.logbook.close()
    stint = catalogue.last_stint()
    assert stint is not None
    assert (stint.alive, stint.end) == (BEGIN, None)

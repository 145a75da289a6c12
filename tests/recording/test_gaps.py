"""Why nothing is recorded is told when it begins, when the cause changes, and when it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from nvr.clock import from_us
from nvr.model import Gap
from nvr.reason import Reason
from nvr.recording.gaps import PROVISIONAL_US, Gaps
from nvr.recording.outbox import Message, Outbox
from nvr.schedule import Schedule

BEGIN_US = 1_795_000_000_000_000
SECOND_US = 1_000_000


class NoOutbox(Outbox):
    """Keeps the newest word of each gap."""

    def __init__(self) -> None:
        self.told: dict[str, Gap] = {}

    def post(self, message: Message) -> None:
        assert isinstance(message, Gap)
        self.told[message.id] = message

    @property
    def gaps(self) -> list[tuple[Reason, int, int | None]]:
        """Reason, and second of start and end."""
        return [(gap.reason, seconds(gap.start) or 0, seconds(gap.end)) for gap in self.told.values()]


def seconds(at: object) -> int | None:
    return None if at is None else round((at - from_us(BEGIN_US)) / timedelta(seconds=1))  # type: ignore[operator]


def at(second: float) -> int:
    return BEGIN_US + round(second * SECOND_US)


class Daytime(Schedule):
    """From the 20th to the 40th second."""

    def covers(self, at_us: int) -> bool:
        return at(20) <= at_us < at(40)

    def change_us(self, at_us: int) -> int:
        return min((edge for edge in (at(20), at(40)) if edge > at_us), default=at_us + 7 * 86_400 * SECOND_US)


@pytest.fixture
def outbox() -> NoOutbox:
    return NoOutbox()


def make(outbox: NoOutbox, schedule: Schedule | None = None, current: Gap | None = None) -> Gaps:
    return Gaps("hik1", outbox, schedule, current)


def test_a_gap_has_a_reason_a_start_and_an_end(outbox: NoOutbox) -> None:
    gaps = make(outbox)
    gaps.begin(at(1), Reason.CLOSED, "by the camera")
    assert gaps.open
    gaps.end(at(3))
    assert outbox.gaps == [(Reason.CLOSED, 1, 3)]
    gaps.end(at(9))
    assert len(outbox.told) == 1


def test_a_cause_that_follows_within_seconds_replaces_the_first(outbox: NoOutbox) -> None:
    gaps = make(outbox)
    gaps.begin(at(1), Reason.CLOSED)
    gaps.begin(at(2), Reason.UNREACHABLE)
    gaps.begin(at(3), Reason.UNREACHABLE)
    assert outbox.gaps == [(Reason.UNREACHABLE, 1, None)]


def test_a_cause_that_follows_later_is_a_gap_of_its_own(outbox: NoOutbox) -> None:
    gaps = make(outbox)
    gaps.begin(at(1), Reason.UNREACHABLE)
    gaps.begin(at(1) + PROVISIONAL_US, Reason.REFUSED)
    gaps.end(at(20))
    assert outbox.gaps == [(Reason.UNREACHABLE, 1, 6), (Reason.REFUSED, 6, 20)]


def test_the_gap_of_the_process_before_is_ended_by_the_first_picture(outbox: NoOutbox) -> None:
    before = Gap("x", "hik1", from_us(at(-100)), Reason.KILLED)
    gaps = make(outbox, current=before)
    assert gaps.open
    gaps.end(at(0))
    assert outbox.told == {"x": replace(before, end=from_us(at(0)))}


def test_outside_of_the_schedule_that_is_the_reason_and_inside_the_cause(outbox: NoOutbox) -> None:
    gaps = make(outbox, Daytime(()))
    gaps.begin(at(0), Reason.UNREACHABLE)
    for second in range(60):
        gaps.tick(at(second))
    gaps.end(at(60))
    assert outbox.gaps == [
        (Reason.SCHEDULE, 0, 20),
        (Reason.UNREACHABLE, 20, 40),
        (Reason.SCHEDULE, 40, 60),
    ]


def test_a_pause_of_nvr_is_missing_only_where_something_was_scheduled(outbox: NoOutbox) -> None:
    gaps = make(outbox, Daytime(()), Gap("x", "hik1", from_us(at(0)), Reason.STOPPED))
    gaps.resume(at(60))
    gaps.end(at(60))
    assert sorted(outbox.gaps, key=lambda gap: (gap[1], gap[0])) == [
        (Reason.SCHEDULE, 0, 20),
        (Reason.STOPPED, 0, 60),
        (Reason.SCHEDULE, 40, 60),
    ]
    later = [gap for gap in outbox.told.values() if gap.reason is Reason.SCHEDULE]
    assert all(gap.start > from_us(at(0)) for gap in later), "the row that begins later counts"


def test_a_clock_that_is_set_back_makes_no_gap_of_negative_length(outbox: NoOutbox) -> None:
    gaps = make(outbox)
    gaps.begin(at(100), Reason.CLOSED)
    gaps.begin(at(10), Reason.STALLED)
    gaps.end(at(5))
    assert all(end is not None and end >= start for _, start, end in outbox.gaps)


def test_what_is_over_when_it_is_noticed_is_told_whole(outbox: NoOutbox) -> None:
    gaps = make(outbox)
    gaps.closed(at(1), at(2), Reason.CLOCK_STEPPED, "by +1.0 s")
    assert outbox.gaps == [(Reason.CLOCK_STEPPED, 1, 2)]
    assert not gaps.open

"""What is done when: with a clock of the test's own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from nvr.clock import EPOCH
from nvr.retention.housekeeping import Housekeeping, tidy
from nvr.retention.policy import Policy
from nvr.retention.task import Task
from tests.fakes.clock import FakeClock
from tests.retention.archive import DAY, Archive, limits

KEEP = Policy(limits(), {}, min_free=0)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "storage")
    yield made
    made.close()


class Scene:
    """Housekeeping, its clock, and answers to whether a recorder met a full disk."""

    def __init__(self, archive: Archive, policy: Policy = KEEP) -> None:
        self.clock = FakeClock(archive.now)
        self.asked = [False]
        task = Task(policy, archive.storage, archive.database, archive.storage.parent, archive.now)
        self.keeping = Housekeeping(
            task, archive.catalogue, self.clock, lambda: self.asked.pop() if self.asked else False
        )

    def turn(self, seconds: float = 0) -> None:
        self.clock.advance(seconds)
        self.keeping.turn(False)


def test_ages_are_looked_at_every_five_minutes(archive: Archive) -> None:
    scene = Scene(archive)
    archive.record(0 * DAY)
    scene.turn()
    old = archive.record(8 * DAY)
    scene.turn(299)
    assert old.path in archive.files()
    scene.turn(1)  # it was old already at the last look: the next whole one finds it
    assert old.path in archive.files()
    scene.turn(6 * 3600)
    assert old.path not in archive.files()


def test_what_becomes_old_between_two_looks_is_found_by_the_second(archive: Archive) -> None:
    scene = Scene(archive)
    archive.record(0 * DAY)
    soon = archive.record(7 * DAY)
    scene.turn()
    assert soon.path in archive.files()
    scene.turn(300)
    assert soon.path not in archive.files()


def test_a_clock_that_is_set_far_forward_deletes_nothing_for_an_hour(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene(archive)
    archive.record(0 * DAY)
    kept = archive.record(1 * DAY)
    scene.turn()
    scene.clock.step(3650 * 86400)
    scene.turn(300)
    scene.turn(3599)
    assert kept.path in archive.files()
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    scene.turn(1)
    assert kept.path not in archive.files()


def test_a_recorder_that_meets_a_full_disk_in_the_middle_of_long_work_is_served_at_once(archive: Archive) -> None:
    scene = Scene(archive)
    recorded = [archive.record(number * DAY) for number in (0, 1, 2, 3, 8)]
    scene.asked = [True]
    scene.turn()
    assert archive.files() == {one.path for one in recorded[:2]}
    assert {gap.detail.split(",")[0] for gap in archive.catalogue.gaps(EPOCH)} == {"disk full"}


def test_empty_folders_of_days_that_are_over_are_removed(archive: Archive) -> None:
    names = [f"{archive.now - days * DAY:%Y-%m-%d}" for days in range(5)]
    for name in (*names, "2020-99-99", "notes"):
        (archive.storage / "segments/hik1" / name).mkdir(parents=True)
    (archive.storage / "segments/hik1" / names[3] / "a.mp4").touch()
    tidy(archive.storage, archive.now)
    left = {folder.name for folder in (archive.storage / "segments/hik1").iterdir()}
    assert {names[0], names[1], names[3], "2020-99-99", "notes"} <= left
    assert names[4] not in left

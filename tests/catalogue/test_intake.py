"""Rows wait for the database; recording does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from nvr.catalogue import intake
from nvr.catalogue.intake import Intake
from nvr.catalogue.store import Catalogue
from nvr.errors import CatalogueError, RowError
from nvr.model import Gap, Run, Segment
from tests.catalogue.rows import START, gap, run, segment


class Refusing(Catalogue):
    """Refuses all rows, or those of one path."""

    def __init__(self, real: Catalogue) -> None:
        self.real, self.all, self.path = real, True, Path()

    def start_run(self, run: Run) -> None:
        if self.all:
            raise CatalogueError("locked")
        self.real.start_run(run)

    def add_segment(self, segment: Segment) -> None:
        if self.all:
            raise CatalogueError("locked")
        if segment.path == self.path:
            raise RowError("never")
        self.real.add_segment(segment)

    def put_gap(self, gap: Gap) -> None:
        if self.all:
            raise CatalogueError("locked")
        self.real.put_gap(gap)


def test_rows_are_stored_in_their_order(catalogue: Catalogue) -> None:
    rows = Intake(catalogue)
    rows.put(run("a"))
    rows.put(segment(0, 1, run="a"))
    rows.store()
    assert len(rows) == 0
    assert len(list(catalogue.segments(START))) == 1


def test_a_locked_database_makes_rows_wait(catalogue: Catalogue) -> None:
    refusing = Refusing(catalogue)
    rows = Intake(refusing)
    for number in range(3):
        rows.put(segment(number, number + 1))
    rows.store()
    assert len(rows) == 3
    refusing.all = False
    rows.store()
    assert [found.start for found in catalogue.segments(START)] == [segment(n, n + 1).start for n in range(3)]


def test_a_row_that_is_never_taken_does_not_hold_up_the_others(catalogue: Catalogue) -> None:
    refusing = Refusing(catalogue)
    refusing.all, refusing.path = False, segment(0, 1).path
    rows = Intake(refusing)
    rows.put(segment(0, 1))
    rows.put(segment(1, 2))
    rows.store()
    assert (len(rows), rows.lost) == (0, 1)


def test_waiting_rows_are_bounded_and_counted(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LIMIT", 5)
    rows = Intake(Refusing(catalogue))
    for number in range(8):
        rows.put(segment(number, number + 1))
    assert (len(rows), rows.lost) == (5, 3)


def test_a_gap_that_changes_while_it_waits_is_stored_as_it_is_in_the_end(catalogue: Catalogue) -> None:
    refusing = Refusing(catalogue)
    rows = Intake(refusing)
    rows.put(gap("g1", 0))
    rows.store()
    rows.put(gap("g1", 0, 2))
    refusing.all = False
    rows.store()
    assert list(catalogue.gaps(START)) == [gap("g1", 0, 2)]


def test_a_database_that_is_locked_between_two_rows_costs_neither(catalogue: Catalogue) -> None:
    class LockedAfterOne(Refusing):
        def add_segment(self, segment: Segment) -> None:
            super().add_segment(segment)
            self.all = True

    refusing = LockedAfterOne(catalogue)
    refusing.all = False
    rows = Intake(refusing)
    for number in range(3):
        rows.put(segment(number, number + 1))
    for _ in range(3):
        rows.store()
        refusing.all = False
    assert (len(rows), rows.lost) == (0, 0)
    assert len(list(catalogue.segments(START))) == 3

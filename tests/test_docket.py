"""Reports → rows, also while the database does not take them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.clock import EPOCH
from nvr.docket import KNOWN, WAITING, Docket
from nvr.isapi.report import Report
from nvr.model import Event

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVENT = Event("hik1", "camera", "motion", NOON, NOON, received=NOON, detail="VMD")


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    upgrade(tmp_path / "nvr.db")
    with Catalogue.open(tmp_path / "nvr.db", busy_timeout=timedelta(milliseconds=10)) as opened:
        yield opened


def later(seconds: int, ended: bool = False) -> Event:
    at = NOON + timedelta(seconds=seconds)
    return replace(EVENT, seen=at, end=at if ended else None)


def rows(catalogue: Catalogue) -> list[Event]:
    return list(catalogue.events(EPOCH))


def test_what_is_noted_is_stored_as_one_row(catalogue: Catalogue) -> None:
    docket = Docket(catalogue)
    docket.note(Report(0, EVENT))
    (new,) = docket.store()
    assert (new.number, new.event.id) == (0, 1)
    docket.note(Report(0, later(1)))
    docket.note(Report(0, later(2, ended=True)))
    assert docket.store() == []
    assert rows(catalogue) == [replace(later(2, ended=True), id=1)]


def test_a_picture_that_comes_late_stays_with_its_event(catalogue: Catalogue) -> None:
    docket = Docket(catalogue)
    docket.note(Report(0, EVENT))
    docket.store()
    docket.attach(0, Path("snapshots/a.jpg"))
    docket.note(Report(0, later(2, ended=True)))
    docket.store()
    assert [row.snapshot for row in rows(catalogue)] == [Path("snapshots/a.jpg")]
    docket.attach(0, Path("snapshots/b.jpg"))
    docket.attach(99, Path("snapshots/c.jpg"))
    docket.store()
    assert [(row.snapshot, row.end) for row in rows(catalogue)] == [(Path("snapshots/b.jpg"), later(2).seen)]


def test_an_event_that_is_there_already_goes_on(catalogue: Catalogue) -> None:
    docket = Docket(catalogue)
    id = catalogue.open_event(EVENT)
    docket.note(Report(5, replace(later(3, ended=True), id=id)))
    assert docket.store() == []
    assert rows(catalogue) == [replace(later(3, ended=True), id=id)]


def test_a_database_that_is_locked_delays_rows_and_loses_none(tmp_path: Path, catalogue: Catalogue) -> None:
    docket = Docket(catalogue)
    other = sqlite3.connect(tmp_path / "nvr.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for number in range(20):
        docket.note(Report(number, EVENT))
        docket.note(Report(number, later(4, ended=True)))
        assert docket.store() == []
    assert "locked" in docket.error
    other.execute("ROLLBACK")
    other.close()
    assert len(docket.store()) == 20
    assert docket.error == ""
    assert [row.end for row in rows(catalogue)] == [later(4).seen] * 20
    assert docket.dropped == 0


def test_what_waits_is_bounded_and_what_is_dropped_counted(tmp_path: Path, catalogue: Catalogue) -> None:
    docket = Docket(catalogue)
    for number in range(WAITING + 7):
        docket.note(Report(number, EVENT))
    assert docket.dropped == 7
    assert [report.number for report in docket.store()][:1] == [7]


def test_a_row_that_is_refused_for_ever_costs_itself_alone(catalogue: Catalogue) -> None:
    docket = Docket(catalogue)
    docket.note(Report(0, replace(EVENT, score=float("nan"))))  # NULL to SQLite
    docket.note(Report(1, EVENT))
    assert [report.number for report in docket.store()] == [1]
    assert docket.dropped == 1


def test_events_that_are_over_are_forgotten_in_time(catalogue: Catalogue) -> None:
    docket = Docket(catalogue)
    for number in range(KNOWN + WAITING + 50):
        docket.note(Report(number, later(1, ended=True)))
        if number % 500 == 0:
            docket.store()
    docket.store()
    assert len(docket._known) <= KNOWN + WAITING

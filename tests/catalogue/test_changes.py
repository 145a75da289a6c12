from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from nvr.catalogue import changes
from nvr.catalogue.store import Catalogue
from nvr.model import Box, Event
from tests.catalogue.rows import at, event


def told(catalogue: Catalogue, after: int = 0) -> list[tuple[str, int]]:
    return [(change.what, change.id) for change in catalogue.changes(after)]


def test_what_becomes_of_an_event_is_told_in_order(catalogue: Catalogue) -> None:
    first = catalogue.open_event(event(0, end=None))
    second = catalogue.open_event(event(1, end=2, label="car"))
    catalogue.update_event(dataclasses.replace(event(0, end=3), id=first))
    assert told(catalogue) == [("begin", first), ("begin", second), ("end", second), ("end", first)]
    assert [change.number for change in catalogue.changes(0)] == [1, 2, 3, 4]
    assert told(catalogue, 3) == [("end", first)]
    assert told(catalogue, 4) == []
    assert catalogue.change_numbers() == (1, 4)


def test_a_change_comes_with_the_event_as_it_is_now(catalogue: Catalogue) -> None:
    id = catalogue.open_event(event(0, end=None))
    catalogue.update_event(dataclasses.replace(event(0, end=None, label="car"), id=id))
    assert [change.event.label for change in catalogue.changes(0) if change.event] == ["car", "car"]
    catalogue.delete_events([id])
    assert [change.event for change in catalogue.changes(0)] == [None, None]


@pytest.mark.parametrize(
    "changed",
    [
        {"label": "car"},
        {"zones": ("gate",)},
        {"snapshot": Path("snapshots/better.jpg")},
        {"thumbnail": Path("snapshots/better.thumb.jpg")},
        {"began": "entered gate"},
        {"detail": "line 1"},
        {"start": at(-1)},
    ],
    ids=str,
)
def test_what_one_sees_is_an_update(catalogue: Catalogue, changed: dict[str, Any]) -> None:
    id = catalogue.open_event(event(end=None))
    catalogue.update_event(dataclasses.replace(event(end=None), id=id, **changed))
    assert told(catalogue, 1) == [("update", id)]


@pytest.mark.parametrize("changed", [{"seen": at(9)}, {"score": 0.9}, {"box": Box(0, 0, 1, 1)}, {}], ids=str)
def test_to_be_seen_again_is_none(catalogue: Catalogue, changed: dict[str, Any]) -> None:
    id = catalogue.open_event(event(end=None))
    catalogue.update_event(dataclasses.replace(event(end=None), id=id, **changed))
    assert told(catalogue, 1) == []


def test_an_event_that_goes_on_or_ends_otherwise_is_updated() -> None:
    assert changes.between(event(0, 1), event(0, None)) == ["update"]
    assert changes.between(event(0, 1), event(0, 2)) == ["update"]


def test_marks_and_a_new_analyzer_are_told_too(catalogue: Catalogue) -> None:
    id = catalogue.open_event(event(end=None))
    catalogue.lock_event(id, True)
    catalogue.mark_false(id, True)
    catalogue.close_events()
    catalogue.close_events()
    catalogue.lock_event(99, True)
    assert told(catalogue, 1) == [("update", id), ("update", id), ("end", id)]


def test_the_feed_is_bounded_and_its_numbers_go_on(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "KEPT", 20)
    monkeypatch.setattr(changes, "SWEEP", 8)
    for _ in range(50):
        catalogue.open_event(event(end=None))
    oldest, newest = catalogue.change_numbers()
    assert newest == 50
    assert oldest == 48 - 20 + 1
    assert told(catalogue, 0)[0] == ("begin", oldest), "who comes late gets what there is"


def test_a_reader_takes_what_there_is_in_portions(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nvr.catalogue.diary.TAKEN", 3)
    for _ in range(5):
        catalogue.open_event(event(end=None))
    assert told(catalogue) == [("begin", 1), ("begin", 2), ("begin", 3)]
    assert told(catalogue, 3) == [("begin", 4), ("begin", 5)]


def test_what_is_undone_is_not_told(catalogue: Catalogue) -> None:
    broken: Event = dataclasses.replace(event(), score=float("nan"))  # NULL to SQLite: refused
    with pytest.raises(Exception, match="NOT NULL"):
        catalogue.open_event(broken)
    assert catalogue.change_numbers() == (0, 0)

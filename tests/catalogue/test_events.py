from __future__ import annotations

import dataclasses

import pytest

from nvr.catalogue.store import Catalogue
from nvr.model import Event
from tests.catalogue.rows import START, at, event


def test_an_event_comes_back_as_it_was_stored(catalogue: Catalogue) -> None:
    id = catalogue.open_event(event())
    assert catalogue.event(id) == dataclasses.replace(event(), id=id)
    assert list(catalogue.events(START)) == [dataclasses.replace(event(), id=id)]


def test_an_event_without_box_zones_snapshot_and_end_does_too(catalogue: Catalogue) -> None:
    bare = Event(camera="hik1", kind="health", label="disk", start=at(0), seen=at(0))
    id = catalogue.open_event(bare)
    assert catalogue.event(id) == dataclasses.replace(bare, id=id)


def test_an_update_stores_everything_that_changed(catalogue: Catalogue) -> None:
    opened = event(end=None)
    id = catalogue.open_event(opened)
    closed = dataclasses.replace(opened, id=id, seen=at(4), end=at(5), score=0.9375, box=None, zones=(), snapshot=None)
    catalogue.update_event(closed)
    assert catalogue.event(id) == closed
    assert list(catalogue.events(START)) == [closed]


def test_an_update_of_a_row_that_was_lost_restores_it(catalogue: Catalogue) -> None:
    lost = dataclasses.replace(event(), id=41)
    catalogue.update_event(lost)
    assert catalogue.event(41) == lost
    assert catalogue.open_event(event()) == 42


def test_an_id_that_does_not_fit_is_a_bug_of_the_caller(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match="event 1 is stored already"):
        catalogue.open_event(dataclasses.replace(event(), id=1))
    with pytest.raises(ValueError, match="never stored"):
        catalogue.update_event(event())


def test_events_are_chosen_by_camera_kind_and_label(catalogue: Catalogue) -> None:
    person = catalogue.open_event(event(0))
    car = catalogue.open_event(event(1, label="car"))
    motion = catalogue.open_event(event(2, label="motion"))
    other = catalogue.open_event(event(3, camera="hik2"))

    def ids(**chosen: str) -> list[int | None]:
        return [found.id for found in catalogue.events(START, **chosen)]  # type: ignore[arg-type]  # only names of text

    assert ids() == [other, motion, car, person]
    assert ids(camera="hik1") == [motion, car, person]
    assert ids(kind="object") == [other, car, person]
    assert ids(label="person") == [other, person]
    assert ids(camera="hik1", kind="object", label="person") == [person]
    assert ids(camera="nobody") == []


def test_an_event_that_is_not_there_is_none(catalogue: Catalogue) -> None:
    assert catalogue.event(1) is None


def test_dangling_events_end_where_they_were_last_seen(catalogue: Catalogue) -> None:
    open_ = catalogue.open_event(event(0, end=None))
    ended = catalogue.open_event(event(1, end=2))
    mine = catalogue.open_event(event(3, end=None))
    assert catalogue.close_dangling(at(3)) == 1
    found = {one.id: one.end for one in catalogue.events(START)}
    assert found == {open_: at(0.5), ended: at(2), mine: None}


def test_a_new_analyzer_ends_what_a_killed_one_left_open(catalogue: Catalogue) -> None:
    catalogue.open_event(event(0, end=None))
    assert catalogue.close_events() == 1
    (left,) = catalogue.events(START)
    assert left.end == left.seen == at(0.5)
    assert catalogue.close_events() == 0

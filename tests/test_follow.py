"""Who follows events is told once what begins, changes and ends, whenever that was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nvr import follow
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.follow import Follower, Told
from tests.catalogue.rows import START, at, event
from tests.catalogue.test_twin import told as camera_told


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    upgrade(tmp_path / "nvr.db")
    with Catalogue.open(tmp_path / "nvr.db") as opened:
        yield opened


@pytest.fixture
def follower(catalogue: Catalogue) -> Follower:
    made = Follower(catalogue)
    assert list(made.begin(START)) == []
    return made


def said(found: Iterable[Told]) -> list[tuple[str, int | None]]:
    return [(told.what, told.event.id) for told in found]


def test_what_begins_changes_and_ends_is_told(catalogue: Catalogue, follower: Follower) -> None:
    opened = event(0, None)
    opened = replace(opened, id=catalogue.open_event(opened))
    assert said(follower.look()) == [("begin", 1)]
    assert said(follower.look()) == []
    catalogue.update_event(replace(opened, seen=at(1)))
    assert said(follower.look()) == []
    catalogue.update_event(replace(opened, zones=("gate", "yard")))
    (told,) = follower.look()
    assert (told.what, told.event.zones, told.before and told.before.zones) == (
        "update",
        ("gate", "yard"),
        opened.zones,
    )
    catalogue.update_event(replace(opened, end=at(2)))
    assert said(follower.look()) == [("end", 1)]
    catalogue.lock_event(1, True)
    assert said(follower.look()) == [("update", 1)]


def test_what_came_between_two_looks_is_told_in_one(catalogue: Catalogue, follower: Follower) -> None:
    opened = event(0, None)
    opened = replace(opened, id=catalogue.open_event(opened))
    catalogue.update_event(replace(opened, label="car"))
    catalogue.open_event(event(1, 2))
    catalogue.update_event(replace(opened, label="bus", end=at(3)))
    assert said(follower.look()) == [("begin", 1), ("end", 1), ("begin", 2), ("end", 2)]


def test_what_was_before_is_told_first_and_not_again(catalogue: Catalogue) -> None:
    ended = catalogue.open_event(event(0, 1))
    open_ = catalogue.open_event(event(0.5, None))
    catalogue.mark_false(catalogue.open_event(event(0.2, 1)), True)
    follower = Follower(catalogue)
    begun = follower.begin(at(0.5))
    assert said(begun) == [("begin", ended), ("end", ended), ("begin", open_)]
    assert said(follower.look()) == []
    late = Follower(catalogue)
    assert said(late.begin(at(9))) == [("begin", open_)], "what lasts is told, whenever it began"


def test_nothing_is_told_twice_that_happens_while_the_past_is_read(catalogue: Catalogue) -> None:
    opened = event(0, None)
    opened = replace(opened, id=catalogue.open_event(opened))
    follower = Follower(catalogue)
    past = follower.begin(START)
    numbers = catalogue.change_numbers

    def meanwhile() -> tuple[int, int]:
        found = numbers()
        catalogue.open_event(event(1, 2))
        catalogue.update_event(replace(opened, zones=("yard",)))
        catalogue.update_event(replace(opened, zones=("yard",), end=at(1)))
        return found

    catalogue.change_numbers = meanwhile  # type: ignore[method-assign]  # something happens right after
    assert said(past) == [("begin", 1), ("end", 1), ("begin", 2), ("end", 2)]
    assert said(follower.look()) == []


def test_only_what_was_chosen_is_told_and_that_to_its_end(catalogue: Catalogue) -> None:
    follower = Follower(catalogue, lambda event: event.label == "car")
    list(follower.begin(START))
    car, person = (replace(event(0, None, label=label)) for label in ("car", "person"))
    car = replace(car, id=catalogue.open_event(car))
    person = replace(person, id=catalogue.open_event(person))
    assert said(follower.look()) == [("begin", car.id)]
    catalogue.update_event(replace(car, label="truck"))
    catalogue.update_event(replace(person, label="car"))
    assert said(follower.look()) == [("update", car.id), ("begin", person.id)]
    catalogue.update_event(replace(car, label="truck", end=at(1)))
    assert said(follower.look()) == [("end", car.id)]


def test_a_cameras_event_ends_where_it_turns_out_to_be_nvrs_own(catalogue: Catalogue, follower: Follower) -> None:
    camera = camera_told(end=None)
    camera = replace(camera, id=catalogue.open_event(camera))
    assert said(follower.look()) == [("begin", 1)]
    own = catalogue.open_event(event(0, None))
    first, second = follower.look()
    assert (first.what, first.event.id) == ("begin", own)
    assert (second.what, second.event.id, second.event.same_as) == ("end", 1, own)
    catalogue.update_event(replace(camera, end=at(1)))
    assert said(follower.look()) == []


def test_a_twin_from_the_beginning_is_told_with_nvrs_own(catalogue: Catalogue, follower: Follower) -> None:
    catalogue.open_event(event(0, None))
    catalogue.open_event(camera_told(end=None))
    (told,) = follower.look()
    assert (told.what, told.event.id, told.also) == ("begin", 1, (2,))


def test_that_the_camera_tells_it_too_is_an_update_of_nvrs_own(catalogue: Catalogue, follower: Follower) -> None:
    catalogue.open_event(event(0, None))
    assert [told.also for told in follower.look()] == [()]
    catalogue.open_event(camera_told(end=None))
    (told,) = follower.look()
    assert (told.what, told.event.id, told.also, told.heard) == ("update", 1, (2,), True)
    catalogue.lock_event(1, True)
    assert [(told.what, told.also, told.heard) for told in follower.look()] == [("update", (2,), False)]


def test_a_cameras_event_that_had_ended_before_is_not_ended_again(catalogue: Catalogue, follower: Follower) -> None:
    catalogue.open_event(camera_told())
    assert said(follower.look()) == [("begin", 1), ("end", 1)]
    catalogue.open_event(event(0, 1))
    assert said(follower.look()) == [("begin", 2), ("end", 2)]


def test_a_mark_on_an_event_of_long_ago_is_told(catalogue: Catalogue) -> None:
    catalogue.open_event(event(0, 1))
    follower = Follower(catalogue)
    list(follower.begin(at(60)))
    catalogue.mark_false(1, True)
    (told,) = follower.look()
    assert (told.what, told.event.false, told.before) == ("update", True, None)


def test_an_event_that_goes_on_is_updated_and_ends_again(catalogue: Catalogue, follower: Follower) -> None:
    catalogue.open_event(event(0, 1))
    list(follower.look())
    catalogue.update_event(replace(event(0, None), id=1))
    assert said(follower.look()) == [("update", 1)]
    catalogue.update_event(replace(event(0, 3), id=1))
    assert said(follower.look()) == [("end", 1)]


def test_events_that_were_deleted_are_not_told(catalogue: Catalogue, follower: Follower) -> None:
    catalogue.open_event(event(0, 1))
    catalogue.delete_events([1])
    catalogue.open_event(event(0, 1))
    assert said(follower.look()) == [("begin", 2), ("end", 2)]


def test_what_was_too_much_is_counted(
    catalogue: Catalogue, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nvr.catalogue.changes.KEPT", 4)
    monkeypatch.setattr("nvr.catalogue.changes.SWEEP", 1)
    catalogue.open_event(event(0, None))
    assert said(follower.look()) == [("begin", 1)]
    for _ in range(10):
        catalogue.open_event(event(0, None))
    assert said(follower.look()) == [("begin", id) for id in range(8, 12)]
    assert follower.missed == 6


def test_memory_is_bounded_and_what_lasts_is_forgotten_last(
    catalogue: Catalogue, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "KNOWN", 5)
    lasting = catalogue.open_event(event(0, None))
    for number in range(20):
        catalogue.open_event(event(number, number + 1, label="car"))
        list(follower.look())
    catalogue.update_event(replace(event(0, 30), id=lasting))
    assert said(follower.look()) == [("end", lasting)]
    assert len(follower._known) == 5

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from nvr.catalogue.store import Catalogue
from nvr.model import Event
from tests.catalogue.rows import START, at, event
from tests.catalogue.test_twin import told

REPOSITORY = Path(__file__).parents[2]
RACER = """
import dataclasses, sys
from pathlib import Path
from nvr.catalogue.store import Catalogue
from tests.catalogue.rows import event
from tests.catalogue.test_twin import told
with Catalogue.open(Path(sys.argv[1])) as catalogue:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(60):
        catalogue.open_event((told if sys.argv[2] == "told" else event)(start=10 * number, end=10 * number + 1))
"""


def same_as(catalogue: Catalogue, id: int) -> int | None:
    found = catalogue.event(id)
    assert found is not None
    return found.same_as


def test_what_the_camera_tells_of_what_nvr_has_seen_is_the_same(catalogue: Catalogue) -> None:
    own = catalogue.open_event(event())
    id = catalogue.open_event(told())
    assert same_as(catalogue, id) == own
    assert catalogue.twins_of([own, id]) == {own: (id,)}


def test_so_is_what_nvr_sees_of_what_the_camera_has_told(catalogue: Catalogue) -> None:
    ids = [catalogue.open_event(told(label)) for label in ("person", "linedetection", "vehicle", "videoloss")]
    own = catalogue.open_event(event())
    assert [same_as(catalogue, id) for id in ids] == [own, own, None, None]
    assert catalogue.twins_of([own]) == {own: (ids[0], ids[1])}


@pytest.mark.parametrize("minutes", [70, 600])
def test_an_event_that_lasts_for_hours_is_found(catalogue: Catalogue, minutes: float) -> None:
    own = catalogue.open_event(event(0, minutes))
    id = catalogue.open_event(told(start=minutes - 1, end=minutes))
    assert same_as(catalogue, id) == own
    other = catalogue.open_event(told("vehicle", 0, minutes))
    car = catalogue.open_event(event(minutes - 1, minutes, label="car"))
    assert same_as(catalogue, other) == car


def test_they_find_each_other_as_they_go_on(catalogue: Catalogue) -> None:
    """The camera tells at once, nvr's own is seen again 40 s later and only then reaches what the camera told."""
    own = dataclasses.replace(event(0, None), seen=at(0))
    own = dataclasses.replace(own, id=catalogue.open_event(own))
    id = catalogue.open_event(told(start=0.5, end=None))
    assert same_as(catalogue, id) is None
    catalogue.update_event(dataclasses.replace(own, seen=at(0.5)))
    assert same_as(catalogue, id) == own.id


def test_a_label_that_turns_out_another_finds_its_twin(catalogue: Catalogue) -> None:
    id = catalogue.open_event(told("vehicle"))
    own = catalogue.open_event(event(label="person"))
    assert same_as(catalogue, id) is None
    catalogue.update_event(dataclasses.replace(event(label="car"), id=own))
    assert same_as(catalogue, id) == own


def test_what_was_put_together_stays_so(catalogue: Catalogue) -> None:
    own = catalogue.open_event(event())
    id = catalogue.open_event(told())
    catalogue.open_event(event(2, 8))
    catalogue.update_event(dataclasses.replace(told(end=8), id=id, same_as=None, detail="line 2"))
    assert same_as(catalogue, id) == own, "though another one shares more of its time now"


def test_what_the_writer_says_of_it_is_not_believed(catalogue: Catalogue) -> None:
    own = catalogue.open_event(event())
    id = catalogue.open_event(dataclasses.replace(told(start=30, end=31), same_as=own))
    catalogue.update_event(dataclasses.replace(told(start=30, end=31), id=id, same_as=own))
    assert same_as(catalogue, id) is None


def test_when_nvrs_own_is_deleted_what_the_camera_told_is_an_event_again(catalogue: Catalogue) -> None:
    own = catalogue.open_event(event())
    id = catalogue.open_event(told())
    catalogue.delete_events([own])
    assert same_as(catalogue, id) is None
    again = catalogue.open_event(event())
    assert same_as(catalogue, id) == again


def test_both_sides_are_told_to_who_follows(catalogue: Catalogue) -> None:
    own = catalogue.open_event(event(end=None))
    id = catalogue.open_event(told())
    told_of = [(change.what, change.id) for change in catalogue.changes(1)]
    assert told_of == [("begin", id), ("end", id), ("update", id), ("update", own)]


def test_health_and_what_was_denied_have_no_twin(catalogue: Catalogue) -> None:
    health: Event = dataclasses.replace(event(label="motion"), kind="health")
    catalogue.open_event(health)
    denied = catalogue.open_event(event())
    catalogue.mark_false(denied, True)
    assert same_as(catalogue, catalogue.open_event(told())) is None
    catalogue.update_event(dataclasses.replace(event(end=2), id=denied))
    assert catalogue.twins_of([1, 2]) == {}


def test_two_processes_cannot_miss_each_other(path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(path), side],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        for side in ("told", "own")
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.communicate("\n", timeout=50)
    assert [racer.returncode for racer in racers] == [0, 0]
    with Catalogue.open(path, readonly=True) as catalogue:
        found = {one.id: one for one in catalogue.events(START)}
        alone = [one for one in found.values() if one.kind == "camera" and one.same_as is None]
        assert alone == []
        assert all(found[one.same_as].start == one.start for one in found.values() if one.same_as is not None)
        assert len(list(catalogue.events(START, twins=False))) == 60

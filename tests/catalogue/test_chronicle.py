from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

from nvr.catalogue.store import Catalogue
from nvr.model import Stint
from nvr.reason import Reason
from tests.catalogue.rows import START, at, gap, run, segment


def test_a_gap_comes_back_as_it_was_stored(catalogue: Catalogue) -> None:
    stored = gap("g1", 0, 1, Reason.REFUSED, detail="401, „viewer“")
    catalogue.put_gap(stored)
    assert list(catalogue.gaps(START)) == [stored]


def test_the_same_gap_again_replaces_the_row(catalogue: Catalogue) -> None:
    catalogue.put_gap(gap("g1", 0, reason=Reason.CLOSED))
    ended = gap("g1", 0, 2, Reason.UNREACHABLE, detail="no route to host")
    catalogue.put_gap(ended)
    assert list(catalogue.gaps(START)) == [ended]


def test_gaps_are_chosen_by_camera_span_and_limit(catalogue: Catalogue) -> None:
    for number in range(4):
        catalogue.put_gap(gap(f"g{number}", number, number + 1, camera=f"hik{number % 2}"))
    assert [found.id for found in catalogue.gaps(at(1))] == ["g1", "g2", "g3"]
    assert [found.id for found in catalogue.gaps(at(0), at(3), "hik0")] == ["g0", "g2"]
    assert [found.id for found in catalogue.gaps(at(0), limit=1)] == ["g0"]
    assert list(catalogue.gaps(at(0), camera="nobody")) == []


def test_open_gaps_are_those_that_last(catalogue: Catalogue) -> None:
    late, early = gap("a", 5), gap("b", 0, camera="hik2")
    for one in (late, gap("c", 1, 2), gap("long", -500, -1), early):
        catalogue.put_gap(one)
    assert catalogue.open_gaps() == [early, late]
    catalogue.put_gap(dataclasses.replace(early, end=at(7)))
    assert catalogue.open_gaps() == [late]


def test_open_gaps_stay_open_when_the_rest_is_closed(catalogue: Catalogue) -> None:
    catalogue.put_gap(gap("g1", 0))
    catalogue.start_run(run())
    assert catalogue.close_dangling(at(9)) == 1
    assert catalogue.open_gaps() == [gap("g1", 0)]


def test_a_reason_of_a_newer_nvr_is_unknown_here(path: Path, catalogue: Catalogue) -> None:
    catalogue.put_gap(gap("g1", 0, 1))
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE gaps SET reason = 'eclipse'")
        database.commit()
    (found,) = catalogue.gaps(START)
    assert found.reason is Reason.UNKNOWN


def test_a_camera_is_known_from_when_it_was_added(catalogue: Catalogue) -> None:
    catalogue.add_camera("hik2", at(5))
    catalogue.add_camera("hik1", at(3))
    catalogue.add_camera("hik1", at(9))
    catalogue.add_segment(segment(7, 8, camera="hik1"))
    assert catalogue.cameras() == {"hik1": at(3), "hik2": at(5)}


def test_a_row_that_names_a_camera_makes_it_known(catalogue: Catalogue) -> None:
    catalogue.put_gap(gap("g1", 4))
    assert catalogue.cameras() == {"hik1": at(4)}


def test_a_stint_is_alive_until_it_ends(catalogue: Catalogue) -> None:
    assert catalogue.last_stint() is None
    id = catalogue.begin_stint(at(0), "boot")
    assert catalogue.last_stint() == Stint(id, at(0), at(0), None, "boot")
    catalogue.touch_stint(id, at(1))
    assert catalogue.last_stint() == Stint(id, at(0), at(1), None, "boot")
    catalogue.end_stint(id, at(2))
    assert catalogue.last_stint() == Stint(id, at(0), at(2), at(2), "boot")


def test_the_last_stint_began_last_whatever_the_clock_said(catalogue: Catalogue) -> None:
    catalogue.begin_stint(at(60), "a")
    last = catalogue.begin_stint(at(0), "b")
    found = catalogue.last_stint()
    assert found is not None
    assert found.id == last


def test_stints_of_a_span_overlap_it(catalogue: Catalogue) -> None:
    for start, end in ((0, 10), (20, 30), (40, 50)):
        catalogue.end_stint(catalogue.begin_stint(at(start), "boot"), at(end))
    killed = catalogue.begin_stint(at(60), "boot")
    catalogue.touch_stint(killed, at(70))

    def found(since: float, until: float | None, neighbours: bool = False) -> list[int]:
        end = None if until is None else at(until)
        return [stint.id for stint in catalogue.stints(at(since), end, neighbours=neighbours)]

    assert found(5, 25) == [1, 2]
    assert found(10, 20) == []
    assert found(65, None) == [4]
    assert found(70, None) == []
    assert found(10, 20, neighbours=True) == [1, 2]
    assert found(35, 36, neighbours=True) == [2, 3]
    assert found(70, None, neighbours=True) == [4]
    assert found(-5, -4, neighbours=True) == [1]

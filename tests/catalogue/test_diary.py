from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nvr.catalogue.store import Catalogue
from nvr.clock import to_us
from nvr.model import Box, Event, Waypoint
from tests.catalogue.rows import START, at, event
from tests.catalogue.test_twin import told

PATH = (Waypoint(at(0), Box(0.1, 0.2, 0.3, 0.8)), Waypoint(at(0.5), Box(0.25, 0.2, 0.45, 0.8)))


def full(end: float | None = 1) -> Event:
    """An event that says everything a writer may say."""
    return dataclasses.replace(
        event(0, end),
        kind="camera",
        label="videoloss",
        thumbnail=Path("snapshots/hik1/0.thumb.jpg"),
        began="entered süd, „Tor“",
        ended="left the picture",
        received=at(0.01),
        detail="said the camera",
    )


def ids(found: object) -> list[int]:
    return [one.id for one in found]  # type: ignore[attr-defined]  # an iterator of events


def test_everything_an_event_says_comes_back(catalogue: Catalogue) -> None:
    id = catalogue.open_event(full())
    assert catalogue.event(id) == dataclasses.replace(full(), id=id)
    bare = Event("hik1", "camera", "videoloss", at(0), at(0), id=id)
    catalogue.update_event(bare)
    assert catalogue.event(id) == bare


def test_what_the_user_has_set_survives_the_writer(catalogue: Catalogue) -> None:
    id = catalogue.open_event(full(end=None))
    catalogue.lock_event(id, True)
    catalogue.mark_false(id, True)
    catalogue.update_event(dataclasses.replace(full(), id=id, locked=False, false=False))
    assert catalogue.event(id) == dataclasses.replace(full(), id=id, locked=True, false=True)


def test_a_lost_row_is_made_again_with_what_its_writer_knows_of_the_user(catalogue: Catalogue) -> None:
    lost = dataclasses.replace(full(), id=41, locked=True, false=True)
    catalogue.update_event(lost)
    assert catalogue.event(41) == lost


def test_marking_false_says_whether_there_is_such_an_event(catalogue: Catalogue) -> None:
    id = catalogue.open_event(event())
    assert catalogue.mark_false(id, True)
    assert catalogue.mark_false(id, True)
    for other in (0, -1, 99, 1 << 63):
        assert not catalogue.mark_false(other, True)


def test_marking_false_marks_what_the_camera_told_of_it_too(catalogue: Catalogue) -> None:
    own, twin, other = (catalogue.open_event(one) for one in (event(), told(), told("vehicle")))
    catalogue.mark_false(own, True)
    assert {one.id for one in catalogue.events(START, denied=True)} == {own, twin}
    catalogue.mark_false(own, False)
    assert list(catalogue.events(START, denied=True)) == []
    catalogue.mark_false(other, True)
    assert ids(catalogue.events(START, denied=True)) == [other]


def test_each_thing_that_happened_is_listed_once(catalogue: Catalogue) -> None:
    own, twin, alone = (catalogue.open_event(one) for one in (event(), told(), told("videoloss", 5, 6)))
    assert ids(catalogue.events(START)) == [alone, twin, own]
    assert ids(catalogue.events(START, twins=False)) == [alone, own]


def test_what_was_denied_is_counted_as_it_is_listed(catalogue: Catalogue) -> None:
    """By camera, kind, label, zone and span, long and open ones too, and no twins."""
    made = [event(0, 1), event(10, 11, label="car"), event(20, None), event(0, 90, camera="hik2"), told()]
    for one in made:
        catalogue.mark_false(catalogue.open_event(one), True)
    catalogue.open_event(event(0, 1))
    spans = [(at(-9), None), (at(0.5), at(5)), (at(2), at(5)), (at(80), at(81)), (at(95), None), (at(-9), at(-8))]
    for since, until in spans:
        for chosen in ({}, {"camera": "hik1"}, {"label": "car"}, {"kind": "camera"}, {"zone": "gate"}):
            listed = list(catalogue.events(since, until, denied=True, twins=False, **chosen))  # type: ignore[arg-type]  # names of text
            assert catalogue.count_denied(since, until, **chosen) == len(listed), (since, until, chosen)


def test_events_are_chosen_by_zone(catalogue: Catalogue) -> None:
    both = catalogue.open_event(event(0))
    one = catalogue.open_event(dataclasses.replace(event(1), zones=("gate",)))
    catalogue.open_event(dataclasses.replace(event(2), zones=("gates", 'ga"te')))
    catalogue.open_event(dataclasses.replace(event(3), zones=()))
    assert ids(catalogue.events(START, zone="gate")) == [one, both]
    assert ids(catalogue.events(START, zone="süd, „Tor“")) == [both]
    assert ids(catalogue.events(START, zone='ga"te')) == [3]
    assert ids(catalogue.events(START, zone="")) == []


def test_a_new_analyzer_finds_what_lasts(catalogue: Catalogue) -> None:
    second = catalogue.open_event(event(2, None))
    first = catalogue.open_event(event(0, None, label="motion"))
    camera = catalogue.open_event(told("videoloss", 1, None))
    catalogue.open_event(event(0, 1))
    catalogue.open_event(event(0, None, camera="hik2"))
    assert ids(catalogue.open_events("hik1")) == [first, camera, second]
    assert ids(catalogue.open_events("hik1", ("object", "motion"))) == [first, second]
    assert catalogue.open_events("nobody") == []


def test_only_what_was_asked_for_is_closed(catalogue: Catalogue) -> None:
    own = catalogue.open_event(event(0, None))
    late = catalogue.open_event(dataclasses.replace(event(5, None), ended="analysis was stopped"))
    catalogue.open_event(event(0, None, camera="hik2"))
    catalogue.open_event(told("videoloss", 0, None))
    assert catalogue.close_events("hik1", kinds=("object", "motion"), before=at(5), reason="nvr was killed") == 1
    assert catalogue.close_events("hik1", kinds=("object", "motion"), reason="nvr was killed") == 1
    reasons = [one.ended for id in (own, late) if (one := catalogue.event(id))]
    assert reasons == ["nvr was killed", "analysis was stopped"]
    assert catalogue.close_events() == 2


def test_a_path_is_stored_replaced_and_removed(catalogue: Catalogue) -> None:
    id = catalogue.open_event(event())
    assert catalogue.path_of(id) == ()
    catalogue.put_path(id, PATH)
    assert catalogue.path_of(id) == PATH
    catalogue.put_path(id, PATH[:1])
    assert catalogue.path_of(id) == PATH[:1]
    catalogue.put_path(id, ())
    assert catalogue.path_of(id) == ()


def test_a_path_does_not_move_when_its_event_turns_out_to_have_begun_earlier(catalogue: Catalogue) -> None:
    id = catalogue.open_event(event())
    catalogue.put_path(id, PATH)
    catalogue.update_event(dataclasses.replace(event(-1), id=id))
    assert catalogue.path_of(id) == PATH


def test_a_path_goes_with_its_event(catalogue: Catalogue, path: Path) -> None:
    id = catalogue.open_event(event())
    catalogue.put_path(id, PATH)
    catalogue.delete_events([id])
    catalogue.put_path(id, PATH)
    assert catalogue.path_of(id) == ()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM paths").fetchone() == (0,)


@pytest.mark.parametrize("id", [0, -1, 99, 1 << 63])
def test_what_there_is_not_has_no_path(catalogue: Catalogue, id: int) -> None:
    assert catalogue.path_of(id) == ()


def test_twins_are_asked_for_by_the_thousand(catalogue: Catalogue) -> None:
    own = [catalogue.open_event(event(10 * number, 10 * number + 1)) for number in range(3)]
    told_ids = [catalogue.open_event(told(start=10 * number, end=10 * number + 1)) for number in range(3)]
    found = catalogue.twins_of([*range(5000, 10_000), *own])
    assert found == {one: (other,) for one, other in zip(own, told_ids, strict=True)}
    assert catalogue.twins_of([]) == {}


def test_deleting_events_that_have_twins_costs_no_more_than_others(path: Path) -> None:
    """SQLite looks for what points to a deleted event: by the index, or through the whole table."""
    with closing(sqlite3.connect(path)) as database:
        plan = database.execute("EXPLAIN QUERY PLAN UPDATE events SET same_as = NULL WHERE same_as = 1").fetchall()
    assert "ix_events_same_as" in plan[0][3]


def test_events_are_chosen_by_lock_and_by_several_cameras(catalogue: Catalogue) -> None:
    one, two, three = (catalogue.open_event(event(n, camera=f"hik{n}")) for n in (1, 2, 3))
    catalogue.lock_event(two, True)
    assert ids(catalogue.events(START, locked=True)) == [two]
    assert ids(catalogue.events(START, locked=False)) == [three, one]
    assert ids(catalogue.events(START, among=("hik1", "hik3", "nobody"))) == [three, one]
    assert ids(catalogue.events(START, among=["hik2"], locked=True)) == [two]
    assert ids(catalogue.events(START, among=("hik1",), camera="hik2")) == []
    assert ids(catalogue.events(START, among=())) == []


SPANS = st.tuples(st.integers(0, 4), st.sampled_from([None, 1, 2, 90]))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SPANS, max_size=12), st.integers(1, 4), st.sampled_from([None, 2, 5]))
def test_pages_of_events_are_the_whole_list(
    catalogue: Catalogue, spans: list[tuple[int, int | None]], size: int, until: int | None
) -> None:
    """Also where many begin at the same instant, and where they are long."""
    catalogue.delete_events([one.id or 0 for one in catalogue.events(at(-100))])
    for start, length in spans:
        catalogue.open_event(event(start, None if length is None else start + length))
    end = None if until is None else at(until)
    pages: list[Event] = []
    while page := list(catalogue.events(at(1.5), end, limit=size, before=pages[-1] if pages else None)):
        pages += page
        assert len(page) <= size
        assert len(pages) <= len(spans)
    assert pages == list(catalogue.events(at(1.5), end))


def test_spans_are_oldest_first_without_twins_and_what_was_denied(catalogue: Catalogue) -> None:
    late = catalogue.open_event(event(5, None, camera="hik2", label="car"))
    own, _ = (catalogue.open_event(one) for one in (event(), told()))
    catalogue.mark_false(catalogue.open_event(event(3, 4)), True)
    catalogue.open_event(event(-9, -8))
    catalogue.open_event(event(20, 21))
    long = catalogue.open_event(event(-200, 2, label="dog"))
    catalogue.lock_event(late, True)
    assert list(catalogue.event_spans(START, at(20))) == [
        (long, "hik1", to_us(at(-200)), to_us(at(2)), "dog", 0),
        (own, "hik1", to_us(at(0)), to_us(at(1)), "person", 0),
        (late, "hik2", to_us(at(5)), None, "car", 1),
    ]


def test_every_label_is_told_once(catalogue: Catalogue) -> None:
    assert catalogue.event_labels() == []
    for number, label in enumerate(["person", "car", "person", "Ärger", "car", "motion"]):
        catalogue.open_event(event(number, label=label))
    assert catalogue.event_labels() == ["car", "motion", "person", "Ärger"]

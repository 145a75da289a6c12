from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event as sqlalchemy_event

from nvr.catalogue import spans
from nvr.catalogue.database import Database
from nvr.catalogue.store import Catalogue
from nvr.model import Event, Gap, Run, Segment
from tests.catalogue.rows import START, at, event, gap, run, segment

MINUTES = st.integers(-200, 200)
LENGTHS = st.integers(0, 150)
"""Around an hour, where a span becomes long, and around no length."""


def overlaps(start: datetime, end: datetime | None, since: datetime, until: datetime) -> bool:
    return start < until and (end is None or end > since or start >= since)


@settings(max_examples=40, deadline=None)
@given(
    starts=st.lists(st.tuples(MINUTES, st.one_of(st.none(), LENGTHS)), max_size=12),
    since=MINUTES,
    length=st.integers(1, 200),
    page=st.integers(1, 3),
)
def test_listings_give_what_overlaps_in_order_whatever_the_page(
    fresh: Path, starts: list[tuple[int, int | None]], since: int, length: int, page: int
) -> None:
    until = since + length
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "PAGE", page)
        with Catalogue.open(Path(shutil.copy(fresh, folder))) as catalogue:
            for number, (start, lasts) in enumerate(starts):
                end = None if lasts is None else start + lasts
                catalogue.open_event(event(start, end))
                catalogue.start_run(run(f"r{number}", start=start, end=end))
                catalogue.add_segment(segment(start, start + (lasts or 0), run=f"r{number}", path=f"{number}.mp4"))
                catalogue.put_gap(gap(f"g{number}", start, end))
            found = list(catalogue.events(at(since), at(until)))
            expected = [
                (at(start), None if lasts is None else at(start + lasts))
                for start, lasts in starts
                if overlaps(at(start), None if lasts is None else at(start + lasts), at(since), at(until))
            ]
            assert sorted((e.start, str(e.end)) for e in found) == sorted((s, str(e)) for s, e in expected)
            assert all(newer.start >= older.start for newer, older in pairwise(found))
            assert len({e.id for e in found}) == len(found)
            runs = list(catalogue.runs(at(since), at(until), "hik1"))
            assert [r.start for r in runs] == sorted(s for s, _ in expected)
            assert [g.start for g in catalogue.gaps(at(since), at(until))] == sorted(s for s, _ in expected)
            segments = list(catalogue.segments(at(since), at(until)))
            ends = [(at(start), at(start + (lasts or 0))) for start, lasts in starts]
            assert [s.start for s in segments] == sorted(s for s, e in ends if overlaps(s, e, at(since), at(until)))


def test_spans_are_half_open(catalogue: Catalogue) -> None:
    catalogue.add_segment(segment(0, 1))
    assert list(catalogue.segments(at(1), at(2))) == []
    assert list(catalogue.segments(at(-1), at(0))) == []
    assert len(list(catalogue.segments(at(0), at(1)))) == 1
    assert list(catalogue.segments(at(0.5), at(0.5))) == []


@pytest.mark.parametrize("minutes", [59.9, 60 - 1e-7, 60, 60.1, 1e6])
def test_a_span_is_found_up_to_its_end_however_long_it_is(catalogue: Catalogue, minutes: float) -> None:
    catalogue.add_segment(segment(0, minutes))
    assert len(list(catalogue.segments(at(minutes - 0.01), at(minutes)))) == 1
    assert list(catalogue.segments(at(minutes), at(minutes + 1))) == []


def test_limit_bounds_what_is_given_and_what_is_read(catalogue: Catalogue) -> None:
    ids = [catalogue.open_event(event(minute)) for minute in range(5)]
    assert [found.id for found in catalogue.events(START, limit=2)] == [ids[4], ids[3]]
    assert list(catalogue.events(START, limit=0)) == []
    assert len(list(catalogue.events(START, limit=50))) == 5


def test_a_listing_that_waits_for_its_reader_holds_no_transaction(
    path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "PAGE", 2)
    for minute in range(6):
        catalogue.open_event(event(minute))
    with Catalogue.open(path, readonly=True) as reader:
        listing = reader.events(START)
        next(listing)
        with closing(Database(path, "write")) as other, other.reading() as connection:
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        assert busy == 0
        assert len(list(listing)) == 5


Listing = Callable[[Catalogue, datetime, datetime], Iterator[Event | Segment | Run | Gap]]
LISTINGS: dict[str, Listing] = {
    "events": lambda catalogue, since, until: catalogue.events(since, until),
    "events of a camera": lambda catalogue, since, until: catalogue.events(since, until, camera="hik1"),
    "events of a kind": lambda catalogue, since, until: catalogue.events(since, until, kind="object"),
    "events of a label": lambda catalogue, since, until: catalogue.events(since, until, label="person"),
    "segments": lambda catalogue, since, until: catalogue.segments(since, until),
    "segments of a camera": lambda catalogue, since, until: catalogue.segments(since, until, camera="hik1"),
    "runs": lambda catalogue, since, until: catalogue.runs(since, until),
    "runs of a camera": lambda catalogue, since, until: catalogue.runs(since, until, camera="hik1"),
    "gaps": lambda catalogue, since, until: catalogue.gaps(since, until),
    "gaps of a camera": lambda catalogue, since, until: catalogue.gaps(since, until, camera="hik1"),
}


@pytest.mark.parametrize("name", LISTINGS)
def test_every_listing_searches_an_index_and_sorts_nothing(path: Path, name: str) -> None:
    plans = plans_of(path, lambda catalogue: list(LISTINGS[name](catalogue, START, START + timedelta(hours=1))))
    assert len([plan for plan in plans if "open_or_long (" in plan]) == 1
    assert not [plan for plan in plans if plan.startswith("SCAN") or "TEMP B-TREE" in plan]
    table = name.split()[0]
    assert len([plan for plan in plans if plan.startswith(f"SEARCH {table} USING INDEX ix_{table}_")]) == 2


Use = Callable[[Catalogue], object]
COVERED: dict[str, Use] = {
    "recorded": lambda catalogue: list(catalogue.recorded("hik1", START, START + timedelta(days=1))),
    "edges": lambda catalogue: catalogue.edges("hik1", START, START),
    "usage": lambda catalogue: catalogue.usage(),
    "summary": lambda catalogue: catalogue.summary(START),
}


@pytest.mark.parametrize("name", COVERED)
def test_what_is_asked_of_all_footage_is_answered_by_an_index_alone(path: Path, name: str) -> None:
    with Catalogue.open(path) as catalogue:
        catalogue.add_segment(segment())
    plans = [plan for plan in plans_of(path, COVERED[name]) if " segments " in plan]
    assert plans
    for plan in plans:
        assert (
            "USING COVERING INDEX ix_segments_camera" in plan
            or "INDEX ix_segments_open_or_long" in plan
            or ("COVERING INDEX ix_segments_left_out" in plan)
        ), plan


SEARCHED: dict[str, Use] = {
    "in a state": lambda catalogue: list(catalogue.segments_in_state("missing")),
    "of a camera in a state": lambda catalogue: list(catalogue.segments_in_state("missing", "hik1")),
    "open gaps": lambda catalogue: catalogue.open_gaps(),
    "stints": lambda catalogue: catalogue.stints(START, START + timedelta(hours=1)),
    "the last stint": lambda catalogue: catalogue.last_stint(),
    "deleting": lambda catalogue: catalogue.mark_deleting([segment()], "continuous 7d", START),
    "dropping": lambda catalogue: catalogue.drop_segments([segment().path]),
}


@pytest.mark.parametrize("name", SEARCHED)
def test_what_looks_for_a_few_rows_sorts_nothing_and_reads_no_table_through(path: Path, name: str) -> None:
    with Catalogue.open(path) as catalogue:
        catalogue.add_segment(segment())
    plans = plans_of(path, SEARCHED[name])
    assert plans
    assert not [plan for plan in plans if plan.startswith(("SCAN segments", "SCAN gaps")) and "_or_" not in plan]
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]


def plans_of(path: Path, use: Use) -> list[str]:
    """What SQLite does for every statement of ``use``, in its own words."""
    plans: list[str] = []
    with closing(Database(path, "write")) as database:

        @sqlalchemy_event.listens_for(database.engine, "before_cursor_execute")
        def explain(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
            if statement.split()[0] in ("SELECT", "UPDATE", "DELETE", "WITH"):
                cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[attr-defined]
                plans.extend(row[3] for row in cursor.fetchall())  # type: ignore[attr-defined]

        use(Catalogue(database))
    return plans

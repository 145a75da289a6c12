"""What there is of a span, for whoever copies it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.holdings import as_gaps, recorded_of
from nvr.ledger import Entry
from nvr.model import Gap, Segment
from nvr.reason import Reason

START = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    layout.prepare(tmp_path)
    upgrade(tmp_path / "nvr.db")
    return tmp_path


@pytest.fixture
def catalogue(storage: Path) -> Iterator[Catalogue]:
    with Catalogue.open(storage / "nvr.db") as catalogue:
        catalogue.add_camera("hik1", at(0))
        yield catalogue


def store(catalogue: Catalogue, start: float, end: float, camera: str = "hik1") -> Segment:
    path = layout.segment_path(camera, at(start))
    segment = Segment(camera, "r1", path, at(start), at(end), 1, 1, "h264", 64, 48)
    catalogue.add_segment(segment)
    return segment


def test_files_of_the_span_come_with_the_gaps_between_them(storage: Path, catalogue: Catalogue) -> None:
    store(catalogue, 0, 1)
    wanted = [store(catalogue, 1, 2), store(catalogue, 3, 4)]
    store(catalogue, 2, 3, "hik2")
    store(catalogue, 9, 10)
    catalogue.put_gap(Gap("g", "hik1", at(2), Reason.STALLED, "no packets", at(3)))
    segments, told = recorded_of(catalogue, storage, "hik1", at(1), at(4))
    assert segments == wanted
    assert [(one.kind, one.start, one.end) for one in told] == [
        ("recorded", at(1), at(2)),
        ("gap", at(2), at(3)),
        ("recorded", at(3), at(4)),
    ]
    assert as_gaps("hik1", told) == (Gap("1", "hik1", at(2), Reason.STALLED, "no packets", at(3)),)


def test_of_a_span_without_anything_there_is_only_a_gap(storage: Path, catalogue: Catalogue) -> None:
    segments, told = recorded_of(catalogue, storage, "hik1", at(20), at(21))
    assert segments == []
    (gap,) = as_gaps("hik1", told)
    assert (gap.camera, gap.start, gap.end) == ("hik1", at(20), at(21))


def test_a_hole_that_nobody_explains_is_unknown() -> None:
    (gap,) = as_gaps("hik1", [Entry("gap", at(0), at(1))])
    assert gap.reason is Reason.UNKNOWN

"""Recorded footage seen again: the same eyes, the same instants, and the same events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from nvr import layout
from nvr.analysis.choice import ModelChoice
from nvr.analysis.comparison import compare
from nvr.analysis.sight import Sight
from nvr.analysis.story import Story
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.errors import ModelError, StorageError
from nvr.model import Event, Frame, Segment
from nvr.reanalysis import (
    AHEAD,
    FOUND_LATER,
    LEAD,
    Order,
    Outcome,
    _ahead,
    keep,
    picture_of,
    reanalyse,
    snapshot_of,
    stored,
)
from tests.analysis.detector.graphs import write_model
from tests.fakes.archive import Archive, instant
from tests.fakes.clip import write
from tests.fakes.footage import frame_number

MOTION = Sight("motion", ())
FIFTH = timedelta(seconds=0.2)
FRAMES = 300


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 s of a square that moves to and fro."""
    return write(tmp_path_factory.mktemp("tape") / "tape.mp4", frames=FRAMES)


@pytest.fixture
def archive(tmp_path: Path, tape: Path) -> Archive:
    layout.prepare(tmp_path / "storage")
    return Archive(tmp_path / "storage", tape)


@pytest.fixture
def segments(archive: Archive) -> list[Segment]:
    return [archive.add(first, first + 100) for first in (0, 100, 200)]


@pytest.fixture
def catalogue(archive: Archive) -> Iterator[Catalogue]:
    upgrade(archive.storage / "nvr.db")
    with Catalogue.open(archive.storage / "nvr.db") as opened:
        yield opened


def order(first: int = 0, end: int = FRAMES, sight: Sight = MOTION) -> Order:
    return Order("hik1", instant(first), instant(end), sight, FIFTH)


def test_what_moved_is_found(archive: Archive, segments: list[Segment]) -> None:
    told: list[datetime] = []
    outcome = reanalyse(archive.storage, segments, order(), told.append)
    (story,) = outcome.stories
    assert (story.event.camera, story.event.kind, story.event.id) == ("hik1", "motion", None)
    assert instant(50) <= story.event.start <= instant(75), "2 s are looked at before anything counts"
    assert story.event.end == instant(FRAMES - 5)
    assert story.event.ended == "the footage ended"
    assert told == [instant(number) for number in range(0, FRAMES, 5)]
    assert (outcome.looks, outcome.detections, outcome.reached) == (60, 0, instant(FRAMES))
    assert (outcome.notes, outcome.stopped) == ((), False)


def test_what_came_before_the_span_is_known_at_its_beginning(archive: Archive, segments: list[Segment]) -> None:
    (story,) = reanalyse(archive.storage, segments, order(200)).stories
    assert story.event.start < instant(100)


def test_what_was_over_before_the_span_or_began_after_it_is_not_told(archive: Archive) -> None:
    moving = [archive.add(0, 100), archive.add(200, 300, at=instant(400))]
    assert [each.event.end for each in reanalyse(archive.storage, moving, order(0, 500)).stories] == [
        instant(95),
        instant(495),
    ]
    assert [each.event.end for each in reanalyse(archive.storage, moving, order(300, 500)).stories] == [instant(495)]
    assert reanalyse(archive.storage, moving, order(110, 390)).stories == []


def test_no_more_than_the_lead_is_read(archive: Archive, segments: list[Segment]) -> None:
    later = order(0, 100)
    later = replace(later, since=instant(0) + LEAD + timedelta(seconds=4), until=instant(0) + 2 * LEAD)
    told: list[datetime] = []
    reanalyse(archive.storage, segments, later, told.append)
    assert told[0] == instant(100)


def test_the_detector_is_asked_half_as_often_while_all_is_known(
    archive: Archive, segments: list[Segment], tmp_path: Path
) -> None:
    person = ((16.0, 16.0, 8.0, 16.0, {"person": 0.9}),)
    choice = ModelChoice(write_model(tmp_path / "model.onnx", person))
    outcome = reanalyse(archive.storage, segments, order(sight=Sight(labels=("person",), model=choice)))
    assert 0 < outcome.detections <= outcome.looks < 60


def test_stopped_it_tells_what_was_found_so_far(archive: Archive, segments: list[Segment]) -> None:
    told: list[datetime] = []
    outcome = reanalyse(archive.storage, segments, order(), told.append, lambda: len(told) == 40)
    assert outcome.stopped
    assert outcome.reached == told[-1] == instant(195)
    (story,) = outcome.stories
    assert story.event.end == instant(195)
    assert not [each for each in threading.enumerate() if each.name == "footage"]


def test_a_file_that_is_gone_costs_itself(archive: Archive, segments: list[Segment]) -> None:
    (archive.storage / segments[1].path).unlink()
    outcome = reanalyse(archive.storage, segments, order())
    assert outcome.looks == 40
    assert [str(segments[1].path) in note for note in outcome.notes] == [True]
    assert outcome.reached == instant(FRAMES)


@pytest.mark.parametrize("sight", [Sight(labels=("unicorn",)), Sight(model=ModelChoice(Path("nowhere.onnx")))])
def test_a_model_that_cannot_be_used_is_said(archive: Archive, segments: list[Segment], sight: Sight) -> None:
    with pytest.raises(ModelError, match=r"unicorn|nowhere"):
        reanalyse(archive.storage, segments, order(sight=sight))
    assert not [each for each in threading.enumerate() if each.name == "footage"]


def test_an_error_of_the_other_thread_is_raised_here() -> None:
    def broken() -> Iterator[Frame]:
        yield from ()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), _ahead(broken()) as frames:
        list(frames)


def test_the_other_thread_reads_no_further_than_it_may_and_ends_when_nobody_listens() -> None:
    read: list[int] = []

    def endless() -> Iterator[Frame]:
        while True:
            read.append(len(read))
            yield Frame(np.zeros((3, 2), np.uint8), 2, 2, instant(0), 0, len(read), 1)

    with _ahead(endless()) as frames:
        assert next(frames).sequence == 1
    assert len(read) <= AHEAD + 3
    assert not [each for each in threading.enumerate() if each.name == "footage"]


def found(archive: Archive, segments: list[Segment]) -> Story:
    (story,) = reanalyse(archive.storage, segments, order()).stories
    return story


def test_the_picture_is_that_of_its_instant(archive: Archive, segments: list[Segment]) -> None:
    story = found(archive, segments)
    frame = picture_of(archive.storage, segments, story)
    assert frame is not None
    assert story.pictured is not None
    assert frame.at == story.pictured == instant(frame_number(frame.luma) or 0)
    picture = cv2.imdecode(np.frombuffer(snapshot_of(story, frame), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (180, 320, 3)


def test_a_picture_that_is_gone_is_none(archive: Archive, segments: list[Segment]) -> None:
    story = found(archive, segments)
    assert picture_of(archive.storage, segments, replace(story, pictured=None)) is None
    assert picture_of(archive.storage, [], story) is None


def test_what_was_stored_is_the_same_when_looked_at_again(
    archive: Archive, segments: list[Segment], catalogue: Catalogue
) -> None:
    story = found(archive, segments)
    event = keep(catalogue, archive.storage, story, picture_of(archive.storage, segments, story))
    assert event.id is not None
    assert catalogue.event(event.id) == event
    assert (event.detail, event.end, event.began) == (FOUND_LATER, story.event.end, story.event.began)
    assert event.snapshot is not None
    assert (archive.storage / event.snapshot).stat().st_size > 1000
    (then,) = stored(catalogue, "hik1", instant(0), instant(FRAMES))
    assert len(then.path) == len(story.path) > 10
    (match,) = compare([then], [found(archive, segments)], instant(0), instant(FRAMES))
    assert match.what == "same"


def test_an_object_has_a_thumbnail_and_one_without_a_picture_none(
    archive: Archive, segments: list[Segment], catalogue: Catalogue
) -> None:
    story = found(archive, segments)
    walker = replace(story, event=replace(story.event, kind="object", label="person"))
    event = keep(catalogue, archive.storage, walker, picture_of(archive.storage, segments, walker))
    assert event.thumbnail is not None
    assert (archive.storage / event.thumbnail).is_file()
    bare = keep(catalogue, archive.storage, walker, None)
    assert (bare.snapshot, bare.thumbnail) == (None, None)
    assert len(stored(catalogue, "hik1", instant(0), instant(FRAMES))) == 2


def test_nothing_is_stored_on_a_disk_that_is_not_there(
    archive: Archive, segments: list[Segment], catalogue: Catalogue
) -> None:
    story = found(archive, segments)
    (archive.storage / layout.MARKER).unlink()
    with pytest.raises(StorageError):
        keep(catalogue, archive.storage, story, None)
    assert stored(catalogue, "hik1", instant(0), instant(FRAMES)) == []


def test_only_what_nvr_saw_itself_is_compared(catalogue: Catalogue) -> None:
    at = instant(10)
    for kind in ("object", "motion", "camera", "health"):
        catalogue.open_event(Event("hik1", kind, "x", at, at, at))
    catalogue.open_event(Event("hik2", "object", "x", at, at, at))
    told = stored(catalogue, "hik1", instant(0), instant(20))
    assert sorted(story.event.kind for story in told) == ["motion", "object"]
    assert stored(catalogue, "hik1", instant(20), instant(40)) == []


def test_an_outcome_begins_with_nothing() -> None:
    assert Outcome(instant(0)).stories == []

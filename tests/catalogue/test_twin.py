from __future__ import annotations

import dataclasses

import pytest

from nvr.catalogue.twin import closest, tells_same
from nvr.model import Event
from tests.catalogue.rows import at, event

SECOND = 1 / 60


def told(label: str = "person", start: float = 0, end: float | None = 1, camera: str = "hik1") -> Event:
    return dataclasses.replace(event(start, end, camera, label), kind="camera", box=None, zones=(), snapshot=None)


@pytest.mark.parametrize(
    ("camera_label", "own_label", "same"),
    [
        ("person", "person", True),
        ("human", "person", True),
        ("person", "car", False),
        ("person", "motion", False),
        ("vehicle", "truck", True),
        ("vehicle", "bicycle", True),
        ("vehicle", "person", False),
        ("vehicle", "motion", False),
        ("motion", "person", True),
        ("motion", "motion", True),
        ("vmd", "dog", True),
        ("linedetection", "car", True),
        ("fielddetection", "motion", True),
        ("videoloss", "motion", False),
        ("io", "person", False),
        ("", "person", False),
    ],
)
def test_labels_decide(camera_label: str, own_label: str, same: bool) -> None:
    assert tells_same(told(camera_label), event(label=own_label)) is same


@pytest.mark.parametrize(
    ("start", "end", "same"),
    [
        (0, 1, True),
        (1 + 5 * SECOND, 2, True),
        (1 + 5.1 * SECOND, 2, False),
        (-2, -5 * SECOND, True),
        (-2, -5.1 * SECOND, False),
        (-5, 9, True),
    ],
)
def test_times_overlap_but_for_five_seconds(start: float, end: float, same: bool) -> None:
    assert tells_same(told(start=start, end=end), event(0, 1)) is same


def test_what_lasts_counts_up_to_when_it_was_last_seen() -> None:
    """An analyzer that was killed leaves events open: what the camera tells an hour later is not of them."""
    assert tells_same(told(start=0.5), event(0, None))
    assert not tells_same(told(start=60), event(0, None))
    assert not tells_same(told(start=0, end=None), event(60, 61))


def test_only_a_cameras_event_and_one_of_nvrs_own_at_that_camera_are_twins() -> None:
    assert not tells_same(told(camera="hik2"), event())
    assert not tells_same(event(), event())
    assert not tells_same(told(), told())
    assert not tells_same(told("motion"), dataclasses.replace(event(), kind="health"))


def test_what_a_person_has_denied_is_no_twin_of_what_comes() -> None:
    assert not tells_same(told(), dataclasses.replace(event(), false=True))


def test_an_object_comes_before_motion_then_the_most_time_then_the_first() -> None:
    motion = dataclasses.replace(event(0, 9, label="motion"), id=1)
    short, long = (dataclasses.replace(event(start, 2), id=id) for start, id in ((1, 2), (0, 3)))
    same = dataclasses.replace(event(0, 2), id=4)
    assert closest(told("motion", 0, 9), [motion, short, long, same]) == long
    assert closest(told("motion", 0, 9), [motion]) == motion
    assert closest(told("vehicle"), [motion, short]) is None


def test_a_span_that_ends_before_it_begins_is_no_error() -> None:
    backwards = dataclasses.replace(told(), seen=at(-3), end=at(-3))
    assert tells_same(backwards, event())

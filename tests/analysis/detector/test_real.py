"""The shipped model and what is built upon it, on real footage: 79 s of a street, nine people, parked cars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nvr.analysis.actions import Action, Better, Closed, Opened
from nvr.analysis.detector import OnnxDetector, OnnxModel
from nvr.analysis.observer import Models, Observer
from nvr.analysis.sight import Sight
from nvr.model import Frame

PEOPLE = {40: 6, 140: 8, 240: 7, 340: 6, 440: 3, 540: 6, 640: 6, 740: 8}
"""Counted by eye: frame number, people in it."""
FPS = 10
START = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


def frames(video: Path, wanted: range) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Frames as I420, (height * 3 // 2, width), with their number."""
    capture = cv2.VideoCapture(str(video))
    try:
        for number in range(wanted.stop):
            good, picture = capture.read()
            assert good, f"{video} ends before frame {number}"
            if number in wanted:
                yield number, np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
    finally:
        capture.release()


def test_people_and_parked_cars_are_found(people_video: Path) -> None:
    detector = OnnxDetector(OnnxModel(), ("person", "car", "truck"))
    found = {
        number: Counter("person" if each.label == "person" else "vehicle" for each in detector.detect(i420, 768, 576))
        for number, i420 in frames(people_video, range(40, 741, 100))
    }
    people = {number: counts["person"] for number, counts in found.items()}
    assert all(abs(people[number] - count) <= 1 for number, count in PEOPLE.items()), people
    assert 48 <= sum(people.values()) <= 54
    assert all(1 <= counts["vehicle"] <= 3 for counts in found.values()), found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_person_is_about_one_event_and_a_parked_car_is_none(people_video: Path) -> None:
    observer = Observer(Sight(labels=("person", "car", "truck")), Models())
    actions: list[Action] = []
    for number, i420 in frames(people_video, range(0, 795, 3)):
        at = START + timedelta(seconds=number / FPS)
        actions += observer.observe(Frame(i420, 768, 576, at, 0, number, 0)).actions
    actions += observer.flush("the film is over")
    opened = {action.key: action for action in actions if isinstance(action, Opened)}
    # Nineteen people walk about, some leave and come again, some walk as one.
    assert {action.label for action in opened.values()} == {"person"}
    assert 19 <= len(opened) <= 28
    closed = {action.key: action for action in actions if isinstance(action, Closed)}
    assert closed.keys() == opened.keys()
    assert {"left the picture", "lost from sight"} <= {action.ended for action in closed.values()}
    assert all(opened[key].start <= closed[key].end for key in opened)
    assert sum(isinstance(action, Better) for action in actions) <= 4 * len(opened)

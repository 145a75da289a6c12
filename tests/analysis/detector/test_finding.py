"""The arithmetic that all decoders share."""

from __future__ import annotations

import numpy as np
import pytest

from nvr.analysis.detector.finding import MAX_CANDIDATES, Ask, Found, around, listed, sigmoid, suppress, surest


def ask(*classes: int, least: float = 0.5) -> Ask:
    return Ask(np.array(classes, np.intp), least)


def test_the_surest_class_counts_and_no_other() -> None:
    scores = np.array([[0.9, 0.6, 0.2, np.nan], [0.1, 0.8, 0.3, 0.9]], np.float32)
    places, classes, best = surest(scores, ask(0))
    assert (places.tolist(), classes.tolist()) == ([0], [0])
    assert best == pytest.approx([0.9])
    assert surest(scores, ask(0, 1))[0].tolist() == [0, 1]


def test_of_very_many_places_the_surest_are_kept() -> None:
    scores = np.linspace(0.6, 0.9, 5000, dtype=np.float32)[np.newaxis]
    assert sorted(surest(scores, ask(0))[0]) == list(range(5000 - MAX_CANDIDATES, 5000))
    rows = listed(np.zeros((5000, 4)), scores[0], np.zeros(5000), ask(0))
    assert rows.scores.min() == scores[0, 5000 - MAX_CANDIDATES]


def test_rows_are_chosen_by_class_and_score() -> None:
    corners = np.arange(24, dtype=np.float32).reshape(6, 4)
    found = listed(
        corners, np.array([0.9, 0.4, 0.8, 0.9, 0.9, np.nan]), np.array([1, 1, 2, -1, np.inf, 1.0]), ask(1, 2)
    )
    assert found.corners[:, 0].tolist() == [0, 8]
    assert found.classes.tolist() == [1, 2]


def test_centres_become_corners() -> None:
    assert around(np.array([[10.0, 20, 4, 6]])).tolist() == [[8, 17, 12, 23]]


def test_a_sigmoid_of_anything_is_a_score() -> None:
    assert sigmoid(np.array([-1e30, 0, 1e30])) == pytest.approx([0, 0.5, 1])


def test_boxes_of_one_class_that_are_one_object_are_one() -> None:
    corners = np.array([[0, 0, 1, 1], [0.1, 0, 1, 1], [0.1, 0, 1, 1], [0, 0, 0.1, 0.1]])
    assert suppress(Found(corners, np.array([0.5, 0.9, 0.7, 0.6]), np.array([0, 0, 1, 0]))) == [1, 2, 3]

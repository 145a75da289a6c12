from __future__ import annotations

import accuracy
import pytest
from sequence import Person, Truth

from nvr.model import Box

HERE, THERE = Box(0.1, 0.1, 0.2, 0.4), Box(0.6, 0.1, 0.7, 0.4)
BETWEEN = Box(0.15, 0.1, 0.25, 0.4)  # a third of itself and of HERE


def walk(*boxes: Box) -> Truth:
    return Truth({frame: [Person(1, box)] for frame, box in enumerate(boxes, 1)})


def figures(truth: Truth, found: dict[int, list[tuple[int, Box]]], least: float = 0.5) -> dict[str, float]:
    return {each.what: each.got for each in accuracy.score("", truth, found, least)}


def test_overlap_is_of_union() -> None:
    assert accuracy.overlaps([HERE], [HERE, BETWEEN, THERE])[0] == pytest.approx([1, 1 / 3, 0])
    assert accuracy.overlaps([], [HERE]).shape == (0, 1)


def test_who_is_found_all_the_time_under_one_name_is_perfect() -> None:
    got = figures(walk(HERE, THERE), {1: [(5, HERE)], 2: [(5, THERE)]})
    assert (got["MOTA"], got["IDF1"], got["precision"]) == (1, 1, 1)


def test_another_name_is_a_switch() -> None:
    assert figures(walk(HERE, HERE), {1: [(5, HERE)], 2: [(6, HERE)]})["id switches"] == 1


def test_frames_that_were_not_looked_at_are_not_missed() -> None:
    assert figures(walk(HERE, HERE, HERE), {1: [(5, HERE)], 3: []})["missed boxes"] == 1


def test_a_box_too_far_off_is_false_and_its_person_missed() -> None:
    got = figures(walk(HERE), {1: [(5, BETWEEN)]})
    assert (got["false boxes"], got["missed boxes"]) == (1, 1)
    assert figures(walk(HERE), {1: [(5, BETWEEN)]}, least=0.3)["MOTA"] == 1


def test_a_box_on_what_the_truth_ignores_is_neither_right_nor_wrong() -> None:
    truth = walk(HERE)
    truth.ignored[1] = [THERE, HERE]
    assert figures(truth, {1: [(5, HERE), (6, THERE)]})["MOTA"] == 1

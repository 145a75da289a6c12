from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import sequence

from nvr.model import Box


def truth(folder: Path, *lines: str) -> sequence.Truth:
    path = folder / "gt.txt"
    path.write_text("\n".join(lines) + "\n")
    return sequence.read_truth(path, 100, 50)


def jpegs(folder: Path, count: int, width: int = 32, height: int = 24) -> Path:
    (folder / "img1").mkdir()
    for number in range(1, count + 1):
        cv2.imwrite(str(folder / f"img1/{number:06}.jpg"), np.full((height, width, 3), number * 20, np.uint8))
    return folder


def test_pixels_counted_from_one_become_fractions(tmp_path: Path) -> None:
    (person,) = truth(tmp_path, "3,7,11,6,20,10,1,-1,-1,-1").people[3]
    assert person == sequence.Person(7, Box(0.1, 0.1, 0.3, 0.3), 1.0)


def test_world_coordinates_of_mot15_are_no_class(tmp_path: Path) -> None:
    assert set(truth(tmp_path, "1,9,1,1,10,10,1,-4.15,-7.35,0").people) == {1}


def test_of_mot17_only_pedestrians_who_count_do(tmp_path: Path) -> None:
    found = truth(
        tmp_path,
        "1,1,1,1,10,10,1,1,0.4",
        "1,2,1,1,10,10,0,1,1",
        "1,3,1,1,10,10,0,7,1",
        "1,4,1,1,10,10,0,3,1",
    )
    assert [(person.id, person.visible) for person in found.people[1]] == [(1, 0.4)]
    assert len(found.ignored[1]) == 2  # somebody who does not count and a statue, but no car


def test_a_line_that_is_no_truth_is_told_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"gt.txt:2: want frame,id"):
        truth(tmp_path, "1,1,1,1,10,10,1,-1,-1,-1", "1,1,1,one")


@pytest.mark.parametrize("inside", [False, True], ids=["sequence", "img1"])
def test_a_folder_of_pictures_is_a_film(tmp_path: Path, inside: bool) -> None:
    jpegs(tmp_path, 5)
    (tmp_path / "seqinfo.ini").write_text("[Sequence]\nname=x\nframeRate=20\n")
    film = sequence.open_film(tmp_path / "img1" if inside else tmp_path)
    assert (film.width, film.height, film.fps, film.frames) == (32, 24, 20.0, 5)
    looks = list(film.pictures(every=2))
    assert [number for number, _ in looks] == [1, 3, 5]
    assert [round((frame.at - sequence.EPOCH).total_seconds(), 3) for _, frame in looks] == [0.0, 0.1, 0.2]
    assert looks[0][1].luma.mean() < looks[2][1].luma.mean()


def test_pictures_of_odd_size_lose_their_last_row_and_column(tmp_path: Path) -> None:
    ((_, frame),) = sequence.open_film(jpegs(tmp_path, 1, 33, 25)).pictures()
    assert (frame.width, frame.height, frame.i420.shape) == (32, 24, (36, 32))

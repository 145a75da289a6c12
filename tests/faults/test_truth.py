from __future__ import annotations

from pathlib import Path

from tests.fakes.rtsp import Script, ScriptedCamera, Sent
from tests.faults.truth import Picture, compare

FILE = Path("a.mp4")


def shown(*places: tuple[int, int], digest: str = "d") -> list[Picture]:
    return [Picture(place, digest, at=100.0 + place[1], file=FILE) for place in places]


def camera(*lengths: int, damaged: tuple[int, ...] = ()) -> ScriptedCamera:
    with ScriptedCamera(Script()) as made:
        pass  # what it sent is all that counts
    made.sessions = [[Sent(n, n == 0, 0, "d", 100.0 + n, n in damaged) for n in range(length)] for length in lengths]
    return made


def test_all_that_was_sent_is_there() -> None:
    outcome = compare(camera(2, 1), shown((0, 0), (0, 1), (1, 0)))
    assert (outcome.sent, outcome.lost, outcome.problems, outcome.error_s) == (3, (), (), 0.0)


def test_what_is_missing_or_changed_is_lost() -> None:
    outcome = compare(camera(4), [*shown((0, 0), (0, 1)), *shown((0, 3), digest="other")])
    assert outcome.lost == ((0, 2), (0, 3))


def test_what_was_damaged_on_the_way_is_no_loss() -> None:
    outcome = compare(camera(3, damaged=(1, 2)), [*shown((0, 0)), *shown((0, 1), digest="other")])
    assert (outcome.lost, outcome.damaged, outcome.damaged_lost) == ((), 2, 1)


def test_pictures_that_come_twice_or_late_are_told() -> None:
    assert compare(camera(2), shown((0, 0), (0, 1), (0, 1))).problems == ("1 pictures twice",)
    assert compare(camera(2), shown((0, 1), (0, 0))).problems == ("1 pictures out of order",)


def test_only_what_is_wanted_is_looked_at() -> None:
    outcome = compare(camera(10), [], wanted=lambda place, sent: sent.at > 105)
    assert [place for _, place in outcome.lost] == [6, 7, 8, 9]


def test_a_camera_that_sent_nothing_is_a_problem() -> None:
    assert compare(camera(), []).problems == ("nothing was sent: nvr did not connect",)

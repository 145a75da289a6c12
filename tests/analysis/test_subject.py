from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from nvr.analysis.actions import Better, Seen
from nvr.analysis.subject import Subject, clarity, worth
from nvr.analysis.tracker import Track
from nvr.model import Box, Detection, Waypoint

T0 = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
HERE = Box(0.4, 0.4, 0.5, 0.6)
HOLD, LINGER = timedelta(seconds=5), timedelta(seconds=30)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def subject(label: str = "person", **more: object) -> Subject:
    return Subject(1, label, after(0), HERE, **more)  # type: ignore[arg-type] # as named there


def points(*seconds: float) -> tuple[Waypoint, ...]:
    return tuple(Waypoint(after(each), HERE) for each in seconds)


def track(first: float, across: float = 0.0, label: str = "person", grey: float | None = None) -> Track:
    box = Box(HERE.left + across, HERE.top, HERE.right + across, HERE.bottom)
    colours = None if grey is None else np.full(36, grey, np.float32)
    return Track(2, label, box, Detection(box, label, 0.7), after(first), after(first), appearance=colours)


class TestTheWay:
    def test_goes_on_with_each_sure_sight(self) -> None:
        one = subject()
        for seconds in (0.2, 0.4):
            one.go(after(seconds), HERE, sure=True)
        assert (one.seen, one.take_path()) == (after(0.4), points(0.2, 0.4))

    def test_is_told_once(self) -> None:
        one = subject()
        one.go(after(0.2), HERE, sure=True)
        assert one.take_path() != ()
        assert one.take_path() == ()

    def test_waits_with_doubtful_sights_for_a_sure_one(self) -> None:
        one = subject()
        for seconds in (0.2, 0.4):
            one.go(after(seconds), HERE, sure=False)
        assert (one.seen, one.visible, one.take_path()) == (after(0), after(0.4), ())
        one.go(after(0.6), HERE, sure=True)
        assert (one.seen, one.take_path()) == (after(0.6), points(0.2, 0.4, 0.6))

    def test_ends_with_the_last_sure_sight(self) -> None:
        one = subject()
        one.go(after(0.2), HERE, sure=True)
        one.go(after(0.4), HERE, sure=False)
        gone = one.closed("lost from sight")
        assert (gone.end, gone.path) == (after(0.2), points(0.2))

    def test_keeps_a_bounded_number_of_doubtful_sights(self) -> None:
        one = subject()
        for n in range(10_000):
            one.go(after(n), HERE, sure=False)
        assert len(one.pending) <= 100

    @pytest.mark.parametrize("sure", [True, False])
    def test_goes_forward_in_time_whatever_the_clock_does(self, sure: bool) -> None:
        one = subject()
        one.go(after(1), HERE, sure=sure)
        for seconds in (1, 0.8, -1, 1):
            one.go(after(seconds), HERE, sure=True)
        assert (one.seen, one.take_path()) == (after(1), points(1))
        one.go(after(1.2), HERE, sure=True)
        assert (one.seen, one.take_path()) == (after(1.2), points(1.2))

    def test_includes_doubtful_sights_after_which_the_clock_was_set_back_a_little(self) -> None:
        one = subject()
        one.go(after(1), HERE, sure=False)
        one.go(after(0.8), HERE, sure=True)
        assert (one.seen, one.visible, one.take_path()) == (after(1), after(1), points(1))
        one.stand(after(0.9), HERE)
        assert one.visible == after(1)


class TestItIsOver:
    @pytest.mark.parametrize(("standing", "seconds"), [(False, 5), (True, 30)])
    def test_when_it_was_not_seen_for_so_long(self, standing: bool, seconds: float) -> None:
        one = subject(standing=standing)
        assert not one.is_over(after(seconds - 0.1), HOLD, LINGER)
        assert one.is_over(after(seconds), HOLD, LINGER)

    def test_later_where_it_is_waited_for(self) -> None:
        one = subject(patience=timedelta(seconds=15))
        assert not one.is_over(after(19.9), HOLD, LINGER)
        assert one.is_over(after(20), HOLD, LINGER)

    def test_when_the_clock_is_set_far_back(self) -> None:
        assert not subject().is_over(after(-4.9), HOLD, LINGER)
        assert subject().is_over(after(-5), HOLD, LINGER)

    def test_though_it_is_in_sight_where_it_stands(self) -> None:
        one = subject(standing=True)
        one.stand(after(29), HERE)
        assert (one.visible, one.seen) == (after(29), after(0))
        assert one.is_over(after(30), HOLD, LINGER)


class TestTelling:
    def test_is_done_once_a_second(self) -> None:
        one, told = subject(), list[datetime]()
        for n in range(1, 12):
            one.go(after(n / 5), HERE, sure=True)
            told += [action.at for action in one.tell(after(n / 5), ()) if isinstance(action, Seen)]
        assert told == [after(1), after(2)]

    def test_is_done_at_once_where_a_zone_is_entered(self) -> None:
        one = subject(zones=("street",))
        one.go(after(0.2), HERE, sure=True)
        assert [*one.tell(after(0.2), ("street",))] == []
        assert [*one.tell(after(0.2), ("yard", "street"))] == [
            Seen(1, after(0.2), "person", ("street", "yard"), points(0.2))
        ]

    def test_of_what_stands_is_of_zones_alone(self) -> None:
        one = subject(standing=True)
        assert [*one.tell(after(3), ())] == []
        assert [*one.tell(after(3.2), ("yard",))] == [Seen(1, after(0), "person", ("yard",))]


class TestATrack:
    @pytest.mark.parametrize(
        ("first", "across", "may_be"),
        [(1, 0, True), (1, 0.19, True), (1, 0.21, False), (4, 0.49, True), (4, 0.51, False)],
    )
    def test_may_be_it_again_where_it_can_have_got(self, first: float, across: float, may_be: bool) -> None:
        far = subject().apart(track(first, across))
        assert far == (pytest.approx(across / 0.1) if may_be else None)

    @pytest.mark.parametrize("first", [-1, 0])
    def test_that_was_there_before_is_another(self, first: float) -> None:
        assert subject().apart(track(first)) is None

    @pytest.mark.parametrize(
        ("label", "other", "may_be"),
        [("person", "dog", False), ("car", "truck", True), ("bus", "car", True), ("car", "person", False)],
    )
    def test_is_of_the_same_label_but_for_vehicles(self, label: str, other: str, may_be: bool) -> None:
        assert (subject(label).apart(track(1, label=other)) is not None) is may_be

    @pytest.mark.parametrize(
        ("grey", "other", "may_be"),
        [(100, 124, True), (100, 126, False), (100, 70, False), (None, 255, True), (0, None, True)],
    )
    def test_has_its_colours_where_they_are_known(self, grey: float | None, other: float | None, may_be: bool) -> None:
        one = subject(appearance=track(0, grey=grey).appearance)
        assert (one.apart(track(1, grey=other)) is not None) is may_be


class TestThePicture:
    def test_is_replaced_by_a_clearly_better_one(self) -> None:
        one = subject(best=0.1)
        assert [*one.show(after(1), "person", 0.7, 0.124, HERE)] == []
        assert [*one.show(after(1), "truck", 0.7, 0.126, HERE)] == [Better(1, after(1), "truck", 0.7, HERE)]
        assert one.label == "truck"
        assert [*one.show(after(1), "car", 0.7, 0.15, HERE)] == []

    def test_may_be_better_where_a_crisp_one_were(self) -> None:
        one = subject(best=0.1)
        assert not one.may_show(0.062)
        assert one.may_show(0.063)

    def test_is_worth_more_if_surer_larger_and_whole(self) -> None:
        assert worth(0.8, HERE) == pytest.approx(2 * worth(0.4, HERE))
        assert worth(0.8, Box(0.3, 0.2, 0.5, 0.6)) == pytest.approx(2 * worth(0.8, HERE))
        assert worth(0.8, Box(0.9, 0.4, 1.0, 0.6)) == pytest.approx(worth(0.8, HERE) / 2)

    @pytest.mark.parametrize(("sharpness", "factor"), [(0, 0), (100, 1), (300, 1.5), (1e9, 2)])
    def test_is_worth_more_if_sharper(self, sharpness: float, factor: float) -> None:
        assert clarity(sharpness, 100) == pytest.approx(factor)

    def test_is_worth_what_it_is_where_nothing_is_ever_sharp(self) -> None:
        assert clarity(0, 0) == 1

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from nvr.analysis.actions import Action, Better, Closed, Opened, Seen
from nvr.analysis.events import ObjectEvents
from nvr.analysis.tracker import Track
from nvr.analysis.zones import Rules, Zone
from nvr.model import Box, Detection
from nvr.schedule import parse
from tests.analysis.scenes import STILL, T0, left_open, moving, opened


class Step:
    """One look at random."""

    def __init__(
        self, passed: float, motion: bool, tracks: dict[int, tuple[int, bool, bool, bool, float]] | None
    ) -> None:
        self.passed, self.motion, self.tracks = passed, motion, tracks

    def __repr__(self) -> str:
        return f"{self.passed} s later, {'motion' if self.motion else 'still'}: {self.tracks}"


track_states = st.tuples(st.integers(0, 8), st.booleans(), st.booleans(), st.booleans(), st.floats(0.3, 1))
"""Place (tenths across), moved, standing, sure, score."""
steps = st.builds(
    Step,
    st.sampled_from([0.04, 0.1, 0.2, 0.2, 0.2, 0.5, 1.0, 3.0, 8.0, 40.0, 0.0, -0.3, -4.0, -3600.0]),
    st.booleans(),
    st.none() | st.dictionaries(st.integers(1, 4), track_states, max_size=4),
)
LEFT = Zone("left", ((0, 0), (0.4, 0), (0.4, 1), (0, 1)))
RIGHT = Zone("right", ((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
rules = st.sampled_from(
    [
        Rules(),
        Rules(zones=(LEFT, RIGHT)),
        Rules(zones=(replace(LEFT, dwell=timedelta(seconds=1)), RIGHT), required=("left",)),
        Rules(schedule=parse({"sun": ["12:06-13:06"]}, UTC)),
    ]
)


def play(events: ObjectEvents, looks: Sequence[Step]) -> list[tuple[datetime, Action]]:
    """All actions, each with the instant of its look."""
    at, actions, known = T0, list[tuple[datetime, Action]](), dict[int, datetime]()
    for step in looks:
        at += timedelta(seconds=step.passed)
        tracks = None
        if step.tracks is not None:
            tracks = tuple(
                Track(
                    id, "person", box, Detection(box, "person", score), known.setdefault(id, at), at, moved,
                    at if stands else None, sure,
                )
                for id, (place, moved, stands, sure, score) in sorted(step.tracks.items())
                for box in [Box(place / 10, 0.4, place / 10 + 0.1, 0.6)]
            )  # fmt: skip
        actions += [(at, action) for action in events.look(at, moving() if step.motion else STILL, tracks)]
    return [*actions, *((at, action) for action in events.flush("nvr stopped"))]


many = settings(deadline=None, max_examples=150)
looks_at_random = st.lists(steps, max_size=40)


@many
@given(rules, looks_at_random)
def test_every_event_opens_once_and_closes_once_whatever_comes(rules: Rules, looks: list[Step]) -> None:
    resumed = left_open(seen=-1)
    actions = [action for _, action in play(ObjectEvents(rules, resumed=[resumed]), looks)]
    keys = [event.key for event in opened(actions)]
    assert keys == list(range(1, len(keys) + 1))
    assert {action.key for action in actions} == {-7, *keys}
    for key in (-7, *keys):
        mine = [action for action in actions if action.key == key]
        assert [isinstance(action, Opened) for action in mine] == [n == 0 and key > 0 for n in range(len(mine))]
        assert [isinstance(action, Closed) for action in mine] == [n == len(mine) - 1 for n in range(len(mine))]


@many
@given(rules, looks_at_random)
def test_what_is_told_of_an_event_goes_forward_whatever_comes(rules: Rules, looks: list[Step]) -> None:
    resumed = left_open(seen=-1)
    told = play(ObjectEvents(rules, resumed=[resumed]), looks)
    start, seen, last, zones = {-7: resumed.start}, {-7: resumed.seen}, {-7: resumed.seen}, {-7: resumed.zones}
    for at, action in told:
        key = action.key
        if isinstance(action, Better):
            assert action.at == at
            continue
        if isinstance(action, Opened):
            start[key], seen[key], zones[key] = action.start, action.seen, action.zones
            assert action.start <= action.seen <= at
        until = action.end if isinstance(action, Closed) else action.seen if isinstance(action, Opened) else action.at
        assert seen[key] <= until
        instants = [point.at for point in action.path]
        assert all(
            before < after for before, after in zip([last.get(key), *instants], instants, strict=False) if before
        )
        assert all(start[key] <= each <= until for each in instants)
        seen[key] = until
        last[key] = instants[-1] if instants else last.get(key, start[key] - timedelta(seconds=1))
        if isinstance(action, Seen):
            assert action.zones[: len(zones[key])] == zones[key]
            assert len(set(action.zones)) == len(action.zones)
            zones[key] = action.zones


@many
@given(rules, looks_at_random)
def test_without_motion_or_movement_there_is_none_whatever_comes(rules: Rules, looks: list[Step]) -> None:
    for step in looks:
        step.motion = False
        step.tracks = step.tracks and {id: (state[0], False, *state[2:]) for id, state in step.tracks.items()}
    assert play(ObjectEvents(rules), looks) == []

"""The ledger: every moment of a camera has exactly one entry, and the rules say which."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nvr.ledger import SEAM, UNKNOWN_CAMERA, Entry, Span, downtimes, tell
from nvr.model import Gap, Stint
from nvr.reason import Reason

START = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
LENGTH = 100
LOST = (Reason.DELETED, Reason.MISSING)
Told = tuple[str, float, float]
Row = tuple[float, float | None, Reason]
Life = tuple[float, float, bool, str]


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def spans(*recorded: tuple[float, float]) -> list[Span]:
    return [(at(start), at(end)) for start, end in sorted(recorded)]


def rows(*drawn: Row) -> list[Gap]:
    """Gaps of (start, end, reason)."""
    return [
        Gap(f"g{number}", "hik1", at(start), reason, "", None if end is None else at(end))
        for number, (start, end, reason) in enumerate(drawn)
    ]


def stints(*lives: Life) -> list[Stint]:
    """Stints of (start, death, whether in order, boot)."""
    return [
        Stint(number, at(start), at(death), at(death) if orderly else None, boot)
        for number, (start, death, orderly, boot) in enumerate(lives)
    ]


def told(
    recorded: Sequence[tuple[float, float]] = (),
    gaps: Sequence[Row] = (),
    lives: Sequence[Life] = (),
    added: float | None = -1000,
    begin: float = 0,
    end: float = LENGTH,
) -> list[Told]:
    """The ledger, in words and seconds."""
    known = None if added is None else at(added)
    entries = tell(known, at(begin), at(end), spans(*recorded), rows(*gaps), stints(*lives))
    return [
        (
            entry.reason.value if entry.kind == "gap" and entry.reason else entry.kind,
            (entry.start - START).total_seconds(),
            (entry.end - START).total_seconds(),
        )
        for entry in entries
    ]


RUNNING: list[Life] = [(-900, 900, False, "boot")]
RULES: dict[str, tuple[list[Told], dict[str, object]]] = {
    "a segment wins over every row": (
        [("recorded", 0, 100)],
        {"recorded": [(0, 100)], "gaps": [(10, 20, Reason.STALLED), (30, 40, Reason.DELETED), (5, None, Reason.OFF)]},
    ),
    "overlapping segments are one": (
        [("recorded", 0, 80), ("unknown", 80, 100)],
        {"recorded": [(0, 60), (30, 40), (50, 80)]},
    ),
    "a hole is explained by its row": (
        [("recorded", 0, 40), ("stalled", 40, 60), ("recorded", 60, 100)],
        {"recorded": [(0, 40), (60, 100)], "gaps": [(40, 60, Reason.STALLED)]},
    ),
    "of several rows the one that began last": (
        [("closed", 0, 20), ("unreachable", 20, 60), ("closed", 60, 100)],
        {"gaps": [(0, 100, Reason.CLOSED), (20, 60, Reason.UNREACHABLE)]},
    ),
    "deleted wins over other rows": (
        [("stalled", 0, 10), ("deleted", 10, 30), ("stalled", 30, 100)],
        {"gaps": [(10, 30, Reason.DELETED), (0, 100, Reason.STALLED), (15, 25, Reason.MISSING)]},
    ),
    "what is left before a row takes its reason": (
        [("recorded", 0, 20), ("unreachable", 20, 60), ("recorded", 60, 100)],
        {"recorded": [(0, 20), (60, 100)], "gaps": [(30, 60, Reason.UNREACHABLE)], "lives": RUNNING},
    ),
    "what is left behind a row takes its reason": (
        [("recorded", 0, 20), ("unreachable", 20, 60), ("recorded", 60, 100)],
        {"recorded": [(0, 20), (60, 100)], "gaps": [(20, 50, Reason.UNREACHABLE)], "lives": RUNNING},
    ),
    "what is left between two rows takes the next one's": (
        [("stalled", 0, 20), ("refused", 20, 100)],
        {"gaps": [(0, 20, Reason.STALLED), (50, 100, Reason.REFUSED)]},
    ),
    "a row of another hole explains nothing": (
        [("stalled", 0, 20), ("recorded", 20, 40), ("unknown", 40, 60), ("recorded", 60, 90), ("refused", 90, 100)],
        {"recorded": [(20, 40), (60, 90)], "gaps": [(0, 10, Reason.STALLED), (95, 100, Reason.REFUSED)]},
    ),
    "deleted footage does not explain what was never recorded": (
        [("deleted", 0, 20), ("unknown", 20, 40), ("deleted", 40, 60), ("stalled", 60, 100)],
        {"gaps": [(0, 20, Reason.DELETED), (40, 60, Reason.DELETED), (80, 100, Reason.STALLED)]},
    ),
    "an open row lasts": (
        [("recorded", 0, 50), ("unreachable", 50, 100)],
        {"recorded": [(0, 50)], "gaps": [(50, None, Reason.UNREACHABLE)], "lives": RUNNING},
    ),
    "an open row explains only what nvr was running to see": (
        [("unreachable", 0, 40), ("stopped", 40, 60), ("unreachable", 60, 100)],
        {"gaps": [(-5, None, Reason.UNREACHABLE)], "lives": [(-9, 40, True, "a"), (60, 200, False, "a")]},
    ),
    "a row that was ended explains all of its span": (
        [("unreachable", 0, 100)],
        {"gaps": [(-5, 100, Reason.UNREACHABLE)], "lives": [(-9, 40, True, "a"), (60, 200, False, "a")]},
    ),
    "the schedule makes it not scheduled": (
        [("recorded", 0, 30), ("not scheduled", 30, 100)],
        {"recorded": [(0, 30)], "gaps": [(30, 70, Reason.SCHEDULE), (70, 100, Reason.SCHEDULE)]},
    ),
    "before the camera was known": (
        [("not scheduled", 0, 30), ("unknown", 30, 40), ("recorded", 40, 100)],
        {"recorded": [(40, 100)], "added": 30},
    ),
    "a camera that was never known": ([("not scheduled", 0, 100)], {"added": None, "lives": RUNNING}),
    "footage from before the camera was known": (
        [("recorded", 0, 10), ("not scheduled", 10, 30), ("unknown", 30, 100)],
        {"recorded": [(0, 10)], "added": 30},
    ),
    "stopped in order": (
        [("recorded", 0, 40), ("stopped", 40, 60), ("recorded", 60, 100)],
        {"recorded": [(0, 40), (60, 100)], "lives": [(-9, 40, True, "a"), (60, 200, False, "b")]},
    ),
    "killed": (
        [("recorded", 0, 42), ("killed", 42, 60), ("recorded", 60, 100)],
        {"recorded": [(0, 42), (60, 100)], "lives": [(-9, 40, False, "a"), (60, 200, False, "a")]},
    ),
    "the machine went down": (
        [("recorded", 0, 38), ("power", 38, 60), ("recorded", 60, 100)],
        {"recorded": [(0, 38), (60, 100)], "lives": [(-9, 40, False, "a"), (60, 200, False, "b")]},
    ),
    "started, and connecting for a while": (
        [("recorded", 0, 40), ("stopped", 40, 60), ("starting", 60, 70), ("recorded", 70, 100)],
        {
            "recorded": [(0, 40), (70, 100)],
            "gaps": [(60, 70, Reason.STARTING)],
            "lives": [(-9, 40, True, "a"), (60, 200, False, "b")],
        },
    ),
    "nvr was stopped and is not running": (
        [("recorded", 0, 40), ("stopped", 40, 100)],
        {"recorded": [(0, 40)], "lives": [(-9, 41, True, "a")]},
    ),
    "nvr was killed and is not running": (
        [("recorded", 0, 40), ("killed", 40, 100)],
        {"recorded": [(0, 40)], "lives": [(-9, 39, False, "a")]},
    ),
    "before the first start that is known": (
        [("unknown", 0, 50), ("recorded", 50, 100)],
        {"recorded": [(50, 100)], "lives": [(50, 200, False, "a")]},
    ),
    "nothing is known": (
        [("recorded", 0, 40), ("unknown", 40, 60), ("recorded", 60, 100)],
        {"recorded": [(0, 40), (60, 100)], "lives": RUNNING},
    ),
    "neighbours that say the same are one": (
        [("stalled", 0, 100)],
        {"gaps": [(0, 30, Reason.STALLED), (30, 60, Reason.STALLED), (50, 100, Reason.STALLED)]},
    ),
    "a row of no length says nothing": (
        [("unknown", 0, 100)],
        {"gaps": [(50, 50, Reason.STALLED)], "recorded": [(30, 30)]},
    ),
    "a hole is explained whole where only a part is asked for": (
        [("refused", 0, 100)],
        {"recorded": [(-50, -40), (150, 160)], "gaps": [(120, 150, Reason.REFUSED)]},
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_rules(rule: str) -> None:
    expected, history = RULES[rule]
    assert told(**history) == expected  # type: ignore[arg-type]  # each by its name


@pytest.mark.parametrize(("milliseconds", "expected"), [(0, "recorded"), (250, "recorded"), (251, "unknown")])
def test_a_seam_between_segments_is_no_gap(milliseconds: int, expected: str) -> None:
    seam = 40 + milliseconds / 1000
    assert timedelta(milliseconds=250) == SEAM
    assert expected in [kind for kind, *_ in told([(0, 40), (seam, 100)])]
    assert (len(told([(0, 40), (seam, 100)])) == 1) == (expected == "recorded")


def test_a_seam_that_has_a_row_is_a_gap() -> None:
    assert ("killed", 40, 40.1) in told([(0, 40), (40.1, 100)], [(40, 40.1, Reason.KILLED)])


def test_entries_say_what_is_known_beside_the_reason() -> None:
    gap = Gap("g", "hik1", at(0), Reason.DELETED, "continuous 7d, 2026-11-29T13:05:00Z", at(10))
    assert tell(at(0), at(0), at(10), [], [gap], []) == [Entry("gap", at(0), at(10), gap.reason, gap.detail)]
    (unknown,) = tell(None, at(0), at(10), [], [], [])
    assert (unknown.reason, unknown.detail, unknown.duration) == (None, UNKNOWN_CAMERA, timedelta(seconds=10))


def test_nvr_was_down_between_its_lives() -> None:
    lives = stints((50, 60, True, "b"), (0, 10, False, "a"), (20, 40, False, "a"), (30, 35, True, "a"))
    assert [(start, reason) for start, _, reason in downtimes(lives)] == [
        (at(10), Reason.KILLED),
        (at(40), Reason.POWER),
        (at(60), Reason.STOPPED),
    ]
    assert [end for _, end, _ in downtimes(lives)][:2] == [at(20), at(50)]
    assert downtimes([]) == []


# Any history

SECONDS = st.integers(-20, LENGTH + 20)
LENGTHS = st.integers(0, 40)
RECORDED = st.lists(st.tuples(SECONDS, LENGTHS), max_size=8)
GAPS = st.lists(st.tuples(SECONDS, st.one_of(st.none(), LENGTHS), st.sampled_from(Reason)), max_size=8)
LIVES = st.lists(st.tuples(SECONDS, LENGTHS, st.booleans(), st.sampled_from("ab")), max_size=4)
ADDED = st.one_of(st.none(), SECONDS)


def expected_of(added: int | None, recorded: list[Span], gaps: list[Gap], lives: list[Stint]) -> list[str]:
    """The rules once more, second by second."""
    seconds = range(-60, LENGTH + 60)
    footage: dict[int, str] = {}
    causes: dict[int, str | None] = {}
    for second in seconds:
        moment = at(second)
        covering = [gap for gap in gaps if gap.start <= moment and (gap.end is None or moment < gap.end)]
        covering.sort(key=lambda gap: (gap.start, gap.id))
        deleted = [gap for gap in covering if gap.reason is Reason.DELETED]
        missing = [gap for gap in covering if gap.reason is Reason.MISSING]
        if any(start <= moment < end for start, end in recorded):
            footage[second] = "recorded"
        elif deleted or missing:
            footage[second] = (deleted or missing)[-1].reason.value
        elif added is None or second < added:
            footage[second] = "not scheduled"
        else:
            rest = [gap for gap in covering if gap.reason not in LOST]
            down = [reason.value for start, end, reason in downtimes(lives) if start <= moment < end]
            if rest and rest[-1].end is not None:
                causes[second] = rest[-1].reason.value
            else:
                causes[second] = down[0] if down else rest[-1].reason.value if rest else None
    words = []
    for second in seconds:
        if second in footage:
            words.append(footage[second])
            continue
        cause = causes[second]
        for step in (1, -1):
            other = second
            while cause is None and other in causes:
                cause = causes[other]
                other += step
        words.append("not scheduled" if cause in ("schedule", "off") else cause or "unknown")
    return words[60 : 60 + LENGTH]


@settings(max_examples=400, deadline=None)
@given(recorded=RECORDED, gaps=GAPS, lives=LIVES, added=ADDED)
@example(recorded=[(0, 100)], gaps=[], lives=[], added=0)
def test_any_history_is_told_without_hole_or_overlap_and_by_the_rules(
    recorded: list[tuple[int, int]],
    gaps: list[tuple[int, int | None, Reason]],
    lives: list[tuple[int, int, bool, str]],
    added: int | None,
) -> None:
    segments = spans(*((start, start + length) for start, length in recorded))
    holes = rows(*((start, None if lasts is None else start + lasts, reason) for start, lasts, reason in gaps))
    runs = stints(*((start, start + length, orderly, boot) for start, length, orderly, boot in lives))
    known = None if added is None else at(added)
    entries = tell(known, at(0), at(LENGTH), segments, holes, runs)
    assert entries[0].start == at(0)
    assert entries[-1].end == at(LENGTH)
    assert all(one.end == other.start for one, other in pairwise(entries))
    assert all((one.kind, one.reason) != (other.kind, other.reason) for one, other in pairwise(entries))
    sums = {kind: sum((e.duration for e in entries if e.kind == kind), timedelta()) for kind in ("recorded", "gap")}
    rest = sum((entry.duration for entry in entries if entry.kind == "not scheduled"), timedelta())
    assert sums["recorded"] + sums["gap"] + rest == timedelta(seconds=LENGTH)
    words = [word_at(entries, at(second)) for second in range(LENGTH)]
    assert words == expected_of(added, segments, holes, runs)
    part = tell(known, at(30), at(60), segments, holes, runs)
    assert [word_at(part, at(second)) for second in range(30, 60)] == words[30:60]


def word_at(entries: list[Entry], moment: datetime) -> str:
    (entry,) = (entry for entry in entries if entry.start <= moment < entry.end)
    assert (entry.reason is None) == (entry.kind == "recorded" or entry.detail == UNKNOWN_CAMERA)
    return entry.reason.value if entry.kind == "gap" and entry.reason else entry.kind


@settings(max_examples=100, deadline=None)
@given(recorded=RECORDED, gaps=GAPS, lives=LIVES, keep=st.lists(st.booleans(), min_size=8, max_size=8))
def test_deleting_footage_changes_nothing_but_what_is_said_of_it(
    recorded: list[tuple[int, int]],
    gaps: list[tuple[int, int | None, Reason]],
    lives: list[tuple[int, int, bool, str]],
    keep: list[bool],
) -> None:
    holes = rows(*((start, None if lasts is None else start + lasts, reason) for start, lasts, reason in gaps))
    holes = [gap for gap in holes if gap.reason not in LOST]
    runs = stints(*((start, start + length, orderly, boot) for start, length, orderly, boot in lives))
    segments = spans(*((start, start + length) for start, length in recorded))
    kept = [segment for segment, stays in zip(segments, keep, strict=False) if stays]
    gone = [segment for segment, stays in zip(segments, keep, strict=False) if not stays]
    deleted = [Gap(f"d{n}", "hik1", start, Reason.DELETED, "rule", end) for n, (start, end) in enumerate(gone)]
    before = tell(at(0), at(0), at(LENGTH), segments, holes, runs)
    after = tell(at(0), at(0), at(LENGTH), kept, [*holes, *deleted], runs)
    for second in range(LENGTH):
        was, became = word_at(before, at(second)), word_at(after, at(second))
        assert became == was or (was, became) == ("recorded", "deleted")

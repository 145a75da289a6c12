"""Events against people: has everybody one, how many, and are there events of nobody?

In each look every event's box is given to at most one person and every person at most one box, likest first, from an
overlap (IoU) of 0.4. An event is a person's if it was with him for a second or for half of its own looks. So an event
that went over from one to another may be both's. One is false that was on nobody at all in most of its looks. A person
counts who was visible for two seconds, at least half of him where the truth says how much can be seen; events of others
are not false.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from accuracy import overlaps
from outcome import Outcome
from replay import Replay, Story, stored
from sequence import Film, Truth

from nvr.model import Box

LEAST = 0.4
TOGETHER = timedelta(seconds=1)
VISIBLE = timedelta(seconds=2)


def score(part: str, film: Film, truth: Truth, run: Replay, every: int) -> list[Outcome]:
    """How many people have events, how many events a person has, and how many are false."""
    interval = timedelta(seconds=every / film.fps)
    together = accompanied(run, truth)
    owners = owned(run, together, interval)
    seen = visible(film, truth)
    events = Counter(person for people in owners.values() for person in people)
    without = sorted(person for person in seen if not events[person])
    false = [story for story in run.stories if together[story.key].total() * 2 < len(story.path)]
    a_person = sum(events[person] for person in seen) / max(1, len(seen))
    for person in without:
        first, last = seen[person]
        print(f"{part}: person {person}, frames {first} to {last}, has no event")
    for story in false:
        print(f"{part}: event {story.key} ({story.label}) is of nobody: {_where(film, story)}")
    return [
        Outcome(part, "people visible for 2 s", len(seen)),
        Outcome(part, "share of them with an event", 1 - len(without) / max(1, len(seen)), (">=", 1.0)),
        Outcome(part, "events", len(run.stories)),
        Outcome(part, "events a person, mean", a_person, ("<=", 1.5)),
        Outcome(part, "events a person, most", max((events[person] for person in seen), default=0)),
        Outcome(part, "false events", len(false), ("<=", 1.0)),
    ]


def visible(film: Film, truth: Truth) -> dict[int, tuple[int, int]]:
    """Who could be seen for long enough, with his first and last frame."""
    frames: dict[int, list[int]] = defaultdict(list)
    for frame, people in truth.people.items():
        for person in people:
            if person.visible >= 0.5:
                frames[person.id].append(frame)
    least = VISIBLE.total_seconds() * film.fps
    return {person: (min(each), max(each)) for person, each in frames.items() if len(each) >= least}


def accompanied(run: Replay, truth: Truth) -> dict[int, Counter[int]]:
    """In how many looks each event, by its key, was on whom."""
    together: dict[int, Counter[int]] = defaultdict(Counter)
    for frame, boxes in stored(run).items():
        for key, person in pairs(boxes, truth, frame).items():
            together[key][person] += 1
    return together


def owned(run: Replay, together: Mapping[int, Counter[int]], interval: timedelta) -> dict[int, set[int]]:
    """Whose each event is, by its key."""
    return {
        story.key: {
            person
            for person, looks in together[story.key].items()
            if looks * interval >= TOGETHER or looks * 2 >= len(story.path)
        }
        for story in run.stories
    }


def pairs(boxes: Sequence[tuple[int, Box]], truth: Truth, frame: int) -> Mapping[int, int]:
    """Which event's box is on whom in one frame: one to one, likest first."""
    people = truth.people.get(frame, [])
    likeness = overlaps([box for _, box in boxes], [person.box for person in people])
    found: dict[int, int] = {}
    for _ in range(min(likeness.shape)):
        row, column = divmod(int(likeness.argmax()), likeness.shape[1])
        if likeness[row, column] < LEAST:
            break
        found[boxes[row][0]] = people[column].id
        likeness[row, :] = likeness[:, column] = 0
    return found


def _where(film: Film, story: Story) -> str:
    if not story.path:
        return "no path"
    first, last = story.path[0], story.path[-1]
    frames = [1 + round((point.at - film.at(1)).total_seconds() * film.fps) for point in (first, last)]
    left, right = (round(edge * film.width) for edge in (first.box.left, first.box.right))
    top, bottom = (round(edge * film.height) for edge in (first.box.top, first.box.bottom))
    return f"frames {frames[0]} to {frames[1]}, first at ({left}, {top}, {right}, {bottom})"

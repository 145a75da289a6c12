"""``detect: motion``: events of what moves, whatever it is. A pure state machine, one per camera."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count

from nvr.analysis.actions import Action, Opened
from nvr.analysis.events import HOLD, NO_RULES, RESUMED
from nvr.analysis.evidence import ENOUGH, WINDOW
from nvr.analysis.geometry import WHOLE
from nvr.analysis.motion import Motion
from nvr.analysis.subject import Subject
from nvr.analysis.tracker import Track
from nvr.analysis.zones import Rules, awake
from nvr.model import Box, Event


class MotionEvents:
    """One event of kind and label motion while something moves. Its score is the moving share."""

    def __init__(
        self,
        rules: Rules = NO_RULES,
        *,
        hold: timedelta = HOLD,
        resumed: Sequence[Event] = (),
    ) -> None:
        self._rules = rules
        self._hold = hold
        self._keys = count(1)
        self._window: deque[tuple[datetime, bool]] = deque(maxlen=WINDOW)
        open_before = [_resumed(event) for event in resumed]
        self._event = next((subject for subject in reversed(open_before) if subject.label == "motion"), None)
        self._others = [subject for subject in open_before if subject is not self._event]
        """Not to be gone on with: of objects, which are not looked for any more."""

    def wants_detector(self, at: datetime, motion: Motion) -> bool:
        return False

    def is_urgent(self) -> bool:
        return self._event is None

    def look(
        self,
        at: datetime,
        motion: Motion,
        tracks: tuple[Track, ...] | None = None,
        sharpness: Callable[[Box], float] | None = None,
    ) -> tuple[Action, ...]:
        return tuple(self._look(at, motion))

    def _look(self, at: datetime, motion: Motion) -> Iterator[Action]:
        while self._others:
            yield self._others.pop(0).closed("not found again after a restart")
        if self._event and self._event.is_over(at, self._hold, self._hold):
            yield self._event.closed("nothing moved any more")
            self._event = None
        if self._window and not timedelta(0) <= at - self._window[-1][0] < self._hold:
            self._window.clear()
        counts = bool(motion.boxes) and awake(self._rules, at)
        self._window.append((at, counts))
        if not counts:
            return
        box = motion.boxes[0]
        moving = [when for when, moved in self._window if moved]
        if self._event:
            self._event.patience = timedelta()
            self._event.go(at, box, sure=True)
            yield from self._event.show(at, "motion", motion.area, motion.area, box)
            yield from self._event.tell(at, ())
        elif len(moving) >= ENOUGH:
            self._event = Subject(next(self._keys), "motion", at, box, motion.area)
            yield Opened(self._event.key, "motion", "motion", moving[0], at, motion.area, box, "something moved")

    def flush(self, why: str) -> tuple[Action, ...]:
        last = (*self._others, *([self._event] if self._event else ()))
        self._others, self._event = [], None
        return tuple(event.closed(why) for event in last)


def _resumed(event: Event) -> Subject:
    assert event.id is not None
    return Subject(-event.id, event.label, event.seen, event.box or WHOLE, event.score, patience=RESUMED)

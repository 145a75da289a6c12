"""Events as they happen, read from the catalogue: what began, changed and ended since the last look.

Used by whoever follows events in a process of its own, with ``nvr start`` in another. Reads only. A look costs the same
however many events there are: it asks the catalogue's feed for what is new. Memory is for the ``KNOWN`` newest events.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from nvr.catalogue.changes import Change, What
from nvr.catalogue.store import Catalogue
from nvr.model import Event

KNOWN = 1000
"""Events whose last state is remembered, to say what changed and to say nothing twice."""

PAST = 10_000
"""Events of before that are told at most."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing to tell: ``before`` is the event as it was when it was told of last, None for one that is new.

    ``also`` are the camera's events that tell the same, by their ids; ``heard`` says that one has come to them.
    """

    what: What
    event: Event
    before: Event | None
    also: tuple[int, ...] = ()
    heard: bool = False


class Follower:
    """Follows events that ``chosen`` takes. What was told of is followed to its end, whatever becomes of it.

    What a camera told is left out where nvr tells the same. When that turns out later, the camera's event ends there,
    with its ``same_as``. Every method raises CatalogueError.
    """

    def __init__(self, catalogue: Catalogue, chosen: Callable[[Event], bool] = lambda event: True) -> None:
        self.missed = 0
        """Changes that were gone before they were read: the feed is bounded."""
        self._catalogue = catalogue
        self._chosen = chosen
        self._number = 0
        self._known: OrderedDict[int, tuple[Event, tuple[int, ...]]] = OrderedDict()

    def begin(self, since: datetime) -> Iterator[Told]:
        """What happened since then, oldest first, the newest ``PAST`` of it, and what lasts; called once, and first."""
        _, self._number = self._catalogue.change_numbers()
        for event in reversed(list(self._catalogue.events(since, limit=PAST, twins=False, denied=False))):
            if self._chosen(event):
                also = self._also(event)
                self._remember(event, also)
                yield Told("begin", event, None, also)
                if event.end is not None:
                    yield Told("end", event, event, also)

    def look(self) -> Iterator[Told]:
        """What is new, in its order; several updates of an event since the last look are one."""
        while new := self._catalogue.changes(self._number):
            if self._number:
                self.missed += new[0].number - self._number - 1
            self._number = new[-1].number
            for event, what in _joined(new):
                yield from self._tell(event, what)

    def _tell(self, event: Event, what: set[What]) -> Iterator[Told]:
        assert event.id is not None
        before, told = self._known.get(event.id, (None, ()))
        if before is None and (event.same_as is not None or not self._chosen(event)):
            return
        also = self._also(event)
        self._remember(event, also)
        if event.same_as is not None:
            if before is not None and before.same_as is None and before.end is None:
                yield Told("end", event, before)
            return
        if before is None and (event.end is None or "begin" in what):
            yield Told("begin", event, None, also)
        elif "update" in what and (before, told) != (event, also):
            yield Told("update", event, before, also, heard=len(also) > len(told))
        began = "begin" in what if before is None else before.end is None
        if "end" in what and event.end is not None and began:
            yield Told("end", event, before or event, also)

    def _also(self, event: Event) -> tuple[int, ...]:
        if event.id is None or event.kind == "camera":
            return ()
        return self._catalogue.twins_of([event.id]).get(event.id, ())

    def _remember(self, event: Event, also: tuple[int, ...]) -> None:
        assert event.id is not None
        self._known[event.id] = event, also
        self._known.move_to_end(event.id)
        if len(self._known) > KNOWN:
            over = (id for id, (known, _) in self._known.items() if known.end is not None)
            del self._known[next(over, next(iter(self._known)))]


def _joined(changes: list[Change]) -> Iterator[tuple[Event, set[What]]]:
    """Each event once, where it is first told of, with all that became of it."""
    found: dict[int, tuple[Event, set[What]]] = {}
    for change in changes:
        if change.event is not None:
            found.setdefault(change.id, (change.event, set()))[1].add(change.what)
    yield from found.values()

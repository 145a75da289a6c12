"""Half an hour without anybody: nothing of it may become an event.

Three cameras: a real street by day and a drawn yard by night, each with one disturbance after another and calm between
them, and a filmed city at night in a loop. Each has an ``Observer`` of its own that sees its whole share at 5 looks a
second, so that what one disturbance leaves behind meets the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path

import checkout  # noqa: F401
import cv2
import numpy as np
import scenery
from disturbances import DAY, calm
from night import NIGHT
from outcome import Outcome
from rich.console import Console
from rich.progress import Progress
from sequence import EPOCH

from nvr.analysis.actions import Opened
from nvr.analysis.observer import Models, Observation, Observer
from nvr.analysis.sight import Sight
from nvr.model import Box, Frame

SIGHT = Sight(labels=("person", "car"))
"""What is looked for where nobody says anything."""
SHARES = {"day": 0.45, "night": 0.35, "city": 0.2}
CALM = 5 * scenery.LOOKS
_GRAIN = {"day": 2.5, "night": 8.0, "city": 0.0}
_REMEMBERED = 9


@dataclass(slots=True)
class Tally:
    """Of one disturbance: looks, those with motion, those the detector was asked in, and events."""

    looks: int = 0
    moving: int = 0
    asked: int = 0
    events: int = 0


def looks(place: str, count: int, chance: np.random.Generator) -> Iterator[tuple[str, scenery.Picture]]:
    """What one camera sees, with the name of what is going on."""
    if place == "city":
        yield from (("as filmed", picture) for picture in islice(scenery.city(), count))
        return
    base, kinds = (scenery.street(), DAY) if place == "day" else (scenery.yard(chance), NIGHT)
    grain = scenery.Grain(_GRAIN[place], chance)
    for name, kind in kinds.items():
        own = count // len(kinds)
        if kind is not calm:
            yield from (("calm", grain.on(picture)) for picture in islice(calm(base, chance), CALM))
            own -= CALM
        yield from ((name, grain.on(picture)) for picture in islice(kind(base, chance), max(0, own)))


def run(minutes: float, seed: int, folder: Path | None) -> tuple[list[Outcome], dict[str, Tally]]:
    """Look at all of it; ``folder`` gets a sheet of pictures of each false event."""
    tallies: dict[str, Tally] = {}
    models = Models()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for number, (place, share) in enumerate(SHARES.items()):
            count = round(minutes * 60 * share * scenery.LOOKS)
            task = progress.add_task(place, total=count)
            seen = _Watch(place, models, folder)
            for name, picture in looks(place, count, np.random.default_rng(seed * 10 + number)):
                seen.look(tallies.setdefault(f"{place}: {name}", Tally()), name, picture)
                progress.advance(task)
    events = sum(each.events for each in tallies.values())
    all_looks, asked = sum(each.looks for each in tallies.values()), sum(each.asked for each in tallies.values())
    return [
        Outcome("negatives", "minutes", all_looks / scenery.LOOKS / 60),
        Outcome("negatives", "object events", events, ("<=", 0.0)),
        Outcome("negatives", "looks with the detector", 100 * asked / max(1, all_looks), None, "%"),
    ], tallies


class _Watch:
    """One camera's Observer, and its last pictures for the case that an event is made of them."""

    def __init__(self, place: str, models: Models, folder: Path | None) -> None:
        self._place = place
        self._observer = Observer(SIGHT, models)
        self._folder = folder
        self._looks = 0
        self._last: deque[tuple[scenery.Picture, Observation]] = deque(maxlen=_REMEMBERED)

    def look(self, tally: Tally, name: str, picture: scenery.Picture) -> None:
        at = EPOCH + timedelta(seconds=1) * (self._looks / scenery.LOOKS)
        i420 = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
        pts_us = self._looks * 1_000_000 // scenery.LOOKS
        seen = self._observer.observe(Frame(i420, scenery.WIDTH, scenery.HEIGHT, at, pts_us, self._looks, 1))
        self._looks += 1
        self._last.append((picture, seen))
        tally.looks += 1
        tally.moving += bool(seen.motion.boxes)
        tally.asked += seen.detections is not None
        for action in seen.actions:
            if isinstance(action, Opened):
                tally.events += 1
                self._tell(action, name)

    def _tell(self, opened: Opened, name: str) -> None:
        passed = self._looks / scenery.LOOKS
        scenery.say(f"{self._place}: {opened.label} {opened.score:.2f} while {name}, {passed:.1f} s from the start")
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        sheet = [_drawn(picture, seen) for picture, seen in self._last]
        sheet += [np.zeros_like(sheet[0])] * (_REMEMBERED - len(sheet))
        rows = [np.hstack(sheet[start : start + 3]) for start in range(0, _REMEMBERED, 3)]
        file = self._folder / f"{self._place}-{name}-{passed:.1f}s-{opened.label}.jpg".replace(" ", "-")
        cv2.imwrite(str(file), np.vstack(rows))


def _drawn(picture: scenery.Picture, seen: Observation) -> scenery.Picture:
    """With regions of motion in yellow and detections in red."""
    drawn = picture.copy()
    boxes: list[tuple[Box, tuple[int, int, int], str]] = [(box, (0, 255, 255), "") for box in seen.motion.boxes]
    boxes += [(each.box, (0, 0, 255), f"{each.label} {each.score:.2f}") for each in seen.detections or ()]
    for box, colour, text in boxes:
        corner = (round(box.left * scenery.WIDTH), round(box.top * scenery.HEIGHT))
        other = (round(box.right * scenery.WIDTH), round(box.bottom * scenery.HEIGHT))
        cv2.rectangle(drawn, corner, other, colour, 1)
        cv2.putText(drawn, text, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1)
    return drawn

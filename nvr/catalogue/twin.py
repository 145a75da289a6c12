"""Whether an event that a camera told and one of nvr's own tell the same. Pure.

A camera that says what it saw (a person, a vehicle) tells the same as an object of that kind; one that says only that
something moved, or which of its rules was broken, the same as whatever nvr saw then. All else that cameras tell (video
lost, covered, an alarm input) nvr does not see: it has no twin.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from nvr.model import Event

SLACK = timedelta(seconds=5)
"""How far apart the two may be: a camera's clock is never quite nvr's."""

PERSON = frozenset({"person"})
VEHICLE = frozenset({"car", "truck", "bus", "motorcycle", "bicycle"})
_TARGETS = {"person": PERSON, "human": PERSON, "vehicle": VEHICLE, "motorvehicle": VEHICLE}
"""What a camera says it saw, and the labels of nvr's that are the same."""

UNTARGETED = frozenset(
    {
        "motion",
        "vmd",
        "pir",
        "linedetection",
        "fielddetection",
        "regionentrance",
        "regionexiting",
        "loitering",
        "group",
        "rapidmove",
        "parking",
        "unattendedbaggage",
        "attendedbaggage",
    }
)
"""What a camera tells when something moved, whatever that was: Hikvision's names of events, in small letters."""


def tells_same(told: Event, own: Event) -> bool:
    """Whether ``told``, of kind camera, and ``own`` are of one thing: camera, time and label fit.

    One that lasts counts up to when its subject was last seen. What a person has denied is no twin of anything.
    """
    if told.camera != own.camera or told.kind != "camera" or own.kind not in ("object", "motion") or own.false:
        return False
    if told.start > _last(own) + SLACK or own.start > _last(told) + SLACK:
        return False
    wanted = _TARGETS.get(told.label)
    return told.label in UNTARGETED if wanted is None else own.kind == "object" and own.label in wanted


def closest(told: Event, owns: Iterable[Event]) -> Event | None:
    """The one of ``owns`` that tells the same as ``told``; of several an object before motion, then the one with which
    it shares most time, then the first. None where there is none."""
    same = [own for own in owns if tells_same(told, own)]
    return min(same, key=lambda own: (own.kind != "object", -_shared(told, own), own.start, own.id or 0), default=None)


def _shared(one: Event, other: Event) -> timedelta:
    return min(_last(one), _last(other)) - max(one.start, other.start)


def _last(event: Event) -> datetime:
    return max(event.start, event.seen if event.end is None else event.end)

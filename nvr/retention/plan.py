"""The plan: which segments go, by which rule. What the janitor does and what ``nvr storage prune`` prints.

Pure: it asks for rows and deletes nothing. Rows are read as far as a rule needs them: those that have become old since
the last look, and for room the oldest until there is enough. No rule takes what a locked event protects, nor the newest
segment of a camera; the rules that make room take nothing younger than ``min_kept``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from heapq import merge
from typing import Protocol

from nvr.clock import EPOCH, format_duration
from nvr.model import Event, Segment
from nvr.retention.cover import INSTANT, Cover
from nvr.retention.policy import SETTLE, Limits, Policy, spell_size, spell_span

LONGEST = timedelta(minutes=15)
"""How much longer than its limit an event is known: until the segment that holds its end is gone, too."""
MIN_FILES = 1000
"""Inodes kept free, or 1 % of them where that is fewer."""


@dataclass(frozen=True, slots=True)
class Disk:
    """What an ordinary user may still take: bytes, and inodes out of ``files``, which is 0 where they do not end."""

    free_bytes: int
    free_files: int
    files: int
    bytes: int = 1 << 63
    """What the whole disk holds."""

    def floor(self, min_free: int) -> int:
        """Bytes to be kept free. A ``min_free`` that the disk can hardly have (5TB for 5GB) would empty it: a
        twentieth of the disk is kept free instead."""
        return min_free if min_free < self.bytes * 9 // 10 else self.bytes // 20

    def shortage(self, min_free: int) -> tuple[int, int]:
        """Bytes and inodes that are to be freed; 0 or less where there are enough."""
        files = min(MIN_FILES, self.files // 100) - self.free_files if self.files else 0
        return self.floor(min_free) - self.free_bytes, files


@dataclass(frozen=True, slots=True)
class Deletion:
    """One segment that goes. ``rule`` names the setting, ``reason`` says why it applies; both are for people."""

    segment: Segment
    rule: str
    reason: str


class Usage(Protocol):
    """What one camera's video comes to."""

    @property
    def camera(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def newest(self) -> datetime: ...


class Footage(Protocol):
    """The rows that a plan is made of; the catalogue has them."""

    def segments(
        self, since: datetime, until: datetime | None = None, camera: str | None = None
    ) -> Iterator[Segment]: ...
    def events(self, since: datetime, until: datetime | None = None, camera: str | None = None) -> Iterator[Event]: ...
    def usage(self) -> Sequence[Usage]: ...


class Plan:
    """What goes, rule after rule: each sees what those before it have left. For one look, at the instant ``now``."""

    def __init__(self, footage: Footage, policy: Policy, now: datetime, watched: Collection[str] = ()) -> None:
        """``watched`` names the cameras that are being looked at: elsewhere "no event" means nothing, and
        ``record: events`` deletes nothing."""
        self.freed = Counter[str]()
        """Bytes that go so far, by camera."""
        self.short: list[str] = []
        """Rules about size or room that found too little that may go."""
        self._footage = footage
        self._policy = policy
        self._now = now
        self._watched = watched
        self._gone: set[str] = set()  # a path as text takes a third of the memory

    def all(self, disk: Disk) -> Iterator[Deletion]:
        """All that goes now. Whoever deletes while reading gets the same as one who only reads."""
        yield from self.by_age()
        yield from self.by_size()
        yield from self.by_disk(disk)

    def by_age(self, since: datetime | None = None) -> Iterator[Deletion]:
        """What has become too old, oldest first: since an earlier look, or ever."""
        cameras = [self._aged(one.camera, since) for one in self._usage]
        return map(self._take, merge(*cameras, key=lambda one: one.segment.start))

    def by_size(self) -> Iterator[Deletion]:
        """The oldest of each camera, then of all, until what is left is no larger than allowed."""
        for one in self._usage:
            most, taken = self._policy.of(one.camera).max_size, one.bytes - self.freed[one.camera]
            if most is not None:
                rule = f"max_size {spell_size(most)} of {one.camera}"
                yield from self.oldest(taken - most, 0, rule, f"its video takes {spell_size(taken)}", one.camera)
        most, taken = self._policy.max_size, sum(one.bytes for one in self._usage) - self.freed.total()
        if most is not None:
            reason = f"all video takes {spell_size(taken)}"
            yield from self.oldest(taken - most, 0, f"max_size {spell_size(most)}", reason)

    def by_disk(self, disk: Disk) -> Iterator[Deletion]:
        """The oldest of all, until the disk has as much free as it must, after what goes already."""
        space, files = disk.shortage(self._policy.min_free)
        space, files = space - self.freed.total(), files - len(self._gone)
        if space <= 0 and files > 0:
            rule, reason = f"min_free {min(MIN_FILES, disk.files // 100)} files", f"{disk.free_files} inodes free"
        else:
            floor = disk.floor(self._policy.min_free)
            rule, reason = f"min_free {spell_size(floor)}", f"{spell_size(disk.free_bytes)} free"
        return self.oldest(space, files, rule, reason)

    def oldest(self, space: int, files: int, rule: str, reason: str, camera: str | None = None) -> Iterator[Deletion]:
        """The oldest that may go, of one camera or of all, until ``space`` bytes and ``files`` inodes are freed."""
        if space <= 0 and files <= 0:
            return
        young = self._now - self._policy.min_kept
        until = young if self._policy.min_kept else None  # without it not even a clock that is years back matters
        covers: dict[str, Cover] = {}
        for segment in self._footage.segments(EPOCH, until, camera):
            cover = covers.get(segment.camera) or covers.setdefault(segment.camera, self._cover(segment.camera))
            if (until is None or segment.end <= young) and not self._protected(segment, cover):
                yield self._take(Deletion(segment, rule, reason))
                space, files = space - segment.bytes, files - 1
                if space <= 0 and files <= 0:
                    return
        self.short.append(rule)

    def expired(self, since: datetime | None = None) -> Iterator[Event]:
        """Events that are to be forgotten with their snapshots, their video being gone. Ask when that is so."""
        of = self._policy.of
        for keep in sorted({one.around for one in (self._policy.usual, *self._policy.cameras.values())}, reverse=True):
            age = keep + self._policy.post_roll + LONGEST
            for event in self._footage.events(EPOCH if since is None else since - age - INSTANT, self._now - age):
                over = event.end is not None and event.end < self._now - age
                if over and not event.locked and of(event.camera).around == keep:
                    yield event

    @cached_property
    def _usage(self) -> Sequence[Usage]:
        return self._footage.usage()

    @cached_property
    def _newest(self) -> dict[str, datetime]:
        return {one.camera: one.newest for one in self._usage}

    def _aged(self, camera: str, since: datetime | None) -> Iterator[Deletion]:
        """A camera's segments that are too old; since an earlier look, those that have crossed one of its limits."""
        limits, cover = self._policy.of(camera), self._cover(camera)
        for step in sorted(limits.steps, reverse=True) if since is not None else [min(limits.steps)]:
            begin = EPOCH if since is None else since - step - INSTANT
            for segment in self._footage.segments(begin, self._now - step, camera):
                if not self._protected(segment, cover) and (why := self._too_old(segment, limits, cover)):
                    yield Deletion(segment, *why)

    def _too_old(self, segment: Segment, limits: Limits, cover: Cover) -> tuple[str, str] | None:
        """Rule and reason, None for a segment that stays."""
        age, near = self._now - segment.end, cover.has_event(segment)
        reason = f"{format_duration(age)} old, {'around an event' if near else 'no event near it'}"
        if not near and limits.only_events and age > SETTLE and segment.camera in self._watched:
            return "record: events", reason
        if age <= (limits.around if near else limits.plain):
            return None
        if near and limits.around == max(limits.events, SETTLE):
            return f"events {spell_span(limits.events)}", reason
        return f"continuous {spell_span(limits.continuous)}", reason

    def _take(self, deletion: Deletion) -> Deletion:
        self._gone.add(deletion.segment.path.as_posix())
        self.freed[deletion.segment.camera] += deletion.segment.bytes
        return deletion

    def _protected(self, segment: Segment, cover: Cover) -> bool:
        newest = self._newest.get(segment.camera)
        if newest is None or segment.end >= newest or segment.path.as_posix() in self._gone:
            return True
        return cover.has_lock(segment)

    def _cover(self, camera: str) -> Cover:
        rolls = self._policy.pre_roll, self._policy.post_roll
        return Cover(lambda since, until: self._footage.events(since, until, camera), rolls, self._now)

"""Recorded files for players: found, read once, and said when there is none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from nvr.media.fragments import Fragments
from nvr.web import library
from nvr.web.library import Library
from tests.fakes.site import HOLE, Past, Site

SECOND = timedelta(seconds=1)


@pytest.fixture
def shelf(site: Site) -> Library:
    return Library(site.state)


def test_a_span_is_what_overlaps_it(shelf: Library, past: Past) -> None:
    found = shelf.segments("hik1", past.start + 4 * SECOND, past.start + 6 * SECOND)
    assert [segment.start for segment in found] == [past.start, past.start + 5 * SECOND]
    assert shelf.segments("hik2", past.start, past.end) == []


def test_a_closed_file_is_read_once(site: Site, shelf: Library, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    segments = shelf.segments("hik1", past.start, past.end)
    first = [shelf.look(site.storage, segment) for segment in segments]
    for segment in segments:
        (site.storage / segment.path).unlink()
    again = [shelf.look(site.storage, segment) for segment in segments]
    assert all(one is other for one, other in zip(first, again, strict=True))
    assert all(isinstance(one, Fragments) for one in first)
    monkeypatch.setattr(library, "KNOWN_BYTES", 0)
    with pytest.raises(FileNotFoundError):
        Library(site.state).look(site.storage, segments[0])


def test_what_is_remembered_is_bounded(site: Site, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what it takes, for a file may be a minute or a quarter of an hour; what was asked for last stays."""
    shelf = Library(site.state)
    segments = shelf.segments("hik1", past.start, past.end)
    taken = [shelf.look(site.storage, segment).memory for segment in segments]
    assert shelf._taken == sum(taken)
    monkeypatch.setattr(library, "KNOWN_BYTES", sum(taken[-2:]))
    shelf = Library(site.state)
    for segment in (*segments, segments[-2], segments[-2]):
        shelf.look(site.storage, segment)
    assert list(shelf._known) == [segments[-1].path, segments[-2].path]
    assert shelf._taken == sum(taken[-2:])


def test_the_next_video_is_found_behind_a_hole(shelf: Library, past: Past, tmp_path: Path) -> None:
    assert shelf.next_after("hik1", past.start - SECOND) == past.start
    assert shelf.next_after("hik1", past.start + SECOND) == past.start + SECOND
    behind = past.start + 10 * SECOND + HOLE
    assert shelf.next_after("hik1", past.start + 12 * SECOND) == behind
    assert shelf.next_after("hik1", past.end + SECOND) is None

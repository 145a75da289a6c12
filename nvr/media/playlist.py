"""HLS playlists (RFC 8216) of recorded files: byte ranges of them, nothing is copied. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from nvr.clock import format_rfc3339, to_us
from nvr.media.atoms import alike
from nvr.media.fragments import Fragment, Fragments
from nvr.media.splice import Piece

TARGET_S = 4.0
"""About how long one entry is."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """What one file shows of the span; ``address`` is relative to the playlist."""

    address: str
    piece: Piece
    seen: Fragments


@dataclass(frozen=True, slots=True)
class _Entry:
    fragments: Sequence[Fragment]
    start: int
    end: int


def render(chapters: Sequence[Chapter]) -> str | None:
    """The playlist; None where there is nothing to play."""
    told = [(chapter, list(_entries(chapter))) for chapter in chapters]
    lengths = [_seconds(chapter, entry) for chapter, entries in told for entry in entries]
    if not lengths:
        return None
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(max(lengths))}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-MEDIA-SEQUENCE:0",
    ]
    init = b""
    for chapter, entries in (pair for pair in told if pair[1]):
        seen = chapter.seen
        if init:
            lines.append("#EXT-X-DISCONTINUITY")  # every file counts its time from 0
        if not init or not alike(init, seen.init):
            lines.append(f'#EXT-X-MAP:URI="{chapter.address}",BYTERANGE="{len(seen.init)}@{seen.init_place}"')
            init = seen.init
        start = chapter.piece.segment.start + timedelta(seconds=entries[0].start / seen.video.timescale)
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{format_rfc3339(start)[:-4]}Z")
        for entry in entries:
            first, last = entry.fragments[0], entry.fragments[-1]
            lines.append(f"#EXTINF:{_seconds(chapter, entry):.5f},")
            lines.append(f"#EXT-X-BYTERANGE:{last.place + last.length - first.place}@{first.place}")
            lines.append(chapter.address)
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _entries(chapter: Chapter) -> Iterator[_Entry]:
    """Fragments of a file in groups of about ``TARGET_S``, those that overlap the piece."""
    segment, scale = chapter.piece.segment, chapter.seen.video.timescale
    begin, end = (
        (to_us(at) - to_us(segment.start)) * scale // 1_000_000
        for at in (chapter.piece.start, chapter.piece.end or segment.end)
    )
    fragments = chapter.seen.fragments
    starts = [each.video.start for each in fragments] + [fragments[-1].video.end()]
    first = next((place for place in range(len(fragments)) if starts[place + 1] > begin), len(fragments))
    while 0 < first < len(fragments) and not any(shown <= begin for _, _, shown in fragments[first].video.key_frames()):
        first -= 1  # a player needs the key frame before
    wanted = [place for place in range(first, len(fragments)) if starts[place] < end]
    group: list[int] = []
    for place in wanted:
        if group and starts[place] - starts[group[0]] >= TARGET_S * scale:
            yield _Entry([fragments[each] for each in group], starts[group[0]], starts[group[-1] + 1])
            group = []
        group.append(place)
    if group:
        yield _Entry([fragments[each] for each in group], starts[group[0]], starts[group[-1] + 1])


def _seconds(chapter: Chapter, entry: _Entry) -> float:
    return (entry.end - entry.start) / chapter.seen.video.timescale

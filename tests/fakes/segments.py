"""Segment files: written from a clip without a camera, and read back packet by packet."""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Iterable
from pathlib import Path

import av

from nvr.media.segment import Origin, SegmentWriter, seal
from nvr.media.source import Source
from nvr.model import Address, Segment
from nvr.recording.timeline import Timeline
from tests.fakes.clip import slices_digest
from tests.fakes.clock import FakeClock

ORIGIN = Origin("hik1", "run-1", 1_795_000_000_123_456)
PATH = Path("segments/hik1/2026-11-18/14-05-00.123+0000.mp4")


class Unhurried(Source):
    """A file that is read as quickly as it can be."""

    def _wait_until(self, due_us: int) -> None:
        pass


def read_file(video: Path, *, audio: bool = False) -> Source:
    """A clip as a source that does not keep its own pace."""
    container = av.open(str(video))
    source = Unhurried(Address(str(video)), container, FakeClock())
    if not audio:
        source.audio = None
    return source


class DirectFile:
    """A ``.part`` that is written at once: what the spool does, without its thread and its patience."""

    def __init__(self, part: Path) -> None:
        part.parent.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC)
        fcntl.flock(self.descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def write(self, data: bytes) -> int:
        return os.write(self.descriptor, data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return os.lseek(self.descriptor, offset, whence)

    def tell(self) -> int:
        return os.lseek(self.descriptor, 0, os.SEEK_CUR)


class PartWriter(SegmentWriter):
    """A segment's writer and the file that it writes."""

    def __init__(self, storage: Path, path: Path, source: Source) -> None:
        self.path = path
        self.part = storage / f"{path}.part"
        file = DirectFile(self.part)
        self.descriptor = file.descriptor
        super().__init__(file, source, ORIGIN, 0)


def fill(storage: Path, video: Path, *, path: Path = PATH, audio: bool = False, limit: int | None = None) -> PartWriter:
    """A writer that has taken a whole file (or its first packets), not finished."""
    source = read_file(video, audio=audio)
    writer = PartWriter(storage, path, source)
    timeline, packets = Timeline(), list(itertools.islice(source.packets(), limit))
    places = [place for info, _ in packets for place in timeline.push(info)] + timeline.flush()
    for (info, packet), placed in zip(packets, places, strict=True):
        if info.stream == "video":
            writer.write_video(packet, placed)
        elif not placed.dropped:
            writer.write_audio(packet, placed)
    return writer


def close(writer: PartWriter) -> int:
    """Finish and seal; the file's size."""
    writer.finish()
    size = seal(writer.part, writer.descriptor)
    os.close(writer.descriptor)
    return size


def boxes(path: Path) -> list[str]:
    """The top-level boxes of an MP4 (ISO/IEC 14496-12)."""
    data, place, found = path.read_bytes(), 0, []
    while place + 8 <= len(data):
        size = int.from_bytes(data[place : place + 4])
        found.append(data[place + 4 : place + 8].decode("latin-1"))
        if size == 1:
            size = int.from_bytes(data[place + 8 : place + 16])
        place += size or len(data)
    return found


def digests(storage: Path, segments: Iterable[Segment]) -> list[str]:
    """The coded pictures of files, in their order. Each file's times must rise, and all of it must decode."""
    found = []
    for segment in segments:
        with av.open(str(storage / segment.path)) as container:
            packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
            found += [slices_digest(bytes(packet), in_mp4=True) for packet in packets]
        times = [packet.dts for packet in packets if packet.dts is not None]
        assert len(times) == len(packets) == segment.packets
        assert packets[0].is_keyframe
        assert all(before < after for before, after in itertools.pairwise(times))
        assert decoded(storage / segment.path) == len(packets)
    return found


def decoded(path: Path) -> int:
    """How many pictures a file shows; their times must rise."""
    with av.open(str(path)) as container:
        shown = [frame.pts for frame in container.decode(video=0) if frame.pts is not None]
    assert all(before < after for before, after in itertools.pairwise(shown))
    return len(shown)

"""What the files hold, picture by picture, against what the cameras sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.error

from tests.fakes.clip import VideoCodec, nal_units, slices_digest
from tests.fakes.rtsp import ScriptedCamera, Sent
from tests.fakes.tag import read_tag

CODECS: dict[str, VideoCodec] = {"h264": "h264", "hevc": "h265"}
Place = tuple[int, int]
"""Session, and index of the picture in it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a file holds. ``at`` is the file's start and the picture's time in it, Unix seconds."""

    place: Place
    digest: str
    at: float
    file: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """How files and camera differ, over the pictures that were looked at."""

    sent: int
    lost: tuple[Place, ...]
    """Undamaged pictures that no file holds as they were sent."""
    damaged: int
    """Pictures that the camera damaged on the way."""
    damaged_lost: int
    twice: int
    disordered: int
    error_s: float
    """The largest difference between a picture's time in the files and when it was sent."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What no number of lost pictures says."""
        told = {"pictures twice": self.twice, "pictures out of order": self.disordered}
        found = [] if self.sent else ["nothing was sent: nvr did not connect"]
        return (*found, *(f"{count} {what}" for what, count in told.items() if count))


def files(storage: Path, camera: str) -> list[Path]:
    """Segments of a camera, closed or not, oldest first by the instant in their names (UTC here or one offset)."""
    found = (storage / "segments" / camera).rglob("*.mp4*")
    return sorted(path for path in found if path.name.endswith((".mp4", ".mp4.part")))


def recorded(storage: Path, camera: str) -> Iterator[Picture]:
    """All pictures of a camera's files, in order. A packet that holds two pictures gives both."""
    for file in files(storage, camera):
        try:
            with av.open(str(file), "r", format="mp4") as container:
                stream = container.streams.video[0]
                codec = CODECS[stream.codec_context.name]
                start = int(container.metadata["nvr_start_us"]) / 1e6
                for packet in container.demux(stream):
                    if packet.size:
                        at = start + float((packet.pts or 0) * (packet.time_base or 0))
                        yield from (Picture(*each, at, file) for each in _split(bytes(packet), codec))
        except (av.error.FFmpegError, OSError, IndexError):
            continue  # no picture in it, or broken: what it should hold shows as lost


def _split(data: bytes, codec: VideoCodec) -> Iterator[tuple[Place, str]]:
    place: Place | None = None
    nals: list[bytes] = []
    for nal in nal_units(data, in_mp4=True):
        said = read_tag(nal) if nal else None
        if said is not None:
            if place is not None:
                yield place, slices_digest(tuple(nals), codec=codec)
            place, nals = said, []
        elif nal:
            nals.append(nal)
    if place is not None:
        yield place, slices_digest(tuple(nals), codec=codec)


def compare(
    camera: ScriptedCamera,
    pictures: Iterable[Picture],
    *,
    wanted: Callable[[Place, Sent], bool] = lambda place, sent: True,
) -> Outcome:
    """Look at the pictures that were sent and are ``wanted``: are they in the files, once and in order?"""
    held: dict[Place, Picture] = {}
    twice = disordered = 0
    before: Place = (-1, -1)
    for picture in pictures:
        twice += picture.place in held
        disordered += picture.place < before
        before = max(before, picture.place)
        held.setdefault(picture.place, picture)
    lost: list[Place] = []
    sent = damaged = damaged_lost = 0
    error_s = 0.0
    for session, shown in enumerate(list(camera.sessions)):
        for index, each in enumerate(list(shown)):
            place = (session, index)
            if not wanted(place, each):
                continue
            sent += 1
            found = held.get(place)
            if found is not None:
                error_s = max(error_s, abs(found.at - each.at))
            if each.damaged:
                damaged, damaged_lost = damaged + 1, damaged_lost + (found is None)
            elif found is None or found.digest != each.digest:
                lost.append(place)
    return Outcome(sent, tuple(lost), damaged, damaged_lost, twice, disordered, error_s)


def undecodable(storage: Path, camera: str) -> tuple[str, ...]:
    """Closed files that do not show as many pictures as they hold, each with the two counts."""
    found = []
    for file in files(storage, camera):
        try:
            with av.open(str(file), "r", format="mp4") as container:
                held = sum(1 for packet in container.demux(video=0) if packet.size)
                container.seek(0)
                shown = sum(1 for _ in container.decode(video=0))
        except (av.error.FFmpegError, OSError) as error:
            found.append(f"{file.name} does not play: {type(error).__name__}")
            continue
        if held != shown:
            found.append(f"{file.name} shows {shown} of {held} pictures")
    return tuple(found)

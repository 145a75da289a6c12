"""Invariant 8, with everything real: an event's snapshot, the video at its instant and what the camera sent show the
same picture, told by the number that is drawn into each."""

from __future__ import annotations

import bisect
import json
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from nvr import layout
from nvr.clock import format_rfc3339, to_us
from nvr.frameslot import SlotReader
from tests.fakes.clip import Clip, VideoCodec, record, slices_digest
from tests.fakes.footage import frame_number
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.fakes.station import Station, listed, nvr

PICTURES = 1500
"""A minute, with a number of its own for each picture."""


@pytest.fixture(scope="session")
def minute() -> Clip:
    """A minute of H.264, GOP 25."""
    return record(frames=PICTURES, gop=25)


@pytest.fixture(scope="session")
def minute_b_frames() -> Clip:
    """A minute with two B-frames between references, GOP 10."""
    return record(frames=PICTURES, gop=10, b_frames=2)


@pytest.fixture(scope="session")
def minute_h265() -> Clip:
    """A minute of H.265, GOP 25."""
    return record(frames=PICTURES, gop=25, codec="h265")


@dataclass(frozen=True)
class Video:
    """The pictures of files: the instant from which each is shown (us since 1970), in order, and their numbers."""

    starts_us: list[int]
    numbers: list[int | None]

    def at(self, instant: datetime) -> int | None:
        """The number of the picture that is shown at an instant: the last that began."""
        return self.numbers[bisect.bisect_right(self.starts_us, to_us(instant)) - 1]


def decode(files: list[tuple[Path, int]]) -> Video:
    """Read files, each with the instant at which it starts."""
    pictures: list[tuple[int, int | None]] = []
    for path, start_us in files:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                assert frame.pts is not None
                assert frame.time_base is not None
                # not rounded up: a picture that begins a fraction later than its instant is the next one's
                shown_us = start_us + int(frame.pts * frame.time_base * 1_000_000)
                pictures.append((shown_us, frame_number(frame.to_ndarray(format="gray").astype(np.uint8))))
    pictures.sort()
    return Video([shown_us for shown_us, _ in pictures], [number for _, number in pictures])


def start_in(path: Path) -> int:
    """The start that a file's own metadata tells, us since 1970."""
    with av.open(str(path)) as container:
        return int(container.metadata["nvr_start_us"])


def digests(files: list[Path], codec: VideoCodec) -> set[str]:
    """The coded pictures of files."""
    found = set()
    for path in files:
        with av.open(str(path)) as container:
            for packet in container.demux(video=0):
                if packet.size:
                    found.add(slices_digest(bytes(packet), in_mp4=True, codec=codec))
    return found


class Witness:
    """Looks while it happens: at every snapshot, since a better one replaces it, and at the slot."""

    def __init__(self, storage: Path) -> None:
        self._storage = storage
        self.snapshots: dict[Path, bytes] = {}
        self.shown: list[tuple[datetime, int | None]] = []
        """Instant and number of the pictures that were in the slot."""

    def look_for(self, seconds: float) -> None:
        slot = layout.slot_path(layout.run_folder(layout.volume_id(self._storage)), "hik1")
        until = time.monotonic() + seconds
        with closing(SlotReader(slot)) as reader:
            while time.monotonic() < until:
                if reader.wait(timedelta(milliseconds=50)) and (frame := reader.read()) is not None:
                    self.shown.append((frame.at, frame_number(frame.luma)))
                self.collect()

    def collect(self) -> None:
        for path in (self._storage / "snapshots").rglob("*.jpg"):
            if path not in self.snapshots:
                with suppress(FileNotFoundError):
                    self.snapshots[path] = path.read_bytes()


def instant_of(snapshot: Path) -> datetime:
    return layout.parse_stamp(snapshot.parent.name, snapshot.stem)


def number_in(picture: bytes) -> int | None:
    grey = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    return frame_number(grey.astype(np.uint8))


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("clip", "script", "lives"),
    [
        ("minute", {}, 2),
        ("minute", {"speed": 0.9995}, 1),
        ("minute", {"speed": 1.0005, "start": 2**32 - 5 * 90_000 + 1234}, 1),
        ("minute_b_frames", {}, 1),
        ("minute_h265", {}, 1),
    ],
    ids=["h264", "slow clock", "fast clock that wraps", "b-frames", "h265"],
)
def test_slot_snapshot_video_and_camera_show_the_same_picture(
    tmp_path: Path, request: pytest.FixtureRequest, clip: str, script: dict[str, Any], lives: int
) -> None:
    video: Clip = request.getfixturevalue(clip)
    config = tmp_path / "nvr.yaml"
    witness = Witness(tmp_path / "storage")
    with ScriptedCamera(Script(video, **{"speed": 1, **script})) as camera:
        config.write_text(
            "storage: storage\nrecording: {segment: 5s}\ncameras:\n"
            f"  hik1: {{url: '{camera.url}', audio: off, detect: {{mode: motion, fps: 10}}}}\n"
        )
        for _ in range(lives):  # each life of nvr has an event of its own, or more where nobody looked for a while
            with Station(config) as station:
                station.wait_until_logged("motion (event ")
                witness.look_for(8)
                assert station.stop() == 0
                witness.collect()
        sent = {each.digest for session in camera.sessions for each in session}
    events = listed("events", config)
    assert len(events) >= lives
    assert {Path(row["snapshot"]) for row in events} <= witness.snapshots.keys()

    files = [Path(row["path"]) for row in listed("segments", config)]
    assert digests(files, video.codec) <= sent
    recorded = decode([(path, start_in(path)) for path in files])
    assert len(witness.shown) > 30 * lives
    assert [(at, number) for at, number in witness.shown if recorded.at(at) != number] == []
    for path, picture in witness.snapshots.items():
        number = number_in(picture)
        assert number is not None
        assert recorded.at(instant_of(path)) == number, path.name
        assert exported(config, tmp_path, instant_of(path)) == number, path.name


def exported(config: Path, folder: Path, instant: datetime) -> int | None:
    """The number shown at an instant in what ``nvr export`` makes of the second after it."""
    since, until = format_rfc3339(instant), format_rfc3339(instant + timedelta(seconds=1))
    target = folder / "clip.mp4"
    order = ("--camera", "hik1", "--from", since, "--to", until, "-o", str(target), "--force", "--json")
    done = nvr("export", *order, "--config", str(config))
    assert done.returncode == 0, done.stderr
    begin = datetime.fromisoformat(json.loads(done.stdout)["start"])
    return decode([(target, to_us(begin))]).at(instant)

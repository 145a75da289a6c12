"""Pictures of what cameras tell: from the slot, from the camera, or none, and never in anybody's way."""

from __future__ import annotations

import queue
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from nvr import frameslot, layout
from nvr.clock import SystemClock
from nvr.frameslot import SlotWriter
from nvr.isapi.task import Ear, Place
from nvr.model import Address, Event
from nvr.photographer import WAITING, Photographer
from tests.fakes.isapi import PASSWORD, SILENT, USER, Answer, FakeDevice
from tests.fakes.slots import put, scene
from tests.fakes.station import ROOT, wait_for

JPEG = b"\xff\xd8as the camera gave it\xff\xd9"


def told(number: int = 7, *, ago: timedelta = timedelta()) -> Event:
    """An event that was last heard of so long ago."""
    at = datetime.now(UTC) - ago
    return Event("hik1", "camera", "person", at, at, id=number)


class Studio:
    """A photographer, and the pictures it has told of."""

    def __init__(self, folder: Path) -> None:
        self.storage = folder / "storage"
        layout.prepare(self.storage)
        self.done: queue.Queue[tuple[int, Path]] = queue.Queue()
        self.photographer = Photographer(
            self.storage, SystemClock(), lambda number, path: self.done.put((number, path))
        )

    def next(self) -> bytes:
        number, path = self.done.get(timeout=10)
        assert number == 3
        assert path.name.endswith("_person_7.jpg")
        return (self.storage / path).read_bytes()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(tmp_path)
    yield studio
    studio.photographer.close()


def ear_at(fake: FakeDevice, slot: Path | None = None) -> Ear:
    place = Place("127.0.0.1", fake.port, username=USER, password=PASSWORD)
    return Ear("hik1", place, 2, Address("rtsp://127.0.0.1"), timedelta(seconds=5), slot=slot)


def test_a_camera_that_is_not_analysed_gives_its_own_picture(studio: Studio) -> None:
    with FakeDevice([SILENT], pictures=[JPEG]) as fake:
        studio.photographer.ask(3, ear_at(fake), told())
        assert studio.next() == JPEG
        assert fake.requests[-1][0] == "/ISAPI/Streaming/channels/201/picture"


def test_a_camera_that_is_analysed_is_not_asked(studio: Studio, tmp_path: Path) -> None:
    slot = tmp_path / "hik1.slot"
    frameslot.create(slot)
    with FakeDevice([SILENT], pictures=[JPEG]) as fake, SlotWriter(slot) as writer:
        put(writer, scene(1)[0], datetime.now(UTC))
        studio.photographer.ask(3, ear_at(fake, slot), told())
        picture = cv2.imdecode(np.frombuffer(studio.next(), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (180, 320, 3)
        assert fake.requests == []


@pytest.mark.parametrize("age", [timedelta(seconds=30), None])
def test_a_frame_that_is_old_or_not_there_is_not_taken(studio: Studio, tmp_path: Path, age: timedelta | None) -> None:
    slot = tmp_path / "hik1.slot"
    frameslot.create(slot)
    with FakeDevice([SILENT], pictures=[JPEG]) as fake, SlotWriter(slot) as writer:
        if age is not None:
            put(writer, scene(1)[0], datetime.now(UTC) - age)
        studio.photographer.ask(3, ear_at(fake, slot), told())
        assert studio.next() == JPEG


def test_an_event_that_is_long_over_gets_no_picture_of_something_else(studio: Studio, tmp_path: Path) -> None:
    slot = tmp_path / "hik1.slot"
    frameslot.create(slot)
    with FakeDevice([SILENT], pictures=[JPEG]) as fake, SlotWriter(slot) as writer:
        put(writer, scene(1)[0], datetime.now(UTC))
        studio.photographer.ask(3, ear_at(fake, slot), told(ago=timedelta(seconds=15)))
        wait_for(lambda: studio.photographer.failed == 1, "the picture to fail")
        assert fake.requests == []
    assert studio.done.empty()


def test_a_camera_that_refuses_pictures_is_left_alone(studio: Studio) -> None:
    with FakeDevice([SILENT], pictures=[Answer("403 Forbidden")]) as fake:
        for _ in range(5):
            studio.photographer.ask(3, ear_at(fake), told())
        wait_for(lambda: studio.photographer.failed == 5, "five pictures to fail")
        assert len(fake.requests) == 2
    assert studio.done.empty()


def test_nothing_is_written_where_the_disk_is_not_mounted(studio: Studio) -> None:
    (studio.storage / layout.MARKER).unlink()
    with FakeDevice([SILENT], pictures=[JPEG]) as fake:
        studio.photographer.ask(3, ear_at(fake), told())
        wait_for(lambda: studio.photographer.failed == 1, "the picture to fail")
    assert list(studio.storage.rglob("*.jpg")) == []


def test_asking_never_waits_for_a_camera_that_hangs(studio: Studio) -> None:
    with FakeDevice([SILENT], offers=(), pictures=[Answer("200 OK", b"", {"Content-Length": "9"})]) as fake:
        ear = ear_at(fake)
        for number in range(WAITING + 30):
            studio.photographer.ask(number, ear, told(number))
        assert studio.photographer.failed >= 29


def test_neither_opencv_nor_numpy_is_needed_for_a_picture_that_the_camera_gives() -> None:
    code = "import sys, nvr.listener; print(sorted({'cv2', 'numpy', 'onnxruntime', 'av'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"

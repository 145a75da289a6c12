"""A film and what is in it: pictures at their own rate, and the people that somebody marked by hand.

Truth is as the MOTChallenge publishes it (Leal-Taixé et al., arXiv:1504.01942; Milan et al., arXiv:1603.00831): lines
``frame,id,left,top,width,height,conf,...`` in pixels, frames and pixels counted from 1. MOT15 goes on with x, y, z of
the world or -1; MOT16, 17 and 20 with a class (1 is a pedestrian who walks) and the share of him that can be seen.
"""

from __future__ import annotations

import configparser
import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from nvr.model import Box, Frame

EPOCH = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""The instant of a film's first frame: any will do."""
PEDESTRIAN = 1
LIKE_PEOPLE = {2, 7, 8, 12}
"""Classes that the MOTChallenge neither asks for nor counts as wrong: people on vehicles and behind glass, statues."""


@dataclass(frozen=True, slots=True)
class Film:
    """A video file, or a folder of JPEGs in the order of their names (``img1``, or the sequence's folder around it)."""

    path: Path
    width: int
    height: int
    fps: float
    frames: int

    def at(self, number: int) -> datetime:
        """The instant of a frame; frames are counted from 1."""
        return EPOCH + timedelta(seconds=1) * ((number - 1) / self.fps)

    def pictures(self, every: int = 1) -> Iterator[tuple[int, Frame]]:
        """The first frame and each ``every``-th after it, with their numbers."""
        source = _jpegs(self.path, every) if self.path.is_dir() else _video(self.path, every)
        for number, i420 in source:
            height, width = i420.shape[0] * 2 // 3, i420.shape[1]
            pts_us = round((number - 1) / self.fps * 1e6)
            yield number, Frame(i420, width, height, self.at(number), pts_us, number, 1)


def open_film(path: Path) -> Film:
    """Read what a film is. Raises SystemExit where it is none."""
    if path.is_dir():
        return _open_folder(path)
    try:
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            rate = video.average_rate or video.guessed_rate
            frames = sum(packet.size > 0 for packet in container.demux(video))
            return Film(path, video.width, video.height, float(rate or 25), frames)
    except (av.FFmpegError, IndexError) as error:
        raise SystemExit(f"{path} is no video: {error}") from error


def _open_folder(path: Path) -> Film:
    """``seqinfo.ini`` says the rate; 25 where there is none."""
    folder = path / "img1" if (path / "img1").is_dir() else path
    files = sorted(folder.glob("*.jpg"))
    first = cv2.imread(str(files[0])) if files else None
    if first is None:
        raise SystemExit(f"{folder} holds no pictures (*.jpg)")
    info = configparser.ConfigParser()
    info.read(folder.parent / "seqinfo.ini")
    fps = info.getfloat("Sequence", "frameRate", fallback=25.0)
    return Film(folder, first.shape[1], first.shape[0], fps, len(files))


def _video(path: Path, every: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for number, frame in enumerate(container.decode(video=0), 1):
            if (number - 1) % every == 0:
                width, height = frame.width & ~1, frame.height & ~1
                yield number, np.asarray(frame.to_ndarray(format="yuv420p", width=width, height=height), np.uint8)


def _jpegs(folder: Path, every: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    for number, file in enumerate(sorted(folder.glob("*.jpg")), 1):
        if (number - 1) % every == 0:
            picture = cv2.imread(str(file))
            if picture is None:
                raise SystemExit(f"{file} is no picture")
            height, width = picture.shape[0] & ~1, picture.shape[1] & ~1
            yield number, np.asarray(cv2.cvtColor(picture[:height, :width], cv2.COLOR_BGR2YUV_I420), np.uint8)


@dataclass(frozen=True, slots=True)
class Person:
    """A marked person in one frame. ``visible`` is the share of him that can be seen, 1 where nobody said."""

    id: int
    box: Box
    visible: float = 1.0


@dataclass(frozen=True, slots=True)
class Truth:
    """By frame: ``people`` who count, and ``ignored`` places where finding somebody is neither right nor wrong."""

    people: dict[int, list[Person]] = field(default_factory=dict)
    ignored: dict[int, list[Box]] = field(default_factory=dict)


def read_truth(path: Path, width: int, height: int) -> Truth:
    """Raises SystemExit, with the line, where the file is not there or not laid out as described above."""
    if not path.is_file():
        raise SystemExit(f"{path} is missing")
    truth = Truth()
    with path.open(newline="") as file:
        for line, row in enumerate(csv.reader(file), 1):
            if row:
                try:
                    _take(truth, [float(value) for value in row], width, height)
                except (ValueError, IndexError) as error:
                    raise SystemExit(f"{path}:{line}: want frame,id,left,top,width,height,conf: {error}") from error
    if not truth.people:
        raise SystemExit(f"{path} marks nobody")
    return truth


def _take(truth: Truth, values: list[float], width: int, height: int) -> None:
    left, top, wide, high = values[2:6]
    frame, counts = int(values[0]), len(values) < 7 or values[6] != 0
    kind = int(values[7]) if len(values) == 9 else PEDESTRIAN
    # Pixels are counted from 1.
    box = Box((left - 1) / width, (top - 1) / height, (left - 1 + wide) / width, (top - 1 + high) / height)
    if counts and kind == PEDESTRIAN:
        person = Person(int(values[1]), box, values[8] if len(values) == 9 else 1.0)
        truth.people.setdefault(frame, []).append(person)
    elif kind == PEDESTRIAN or kind in LIKE_PEOPLE:
        truth.ignored.setdefault(frame, []).append(box)

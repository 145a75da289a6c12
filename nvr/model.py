"""The values that cross boundaries between parts: frozen, without behaviour beyond derived properties.

No value here holds an object of FFmpeg, SQLAlchemy or the inference library.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nvr.reason import Reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

StreamName = Literal["main", "sub"]
EventKind = Literal["object", "motion", "camera", "health"]
Role = Literal["admin", "viewer"]
KeyKind = Literal["session", "token", "link"]
SegmentState = Literal["closed", "salvaged", "open", "missing", "deleting"]
"""``open``: being written, so it has no row. ``missing``: its file is gone. ``deleting``: its file is about to be."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where one stream is: an ``rtsp://`` URL or the path of a video file, and the credential kept apart from it."""

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    transport: Literal["tcp", "udp"] = "tcp"
    loop: bool = False
    """Only for a file: start again at its end."""

    @property
    def is_file(self) -> bool:
        return "://" not in self.url


@dataclass(frozen=True, slots=True)
class Run:
    """One connection to one stream, from open to its ``end_reason``. ``end`` is None while it lasts."""

    id: str
    camera: str
    stream: StreamName
    start: datetime
    end: datetime | None = None
    end_reason: str | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One closed video file. ``path`` is relative to the storage folder; instants are UTC."""

    camera: str
    run: str
    path: Path
    start: datetime
    end: datetime
    bytes: int
    packets: int
    codec: str
    width: int
    height: int
    state: SegmentState = "closed"

    @property
    def duration(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Gap:
    """Why a camera has no video from ``start`` to ``end``; ``end`` is None while that lasts.

    A gap explains only what no segment covers, so that it may be noted generously. ``id`` is given by whoever notices
    first; the same id again completes or corrects the gap. ``detail`` adds to the reason what is known, for people.
    """

    id: str
    camera: str
    start: datetime
    reason: Reason
    detail: str = ""
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stint:
    """One life of ``nvr start``: ``alive`` is the last instant it is known to have lived, ``end`` its orderly end.

    ``boot`` is the kernel's boot id: a stint without an end, followed by another boot, ended with the machine.
    """

    id: int
    start: datetime
    alive: datetime
    end: datetime | None
    boot: str


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions of the frame, 0..1, left-top to right-bottom."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Detection:
    """One box, label and score (0..1) in one frame."""

    box: Box
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Waypoint:
    """Where an event's subject was at an instant (UTC)."""

    at: datetime
    box: Box


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a camera. ``end`` is None while it lasts; ``id`` is None until it is stored.

    ``seen`` is the last instant at which its subject was seen; ``snapshot`` and ``thumbnail`` are relative to the
    storage folder. ``zones`` are the zones it was in and the lines it crossed, in the order in which it came to them.
    """

    camera: str
    kind: EventKind
    label: str
    start: datetime
    seen: datetime
    end: datetime | None = None
    score: float = 0.0
    box: Box | None = None
    zones: tuple[str, ...] = ()
    snapshot: Path | None = None
    id: int | None = None
    locked: bool = False
    """The user wants its video and its snapshot kept, whatever retention says."""
    thumbnail: Path | None = None
    """A small picture of the subject alone."""
    began: str = ""
    """Why it began, for people: such as "moved", "entered yard" or "crossed gate inwards"."""
    ended: str = ""
    """Why it ended, for people: such as "left the picture" or "came to stand"; empty while it lasts."""
    false: bool = False
    """A person said that it was no such thing."""
    received: datetime | None = None
    """Kind camera: when nvr was told, by nvr's clock; ``start`` and ``end`` are by the camera's."""
    detail: str = ""
    """Kinds camera and health: what was said, for people."""
    same_as: int | None = None
    """Kind camera: the event of nvr's own that tells the same; listings then show only that."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who may use the web page. ``cameras`` are the names of those it may see, None for all."""

    name: str
    role: Role
    cameras: tuple[str, ...] | None
    created: datetime
    password: str | None = field(default=None, repr=False)
    """argon2 hash; None until one was set."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a browser (session) or a program (token) comes in with, or a link to set a password with, once."""

    user: str
    kind: KeyKind
    name: str
    created: datetime
    expires: datetime | None = None
    used: datetime | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """Who did or looked at what: ``start`` and ``end`` say which footage, where it was footage."""

    at: datetime
    user: str
    address: str
    action: str
    camera: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture, a private copy.

    ``i420`` is uint8 of shape (height * 3 // 2, width): the luma plane over the two chroma planes as OpenCV's
    ``COLOR_YUV2BGR_I420`` reads it. ``at`` is the UTC instant the picture was captured, by the same clock that places
    the video. ``sequence`` counts frames written to the slot, so a difference above one is frames not seen.
    """

    i420: NDArray[np.uint8]
    width: int
    height: int
    at: datetime
    pts_us: int
    sequence: int
    generation: int

    @property
    def luma(self) -> NDArray[np.uint8]:
        """The brightness plane, shape (height, width); a view."""
        return self.i420[: self.height]


@dataclass(frozen=True, slots=True)
class PacketInfo:
    """What the pure parts know of one packet. Times are microseconds of media time, ``None`` where the camera's
    packet carried none; ``arrival_us`` is the wall clock (since 1970) when it was read."""

    stream: Literal["video", "audio"]
    pts_us: int | None
    dts_us: int | None
    duration_us: int
    key: bool
    size: int
    arrival_us: int
    renewed: bool = False
    """A key frame from which on the picture's format is another: only a new file can hold it."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A packet with its place in the run: repaired, monotonic media time in microseconds."""

    pts_us: int
    dts_us: int
    duration_us: int
    jumped: bool = False
    """The camera's own time jumped just before this packet; the media time here goes on without the jump."""
    dropped: bool = False
    """The packet has no usable place (audio far from the video): do not write it."""

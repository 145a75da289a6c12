"""The tables: what each column means, which indexes serve which question, and the revision this version works with.

Instants are INTEGER microseconds since 1970 UTC in columns named ``*_us``; paths are POSIX text relative to the storage
folder. ``docs/schema.md`` says the same for people and a test holds the two equal. A change here needs a migration
under ``migrations/versions`` and a new ``HEAD``; migrations never import this module, so that they stay what they were.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    REAL,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

HEAD = "0004"
"""Alembic's newest revision. Held here so that opening the catalogue need not import Alembic; a test compares them.

Revisions are four digits that count up, so that text order tells older from newer.
"""

LONG_US = 3_600_000_000
"""From one hour on a span is "long": its rows are found by a partial index of their own (``spans.py`` says why)."""

OPEN_OR_LONG = f"end_us IS NULL OR end_us - start_us >= {LONG_US}"
"""Literal text, because SQLite uses a partial index only where the query repeats its condition word for word."""

FOOTAGE = "state IN ('closed', 'salvaged')"
"""Segments whose video is there and stays."""

LEFT_OUT = "state NOT IN ('closed', 'salvaged')"
"""The other ones. Literal text for the same reason."""

ALONE = "kind = 'camera' AND same_as IS NULL"
"""What a camera told and no event of nvr's own tells, too, as far as is known. Literal text again."""

DENIED = "marked_false = 1"
"""Events of which a person said that they were no such thing. Literal text again."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(column_0_N_label)s",
    }
)


def _required(name: str, kind: Any, comment: str, *args: Any, **options: Any) -> Column[Any]:
    return Column(name, kind, *args, nullable=False, comment=comment, **options)


def _optional(name: str, kind: Any, comment: str, *args: Any) -> Column[Any]:
    return Column(name, kind, *args, nullable=True, comment=comment)


def _camera() -> Column[Any]:
    return _required("camera_id", Integer, "the camera, cameras.id", ForeignKey("cameras.id"))


cameras = Table(
    "cameras",
    metadata,
    _required("id", Integer, "number that the other tables use", primary_key=True),
    _required("name", Text, "slug from the configuration, such as hik1", unique=True),
    _required("added_us", Integer, "instant from which nvr knows the camera; the ledger says nothing of before"),
    comment="every camera that was ever configured and started; never deleted",
)

runs = Table(
    "runs",
    metadata,
    _required("id", Text, "unique id that the recorder gives", primary_key=True),
    _camera(),
    _required("stream", Text, "main or sub"),
    _required("start_us", Integer, "instant at which the connection was opened"),
    _optional("end_us", Integer, "instant at which it ended; NULL while it lasts"),
    _optional("end_reason", Text, "why it ended, killed where nobody could say; NULL while it lasts"),
    _optional("codec", Text, "video codec as FFmpeg names it, such as h264 or hevc; NULL until known"),
    _optional("width", Integer, "picture width in pixels; NULL until known"),
    _optional("height", Integer, "picture height in pixels; NULL until known"),
    Index("ix_runs_start", "start_us", "id"),
    Index("ix_runs_camera", "camera_id", "start_us", "id"),
    Index("ix_runs_open_or_long", "start_us", "id", sqlite_where=text(OPEN_OR_LONG)),
    comment="one connection to one stream, from open to its end_reason",
)

segments = Table(
    "segments",
    metadata,
    _required("id", Integer, "number without meaning", primary_key=True),
    _camera(),
    _required("run_id", Text, "the run it was cut from, runs.id", ForeignKey("runs.id")),
    _required("path", Text, "file, relative to the storage folder", unique=True),
    _required("start_us", Integer, "instant of the first picture"),
    _required("end_us", Integer, "instant at which the last picture ends"),
    _required("bytes", Integer, "size of the file"),
    _required("packets", Integer, "number of video packets in it"),
    _required("codec", Text, "video codec as FFmpeg names it, such as h264 or hevc"),
    _required("width", Integer, "picture width in pixels"),
    _required("height", Integer, "picture height in pixels"),
    _required("state", Text, "closed, salvaged where its recorder was killed, deleting before its file is, or missing"),
    _optional("rule", Text, "the rule of retention that deletes it; NULL while it is kept"),
    Index("ix_segments_start", "start_us"),
    Index("ix_segments_camera", "camera_id", "start_us", "id", "end_us", "state", "bytes"),
    Index("ix_segments_run", "run_id"),
    Index("ix_segments_open_or_long", "start_us", sqlite_where=text(OPEN_OR_LONG)),
    Index("ix_segments_left_out", "state", "start_us", "id", "camera_id", sqlite_where=text(LEFT_OUT)),
    comment="one closed video file; the file is the truth, the row can be rebuilt from it",
)

gaps = Table(
    "gaps",
    metadata,
    _required("id", Text, "unique id that whoever noticed it gives", primary_key=True),
    _camera(),
    _required("start_us", Integer, "instant from which there is no video"),
    _optional("end_us", Integer, "instant at which it ended; NULL while it lasts"),
    _required("reason", Text, "why, a code of docs/ledger.md such as unreachable"),
    _required("detail", Text, "what else is known, for people; may be empty"),
    Index("ix_gaps_start", "start_us", "id"),
    Index("ix_gaps_camera", "camera_id", "start_us", "id"),
    Index("ix_gaps_open_or_long", "start_us", "id", sqlite_where=text(OPEN_OR_LONG)),
    comment="why a camera has no video in a span; explains only what no segment covers",
)

stints = Table(
    "stints",
    metadata,
    _required("id", Integer, "number without meaning", primary_key=True),
    _required("start_us", Integer, "instant at which nvr start began"),
    _required("alive_us", Integer, "last instant at which it is known to have run"),
    _optional("end_us", Integer, "instant at which it ended in order; NULL while it runs, or where it was killed"),
    _required("boot", Text, "the kernel's boot id: another one in the next row means that the machine went down"),
    Index("ix_stints_start", "start_us"),
    comment="one life of nvr start",
)

events = Table(
    "events",
    metadata,
    _required("id", Integer, "number that people and file names use; never used twice", primary_key=True),
    _camera(),
    _required("kind", Text, "object, motion, camera (told by the camera itself) or health"),
    _required("label", Text, "what it was, such as person"),
    _required("start_us", Integer, "instant at which it began"),
    _required("seen_us", Integer, "last instant at which its subject was seen"),
    _optional("end_us", Integer, "instant at which it ended; NULL while it lasts"),
    _required("score", REAL, "best score of its detections, 0 to 1"),
    _optional("box_left", REAL, "left edge of the best box, fraction of the picture width; NULL without a box"),
    _optional("box_top", REAL, "top edge of the best box, fraction of the picture height; NULL without a box"),
    _optional("box_right", REAL, "right edge of the best box, fraction of the picture width; NULL without a box"),
    _optional("box_bottom", REAL, "bottom edge of the best box, fraction of the picture height; NULL without a box"),
    _required("zones", Text, 'JSON array of the names of the zones it was in, as it entered them, such as ["gate"]'),
    _optional("snapshot", Text, "JPEG file, relative to the storage folder; NULL without one"),
    _required("locked", Integer, "1 where the user wants its video and picture kept, else 0", server_default=text("0")),
    _optional("thumbnail", Text, "small JPEG of its subject, relative to the storage folder; NULL without one"),
    _required("began", Text, "why it began, for people; may be empty", server_default=text("''")),
    _required("ended", Text, "why it ended, for people; empty while it lasts", server_default=text("''")),
    _required(
        "marked_false", Integer, "1 where a person said that it was no such thing, else 0", server_default=text("0")
    ),
    _optional("received_us", Integer, "kind camera: instant by nvr's clock at which nvr was told; else NULL"),
    _required("detail", Text, "what else was said, for people; may be empty", server_default=text("''")),
    _optional(
        "same_as",
        Integer,
        "kind camera: the event of nvr's own that tells the same, events.id; else NULL",
        ForeignKey("events.id", ondelete="SET NULL"),
    ),
    Index("ix_events_start", "start_us"),
    Index("ix_events_camera", "camera_id", "start_us"),
    Index("ix_events_kind", "kind", "start_us"),
    Index("ix_events_label", "label", "start_us"),
    Index("ix_events_open_or_long", "start_us", sqlite_where=text(OPEN_OR_LONG)),
    Index("ix_events_alone", "camera_id", "start_us", sqlite_where=text(ALONE)),
    Index("ix_events_same_as", "same_as", sqlite_where=text("same_as IS NOT NULL")),
    Index("ix_events_denied", "start_us", sqlite_where=text(DENIED)),
    comment="something that happened at a camera",
    sqlite_autoincrement=True,
)

paths = Table(
    "paths",
    metadata,
    _required(
        "event_id",
        Integer,
        "the event, events.id; its path goes with it",
        ForeignKey("events.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    _required("start_us", Integer, "instant from which its points count"),
    _required("points", Text, "JSON array of [ms since start_us, left, top, right, bottom], edges as fractions"),
    comment="where the subject of an event was, while it lasted",
)

changes = Table(
    "changes",
    metadata,
    _required("number", Integer, "counts up with every change, so that a reader knows what is new", primary_key=True),
    _required("event_id", Integer, "the event, events.id; it may be gone"),
    _required("change", Text, "begin, update (what one sees of it is another) or end"),
    comment="what became of events lately, for whoever follows them; the last 10 000 changes are kept",
)

users = Table(
    "users",
    metadata,
    _required("id", Integer, "number that keys use; never used twice", primary_key=True),
    _required("name", Text, "what the person logs in with", unique=True),
    _required("role", Text, "admin or viewer"),
    _optional("cameras", Text, "JSON array of the names of the cameras it may see; NULL for all"),
    _optional("password", Text, "argon2 hash of the password; NULL until one was set"),
    _required("created_us", Integer, "instant at which it was made"),
    comment="who may use the web page and the API",
    sqlite_autoincrement=True,
)

keys = Table(
    "keys",
    metadata,
    _required("id", Integer, "number that people use; never used twice", primary_key=True),
    _required(
        "user_id",
        Integer,
        "whose it is, users.id; it goes with the account",
        ForeignKey("users.id", ondelete="CASCADE"),
    ),
    _required("kind", Text, "session of a browser, token of a program, or link to set a password with, once"),
    _required("name", Text, "what the person calls a token; what the browser calls itself"),
    _required("digest", Text, "SHA-256 of the secret, hexadecimal; the secret itself is nowhere", unique=True),
    _required("created_us", Integer, "instant at which it was made"),
    _optional("used_us", Integer, "instant at which it was used last, to about a minute; NULL before"),
    _optional("expires_us", Integer, "instant from which on it is worth nothing; NULL for never"),
    Index("ix_keys_user_id", "user_id"),
    comment="what browsers and programs come in with",
    sqlite_autoincrement=True,
)

accesses = Table(
    "accesses",
    metadata,
    _required("number", Integer, "counts up", primary_key=True),
    _required("at_us", Integer, "instant at which it began"),
    _required("user", Text, "name of the account, which may be gone"),
    _required("address", Text, "IP address it came from"),
    _required("action", Text, "what was done, such as live, video, picture, download, export, login"),
    _optional("camera", Text, "name of the camera; NULL where it is about none"),
    _optional("start_us", Integer, "from which instant on footage was looked at; NULL where it was not"),
    _optional("end_us", Integer, "up to which instant; NULL where it was not"),
    comment="who looked at what; the last 100 000 are kept",
    sqlite_autoincrement=True,
)
